"""Registered benchmarks, scores and sources on disk: a JSON file each, whole or absent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lossnets.warehouse.durable import (
    cannot_write,
    finish,
    locked,
    make_folder,
    replacing_all,
)
from lossnets.warehouse.sources.catalog import FORMAT, Entry, check, id_of


def path_of(home: Path, one: Entry) -> Path:
    """The file that registers it, there or not."""
    return home / "catalog" / f"{type(one).__name__.lower()}s" / f"{id_of(one)}.json"


def write(home: Path, several: Sequence[Entry]) -> None:
    """Register entries of one kind: all of them durably, or none."""
    for one in several:
        check(one)
    if not several:
        return
    folder = path_of(home, several[0]).parent
    try:
        make_folder(folder)
        with replacing_all(folder) as temporary:
            for one in several:
                content = {"format": FORMAT} | asdict(one)
                text = json.dumps(content, indent=1, ensure_ascii=False)
                (temporary / path_of(home, one).name).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder, error) from None


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Be the only one to look what is registered, and to register or remove something."""
    try:
        make_folder(home / "catalog")
    except OSError as error:
        raise cannot_write(home, error) from None
    with locked(home / "catalog" / ".lock"):
        for name in ("benchmarks", "scores", "sources"):
            finish(home / "catalog" / name)
        yield


def remove(home: Path, one: Entry) -> None:
    """Delete the file that registers it."""
    try:
        path_of(home, one).unlink()
    except OSError as error:
        raise cannot_write(path_of(home, one), error) from None
