"""Packs: made once, reused while their sources stay, made anew where anything was touched."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lossnets.runners.data import packs
from lossnets.runners.data.image_files import read_image
from lossnets.runners.data.packs import Source
from lossnets.warehouse.errors import UserError


def silent(done: int, total: int, what: str) -> None:
    """No progress."""


def write_image(path: Path, value: int) -> None:
    Image.fromarray(np.full((4, 5, 3), value, np.uint8)).save(path)


def read(files: tuple[Path, ...]) -> tuple[np.ndarray, int]:
    """Pixels, the brightness of the first as a label; the reading leaves a trace."""
    image = read_image(files[0])
    with (files[0].parent / "read.txt").open("a") as file:
        file.write(files[0].stem)
    return image, int(image[0, 0, 0])


def source(folder: Path) -> Source:
    paths = sorted(folder.glob("*.png"))
    return Source(
        names=[path.stem for path in paths],
        files=[(path,) for path in paths],
        shape=(4, 5, 3),
        read=read,
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three images, of brightness 10, 20 and 30."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name, value in zip("abc", (10, 20, 30), strict=True):
        write_image(folder / f"{name}.png", value)
    return folder


def load(images: Path) -> packs.Pack:
    return packs.load(images.parent / "packs" / "p", source(images), silent)


def readings(images: Path) -> int:
    return len((images / "read.txt").read_text())


def test_a_pack_holds_what_was_decoded(images):
    pack = load(images)
    assert pack.images.shape == (3, 4, 5, 3)
    assert pack.images.dtype == np.uint8
    assert isinstance(pack.images, np.memmap)
    assert pack.images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert (pack.names, pack.labels) == (("a", "b", "c"), (10, 20, 30))


def test_it_is_made_once(images):
    digests = {load(images).digest for _ in range(3)}
    assert len(digests) == 1
    assert readings(images) == 3
    assert sorted(path.name for path in (images.parent / "packs").iterdir()) == [
        ".p.lock", "p.json", "p.npy",
    ]  # fmt: skip


def test_a_changed_source_is_seen(images):
    before = load(images).digest
    write_image(images / "b.png", 21)
    os.utime(images / "b.png", ns=(1, 1))
    pack = load(images)
    assert pack.labels == (10, 21, 30)
    assert pack.digest != before
    write_image(images / "d.png", 40)
    assert load(images).labels == (10, 21, 30, 40)
    (images / "a.png").unlink()
    assert load(images).labels == (21, 30, 40)


def test_sources_that_were_only_touched_give_the_same_pack(images):
    before = load(images).digest
    os.utime(images / "b.png", ns=(1, 1))
    assert load(images).digest == before
    assert readings(images) == 6


@pytest.mark.parametrize("torn", ["shorter", "touched", "gone", "sidecar", "other format"])
def test_a_torn_pack_is_made_anew(images, torn):
    before = load(images)
    array, sidecar = images.parent / "packs" / "p.npy", images.parent / "packs" / "p.json"
    if torn == "shorter":
        array.write_bytes(array.read_bytes()[:-1])
    elif torn == "touched":
        os.utime(array, ns=(1, 1))
    elif torn == "gone":
        array.unlink()
    elif torn == "sidecar":
        sidecar.write_text(sidecar.read_text()[:20])
    else:
        sidecar.write_text('{"format": 0}')
    after = load(images)
    assert after.digest == before.digest
    assert after.images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert readings(images) == 6


def test_the_full_check_finds_a_bit_that_flipped(images):
    load(images)
    path = images.parent / "packs" / "p"
    assert packs.is_whole(path)
    array = Path(f"{path}.npy")
    stamp = array.stat()
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    os.utime(array, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert not packs.is_whole(path)
    assert not packs.is_whole(images.parent / "packs" / "other")


def test_packs_that_are_not_whole_are_removed(images):
    folder = images.parent / "packs"
    load(images)
    for name in ("q", "r"):
        packs.load(folder / name, source(images), silent)
    for name, spoilt in (("q", b""), ("r", None)):
        array = folder / f"{name}.npy"
        array.write_bytes(array.read_bytes()[:-1] + b"x" if spoilt is None else spoilt)
    assert packs.verify(folder) == (1, ["q", "r"])
    assert sorted(path.name for path in folder.glob("[!.]*")) == ["p.json", "p.npy"]
    assert packs.verify(images.parent / "none") == (0, [])


def test_the_digest_is_of_contents_wherever_they_lie(images, tmp_path):
    other = tmp_path / "elsewhere" / "images"
    other.mkdir(parents=True)
    for name, value in zip("abc", (10, 20, 30), strict=True):
        Image.fromarray(np.full((4, 5, 3), value, np.uint8)).save(
            other / f"{name}.png", compress_level=0
        )
    assert load(other).digest == load(images).digest
    (other / "c.png").rename(other / "d.png")
    assert load(other).digest != load(images).digest


def test_a_fault_leaves_no_pack(images):
    (images / "b.png").write_bytes(b"no image")
    with pytest.raises(UserError):
        load(images)
    assert [path.name for path in (images.parent / "packs").iterdir()] == [".p.lock"]


MAKE = """
import sys
from pathlib import Path
import numpy as np
from lossnets.runners.data import packs
from lossnets.runners.data.image_files import read_image
files = [(Path(sys.argv[1]) / f"{i}",) for i in range(2000)]
source = packs.Source(
    names=[str(i) for i in range(2000)],
    files=files,
    shape=(2, 2),
    read=lambda files: (np.zeros((2, 2)), None),
)
print("ready", flush=True)
sys.stdin.readline()
told = []
digest = packs.load(Path(sys.argv[1]) / "p", source, lambda *told_: told.append(told_)).digest
print(digest, bool(told))
"""


def test_of_several_processes_one_makes_it(tmp_path):
    for number in range(2000):
        (tmp_path / f"{number}").touch()
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", MAKE, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate()[0].split() for process in processes]
    assert len({digest for digest, _ in ended}) == 1
    assert sorted(made for _, made in ended) == ["False", "False", "True"]


def test_a_full_disk_is_told_before_anything_is_decoded(images, monkeypatch):
    monkeypatch.setattr(packs.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 59}))
    with pytest.raises(UserError) as error:
        load(images)
    assert error.value.message == (
        f"{images.parent}/packs has 0.00 GB free, its decoded images need 0.00 GB"
    )
    assert error.value.hint == "make room or choose another folder with --home or LOSSNETS_HOME"
    assert not (images / "read.txt").exists()


def test_a_folder_that_cannot_be_written_is_told(images):
    (images.parent / "packs").write_text("")
    with pytest.raises(UserError) as error:
        load(images)
    assert error.value.message == f"cannot write to {images.parent}/packs: File exists"


def test_a_source_that_vanished_is_told(images):
    found = source(images)
    (images / "c.png").unlink()
    with pytest.raises(UserError) as error:
        packs.load(images.parent / "packs" / "p", found, silent)
    assert error.value.message == f"cannot read {images}/c.png: No such file or directory"


def _png(*, end: int | None = None) -> bytes:
    content = BytesIO()
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()[:end]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is damaged or no image"),
        (b"text", "it is damaged or no image"),
        (_png(end=5000), "it is truncated"),
        (_png(end=20), "it is damaged or no image"),
        (_png().replace(b"IDAT", b"IDAX"), "it is damaged or no image"),
        (_png()[:3000] + b"\0" * 3000 + _png()[6000:], "it is damaged or no image"),
    ],
)
def test_an_image_that_is_not_whole_is_told(tmp_path, content, reason):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_image(path)
    assert error.value.message == f"cannot read the image {path}, {reason}; put a whole one there"


def test_images_of_other_kinds_are_read_as_rgb(tmp_path):
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), grey[..., None].repeat(3, 2))
