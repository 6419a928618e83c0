"""`lossnets choose`."""

from __future__ import annotations

import csv
import io


def test_the_short_list_is_data_and_the_advice_is_said(run):
    done = run("choose", "--benchmark", "super_resolution", "--max-macs", "1e9", "--most", "2")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["architecture"], row["layer"]) for row in rows] == [
        ("squeezenet1_1", "early"),
        ("vgg11", "early"),
    ]
    assert done.err.splitlines() == ["2 rows", "28 of 56 are within the limits"]


def test_without_a_benchmark_the_answer_is_for_a_new_task(run):
    done = run("choose", "--max", "receptive_field", "60", "--format", "json")
    assert "on the task, and keep the best: on a benchmark left out" in done.err


def test_where_there_are_no_scores_nothing_is_chosen(run):
    done = run("choose", "--source", "measured")
    assert done.status == 2
    assert done.err.startswith("error: there are no measured scores to choose by")
