"""What the folders of a home hold, by name, size and time. Standard library only."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

PLACES = {
    "records": (".jsonl", ".parquet"),
    "attributes": (".json",),
    "attributes/measured": (".json",),
    "studies": (".parquet",),
    "events": (".json",),
    "catalog/benchmarks": (".json",),
    "catalog/scores": (".json",),
    "catalog/sources": (".json",),
}
Entry = tuple[str, int, int]  # path below home, size, time of the last change in ns


def records(home: Path) -> list[Entry]:
    """The log's entries in order: (path below home, size, time of the last change in ns)."""
    return states(home / "records", (".jsonl", ".parquet"))


def folders(home: Path) -> list[tuple[str, int]]:
    """The folders of runs in order: (name, time of the last change in ns).

    A file that is added, replaced or removed changes the time: its folder alone is asked, for
    there may be a hundred thousand.
    """
    return [(name, modified) for name, _, modified in _there(home / "runs", ("",), stat.S_ISDIR)]


def files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a folder by name: no folders, pipes or links to nothing."""
    return [folder / name for name, _, _ in _there(folder, suffixes)]


def odd(home: Path) -> list[tuple[str, str]]:
    """(path below home, why) of what lies where files should, and is none that can be read."""
    faults = []
    for place, suffixes in PLACES.items():
        used = {path.name for path in files(home / place, suffixes)}
        for name in sorted(_names(home / place)):
            if name.endswith(suffixes) and not name.startswith(".") and name not in used:
                why = "it is no file" if name.isprintable() else "its name does not print"
                faults.append((f"{place}/{ascii(name)[1:-1]}", why))
    return faults


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208, names alone
    except (FileNotFoundError, NotADirectoryError):
        return []


def states(folder: Path, suffixes: tuple[str, ...]) -> list[Entry]:
    """The files of a folder in order: (path below its parent, size, time of the last change)."""
    return [
        (f"{folder.name}/{name}", size, modified)
        for name, size, modified in _there(folder, suffixes)
    ]


def _there(
    folder: Path, suffixes: tuple[str, ...], is_kind: Callable[[int], bool] = stat.S_ISREG
) -> list[tuple[str, int, int]]:
    """What a folder holds, by name: (name, size, time of the last change in ns)."""
    there = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _opened(folder) as descriptor:
        for name in os.listdir(descriptor):  # noqa: PTH208, names without a path to walk
            if not name.startswith(".") and name.endswith(suffixes):
                with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                    status = os.stat(name, dir_fd=descriptor)
                    if name.isprintable() and is_kind(status.st_mode):
                        there.append((name, status.st_size, status.st_mtime_ns))
    return sorted(there)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
