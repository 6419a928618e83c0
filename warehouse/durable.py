"""Files that are not finished yet: each is held by the process that writes it.

A process that is killed leaves its file behind but holds it no more. So whoever can take hold of
one may clear it, on any machine, whatever the clocks say. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SUFFIX = ".new"


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A new, empty file beside `path`, to write and to rename; else it is gone after the block.

    Errors: OSError where the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{SUFFIX}")
    descriptor = _held(temporary)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(descriptor)


def clear(folder: Path) -> None:
    """Remove the files of a folder that were left unfinished; nothing where that is refused."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name[0] == "." and e.name.endswith(SUFFIX)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            _clear(folder / name)


def clear_all(folder: Path) -> None:
    """Remove a folder unless a file in it is being written."""
    clear(folder)
    if not any(folder.glob(f".*{SUFFIX}")):
        shutil.rmtree(folder, ignore_errors=True)


def _held(path: Path) -> int:
    """A new file, held as long as its descriptor is open."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # where nothing can be held, nothing is cleared either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # cleared before it was held: once more


def _clear(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)
