"""What is true of a data folder whatever happened to it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from acts import LAYERS, planned, record, values

from lossnets.warehouse.sources.records import read_entry
from lossnets.warehouse.store import Warehouse

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
        if (path.name.startswith(".") and not path.name.endswith(".lock") and not _spill(path))
        or path.suffix in LEFT
    ]
    return sorted({str(path.relative_to(home)) for path in strange + unfinished})


def _spill(path: Path) -> bool:
    """The folder that DuckDB spills into, if it is empty."""
    return path.name == ".spill" and not any(path.iterdir())


def check_rebuilt(home: Path) -> None:
    """Assert that a database made anew from the same log holds the same."""
    with tempfile.TemporaryDirectory() as beside:
        (Path(beside) / "records").symlink_to((home / "records").resolve())
        anew = Warehouse.open(beside).rows(SCORES)
    assert anew == Warehouse.open(home).rows(SCORES), "a rebuild gives something else"


def files(folder: Path) -> dict[str, bytes]:
    """What the files below a folder hold, by their paths in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def check_sweep(home: Path, acknowledged: Iterable[object], *, ended: bool = False) -> set[object]:
    """The same of simulated runs, their values per item and learning curves; the ids there.

    ended: all that was planned is there.
    """
    import simulated

    store = Warehouse.open(home)
    _, rows = store.rows("select run_id, value from scores where score = 'mrd_quality' "
                         "and source = 'measured' order by run_id")  # fmt: skip
    ids = [run_id for run_id, _ in rows]
    assert rows == [(run_id, simulated.score(run_id)) for run_id in sorted(set(ids))]
    lost = set(acknowledged) - set(ids)
    assert not lost, f"lost: {sorted(map(str, lost))}"
    for table, each in (("item_values", simulated.ITEMS), ("learning_curves", simulated.EPOCHS)):
        _, counts = store.rows(f"select run_id, count(*) from {table} group by all order by all")
        assert counts == [(run_id, each) for run_id in ids], f"{table} of other runs than recorded"
    in_log = [run.run_id for path in sorted((home / "records").glob("*.jsonl"))
              for run in read_entry(path)]  # fmt: skip
    assert sorted(in_log) == ids, "executed twice"
    if ended:
        assert set(ids) == {row.run_id for row in planned(home)}
        assert not left_over(home), f"left over: {left_over(home)}"
        kept = {path.name for path in home.glob("runs/*/*")}
        assert kept == {".lock", "curves.csv", "items.csv.gz"}, kept
    return set(ids)
