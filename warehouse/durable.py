"""Files that are whole or not there at all, whatever is killed or fails while they are written.

A file is written under a temporary name that its writer holds, synced and renamed. A process that
is killed leaves its file behind but holds it no more: whoever can take hold of one may clear it,
on any machine, whatever the clocks say. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lossnets.warehouse.errors import BusyError, UserError

SUFFIX = ".new"
READY = ".ready-"  # a folder whose files all go to the folder that it lies in
PAUSE_S = 0.02
PATIENCE_S = 10.0  # how long to wait for another process, where nothing else is said


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to write; once the block ends it is the file `path`, durably.

    Errors: OSError where it cannot be written; then `path` is what it was.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a")) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     Path(folder, "a").read_text()
    'whole'
    """
    with unfinished(path) as temporary:
        yield temporary
        publish(temporary, path)


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


@contextmanager
def replacing_all(folder: Path) -> Iterator[Path]:
    """A temporary folder of files to write; once the block ends all are in `folder`, durably.

    It is renamed, which is all or nothing, and its files then go where they belong: where that is
    cut short `finish` does the rest. Errors: OSError where something cannot be written; then
    `folder` is what it was.
    """
    descriptor, temporary = _held_folder(folder)
    try:
        yield temporary
        for path in temporary.iterdir():
            sync(path)
        sync(temporary)
        ready = temporary.rename(folder / f"{READY}{secrets.token_hex(6)}")
        sync(folder)
        with suppress(OSError):
            _move_out(ready)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def finish(folder: Path) -> None:
    """Put in place what `replacing_all` had ready where it was killed; nothing if refused."""
    try:
        with os.scandir(folder) as entries:
            ready = [e.name for e in entries if e.name.startswith(READY) and e.is_dir()]
    except OSError:
        return
    for name in sorted(ready):
        with suppress(OSError):
            _move_out(folder / name)


def _move_out(ready: Path) -> None:
    for path in sorted(ready.iterdir()):
        if stat.S_ISREG(path.lstat().st_mode):
            with suppress(FileNotFoundError):  # another process was faster
                path.replace(ready.parent / path.name)
    sync(ready.parent)
    ready.rmdir()


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name, durably: whole or not at all."""
    sync(temporary)
    temporary.rename(path)
    sync(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, durably."""
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync(path.parent)


def sync(path: Path) -> None:
    """Return once what a file or a folder holds is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, patience_s: float | None = None) -> Iterator[None]:
    """Hold the lock file `path`, made where it is not there, as the only process.

    Errors: `BusyError` where another one holds it for all of `patience_s`, by default 10 s;
    OSError where the system gives no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = deadline_of(patience_s)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise busy(path.parent) from None
            time.sleep(PAUSE_S)
        yield
    finally:
        os.close(descriptor)


def deadline_of(patience_s: float | None) -> float:
    """When to wait no longer, on the monotonic clock."""
    return time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)


def busy(path: Path) -> BusyError:
    """The error for what another process holds."""
    return BusyError(
        f"{path} is busy in another process", hint="end that process, or try again later"
    )


def cannot_write(path: Path, error: OSError) -> UserError:
    """An operating system's refusal to write, as one sentence."""
    return UserError(
        f"cannot write to {path}: {error.strerror or error}",
        hint="make room or choose another folder with --home or LOSSNETS_HOME",
    )


def clear(folder: Path, start: str = ".") -> None:
    """Remove the files of a folder that were left unfinished; nothing where that is refused.

    start: of their names, where the folder is not ours alone.
    """
    try:
        with os.scandir(folder) as entries:
            names = [
                e.name for e in entries if e.name.startswith(start) and e.name.endswith(SUFFIX)
            ]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            if name.endswith(SUFFIX):
                _clear(folder / name)


def _held_folder(folder: Path) -> tuple[int, Path]:
    """A new folder in another one, held as long as its descriptor is open."""
    while True:
        path = folder / f".{secrets.token_hex(6)}{SUFFIX}"
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, path
        os.close(descriptor)  # cleared before it was held: once more


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
    is_folder = stat.S_ISDIR(path.lstat().st_mode)
    access = os.O_RDONLY | os.O_DIRECTORY if is_folder else os.O_RDWR | os.O_NONBLOCK
    descriptor = os.open(path, access | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_folder:
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)
