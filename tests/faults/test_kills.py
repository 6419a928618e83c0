"""kill -9 at random moments: a short round of what `make soak` does for minutes."""

from __future__ import annotations

import shutil
from pathlib import Path

import acts
import pytest
from invariant import check, check_rebuilt, left_over
from kills import Killer, Process

KILLED = {
    "append": (acts.append, 0.4),
    "append without DuckDB": (acts.write, 0.05),
    "import": (acts.imports, 0.3),
}


@pytest.fixture
def killer(warehouse) -> Killer:
    """Kills acts on a home that holds what is shipped."""
    return Killer(warehouse.home, seed=7)


@pytest.mark.parametrize("name", KILLED)
def test_of_killed_writers_everything_acknowledged_is_kept(killer, tmp_path, name):
    act, longest_s = KILLED[name]
    while len(killer.acknowledged) < 3 or killer.killed < 6:
        killer.at_a_moment(act, longest_s)
        check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home, tmp_path / "anew")


@pytest.mark.parametrize(("name", "longest_s"), [("load", 0.1), ("rebuild", 0.6)])
def test_a_killed_load_or_rebuild_is_done_by_the_next_command(killer, tmp_path, name, longest_s):
    while killer.killed < 8:
        killer.at_a_moment(acts.write, 0.03)  # something to load
        killer.at_a_moment(getattr(acts, name), longest_s)
        check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home, tmp_path / "anew")


def test_of_many_processes_at_once_all_killed_nothing_is_lost(killer, tmp_path):
    at_once = {
        "appender": acts.append,
        "other appender": acts.append,
        "node": acts.write,
        "node whose clock was set back": acts.Skewed(acts.write, -400),
        "node whose clock is ahead": acts.Skewed(acts.write, 3),
        "importer": acts.imports,
        "reader": acts.load,
        "builder": acts.rebuild,
    }
    killer.storm(at_once, kills=25, pause_s=0.12)
    assert killer.told == []
    assert check(killer.home, killer.acknowledged)
    check_rebuilt(killer.home, tmp_path / "anew")


def test_a_killed_report_is_written_whole_by_the_next(killer, tmp_path):
    report, other = tmp_path / "report", tmp_path / "other"
    while killer.killed < 6:
        killer.at_a_moment(acts.append, 0.4)  # without news there is nothing to write
        killer.at_a_moment(acts.ShortReport(str(report)), 1.2)
    for folder in (report, other):
        Process(acts.ShortReport(str(folder)), killer.home).wait()
    assert _files(report) == _files(other)
    assert left_over(report) == sorted({"data", "index.html", ".stamp.json"})
    check(killer.home, killer.acknowledged)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_sixteen_processes_append_at_once(killer, tmp_path):
    processes = [killer.start(acts.append_some) for _ in range(16)]
    for process in processes:
        process.wait()
        killer.acknowledged.update(process.said)
    assert len(killer.acknowledged) == 16 * 12
    assert check(killer.home, killer.acknowledged) == killer.acknowledged
    check_rebuilt(killer.home, tmp_path / "anew")


def test_a_home_that_is_moved_meanwhile_is_two_homes_and_nothing_is_lost(killer, tmp_path):
    process = killer.start(acts.append)
    moved = tmp_path / "moved"
    while not (killer.home / "records").exists():
        pass
    killer.home.rename(moved)
    while not list(killer.home.glob("records/*.jsonl")) and process.lives():
        pass
    killer.kill(process)
    there = check(moved, ())
    if killer.home.exists():
        there |= check(killer.home, ())
    assert killer.acknowledged <= there
    assert len(there - killer.acknowledged) <= 1


def test_a_home_that_was_copied_or_moved_is_not_built_anew(warehouse, tmp_path):
    warehouse.append([acts.record(seed) for seed in range(3)])
    elsewhere = Path(shutil.move(warehouse.home, tmp_path / "elsewhere"))
    before = (elsewhere / "warehouse.duckdb").stat().st_ino
    assert check(elsewhere, range(3)) == {0, 1, 2}
    assert (elsewhere / "warehouse.duckdb").stat().st_ino == before
