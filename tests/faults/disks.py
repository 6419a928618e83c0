"""Disks that are full or read-only: small ones of their own where one can be mounted."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BLOCK = 4096


@contextmanager
def disk(folder: Path, size: str) -> Iterator[bool]:
    """A small disk of its own, True; where none can be mounted a mere folder."""
    folder.mkdir()
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
    ).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def little_room(folder: Path, mounted: bool, room: int = 0) -> Iterator[None]:
    """Leave so many bytes on the disk, or let no file grow beyond so many (and one)."""
    if mounted:
        filler = folder / "filler"
        free = os.statvfs(folder).f_bavail * BLOCK
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            file.write(bytes(max(0, free - room)))
            while not room:
                file.write(bytes(BLOCK))
        yield
        filler.unlink()
        return
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room + 1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def read_only(folder: Path, mounted: bool) -> Iterator[None]:
    """Let nothing below the folder be written, by root neither."""
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    elif os.geteuid():
        shutil.chown(folder)
        folders = (folder, *(path for path in folder.rglob("*") if path.is_dir()))
        for path in folders:
            path.chmod(0o555)
        yield
        for path in folders:
            path.chmod(0o755)
    else:
        paths = [folder, *folder.rglob("*")]
        subprocess.run(["chattr", "+i", *paths], check=True)
        yield
        subprocess.run(["chattr", "-i", *paths], check=True)
