"""Hashes of what the warehouse is made from. Standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from lossnets.warehouse.sources.compacted import originals
from lossnets.warehouse.sources.listing import files, folders, states

WAREHOUSE = Path(__file__).parents[1]


def inputs(home: Path) -> str:
    """The hash of everything that the warehouse and the report derive from.

    Shipped data, schema and registered attributes count by content; the record log by its
    entries' names, sizes and times, compacted or not; the folders of runs (which may hold
    gigabytes) by theirs.
    """
    parts = [shipped(), registered(home), measured(home), attributes(home), events(home)]
    parts += [f"{name} {size} {modified}" for name, size, modified in originals(home)]
    parts += [f"{name} {modified}" for name, modified in folders(home)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def shipped() -> str:
    """The hash of the data, the schema and the code that fills it, as they come with lossnets."""
    paths = (path for path in WAREHOUSE.rglob("*") if path.suffix in (".csv", ".sql", ".py"))
    return _hash(sorted(paths))


def registered(home: Path) -> str:
    """The hash of the benchmarks, scores and sources that a home registers."""
    folders = (home / "catalog" / name for name in ("benchmarks", "scores", "sources"))
    return _hash(path for folder in folders for path in files(folder, (".json",)))


def measured(home: Path) -> str:
    """The hash of the measured tables of further networks."""
    return _hash(files(home / "attributes" / "measured", (".json",)))


def attributes(home: Path) -> str:
    """The hash of the attributes that users registered."""
    return _hash(files(home / "attributes", (".json",)))


def events(home: Path) -> str:
    """The hash of what was said of runs after they were recorded: names, sizes and times."""
    return hashlib.sha256(str(states(home / "events", (".json",))).encode()).hexdigest()


def studies(home: Path) -> str:
    """The hash of which results of studies are saved: names, sizes and times."""
    return hashlib.sha256(str(states(home / "studies", (".parquet",))).encode()).hexdigest()


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:  # and another hash as soon as it can be read
            content = f"cannot be read: {error.strerror}".encode()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
