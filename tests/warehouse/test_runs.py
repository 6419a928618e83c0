"""Runs that are removed, restored and tagged: the log keeps all, the views show what counts."""

from __future__ import annotations

import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import runs
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources import events
from lossnets.warehouse.sources.records import write_entry
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


def table(value: float):
    import pandas as pd

    return pd.DataFrame(
        {"architecture": ["vgg11"], "layer": ["early"], "score": ["svhn_accuracy"],
         "value": [value]}
    )  # fmt: skip


def own_values(warehouse: Warehouse) -> list[float]:
    return [value for _, value in warehouse.rows(OWN)[1]]


def test_an_import_replaces_what_an_earlier_one_brought(warehouse):
    import_records(warehouse, table(0.5))
    message, hint = refused(lambda: import_records(warehouse, table(0.6)))
    assert message.endswith("where the same run has 0.5 already")
    assert hint == "give another measurement its own seed or run_id, or add --replace"
    assert import_records(warehouse, table(0.6), replace=True) == (1, 0)
    assert own_values(warehouse) == [0.6]
    assert import_records(warehouse, table(0.6), replace=True) == (0, 1)
    assert import_records(warehouse, table(0.7), replace=True) == (1, 0)
    assert own_values(warehouse) == [0.7]
    assert len(runs.removed(warehouse)[1]) == 2
    warehouse.rebuild()
    assert own_values(warehouse) == [0.7]


def test_what_was_first_can_come_back(warehouse):
    import_records(warehouse, table(0.5))
    import_records(warehouse, table(0.6), replace=True)
    assert import_records(warehouse, table(0.5), replace=True) == (0, 1)
    assert own_values(warehouse) == [0.5]


def test_records_replace_too(warehouse, record, tmp_path):
    paths = [
        write_entry(tmp_path / str(value), [record({"late": value}, seed=1)])
        for value in (0.5, 0.6)
    ]
    import_records(warehouse, paths[0])
    assert import_records(warehouse, paths[1], replace=True) == (1, 0)
    assert own_values(warehouse) == [0.6]
    assert import_records(warehouse, paths[1], replace=True) == (0, 1)
