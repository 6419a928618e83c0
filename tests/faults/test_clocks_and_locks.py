"""Clocks that are set back, and locks whose holders are gone."""

from __future__ import annotations

import os

import acts
import pytest
from invariant import check, check_rebuilt
from kills import at_work

from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import BusyError
from lossnets.warehouse.loading import database
from lossnets.warehouse.sources import fingerprint
from lossnets.warehouse.store import Warehouse


def test_of_a_run_that_is_repeated_under_an_earlier_clock_one_stays(warehouse):
    warehouse.append(acts.record(1))
    with at_work(acts.Skewed(acts.append_some, -400), warehouse.home, first=0) as process:
        process.wait()
    assert check(warehouse.home, range(12)) == set(range(12))
    check_rebuilt(warehouse.home)


def test_an_entry_from_the_past_makes_a_report_outdated(warehouse):
    entry = warehouse.append(acts.record(1))
    before = fingerprint.inputs(warehouse.home)
    other = warehouse.append(acts.record(2))
    os.utime(other, (0, 0))
    other.rename(other.with_name("19700101T000000.000000Z-0.jsonl"))
    assert entry.exists()
    assert fingerprint.inputs(warehouse.home) != before
    assert check(warehouse.home, {1, 2}) == {1, 2}


def test_a_lock_goes_with_the_process_that_was_killed(warehouse):
    warehouse.append(acts.record(1))
    with at_work(acts.hold, warehouse.home) as process:
        assert process.hear() == "held"
        with pytest.raises(BusyError), database.only_writer(warehouse.home, 0):
            pass
    assert (warehouse.home / ".lock").exists()
    assert (warehouse.home / "runs" / "a" / ".lock").exists()
    with database.only_writer(warehouse.home, 0), RunFolder(warehouse.home / "runs/a").alone() as a:
        assert a
    assert check(warehouse.home, {1}) == {1}


def test_what_stands_in_a_lock_file_does_not_matter(warehouse):
    (warehouse.home / ".lock").write_text("pid 1, since 1970")
    warehouse.append(acts.record(1))
    assert check(warehouse.home, {1}) == {1}
    assert Warehouse.open(warehouse.home).skipped() == []
