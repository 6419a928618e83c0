"""`lossnets runs`: list, show, remove, restore, tag, compare."""

from __future__ import annotations

import csv
import io

import pytest

TABLE = "architecture,layer,score,value,seed,run_id\n{}"
ROWS = "vgg11,early,svhn_accuracy,0.5,1,first\nvgg11,early,svhn_accuracy,0.75,2,second\n"


@pytest.fixture
def two_runs(run, tmp_path):
    """A home with two imported runs."""
    path = tmp_path / "two.csv"
    path.write_text(TABLE.format(ROWS))
    assert run("import", path).status == 0


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.usefixtures("two_runs")
def test_a_run_is_removed_with_its_reason_and_restored(run):
    removed = run("runs", "remove", "fir", "--why", "wrong split")
    assert (removed.status, removed.out) == (0, "removed first\n")
    assert removed.err == "next, to undo it: lossnets runs restore first\n"
    assert [row["run_id"] for row in rows(run("runs", "list").out)] == ["second"]
    [row] = rows(run("runs", "list", "--removed").out)
    assert (row["run_id"], row["why"]) == ("first", "wrong split")
    assert "removed, " in run("runs", "show", "first").err
    assert run("runs", "restore", "first").out == "restored first\n"
    assert len(rows(run("runs", "list", "--benchmark", "autoencoding").out)) == 2


@pytest.mark.usefixtures("two_runs")
def test_runs_are_compared_by_tag(run):
    assert run("runs", "tag", "older", "first").out == "older: with first\n"
    [row] = rows(run("runs", "compare", "older", "second").out)
    assert (row["first"], row["second"], row["difference"]) == ("0.5", "0.75", "0.25")
    assert (row["better"], row["note"]) == (
        "second", "no interval, because run first kept no values per item"
    )  # fmt: skip


@pytest.mark.usefixtures("two_runs")
def test_a_run_that_is_not_there_is_told_with_what_to_type(run):
    assert run("runs", "show", "third").err == (
        "error: no run and no tag is called 'third'\nhint: lossnets runs list\n"
    )
