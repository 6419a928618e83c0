"""Hashes of what the warehouse is made from. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
SHIPPED = ("paper", "measured", "schema")


def inputs(home: Path) -> str:
    """The hash of everything that the warehouse and the report derive from.

    Shipped data, schema and registered attributes count by content, the record log (which may
    hold gigabytes and is only ever added to) by its files' names, sizes and times.
    """
    parts = [shipped(), measured(home), attributes(home)]
    parts += [f"{name} {size} {modified}" for name, size, modified in records(home)]
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
    """The files of a folder by name; those that start with a dot are not finished."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        folder / name
        for name in sorted(names)
        if name.endswith(suffixes) and not name.startswith(".")
    ]


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
