"""kill -9 at random moments: a short round of what `make soak` does for minutes."""

from __future__ import annotations

import shutil
from pathlib import Path

import acts
import chapters
import pytest
from invariant import check, check_rebuilt, check_sweep
from kills import Killer, Process


@pytest.fixture
def killer(warehouse) -> Killer:
    """Kills acts on a home that holds what is shipped."""
    return Killer(warehouse.home, seed=7)


@pytest.mark.parametrize("name", chapters.WRITERS)
def test_of_killed_writers_everything_acknowledged_is_kept(killer, name):
    chapters.writers(killer, 6, name)


@pytest.mark.parametrize("name", chapters.LOADERS)
def test_a_killed_load_or_rebuild_is_done_by_the_next_command(killer, name):
    chapters.loaders(killer, 12, name)


def test_of_many_processes_at_once_all_killed_nothing_is_lost(killer):
    chapters.storm(killer, 25)


def test_a_killed_report_is_written_whole_by_the_next(killer):
    chapters.report(killer, 6)


def test_what_is_written_while_clocks_are_set_back_is_there_once(killer):
    chapters.clocks(killer, 6)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["run", "sweep"])
def test_of_killed_runs_what_was_recorded_is_kept_and_the_rest_goes_on(killer, name):
    chapters.runs(killer, 5, name)


@pytest.mark.torch
def test_of_sweeps_on_one_plan_nothing_is_run_twice_whoever_is_killed(killer):
    chapters.one_plan(killer, 8)


def test_sixteen_processes_append_at_once(killer):
    processes = [killer.start(acts.append_some) for _ in range(16)]
    for process in processes:
        process.wait()
        killer.acknowledged.update(process.said)
    assert len(killer.acknowledged) == 16 * 12
    assert check(killer.home, killer.acknowledged) == killer.acknowledged
    check_rebuilt(killer.home)


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


@pytest.mark.torch
@pytest.mark.parametrize("act", [acts.run, acts.sweep])
def test_what_a_run_needs_no_more_goes_with_the_next_command(killer, act):
    Process(act, killer.home).wait()
    folder = next((killer.home / "runs").iterdir())
    for name in ("checkpoint.pt", "failure.json"):  # killed as soon as it was recorded
        (folder / name).write_text("{}")
    Process(act, killer.home).wait()
    check_sweep(killer.home, (), ended=True)
