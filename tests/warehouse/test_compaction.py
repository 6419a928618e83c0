"""A long log is made short: nothing is lost, nothing counts twice, the database stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from lossnets.warehouse import durable
from lossnets.warehouse.answers import coverage
from lossnets.warehouse.loading import compaction
from lossnets.warehouse.sources import compacted, fingerprint, listing
from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry
from lossnets.warehouse.store import Warehouse

VIEWS = (
    "from scores where source = 'measured' order by all",
    "from runs where source = 'measured' order by run_id",
    "from preset_scores order by all",
)
SEEDS = "select seed from runs where source = 'measured' order by seed"


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(compaction, "LEAST", 4)


def _compacted(last: Path) -> Path:
    """The entry that stands for some, of which one is the last."""
    (path,) = last.parent.glob(f"{last.stem}.sha256-*.parquet")
    return path


@pytest.fixture
def written(warehouse, record):
    """Write runs of some seeds to the log, an entry each: `written(seeds, **fields)`."""

    def write(seeds, **fields):
        return [
            write_entry(warehouse.home, [record({"late": 0.5, "early": 0.25}, seed=seed, **fields)])
            for seed in seeds
        ]

    return write


def _seen(warehouse):
    return [warehouse.rows(view) for view in VIEWS]


def _names(warehouse):
    return sorted(path.name for path in (warehouse.home / "records").iterdir())


def test_a_long_log_becomes_one_entry_and_says_the_same(warehouse, written, record, monkeypatch):
    written(range(3))
    baseline = RunRecord(
        benchmark="perceptual_similarity",
        seed=2**60,
        config={"b": 1.0, "a": [None, "é'\"", {"z": 1e-300}], "baseline": "l2"},
        weights="random:0",
        data="d'1",
        preset="smoke",
        versions={"torch": "2.9"},
        device="cpu: x86_64",
        duration_s=1 / 3,
        peak_memory_bytes=2**40,
        recorded_at="2026-01-31T12:00:00.123456Z",
        measurements=(
            Measurement(architecture=None, layer=None, score="bapps_jnd", value=1 / 3, n=7),
        ),
    )
    node = record({"features.3": 0.125}, nodes={"features.3": "features.3.x"})
    last = write_entry(warehouse.home, [baseline, node])
    monkeypatch.setattr(compaction, "LEAST", 100)
    warehouse.refresh()
    before = _seen(warehouse)
    node_of = "select node from loss_networks where layer = 'features.3'"
    assert warehouse.rows(node_of)[1] == [("features.3.x",)]
    monkeypatch.setattr(compaction, "LEAST", 4)
    warehouse.refresh()
    assert _names(warehouse) == [_compacted(last).name]
    assert _seen(warehouse) == before
    warehouse.rebuild()
    assert _seen(warehouse) == before
    assert warehouse.rows(node_of)[1] == [("features.3.x",)]


def test_the_database_is_not_made_anew_by_it(warehouse, written, monkeypatch):
    written(range(5))
    monkeypatch.setattr(Warehouse, "_build", None)
    warehouse.refresh()
    assert len(_names(warehouse)) == 1
    warehouse.refresh()
    written([7])
    warehouse.refresh()
    assert [seed for (seed,) in warehouse.rows(SEEDS)[1]] == [0, 1, 2, 3, 4, 7]


def test_what_comes_later_makes_entries_of_its_own(warehouse, written):
    for first in (0, 5, 10):
        written(range(first, first + 5))
        warehouse.refresh()
    written([15])
    warehouse.refresh()
    assert [name.rpartition(".")[2] for name in _names(warehouse)] == [*["parquet"] * 3, "jsonl"]
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in range(16)]


def test_a_long_stretch_becomes_several_entries(warehouse, written, monkeypatch):
    monkeypatch.setattr(compaction, "MOST", 5)
    written(range(12))
    warehouse.refresh()
    assert [name.rpartition(".")[2] for name in _names(warehouse)] == [
        "parquet", "parquet", "jsonl", "jsonl",
    ]  # fmt: skip
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in range(12)]


def test_what_is_left_out_stays_as_it_is(warehouse, written):
    entries = written(range(5))
    entries[2].write_text("torn {")
    warehouse.refresh()
    assert _names(warehouse) == [entries[2].name, _compacted(entries[4]).name]
    assert [file for file, _ in warehouse.skipped()] == [f"records/{entries[2].name}"]
    assert warehouse.rows(SEEDS)[1] == [(0,), (1,), (3,), (4,)]


def test_of_two_entries_with_one_run_the_first_stays(warehouse, record):
    for value in (0.5, 0.75):
        write_entry(warehouse.home, [record({"late": value}, seed=1, recorded_at="2026-01-01")])
    for seed in (2, 3, 4):
        write_entry(warehouse.home, [record(seed=seed)])
    warehouse.refresh()
    assert len(_names(warehouse)) == 1
    warehouse.rebuild()
    assert warehouse.rows("select value from scores where seed = 1")[1] == [(0.5,)]


def test_the_report_and_the_studies_are_as_new_as_before(warehouse, written):
    written(range(5))
    before = fingerprint.inputs(warehouse.home)
    warehouse.refresh()
    assert len(_names(warehouse)) == 1
    assert fingerprint.inputs(warehouse.home) == before
    written([9])
    assert fingerprint.inputs(warehouse.home) != before


def test_an_entry_says_what_it_stands_for_and_another_nothing(warehouse, written, tmp_path):
    entries = written(range(5))
    was = listing.records(warehouse.home)
    ids = [RunRecord.from_json(entry.read_text()).run_id for entry in entries]
    warehouse.refresh()
    path = _compacted(entries[4])
    what = compacted.read(path)
    assert (what.entries, what.runs) == (tuple(was), tuple(sorted(ids)))
    content = path.read_bytes()
    for damaged in (b"", content[:-1], content[:-9], content[-8:], b"x" * 100):
        (tmp_path / "x.parquet").write_bytes(damaged)
        assert compacted.read(tmp_path / "x.parquet") is None
    assert compacted.read(tmp_path / "none.parquet") is None


def test_what_a_crash_has_left_counts_no_more_and_goes(warehouse, written, monkeypatch):
    monkeypatch.setattr(Warehouse, "_build", None)
    entries = written(range(5))
    kept = {entry: (entry.read_bytes(), entry.stat()) for entry in entries}
    warehouse.refresh()
    for entry in entries[:3]:
        content, status = kept[entry]
        entry.write_bytes(content)
        os.utime(entry, ns=(status.st_atime_ns, status.st_mtime_ns))
    warehouse.refresh()
    assert _names(warehouse) == [_compacted(entries[4]).name]
    assert warehouse.rows("select count(*) from scores where source = 'measured'")[1] == [(10,)]


def test_a_database_from_before_learns_of_it(warehouse, written, monkeypatch):
    written(range(5))
    monkeypatch.setattr(compaction, "LEAST", 100)
    warehouse.refresh()
    before = warehouse.path.read_bytes()
    monkeypatch.setattr(compaction, "LEAST", 4)
    warehouse.refresh()
    seen = _seen(warehouse)
    warehouse.path.write_bytes(before)
    monkeypatch.setattr(Warehouse, "_build", None)
    assert _seen(Warehouse.open(warehouse.home)) == seen
    assert len(_names(warehouse)) == 1


def test_an_entry_that_does_not_hold_what_it_replaces_goes(warehouse, written, monkeypatch):
    entries = written(range(5))
    monkeypatch.setattr(compaction, "_holds_all", lambda *_: False)
    warehouse.refresh()
    assert _names(warehouse) == sorted(entry.name for entry in entries)
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in range(5)]


def test_it_is_compared_value_by_value(warehouse, written, monkeypatch):
    entries = written(range(5))
    rows = compaction.STAGED.replace("value::double", "(value + 1e-9)::double")
    assert rows != compaction.STAGED
    was = compaction._holds_all

    def compare(*arguments):
        monkeypatch.setattr(
            compaction, "STAGED", compaction.STAGED.replace("(value + 1e-9)", "value")
        )
        return was(*arguments)

    monkeypatch.setattr(compaction, "STAGED", rows)
    monkeypatch.setattr(compaction, "_holds_all", compare)
    warehouse.refresh()
    assert _names(warehouse) == sorted(entry.name for entry in entries)


def test_a_refusal_to_write_leaves_the_log_as_it_is(warehouse, written, monkeypatch):
    entries = written(range(5))

    def refused(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "publish", refused)
    warehouse.refresh()
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in range(5)]
    assert _names(warehouse) == sorted(entry.name for entry in entries)
    monkeypatch.undo()
    monkeypatch.setattr(compaction, "LEAST", 4)
    Warehouse.open(warehouse.home)
    assert len(_names(warehouse)) == 1


def test_an_entry_of_the_name_of_one_that_went_is_an_entry_still(warehouse, written, record):
    entries = written(range(5))
    warehouse.refresh()
    entries[1].write_text(record(seed=77).to_json())
    warehouse.refresh()
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in (0, 1, 2, 3, 4, 77)]
    assert len(_names(warehouse)) == 2


def test_an_entry_that_cannot_be_read_hides_none_of_those_that_it_replaces(
    warehouse, written, monkeypatch
):
    entries = written(range(5))
    monkeypatch.setattr(compaction, "_replace", lambda *_: None)  # cut short
    warehouse.refresh()
    path = _compacted(entries[4])
    content = path.read_bytes()
    path.write_bytes(b"PAR1" + bytes(100) + content[104:])
    assert compacted.read(path) is not None
    warehouse.rebuild()
    monkeypatch.setattr(compaction, "LEAST", 100)
    warehouse.refresh()
    assert _names(warehouse) == sorted(entry.name for entry in entries)
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in range(5)]


def test_a_database_without_room_to_learn_of_it_leaves_the_log_as_it_is(
    warehouse, written, monkeypatch
):
    entries = written(range(5))

    def refused(*_):
        raise duckdb.IOException("Could not write all required bytes: No space left on device")

    monkeypatch.setattr(compaction, "adopt", refused)
    warehouse.refresh()
    assert warehouse.rows(SEEDS)[1] == [(seed,) for seed in range(5)]
    assert _names(warehouse) == sorted(entry.name for entry in entries)


def test_a_database_that_has_a_part_of_it_is_made_anew(warehouse, written, monkeypatch):
    monkeypatch.setattr(compaction, "LEAST", 100)
    written(range(3))
    warehouse.refresh()
    before = warehouse.path.read_bytes()
    written(range(3, 5))
    warehouse.refresh()
    monkeypatch.setattr(compaction, "LEAST", 4)
    warehouse.refresh()
    assert len(_names(warehouse)) == 1
    warehouse.path.write_bytes(before)
    opened = Warehouse.open(warehouse.home)
    assert opened.rows(SEEDS)[1] == [(seed,) for seed in range(5)]
    assert opened.skipped() == []


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import duckdb
from lossnets.warehouse.loading import compaction
from lossnets.warehouse.store import Warehouse
compaction.LEAST = 4

def count():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

class Counting:
    def __init__(self, inner): self.inner = inner
    def execute(self, *arguments):
        count()
        return self.inner.execute(*arguments)
    def __getattr__(self, name): return getattr(self.inner, name)

def counted(function):
    def call(*arguments, **options):
        count()
        result = function(*arguments, **options)
        count()
        return result
    return call

connect, of_tidy = duckdb.connect, compaction.tidy
for left in map(int, sys.argv[3:]):
    home = Path(sys.argv[2]) / str(left)
    shutil.copytree(sys.argv[1], home)
    child = os.fork()
    if not child:
        def tidy(connection, home): of_tidy(Counting(connection), home)
        os.fsync, Path.rename, Path.unlink = map(counted, (os.fsync, Path.rename, Path.unlink))
        steps, left = left, 10**9
        def start(*arguments):
            global left
            left = steps
            tidy(*arguments)
        compaction.tidy = start
        Warehouse.open(home)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
STEPS = (2, 7, 8, 10, 12, 16, 22, 24, 25, 30)


def test_killed_at_any_step_nothing_is_lost_and_nothing_counts_twice(
    warehouse, written, tmp_path, monkeypatch
):
    entries = written(range(5))
    process = subprocess.run(
        [sys.executable, "-c", KILLED, warehouse.home, tmp_path, *map(str, STEPS)],
        capture_output=True,
        text=True,
    )
    assert (process.stdout.split(), process.stderr) == ([str(-signal.SIGKILL)] * len(STEPS), "")
    monkeypatch.setattr(Warehouse, "_build", None)  # the database stays
    for step in STEPS:
        opened = Warehouse.open(tmp_path / str(step))
        assert _names(opened) == [_compacted(opened.home / "records" / entries[4].name).name], step
        assert opened.rows(SEEDS)[1] == [(seed,) for seed in range(5)], step
        scores = "select count(*) from scores where source = 'measured'"
        assert opened.rows(scores)[1] == [(10,)]
        assert opened.skipped() == []


def test_while_others_append_and_read_nothing_is_lost(warehouse):
    code = (
        "import sys\nfrom lossnets.warehouse.loading import compaction\n"
        "from lossnets.warehouse.store import Warehouse\n"
        "from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry\n"
        "compaction.LEAST = 4; first = int(sys.argv[2]); store = Warehouse(sys.argv[1])\n"
        "for seed in range(first, first + 20):\n"
        "    write_entry(store.home, [RunRecord(benchmark='autoencoding', seed=seed,\n"
        "        measurements=(Measurement(architecture='vgg11', layer='late',\n"
        "        score='svhn_accuracy', value=0.5),))])\n"
        "    if seed % 5 == 4: store.refresh(); store.rows('select count(*) from runs')\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, warehouse.home, str(100 * i)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(3)
    ]
    for writer in writers:
        assert (writer.communicate()[1], writer.returncode) == ("", 0)
    warehouse.refresh()
    expected = [(100 * i + k,) for i in range(3) for k in range(20)]
    assert warehouse.rows(SEEDS)[1] == expected
    assert warehouse.skipped() == []
    assert any(name.endswith(".parquet") for name in _names(warehouse))
    warehouse.rebuild()
    assert warehouse.rows(SEEDS)[1] == expected


def test_status_says_how_many_files_the_log_has(warehouse, written):
    def line():
        return next(line for line in coverage.summary(warehouse) if line.startswith("in "))

    assert line() == f"in {warehouse.path}"
    written([1])
    warehouse.refresh()
    assert line() == f"in {warehouse.path}; log: 1 file"
    written(range(2, 6))
    warehouse.refresh()
    written([7])
    assert line() == f"in {warehouse.path}; log: 2 files, 1 of them compacted from 5"
