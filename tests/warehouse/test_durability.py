"""What is acknowledged is kept: many writers, kills, full and read-only disks, busy files."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from disks import disk, little_room, read_only

from lossnets.warehouse import durable
from lossnets.warehouse.errors import BusyError, UserError
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.loading import database
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

PREFACE = """
import sys
from pathlib import Path
from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry
from lossnets.warehouse.store import Warehouse

home = Path(sys.argv[1])

def record(seed):
    return RunRecord(benchmark="autoencoding", seed=seed, measurements=(
        Measurement(architecture="vgg11", layer="late", score="svhn_accuracy", value=0.5),
        Measurement(architecture="vgg11", layer="early", score="svhn_accuracy", value=0.25),
    ))

def say(word):
    print(word, flush=True)
"""
SEEDS = "select seed from runs where source = 'measured' order by seed"


def _start(code: str, home: Path, *arguments: object) -> subprocess.Popen[str]:
    """Run code after the preface in a process of its own."""
    command = [sys.executable, "-c", PREFACE + code, str(home), *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _seeds(warehouse: Warehouse) -> list[int]:
    return [seed for (seed,) in warehouse.rows(SEEDS)[1]]


@contextmanager
def _ended(process: subprocess.Popen[str]):
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_of_several_writers_at_once_nothing_is_lost(warehouse):
    code = (
        "store = Warehouse.open(home)\n"
        "for seed in range(int(sys.argv[2]), int(sys.argv[2]) + 8): store.append(record(seed))\n"
    )
    writers = [_start(code, warehouse.home, 100 * i) for i in range(4)]
    for writer in writers:
        _, errors = writer.communicate()
        assert (writer.returncode, errors) == (0, "")
    warehouse.refresh()
    assert _seeds(warehouse) == [100 * i + k for i in range(4) for k in range(8)]
    assert warehouse.skipped() == []


def test_of_a_killed_writer_everything_acknowledged_is_kept_and_nothing_by_halves(warehouse):
    code = (
        "store = Warehouse.open(home)\n"
        "for seed in range(int(sys.argv[2]), 10**6): say(seed); store.append(record(seed))\n"
    )
    moments = random.Random(1)
    acknowledged = 0
    for _ in range(4):
        with _ended(_start(code, warehouse.home, acknowledged)) as writer:
            last = acknowledged + moments.randrange(1, 5)
            while int(writer.stdout.readline()) < last:
                pass
            for _ in range(moments.randrange(200_000)):
                pass  # somewhere within the next append
            writer.send_signal(signal.SIGKILL)
        store = Warehouse.open(warehouse.home)
        seeds = _seeds(store)
        assert seeds == list(range(len(seeds)))
        assert len(seeds) >= last
        assert store.rows("select count(*) from scores where source = 'measured'")[1] == [
            (2 * len(seeds),)
        ]
        assert store.skipped() == []
        acknowledged = len(seeds)


STEPS = """
import os, signal
import duckdb, lossnets.warehouse.sources.records, warehouse.store
left = int(sys.argv[2])

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
    def close(self):
        count()
        self.inner.close()
        count()
    def __getattr__(self, name): return getattr(self.inner, name)

connect, sync, rename, replace = duckdb.connect, os.fsync, Path.rename, Path.replace
duckdb.connect = lambda *a, **k: Counting(connect(*a, **k))
os.fsync = lambda *a: (count(), sync(*a), count())[1]
Path.rename = lambda *a: (count(), rename(*a), count())[1]
Path.replace = lambda *a: (count(), replace(*a), count())[1]
"""


@pytest.mark.parametrize("step", [5, 6, 12, 25, 27, 28, 29])
def test_a_kill_at_any_step_of_an_append_leaves_a_whole_record_or_none(warehouse, step):
    code = STEPS + "store = Warehouse(home); store.append(record(1)); say('done')\n"
    with _ended(_start(code, warehouse.home, step)) as writer:
        output, errors = writer.communicate()
    assert (errors, writer.returncode) in (("", -signal.SIGKILL), ("", 0))
    store = Warehouse.open(warehouse.home)
    assert _seeds(store) in ([1], [] if "done" not in output else [1])
    assert store.rows("select count(*) from scores where source = 'measured'")[1] == [
        (2 * len(_seeds(store)),)
    ]
    assert store.skipped() == []


@pytest.mark.parametrize("step", [10, 60, 84, 85, 86])
def test_a_kill_at_any_step_of_a_rebuild_leaves_the_old_or_the_new(warehouse, record, step):
    for seed in range(3):
        write_entry(warehouse.home, [record(seed=seed)])
    warehouse.refresh()
    code = STEPS + "Warehouse(home).rebuild(); say('done')\n"
    with _ended(_start(code, warehouse.home, step)) as builder:
        _, errors = builder.communicate()
    assert (errors, builder.returncode) in (("", -signal.SIGKILL), ("", 0))
    store = Warehouse.open(warehouse.home)
    assert _seeds(store) == [0, 1, 2]
    store.rebuild()
    assert _seeds(store) == [0, 1, 2]
    assert list(store.home.glob(".building*")) == []


def test_of_a_killed_load_the_next_open_loads_the_rest(warehouse, record):
    for seed in range(30):
        write_entry(warehouse.home, [record({"late": 0.5, "early": 0.25}, seed=seed)])
    for moment in (1, 30_000, 200_000):
        with _ended(_start("say('go'); Warehouse.open(home)", warehouse.home)) as loader:
            loader.stdout.readline()
            for _ in range(moment):
                pass
    store = Warehouse.open(warehouse.home)
    assert _seeds(store) == list(range(30))
    assert store.rows("select count(*) from scores where source = 'measured'")[1] == [(60,)]


HOLDING = {
    "a writer": "from lossnets.warehouse.loading import database\n"
    "with database.writing(home / 'warehouse.duckdb'):\n    say('held'); sys.stdin.read()\n",
    "a reader": "with Warehouse(home).connect():\n    say('held'); sys.stdin.read()\n",
    "a loader": "from lossnets.warehouse.loading import database\n"
    "with database.only_writer(home):\n    say('held'); sys.stdin.read()\n",
}


@pytest.mark.parametrize("holder", HOLDING)
def test_while_the_database_is_busy_an_append_is_kept_for_the_next_open(warehouse, record, holder):
    with _ended(_start(HOLDING[holder], warehouse.home)) as process:
        assert process.stdout.readline() == "held\n"
        entry = warehouse.append(record(seed=5))
        assert entry.exists()
    assert _seeds(Warehouse.open(warehouse.home)) == [5]


def test_while_one_process_loads_no_other_does(warehouse, record):
    with _ended(_start(HOLDING["a loader"], warehouse.home)) as process:
        assert process.stdout.readline() == "held\n"
        warehouse.append(record(seed=5))
        assert _seeds(warehouse) == []
        with pytest.raises(BusyError):
            warehouse.refresh(patience_s=0)
    warehouse.refresh()
    assert _seeds(warehouse) == [5]


def test_a_query_of_a_busy_database_is_told_so(warehouse, monkeypatch):
    monkeypatch.setattr(durable, "PATIENCE_S", 0.1)
    with _ended(_start(HOLDING["a writer"], warehouse.home)) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UserError) as error:
            warehouse.query("select 42")
    assert (error.value.message, error.value.hint) == (
        f"{warehouse.path} is busy in another process",
        "end that process, or try again later",
    )
    assert warehouse.rows("select 42")[1] == [(42,)]


def test_a_query_waits_for_a_writer_that_ends(warehouse):
    with _ended(_start(HOLDING["a writer"], warehouse.home)) as process:
        assert process.stdout.readline() == "held\n"
        asking = _start("say(Warehouse(home).rows('select 42')[1])", warehouse.home)
        process.kill()
        assert asking.communicate()[0] == "[(42,)]\n"


def test_readers_do_not_shut_out_readers(warehouse):
    with _ended(_start(HOLDING["a reader"], warehouse.home)) as process:
        assert process.stdout.readline() == "held\n"
        assert warehouse.rows("select 42")[1] == [(42,)]


def test_a_rebuild_under_a_reader_leaves_it_what_it_has(warehouse, record):
    write_entry(warehouse.home, [record(seed=1)])
    code = (
        "with Warehouse(home).connect() as connection:\n"
        "    say('held'); sys.stdin.readline()\n"
        f"    say(connection.execute({SEEDS!r}).fetchall())\n"
    )
    with _ended(_start(code, warehouse.home)) as reader:
        assert reader.stdout.readline() == "held\n"
        held = warehouse.path.stat().st_ino
        warehouse.rebuild()
        assert warehouse.path.stat().st_ino != held  # another file, never the reader's own
        reader.stdin.write("go\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[]\n"
    assert _seeds(warehouse) == [1]


def test_what_a_building_process_left_is_cleared_by_the_next(warehouse):
    left = warehouse.home / ".building-0.duckdb"
    left.write_bytes(b"x" * 1000)
    warehouse.rebuild()
    assert not left.exists()


def test_what_a_killed_writer_left_for_the_old_database_does_not_reach_the_new(warehouse):
    with database.writing(warehouse.path) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create table main.left_over as select 1 as x")
    assert warehouse.path.with_name("warehouse.duckdb.wal").exists()
    assert warehouse.rows("from left_over")[1] == [(1,)]
    warehouse.rebuild()
    assert "left_over" not in Warehouse.open(warehouse.home).tables()


def test_on_a_full_disk_writes_are_refused_in_a_sentence_and_nothing_is_lost(
    tmp_path, paper_warehouse, record
):
    folder = tmp_path / "disk"
    with disk(folder, "24m") as mounted:
        home = folder / "data"
        home.mkdir()
        shutil.copy(paper_warehouse.path, home)
        warehouse = Warehouse.open(home)
        warehouse.append(record(seed=1))
        with little_room(folder, mounted):
            with pytest.raises(UserError) as refused:
                warehouse.append(record(seed=2))
            with pytest.raises(UserError, match=str(home)):
                warehouse.rebuild()
            with pytest.raises(UserError):
                import_records(warehouse, _table(tmp_path))
            assert _seeds(warehouse) == [1]
        reason = "No space left on device" if mounted else "File too large"
        assert refused.value.message == f"cannot write to {home / 'records'}: {reason}"
        assert len(list((home / "records").iterdir())) == 1
        warehouse.append(record(seed=3))
        assert _seeds(Warehouse.open(home)) == [1, 3]
        assert sorted(path.name for path in home.iterdir()) == [
            ".lock", "records", "warehouse.duckdb",
        ]  # fmt: skip


def _table(folder: Path) -> Path:
    path = folder / "table.csv"
    path.write_text("architecture,layer,score,value\nvgg11,late,svhn_accuracy,0.5\n")
    return path


def test_in_a_read_only_folder_what_is_there_can_be_asked(tmp_path, paper_warehouse, record):
    folder = tmp_path / "disk"
    with disk(folder, "24m") as mounted:
        home = folder / "data"
        home.mkdir()
        shutil.copy(paper_warehouse.path, home)
        Warehouse.open(home).append(record(seed=1))
        with read_only(folder, mounted):
            warehouse = Warehouse.open(home)
            assert _seeds(warehouse) == [1]
            for refused in (
                lambda: warehouse.append(record(seed=2)),
                warehouse.rebuild,
                lambda: Warehouse.open(folder / "other"),
                lambda: import_records(warehouse, _table(tmp_path)),
            ):
                with pytest.raises(UserError, match=r"^cannot write to ") as error:
                    refused()
                assert error.value.hint == (
                    "make room or choose another folder with --home or LOSSNETS_HOME"
                )
        assert _seeds(Warehouse.open(home)) == [1]


def test_a_home_below_a_file_is_refused_in_a_sentence(tmp_path, record):
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "data"
    for refused in (
        lambda: Warehouse.open(home),
        lambda: Warehouse(home).rebuild(),
        lambda: Warehouse(home).rows("select 42"),
        lambda: Warehouse(home).append(record()),
        lambda: write_entry(home, [record()]),
    ):
        with pytest.raises(UserError, match=r"^cannot write to .*: Not a directory$"):
            refused()


def test_the_file_of_another_home_under_the_name_of_a_folder_is_refused(tmp_path):
    (tmp_path / "warehouse.duckdb").mkdir()
    with pytest.raises(UserError):
        Warehouse.open(tmp_path)
