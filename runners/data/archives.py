"""Archives unpacked whole or not at all, and never outside the folder they are meant for.

Standard library only. `tarfile` has its own filters from Python 3.11.4 on; the rule here is the
same with every Python: plain files and folders, below the folder, and nothing else.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lossnets.warehouse.errors import UserError

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
BLOCK = 2**20


class DamagedError(UserError):
    """An archive that is not whole: to be fetched anew."""


def unpack(path: Path, name: str, target: Path) -> None:
    """Unpack the archive `path`, called `name`, into `target`: all of it or nothing.

    Errors: `DamagedError` where it is not whole, read to its end with its checksums; UserError
    where it holds a link or a device, or a name that leads outside.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(Path(folder, "a.zip"), "w") as archive:
    ...         archive.writestr("../b", "outside")
    ...     unpack(Path(folder, "a.zip"), "a.zip", Path(folder))
    Traceback (most recent call last):
    lossnets.warehouse.errors.UserError: a.zip is not safe to unpack ('../b' leads outside)
    """
    staging = path.with_suffix(".unpacking")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        for place, content in (_zipped if name.endswith(".zip") else _tarred)(path):
            _write(staging, place, content)
        _merge(staging, target)
    except _UnsafeError as fault:
        raise UserError(f"{name} is not safe to unpack ({fault})") from None
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise DamagedError(f"{name} is damaged ({fault})") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


class _UnsafeError(Exception):
    """A member of an archive that is not to be unpacked."""


def _tarred(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """(name, content, None of a folder) of each member."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                if not member.isfile() and not member.isdir():
                    kind = "a link" if member.issym() or member.islnk() else "a device"
                    raise _UnsafeError(f"{member.name!r} is {kind}")
                yield member.name, archive.extractfile(member) if member.isfile() else None
        while stream.read(BLOCK):
            pass  # what is checked at the end of a gzip file is checked when it is read


def _zipped(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                yield member.filename, None
            else:
                with archive.open(member) as content:
                    yield member.filename, content


def _write(folder: Path, name: str, content: IO[bytes] | None) -> None:
    place = folder / name
    if not place.resolve().is_relative_to(folder.resolve()):
        raise _UnsafeError(f"{name!r} leads outside")
    if content is None:
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        shutil.copyfileobj(content, file, BLOCK)


def _merge(source: Path, target: Path) -> None:
    """Move everything in `source` to `target`, into folders that are there already."""
    for entry in sorted(source.iterdir()):
        place = target / entry.name
        if entry.is_dir() and place.is_dir() and not place.is_symlink():
            _merge(entry, place)
        else:
            entry.replace(place)
