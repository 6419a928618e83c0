"""What is true of a data folder whatever happened to it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from acts import LAYERS, record, values

from warehouse.store import Warehouse

HOME = {".lock", "attributes", "datasets", "packs", "records", "runs", "studies", "sweeps",
        "warehouse.duckdb"}  # fmt: skip
LEFT = (".new", ".part", ".tmp", ".wal")
SCORES = """
select seed, run_id, layer, value from scores
where source = 'measured' and benchmark = 'autoencoding' order by seed, layer_position
"""


def check(home: Path, acknowledged: Iterable[object], *, faults: int = 0) -> set[object]:
    """Assert that nothing is lost, twice or by halves, and return the seeds that are there.

    The next command works by itself; every acknowledged run is there once, with all it measured;
    what else is there is whole too; nothing is left that is not finished; as many files as
    `faults` are left out, and told.
    """
    store = Warehouse.open(home)
    there = _whole(store)
    lost = set(acknowledged) - there
    assert not lost, f"lost: {sorted(map(str, lost))}"
    assert len(store.skipped()) == faults, f"left out: {store.skipped()}"
    left = left_over(home)
    assert not left, f"left over: {left}"
    return there


def _whole(store: Warehouse) -> set[object]:
    _, rows = store.rows(SCORES)
    seeds = sorted({row[0] for row in rows})
    expected = [
        (seed, record(seed).run_id, layer, value)
        for seed in seeds
        for layer, value in zip(LAYERS, values(seed), strict=True)
    ]
    assert rows == expected, f"twice, half or wrong: {set(rows) ^ set(expected)}"
    return set(seeds)


def left_over(home: Path) -> list[str]:
    """Paths below a data folder that no finished command leaves there."""
    strange = [path for path in home.iterdir() if path.name not in HOME and not _spill(path)]
    unfinished = [
        path
        for path in home.rglob("*")
        if (path.name.startswith(".") and path.name != ".lock" and not _spill(path))
        or path.suffix in LEFT
    ]
    return sorted({str(path.relative_to(home)) for path in strange + unfinished})


def _spill(path: Path) -> bool:
    """The folder that DuckDB spills into, if it is empty."""
    return path.name == ".spill" and not any(path.iterdir())


def check_rebuilt(home: Path, beside: Path) -> None:
    """Assert that a database made anew from the same log holds the same."""
    beside.mkdir()
    (beside / "records").symlink_to((home / "records").resolve())
    anew = Warehouse.open(beside).rows(SCORES)
    assert anew == Warehouse.open(home).rows(SCORES), "a rebuild gives something else"
