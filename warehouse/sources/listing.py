"""What the folders of a home hold, by name, size and time. Standard library only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

Entry = tuple[str, int, int]  # path below home, size, time of the last change in ns


def records(home: Path) -> list[Entry]:
    """The log's entries in order: (path below home, size, time of the last change in ns)."""
    return states(home / "records", (".jsonl", ".parquet"))


def folders(home: Path) -> list[tuple[str, int]]:
    """The folders of runs in order: (name, time of the last change in ns).

    A file that is added, replaced or removed changes the time: its folder alone is asked, for
    there may be a hundred thousand.
    """
    return [(name, modified) for name, _, modified in _there(home / "runs", ("",))]


def states(folder: Path, suffixes: tuple[str, ...]) -> list[Entry]:
    """The files of a folder in order: (path below its parent, size, time of the last change)."""
    return [
        (f"{folder.name}/{name}", size, modified)
        for name, size, modified in _there(folder, suffixes)
    ]


def _there(folder: Path, suffixes: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """What a folder holds, by name: (name, size, time of the last change in ns)."""
    found = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _opened(folder) as descriptor:
        for name in os.listdir(descriptor):  # noqa: PTH208, names without a path to walk
            if not name.startswith(".") and name.endswith(suffixes):
                with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                    status = os.stat(name, dir_fd=descriptor)
                    found.append((name, status.st_size, status.st_mtime_ns))
    return sorted(found)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
