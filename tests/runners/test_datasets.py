"""Data sets: what is said about them, how they are fetched and unpacked."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lossnets.runners.data import catalog, downloads
from lossnets.runners.data.catalog import Archive, DataSet
from lossnets.warehouse.errors import UserError


class Server(ThreadingHTTPServer):
    """Serves `files` on the loopback; cuts an answer short once `short` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.short: int | None = None
        self.sends_parts = True
        self.asked: list[tuple[str, str | None]] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        wanted = self.headers.get("Range")
        self.server.asked.append((name, wanted))
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        start = 0
        if wanted and self.server.sends_parts and self.headers.get("If-Range") == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content) if self.server.short is None else self.server.short
        self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(monkeypatch, tmp_path):
    """Fetch a data set of some archives into a folder."""

    def fetch(*archives: Archive) -> Path:
        monkeypatch.setattr(catalog, "archives", lambda: {"mine": archives})
        downloads.fetch(MINE, tmp_path / "mine", lambda *progress: None)
        return tmp_path / "mine"

    return fetch


MINE = DataSet(
    name="mine",
    title="Mine",
    benchmark="",
    size="1 kB",
    layout="*",
    how="or else",
)
BYTES = bytes(range(256)) * 16


def archive(url: str, folder: str = "", size: int | None = None, checksum: str | None = None):
    return Archive(url=url, folder=folder, bytes=size, checksum=checksum)


def tar(**files: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as written:
        for name, data in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(data)
            written.addfile(member, io.BytesIO(data))
    return content.getvalue()


def files(root: Path) -> dict[str, bytes]:
    """What there is but for the notes of what is done."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "done.json"
    }


# ---- the registry ------------------------------------------------------------------------------


def test_every_data_set_of_the_paper_is_there_with_its_sources():
    names = ["bapps", "coco", "set5", "set14", "bsd100", "mrd", "svhn", "stl10"]
    assert list(catalog.DATA_SETS) == names
    assert all(catalog.DATA_SETS[name].archives for name in names)
    assert [len(catalog.DATA_SETS[name].archives) for name in ("set5", "set14")] == [5, 14]
    for data_set in catalog.DATA_SETS.values():
        for one in data_set.archives:
            assert one.url.startswith(("https://", "http://"))
            kind, _, digits = (one.checksum or "md5:" + 32 * "0").partition(":")
            assert len(digits) == 2 * hashlib.new(kind).digest_size


@pytest.mark.torch
def test_the_checksums_of_svhn_and_stl10_are_those_that_torchvision_checks():
    from torchvision.datasets import STL10, SVHN

    expected = {url: f"md5:{md5}" for url, _, md5 in SVHN.split_list.values()}
    assert {one.url: one.checksum for one in catalog.DATA_SETS["svhn"].archives} == expected
    (one,) = catalog.DATA_SETS["stl10"].archives
    assert (one.url, one.checksum) == (STL10.url, f"md5:{STL10.tgz_md5}")


def test_the_overview_says_what_is_there(tmp_path):
    columns, rows = catalog.overview(tmp_path)
    assert {row[columns.index("state")] for row in rows} == {"missing"}
    (tmp_path / "datasets" / "svhn").mkdir(parents=True)
    (tmp_path / "datasets" / "svhn" / "train_32x32.mat").touch()
    (tmp_path / "datasets" / "stl10" / ".downloads").mkdir(parents=True)
    (tmp_path / "datasets" / "stl10" / ".downloads" / "stl10_binary.tar.gz.part").touch()
    (tmp_path / "datasets" / "mrd" / ".downloads").mkdir(parents=True)
    states = {row[0]: row[columns.index("state")] for row in catalog.overview(tmp_path)[1]}
    assert states == dict.fromkeys(catalog.DATA_SETS, "missing") | {
        "svhn": "there",
        "stl10": "partly",
    }
    checksums = {row[0]: row[columns.index("checksum")] for row in rows}
    assert (checksums["bapps"], checksums["svhn"]) == ("not published", "md5")


def test_a_data_set_of_no_such_name_is_told():
    with pytest.raises(UserError) as error:
        catalog.named("baps")
    assert error.value.message == (
        "found data set 'baps'; valid are bapps, coco, set5, set14, bsd100, mrd, svhn, stl10"
    )


def test_a_data_set_lies_in_the_home_or_where_it_is_said(tmp_path):
    for folder in (tmp_path / "datasets" / "svhn", tmp_path / "mine"):
        folder.mkdir(parents=True)
    assert catalog.locate("svhn", None, tmp_path) == tmp_path / "datasets" / "svhn"
    assert catalog.locate("svhn", tmp_path / "mine", tmp_path) == tmp_path / "mine"
    with pytest.raises(UserError) as error:
        catalog.locate("stl10", None, tmp_path)
    assert error.value.message == (
        f"found no folder {tmp_path}/datasets/stl10 to read STL-10 from, a download of 2.6 GB that "
        "holds stl10_binary/{train,test}_{X,y}.bin and stl10_binary/unlabeled_X.bin"
    )


# ---- downloads ---------------------------------------------------------------------------------


def test_files_and_archives_go_where_they_belong(server, fetch):
    server.files = {
        "a.mat": BYTES,
        "val.tar.gz": tar(val__ref__1=b"1"),
    }
    root = fetch(archive(server.url("a.mat")), archive(server.url("val.tar.gz"), "2afc"))
    assert files(root) == {"a.mat": BYTES, "2afc/val/ref/1": b"1"}


def test_archives_are_unpacked_into_folders_that_are_there(server, fetch):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("val/b", b"2")
    server.files = {"1.tar": tar(val__a=b"1", val__b=b"0"), "2.zip": content.getvalue()}
    root = fetch(archive(server.url("1.tar")), archive(server.url("2.zip")))
    assert files(root) == {"val/a": b"1", "val/b": b"2"}


def test_what_is_complete_is_not_fetched_again(server, fetch):
    server.files = {"a.mat": BYTES, "b.tgz": tar(b=b"1")}
    both = [archive(server.url(name)) for name in server.files]
    fetch(*both)
    fetch(*both)
    assert len(server.asked) == 2


def test_a_download_goes_on_where_it_ended(server, fetch):
    server.files, server.short = {"a.mat": BYTES}, 1000
    one = archive(server.url("a.mat"), size=4096, checksum=md5(BYTES))
    with pytest.raises(UserError) as error:
        fetch(one)
    assert error.value.message == f"{one.url} ended after 1,000 of 4,096 bytes"
    assert error.value.hint == "lossnets data fetch mine goes on from here; or else"
    server.short = None
    assert files(fetch(one)) == {"a.mat": BYTES}
    assert server.asked == [("a.mat", None), ("a.mat", "bytes=1000-")]


def test_a_file_that_has_changed_meanwhile_is_fetched_anew(server, fetch):
    server.files, server.short = {"a.mat": BYTES}, 1000
    with pytest.raises(UserError):
        fetch(archive(server.url("a.mat")))
    server.files, server.short = {"a.mat": BYTES[::-1]}, None
    assert files(fetch(archive(server.url("a.mat")))) == {"a.mat": BYTES[::-1]}


def test_a_server_that_sends_no_parts_sends_it_all(server, fetch):
    server.files, server.short = {"a.mat": BYTES}, 1000
    with pytest.raises(UserError):
        fetch(archive(server.url("a.mat")))
    server.sends_parts, server.short = False, None
    assert files(fetch(archive(server.url("a.mat")))) == {"a.mat": BYTES}


def test_a_download_that_was_complete_but_not_placed_is_placed(server, fetch, tmp_path):
    server.files, server.short = {"a.mat": BYTES}, 1000
    with pytest.raises(UserError):
        fetch(archive(server.url("a.mat")))
    (tmp_path / "mine" / ".downloads" / "a.mat.part").write_bytes(BYTES)
    server.short = None
    assert files(fetch(archive(server.url("a.mat")))) == {"a.mat": BYTES}
    assert server.asked[-1] == ("a.mat", "bytes=4096-")


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


def test_a_wrong_checksum_leaves_nothing(server, fetch, tmp_path):
    server.files = {"a.mat": BYTES}
    wrong = md5(b"")
    with pytest.raises(UserError) as error:
        fetch(archive(server.url("a.mat"), checksum=wrong))
    assert error.value.message == (
        f"{server.url('a.mat')} has md5 {md5(BYTES)[4:]}; {wrong[4:]} is published"
    )
    assert not list((tmp_path / "mine").rglob("a.mat*"))


def test_a_wrong_size_leaves_nothing(server, fetch, tmp_path):
    server.files = {"a.mat": BYTES}
    with pytest.raises(UserError) as error:
        fetch(archive(server.url("a.mat"), size=4000))
    assert error.value.message == f"{server.url('a.mat')} has 4,096 bytes; 4,000 are published"
    assert not (tmp_path / "mine" / "a.mat").exists()


def test_a_server_that_does_not_have_it_is_told(server, fetch):
    with pytest.raises(UserError) as error:
        fetch(archive(server.url("a.mat")))
    assert error.value.message == f"{server.url('a.mat')} answered 404 (Not Found)"


def test_a_server_that_is_not_there_is_told(fetch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.mat"
    with pytest.raises(UserError) as error:
        fetch(archive(url))
    assert error.value.message == f"{url} could not be fetched ([Errno 111] Connection refused)"


def test_an_address_of_another_kind_is_refused(fetch):
    with pytest.raises(UserError) as error:
        fetch(archive("file:///etc/passwd"))
    assert error.value.message == (
        "found file:///etc/passwd; valid is an address with http or https"
    )


def test_a_damaged_archive_leaves_nothing(server, fetch, tmp_path):
    whole = tar(a=BYTES)
    server.files = {"a.tar.gz": whole[: len(whole) // 2]}
    with pytest.raises(UserError, match=r"a\.tar\.gz is damaged"):
        fetch(archive(server.url("a.tar.gz")))
    assert not (tmp_path / "mine" / "a").exists()
    server.files = {"a.tar.gz": whole}
    assert files(fetch(archive(server.url("a.tar.gz")))) == {"a": BYTES}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_that_reaches_outside_is_refused(server, fetch, tmp_path, kind):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("good", b"1")
        written.writestr("../../outside", b"1")
    packed = content.getvalue() if kind == "zip" else tar(good=b"1", **{"../../outside": b"1"})
    server.files = {f"a.{kind}": packed}
    with pytest.raises(UserError, match=rf"a\.{kind} is not safe to unpack \(.*outside"):
        fetch(archive(server.url(f"a.{kind}")))
    assert list(tmp_path.rglob("outside")) == []
    assert not (tmp_path / "mine" / "good").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_link_or_a_device_in_an_archive_is_refused_with_every_python(
    server, fetch, tmp_path, monkeypatch, kind
):
    monkeypatch.delattr(tarfile, "FilterError", raising=False)  # as before Python 3.11.4
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as packed:
        member = tarfile.TarInfo("odd")
        member.type, member.linkname = kind, "/etc/passwd"
        packed.addfile(member)
    server.files = {"a.tar": content.getvalue()}
    word = "a device" if kind == tarfile.FIFOTYPE else "a link"
    with pytest.raises(UserError) as error:
        fetch(archive(server.url("a.tar")))
    assert error.value.message == f"a.tar is not safe to unpack ('odd' is {word})"
    assert not list((tmp_path / "mine").glob("odd"))


def test_an_archive_is_read_to_its_end_so_that_its_checksum_counts(server, fetch, tmp_path):
    whole = tar(a=BYTES)
    server.files = {"a.tar.gz": whole[:-8] + bytes(4) + whole[-4:]}  # another CRC-32
    with pytest.raises(UserError, match=r"^a\.tar\.gz is damaged \(CRC check failed"):
        fetch(archive(server.url("a.tar.gz")))
    assert not (tmp_path / "mine" / "a").exists()


def test_the_images_of_a_list_are_fetched(server, fetch):
    base = server.url("sat/")
    server.files = {
        "sat/index.html": f'<a href="{base}1.tiff"><a href=2.tif><a href="x.txt">'.encode(),
        "sat/1.tiff": b"one",
        "sat/2.tif": b"two",
    }
    one = archive(server.url("sat/index.html"), "train/sat")
    assert files(fetch(one)) == {"train/sat/1.tiff": b"one", "train/sat/2.tif": b"two"}
    server.files["map/index.html"] = b"<html></html>"
    with pytest.raises(UserError) as error:
        fetch(archive(server.url("map/index.html")))
    assert error.value.message == f"found no images in the list {server.url('map/index.html')}"


def test_a_disk_that_is_too_small_is_told(server, fetch, monkeypatch, tmp_path):
    usage = type("Usage", (), {"free": 10**8})
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UserError) as error:
        fetch(archive(server.url("a.mat"), size=3 * 10**9))
    assert error.value.message == f"{tmp_path}/mine/.downloads has 0.1 GB free, 3.0 GB are needed"
    assert server.asked == []


def test_what_is_done_is_remembered(server, fetch):
    server.files = {"a.mat": BYTES}
    root = fetch(archive(server.url("a.mat")))
    assert json.loads((root / ".downloads" / "done.json").read_text()) == [server.url("a.mat")]
