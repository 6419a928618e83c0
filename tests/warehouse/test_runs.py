"""Runs that are removed, restored and tagged: the log keeps all, the views show what counts."""

from __future__ import annotations

import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import runs
from lossnets.warehouse.sources import events
from lossnets.warehouse.store import Warehouse

OWN = "select architecture, value from scores where source = 'measured' order by all"


@pytest.fixture
def two(warehouse, record) -> Warehouse:
    """A warehouse with two runs."""
    warehouse.append(record(seed=1, run_id="aaaa1111"))
    warehouse.append(record(seed=2, run_id="aaaa2222"))
    return warehouse


def refused(act) -> tuple[str, str | None]:
    with pytest.raises(UserError) as error:
        act()
    return error.value.message, error.value.hint


def count(warehouse: Warehouse, view: str) -> int:
    _, [(number,)] = warehouse.rows(f"select count(*) from {view} where source = 'measured'")
    return number


def test_a_removed_run_is_in_no_view_and_still_in_the_log(two):
    log = sorted(path.read_bytes() for path in (two.home / "records").glob("*"))
    assert runs.remove(two, ["aaaa1"], why="another data set") == ["aaaa1111"]
    assert [count(two, view) for view in ("runs", "scores", "score_means")] == [1, 1, 1]
    assert sorted(path.read_bytes() for path in (two.home / "records").glob("*")) == log
    _, [row] = runs.removed(two)
    assert (row[0], row[-1]) == ("aaaa1111", "another data set")


def test_it_stays_removed_in_a_database_made_anew_and_comes_back_restored(two):
    before = two.rows("from scores order by all")
    runs.remove(two, ["aaaa1111"])
    two.rebuild()
    assert count(two, "runs") == 1
    assert runs.restore(two, ["aaaa1111"], why="it was right") == ["aaaa1111"]
    assert two.rows("from scores order by all") == before
    two.rebuild()
    assert two.rows("from scores order by all") == before


def test_a_run_that_comes_after_its_removal_is_removed(warehouse, record):
    events.write(warehouse.home, "removed", ["late"])
    warehouse.append(record(run_id="late"))
    assert count(warehouse, "scores") == 0


def test_tags_name_groups_by_which_runs_are_found(two):
    runs.tag(two, "first_try", ["aaaa1111", "aaaa2222"])
    runs.tag(two, "first_try", ["aaaa2222"], away=True)
    assert runs.ids(two, ["first_try"]) == ["aaaa1111"]
    assert [row[0] for row in runs.listed(two, tag="first_try")[1]] == ["aaaa1111"]
    assert two.rows("select run_id, tags from runs where source = 'measured' order by 1")[1] == [
        ("aaaa1111", ["first_try"]), ("aaaa2222", [])
    ]  # fmt: skip


def test_what_a_run_was_scored_and_went_through(two):
    runs.tag(two, "kept", ["aaaa1111"])
    about, (_, scores), (_, happened) = runs.shown(two, "aaaa1")
    assert (about["seed"], about["tags"]) == (1, ["kept"])
    assert len(scores) == 1
    assert [row[1:3] for row in happened] == [("tagged", "kept")]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda w: runs.remove(w, ["aaaa"]), "2 runs begin with 'aaaa': aaaa1111, aaaa2222 …"),
        (lambda w: runs.remove(w, ["zz"]), "no run and no tag is called 'zz'"),
        (lambda w: runs.remove(w, [""]), "no run and no tag is called ''"),
        (lambda w: runs.restore(w, ["aaaa1111"]), "aaaa1111 is not removed"),
        (lambda w: runs.tag(w, "My tag", ["aaaa1111"]),
         "'My tag' is no tag: up to 63 of a-z, 0-9 and _ are valid, a letter first"),
    ],
)  # fmt: skip
def test_a_name_of_no_run_or_several_is_refused_and_nothing_happens(two, act, message):
    assert refused(lambda: act(two))[0] == message
    assert not (two.home / "events").exists()


def test_a_removed_run_cannot_be_removed_again(two):
    runs.remove(two, ["aaaa1111"])
    assert refused(lambda: runs.remove(two, ["aaaa1111"])) == (
        "aaaa1111 is removed already", "lossnets runs list --removed"
    )  # fmt: skip


def test_the_papers_runs_are_not_removed(two):
    _, [(run_id,)] = two.rows("select min(run_id) from runs where source = 'paper'")
    assert refused(lambda: runs.remove(two, [run_id]))[0] == (
        f"no run and no tag is called {run_id!r}"
    )


def test_a_broken_event_is_left_out_and_told(two):
    (two.home / "events").mkdir()
    (two.home / "events" / "1.json").write_text('{"format": 1, "kind": "eaten", "runs": ["a"]}')
    found = Warehouse.open(two.home)
    assert found.skipped() == [
        ("events/1.json", "it is no event (the event 'eaten' is none of removed, restored, "
         "tagged, untagged)")
    ]  # fmt: skip
    assert count(found, "runs") == 2
