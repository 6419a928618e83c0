"""Thousands of runs: as many statements and looks as there is something new, and no more."""

from __future__ import annotations

import gzip
import os

import pytest

from lossnets.warehouse.loading import entries as loading
from lossnets.warehouse.loading import lacking, run_files
from lossnets.warehouse.sources import compacted, listing
from lossnets.warehouse.sources.records import Measurement, RunRecord
from lossnets.warehouse.store import Warehouse

RUNS = 2_500
ITEMS = gzip.compress(b"layer,dataset,item,quantity,value\nlate,svhn,a,correct,1\n", 1, mtime=0)
CURVES = b"epoch,split,quantity,value\n1,train,loss,0.5\n"
COUNTS = (
    "select (select count(*) from runs where source = 'measured'), "
    "(select count(*) from scores where source = 'measured'), "
    "(select count(*) from item_values), (select count(*) from learning_curves)"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A log of as many entries as there are runs, a folder each, not durable."""
    home = tmp_path_factory.mktemp("many") / "data"
    (home / "records").mkdir(parents=True)
    for seed in range(RUNS):
        run = RunRecord(
            benchmark="autoencoding",
            seed=seed,
            recorded_at="2026-01-31T12:00:00Z",
            measurements=(
                Measurement(architecture="vgg11", layer="late", score="svhn_accuracy", value=0.5),
            ),
        )
        (home / "records" / f"{seed:08d}.jsonl").write_text(run.to_json())
        folder = home / "runs" / run.run_id
        folder.mkdir(parents=True)
        (folder / "items.csv.gz").write_bytes(ITEMS)
        (folder / "curves.csv").write_bytes(CURVES)
    return home


@pytest.fixture
def counted(monkeypatch):
    """How often functions are called: `counted(module, name)` gives a list that grows."""

    def count(module, name):
        calls, function = [], getattr(module, name)

        def call(*arguments, **options):
            calls.append(arguments)
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, call)
        return calls

    return count


def test_thousands_of_runs_are_loaded_a_thousand_at_a_time_and_their_log_made_short(home, counted):
    batches = counted(run_files, "_insert_folders")
    transactions = counted(loading, "transaction")
    warehouse = Warehouse.open(home)
    assert warehouse.rows(COUNTS)[1] == [(RUNS,) * 4]
    assert warehouse.skipped() == []
    assert [len(batch) for _, batch, _ in batches] == [1000, 1000, 500]
    assert len(transactions) < 20
    entries = listing.records(home)
    assert [file.rpartition(".")[2] for file, _, _ in entries] == ["parquet"]
    (what,) = compacted.found(home, entries).values()
    assert (len(what.entries), len(what.runs)) == (RUNS, RUNS)


def test_where_nothing_is_new_each_folder_is_looked_at_once_and_nothing_is_read(home, counted):
    Warehouse.open(home)
    folders = {name for name, _ in listing.folders(home)}
    looks, reads = counted(os, "stat"), counted(lacking.compacted, "read")
    assert not lacking.lacking(home, home / "warehouse.duckdb")
    assert len(folders) >= RUNS
    assert len([path for path, *_ in looks if path in folders]) == len(folders)
    assert len(looks) < len(folders) + 300
    assert reads == []


def test_one_more_run_is_loaded_by_itself(home, counted):
    warehouse = Warehouse.open(home)
    batches, files = counted(run_files, "_insert_folders"), counted(loading, "read_entry")
    run = RunRecord(
        benchmark="autoencoding",
        seed=RUNS,
        measurements=(
            Measurement(architecture="vgg11", layer="late", score="svhn_accuracy", value=0.5),
        ),
    )
    folder = home / "runs" / run.run_id
    folder.mkdir()
    (folder / "items.csv.gz").write_bytes(ITEMS)
    (folder / "curves.csv").write_bytes(CURVES)
    looks = counted(listing, "folders")
    entry = warehouse.append(run)
    assert len(looks) == 1
    assert warehouse.rows(COUNTS)[1] == [(RUNS + 1,) * 4]
    assert [path for path, _ in files] == [entry]
    assert [[folder.run_id for folder in batch] for _, batch, _ in batches] == [[run.run_id]]


def test_a_rebuild_from_the_compacted_log_says_the_same(home):
    warehouse = Warehouse.open(home)
    before = warehouse.rows(COUNTS), warehouse.rows("from score_means order by all")
    warehouse.rebuild()
    assert (warehouse.rows(COUNTS), warehouse.rows("from score_means order by all")) == before
