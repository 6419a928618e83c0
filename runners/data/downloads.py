"""Downloads that go on where they ended, are checked, and are unpacked whole or not at all.

Standard library only. What is under way lies in the data set's folder `.downloads`.
"""

from __future__ import annotations

import hashlib
import html
import http.client
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import Request, urlopen

from lossnets.runners.data import archives
from lossnets.runners.data.catalog import Archive, DataSet, Progress
from lossnets.warehouse.durable import cannot_write, make_folder, publish
from lossnets.warehouse.errors import UserError

TIMEOUT_S = 30
BLOCK = 2**20
RANGE_NOT_SATISFIABLE = 416
LINK = r"""href=["']?([^"'\s>]+\.(?:tiff?|png|jpe?g))["'\s>]"""


def fetch(data_set: DataSet, root: Path, progress: Progress) -> None:
    """Download all of a data set into `root`, unpacked; what is there already is not fetched.

    progress: called with bytes. Errors: UserError where a server does not answer, a size or
    checksum is wrong, an archive is damaged or reaches outside its folder, the disk is full.
    """
    try:
        make_folder(root / ".downloads")
        done = _Done(root / ".downloads" / "done.json")
        for archive in data_set.archives:
            if archive.url not in done:
                for one in _expanded(archive):
                    _fetch_one(one, root, progress)
                done.add(archive.url)
    except UserError as error:
        again = f"lossnets data fetch {data_set.name}"
        hint = f"{again} goes on from here" + (f"; {data_set.how}" if data_set.how else "")
        raise UserError(error.message, hint=error.hint or hint) from None
    except OSError as error:
        raise cannot_write(root, error) from None


class _Done:
    """The downloads that are complete, remembered in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            known = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, ValueError, RecursionError):
            known = []  # they are only downloaded again
        self._urls: list[str] = known if isinstance(known, list) else []

    def __contains__(self, url: str) -> bool:
        return url in self._urls

    def add(self, url: str) -> None:
        self._urls.append(url)
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._urls), "utf-8")
        publish(temporary, self._path)


def _expanded(archive: Archive) -> list[Archive]:
    """The files that an index page links to; anything else is itself."""
    if not archive.url.endswith("/index.html"):
        return [archive]
    with _answers(archive.url, {}) as answer:
        page = answer.read().decode("utf-8", "replace")
    links = re.findall(LINK, page, re.IGNORECASE)
    if not links:
        raise UserError(f"found no images in the list {archive.url}")
    urls = dict.fromkeys(urljoin(archive.url, html.unescape(link)) for link in links)
    return [Archive(url=url, folder=archive.folder, bytes=None, checksum=None) for url in urls]


def _fetch_one(archive: Archive, root: Path, progress: Progress) -> None:
    name = Path(unquote(urlsplit(archive.url).path)).name
    target = root / archive.folder
    if not name.endswith(archives.SUFFIXES) and (target / name).exists():
        return
    part = root / ".downloads" / f"{name}.part"
    download(archive, part, progress)
    _check(archive, part)
    make_folder(target)
    if name.endswith(archives.SUFFIXES):
        progress(0, 1, f"unpacking {name}")
        _unpack(part, name, target)
    else:
        publish(part, target / name)
    _forget(part)


def _unpack(part: Path, name: str, target: Path) -> None:
    try:
        archives.unpack(part, name, target)
    except archives.DamagedError:
        _forget(part)  # so that the next call starts anew
        raise


def download(archive: Archive, part: Path, progress: Progress) -> None:
    """Bring the file `part` to its full length, from where it ends now.

    It starts anew where the server does not send parts, or has another file by now.
    """
    have = part.stat().st_size if part.exists() else 0
    tag = part.with_suffix(".tag")
    if archive.bytes is not None:
        if have == archive.bytes:
            return
        _check_room(part.parent, archive.bytes - have)
    headers = {}
    if have and tag.is_file():
        headers = {"Range": f"bytes={have}-", "If-Range": tag.read_text("utf-8")}
    with _answers(archive.url, headers) as answer:
        if answer.status == RANGE_NOT_SATISFIABLE:
            if answer.headers.get("Content-Range", "").endswith(f"/{have}"):
                return
            _forget(part)
            raise UserError(f"{archive.url} has become another file")
        if answer.status != 206:
            have = 0
        found = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if found and not found.startswith("W/"):
            tag.write_text(found, "utf-8")
        else:
            tag.unlink(missing_ok=True)
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else archive.bytes or 0
        with part.open("ab" if have else "wb") as file:
            while block := answer.read(BLOCK):
                file.write(block)
                have += len(block)
                progress(have, max(total, have), f"{part.stem} {have / 1e6:,.0f} MB")
    if total and have < total:
        raise UserError(f"{archive.url} ended after {have:,} of {total:,} bytes")


@contextmanager
def _answers(url: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
    """A server's answer; what goes wrong with it is one sentence."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise UserError(f"found {url}; valid is an address with http or https")
    try:
        with urlopen(Request(url, headers=headers), timeout=TIMEOUT_S) as answer:
            yield answer
    except HTTPError as fault:
        with fault:
            if fault.code != RANGE_NOT_SATISFIABLE:
                raise UserError(f"{url} answered {fault.code} ({fault.reason})") from None
            yield fault  # type: ignore[misc]  # it reads like an answer
    except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as fault:
        reason = getattr(fault, "reason", None) or fault
        raise UserError(f"{url} could not be fetched ({reason})") from None


def _check(archive: Archive, part: Path) -> None:
    """Compare size and checksum; a file that is wrong goes, so that the next call starts anew."""
    size = part.stat().st_size
    if archive.bytes is not None and size != archive.bytes:
        _forget(part)
        raise UserError(f"{archive.url} has {size:,} bytes; {archive.bytes:,} are published")
    if archive.checksum is None:
        return
    kind, _, published = archive.checksum.partition(":")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != published:
        _forget(part)
        raise UserError(f"{archive.url} has {kind} {found}; {published} is published")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_suffix(".tag").unlink(missing_ok=True)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{folder} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed",
            hint="make room or choose another folder with --data or --home",
        )
