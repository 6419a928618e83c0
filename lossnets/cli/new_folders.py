"""Folders that a command makes are told: a name that is misspelled is not lost silently."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lossnets.cli.terminal import note


@contextmanager
def telling_home(home: Path) -> Iterator[Path]:
    """Say where a new home is, for one appears wherever a command names one."""
    with telling_new(home, "a new home, "):
        yield home


@contextmanager
def telling_new(folder: Path, what: str = "") -> Iterator[None]:
    """Say so where the block makes a folder."""
    was_there = folder.exists()
    try:
        yield
    finally:
        if not was_there and folder.is_dir():
            note(f"made {what}the folder {folder.resolve()}")
