"""What a report says of the last one in its folder."""

from __future__ import annotations

from pathlib import Path

from lossnets.reports.changes import history

FIRST = {"run": {"1": ["delineation", None]}, "place": {"paper/a": ["A", 1], "paper/b": ["B", 2]}}
SECOND = {"run": {"1": ["delineation", None]}, "place": {"paper/a": ["A", 2], "paper/b": ["B", 1]}}


def test_a_state_is_compared_with_the_last_that_differed(tmp_path: Path):
    assert history.before(tmp_path, FIRST) is None
    history.keep(tmp_path, FIRST)
    assert history.before(tmp_path, FIRST) is None
    assert history.before(tmp_path, SECOND) == FIRST
    for _ in range(2):  # written again from the same inputs, it is the same page
        history.keep(tmp_path, SECOND)
        assert history.before(tmp_path, SECOND) == FIRST


def test_a_file_that_is_none_of_ours_is_no_last_report(tmp_path: Path):
    (tmp_path / history.FILE).write_text("[")
    assert history.before(tmp_path, FIRST) is None


def test_what_is_alike_is_no_change():
    assert not history.changes(FIRST, FIRST)
    assert [(one.name, one.before, one.now) for one in history.changes(FIRST, SECOND).moved] == [
        ("B", 2, 1),
        ("A", 1, 2),
    ]


def test_the_page_lists_what_is_new_and_who_moved(warehouse, tmp_path: Path):
    from lossnets.reports.build import build_report
    from lossnets.warehouse.intake.attributes import Description, add
    from lossnets.warehouse.sources.records import Measurement, RunRecord

    folder = tmp_path / "out"
    assert "Since the last report" not in build_report(warehouse, folder).read_text("utf-8")
    table = tmp_path / "age.csv"
    table.write_text("architecture,age\nvgg11,10\nalexnet,12\n")
    add(warehouse, table, Description(label="Age of it", description="Years."))
    measured = Measurement(architecture="vgg11", layer="late", score="bapps_2afc", value=0.7, n=10)
    warehouse.append([RunRecord(benchmark="perceptual_similarity", measurements=(measured,))])
    page = build_report(warehouse, folder).read_text("utf-8")
    assert "New runs: 1 of perceptual similarity." in page
    assert "New attributes: Age of it." in page
    assert build_report(warehouse, folder).read_text("utf-8") == page
