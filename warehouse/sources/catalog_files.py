"""Registered benchmarks and scores on disk: a JSON file each, whole or absent."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from lossnets.warehouse.durable import cannot_write, make_folder, replacing
from lossnets.warehouse.sources.catalog import FORMAT, Benchmark, Score, check, id_of


def path_of(home: Path, one: Benchmark | Score) -> Path:
    """The file that registers it, there or not."""
    folder = "scores" if isinstance(one, Score) else "benchmarks"
    return home / "catalog" / folder / f"{id_of(one)}.json"


def write(home: Path, one: Benchmark | Score) -> None:
    """Register a benchmark or a score, durably: its file is whole or absent."""
    check(one)
    path = path_of(home, one)
    text = json.dumps({"format": FORMAT} | asdict(one), indent=1, ensure_ascii=False)
    try:
        make_folder(path.parent)
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path.parent, error) from None


def remove(home: Path, one: Benchmark | Score) -> None:
    """Delete the file that registers it."""
    try:
        path_of(home, one).unlink()
    except OSError as error:
        raise cannot_write(path_of(home, one), error) from None
