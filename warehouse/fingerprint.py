"""Hashes of what the warehouse is made from. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
SHIPPED = ("paper", "measured", "schema")
RUN_FILES = ("items.csv.gz", "curves.csv", "note.json")  # of a run folder, loaded


def inputs(home: Path) -> str:
    """The hash of everything that the warehouse and the report derive from.

    Shipped data, schema and registered attributes count by content; the record log and the
    folders of runs (which may hold gigabytes) by their files' names, sizes and times.
    """
    parts = [shipped(), measured(home), attributes(home)]
    for name, size, modified in [*records(home), *runs(home, (*RUN_FILES, "gallery"))]:
        parts.append(f"{name} {size} {modified}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def shipped() -> str:
    """The hash of the data, the schema and the code that fills it, as they come with lossnets."""
    folders = (HERE, *(HERE / folder for folder in SHIPPED))
    return _hash(path for folder in folders for path in _files(folder, (".csv", ".sql", ".py")))


def measured(home: Path) -> str:
    """The hash of the measured tables of further networks."""
    return _hash(_files(home / "attributes" / "measured", (".json",)))


def attributes(home: Path) -> str:
    """The hash of the attributes that users registered."""
    return _hash(_files(home / "attributes", (".json",)))


def records(home: Path) -> list[tuple[str, int, int]]:
    """The log's entries in order: (path below home, size, time of the last change in ns)."""
    return _states(home / "records", (".jsonl", ".parquet"))


def runs(home: Path, names: tuple[str, ...] = RUN_FILES) -> list[tuple[str, int, int]]:
    """What there is of some files in the folders of runs: (path below home, size, time in ns)."""
    found = []
    for folder in _names(home / "runs"):
        for name in names:
            try:
                status = os.stat(f"{home}/runs/{folder}/{name}")  # noqa: PTH116, three times as fast
            except (FileNotFoundError, NotADirectoryError):
                continue
            found.append((f"runs/{folder}/{name}", status.st_size, status.st_mtime_ns))
    return found


def studies(home: Path) -> str:
    """The hash of which results of studies are saved: names, sizes and times."""
    return hashlib.sha256(str(_states(home / "studies", (".parquet",))).encode()).hexdigest()


def _states(folder: Path, suffixes: tuple[str, ...]) -> list[tuple[str, int, int]]:
    found = []
    for path in _files(folder, suffixes):
        with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
            status = path.stat()
            found.append((f"{folder.name}/{path.name}", status.st_size, status.st_mtime_ns))
    return found


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a folder by name."""
    return [folder / name for name in _names(folder) if name.endswith(suffixes)]


def _names(folder: Path) -> list[str]:
    """What a folder holds, sorted; names that start with a dot are not finished."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
