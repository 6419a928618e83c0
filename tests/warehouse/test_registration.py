"""Benchmarks and scores of one's own: registered, checked, and in every view."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import registration
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources import catalog
from lossnets.warehouse.sources.records import Measurement, RunRecord, read_entry, write_entry
from lossnets.warehouse.store import Warehouse


def run(value=3.0, score="colour_error", benchmark="colours", **fields):
    item = Measurement(
        architecture=fields.pop("architecture", "vgg11"), layer="early", score=score, value=value
    )
    return RunRecord(benchmark=benchmark, measurements=(item,), **fields)


@pytest.fixture
def colours(warehouse) -> Warehouse:
    """A warehouse with a benchmark of two scores, of which one is a part of the other."""
    registration.add_benchmark(warehouse, "colours", description="How well colours are kept.")
    about = {"benchmark": "colours", "minimum": 0.0, "higher_is_better": False}
    for name, counted in (("colour_error", True), ("colour_error_reds", False)):
        new = registration.score(name, unit="ΔE", dataset="Kodak", counted=counted, **about)
        registration.add_score(warehouse, new)
    return warehouse


def refused(act) -> tuple[str, str | None]:
    with pytest.raises(UserError) as error:
        act()
    return error.value.message, error.value.hint


def test_what_is_registered_stands_after_the_papers(colours):
    assert colours.rows("select benchmark, position, in_paper from benchmark_catalog")[1][-1] == (
        "colours", 5, False
    )  # fmt: skip
    assert colours.rows("select score, label, counted from score_catalog")[1][-2:] == [
        ("colour_error", "Kodak", True),
        ("colour_error_reds", "Kodak", False),
    ]


def test_records_of_it_are_ranked_beside_the_papers_four(colours):
    colours.append(run(3.0))
    colours.append(run(2.0, architecture="alexnet"))
    assert colours.rows(
        "select architecture, colours, all_benchmarks, overall from average_ranks "
        "where source = 'measured' order by colours"
    )[1] == [("alexnet", 1.0, 1.0, None), ("vgg11", 2.0, 2.0, None)]


def test_parts_are_scores_that_are_not_averaged(colours):
    colours.append(run(2.0, score="colour_error_reds"))
    assert colours.rows("select colour_error_reds from scores_wide where source = 'measured'")[
        1
    ] == [(2.0,)]
    assert colours.rows("from average_ranks where source = 'measured'")[1] == []


def test_without_a_benchmark_of_ones_own_the_ranks_have_the_papers_columns(paper_warehouse):
    names, _ = paper_warehouse.rows("from average_ranks")
    assert names[-3:] == ["overall", "overall_least", "overall_greatest"]
    assert "all_benchmarks" not in names


def test_the_papers_ranks_stay_what_they_are(colours, paper_warehouse):
    colours.append(run())
    query = "select {} from average_ranks where source = 'paper' order by all"
    names, rows = paper_warehouse.rows(query.format("*"))
    assert colours.rows(query.format(", ".join(names)))[1] == rows


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (run(benchmark="colour"), "'colour' is no benchmark, valid are perceptual_similarity, "
         "super_resolution, delineation, autoencoding, colours"),
        (run(score="svhn_accuracy"), "svhn_accuracy is no score of colours"),
        (run(score="colour_eror"),
         "'colour_eror' is no score, did you mean colour_error or colour_error_reds?"),
        (run(-1.0), "colour_error is -1.0, valid are 0 to inf"),
    ],
)  # fmt: skip
def test_a_record_is_checked_against_the_home_it_is_written_to(colours, record, message):
    assert refused(lambda: write_entry(colours.home, [record]))[0] == message


def test_a_record_of_another_home_is_told_with_its_line(colours, tmp_path):
    path = write_entry(colours.home, [run()])
    assert refused(lambda: read_entry(path, catalog.read(tmp_path)))[0] == (
        f"{path}, line 1: 'colours' is no benchmark, valid are perceptual_similarity, "
        "super_resolution, delineation, autoencoding"
    )


def test_the_database_follows_the_files(colours):
    colours.append(run())
    for path in (colours.home / "catalog" / "scores").glob("*"):
        path.rename(path.with_suffix(".away"))
    found = Warehouse.open(colours.home)
    assert found.rows("from scores where benchmark = 'colours'")[1] == []
    [(_, fault)] = found.skipped()
    assert fault == "line 1: 'colour_error' is no score, those of colours are: none yet"
    for path in (colours.home / "catalog" / "scores").glob("*"):
        path.rename(path.with_suffix(".json"))
    assert Warehouse.open(colours.home).rows("select value from scores where score = $1",
                                             ["colour_error"])[1] == [(3.0,)]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "it is no score (Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1))"),
        (json.dumps({"format": 2}), "it is no score (it is of another format)"),
    ],
)  # fmt: skip
def test_a_broken_file_is_left_out_and_told(colours, content, fault):
    (colours.home / "catalog" / "scores" / "broken.json").write_text(content)
    found = Warehouse.open(colours.home)
    assert found.skipped() == [("catalog/scores/broken.json", fault)]


def test_names_that_are_taken_or_cannot_be_columns_are_refused(colours):
    def add(name):
        return lambda: registration.add_benchmark(colours, name)

    assert refused(add("colours")) == (
        "there is a benchmark colours already", "lossnets benchmark list"
    )  # fmt: skip
    assert refused(add("family"))[0] == (
        "'family' is a column of architectures already, choose another name"
    )
    assert refused(add("select"))[0] == "'select' is an SQL keyword, choose another name"
    assert refused(add("Colours 2"))[0] == (
        "'Colours 2' is no id: up to 63 of a-z, 0-9 and _ are valid, a letter first"
    )


def test_a_score_may_be_replaced_within_what_is_recorded(colours):
    colours.append(run(3.0))
    asked = "select label, position from score_catalog where score = 'colour_error'"
    [(_, position)] = colours.rows(asked)[1]
    new = registration.score("colour_error", benchmark="colours", unit="ΔE", maximum=2.0)
    assert refused(lambda: registration.add_score(colours, new)) == (
        "there is a score colour_error already", "choose another name, or add --replace"
    )  # fmt: skip
    assert refused(lambda: registration.add_score(colours, new, may_replace=True))[0] == (
        "there are values of colour_error from 3 to 3, which are not within -inf to 2"
    )
    wider = registration.score(
        "colour_error", benchmark="colours", unit="ΔE", maximum=9.0, label="Colour error"
    )
    registration.add_score(colours, wider, may_replace=True)
    assert colours.rows(asked)[1] == [("Colour error", position)]


def test_what_holds_values_or_scores_stays(colours):
    colours.append(run())
    assert refused(lambda: registration.remove_score(colours, "colour_error")) == (
        "there are 1 values of colour_error; what was recorded stays",
        "lossnets sql \"from scores where score = 'colour_error'\"",
    )
    assert refused(lambda: registration.remove_benchmark(colours, "colours"))[0] == (
        "colours has the scores colour_error, colour_error_reds"
    )
    registration.remove_score(colours, "colour_error_reds")
    assert "colour_error_reds" not in colours.rows("from scores_wide")[0]


def test_the_papers_own_are_not_registered(colours):
    assert refused(lambda: registration.remove_score(colours, "svhn_accuracy"))[0] == (
        "no score 'svhn_accuracy' has been registered, registered are: "
        "colour_error, colour_error_reds"
    )


NEW = pd.DataFrame(
    {
        "architecture": ["vgg11", "alexnet"], "layer": "early", "score": "sr_x2_div2k_psnr",
        "value": [31.5, 30.9], "benchmark": "super_resolution", "dataset": "DIV2K",
        "metric": "PSNR", "scale": 2, "unit": "dB", "minimum": 0, "decimals": 2,
        "trained_model": "super_resolution_x2",
    }
)  # fmt: skip


@pytest.mark.parametrize("form", ["frame", "csv", "parquet", "json"])
def test_a_table_brings_its_scores_with_it(warehouse, tmp_path, form):
    table = NEW if form == "frame" else tmp_path / f"new.{form}"
    if form != "frame":
        how = ", array true" if form == "json" else ""
        duckdb.sql(f"copy (from NEW) to '{table}' (format {form}{how})")
    assert import_records(warehouse, table, new_scores=True) == (2, 0)
    asked = (
        "select label, unit, minimum, higher_is_better, decimals, trained_model "
        "from score_catalog where score = 'sr_x2_div2k_psnr'"
    )
    row = ("×2 DIV2K PSNR", "dB", 0.0, True, 2, "super_resolution_x2")
    assert warehouse.rows(asked)[1] == [row]
    own = "select sr_x2_div2k_psnr from scores_wide where source = 'measured' order by all"
    assert warehouse.rows(own)[1] == [(30.9,), (31.5,)]
    assert import_records(warehouse, table) == (0, 2)
    other = NEW.assign(minimum=1)
    assert "'1', it is 0.0" in refused(lambda: import_records(warehouse, other))[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": None}, "the table, row 1 names the new score 'sr_x2_div2k_psnr' without a unit"),
        ({"unit": ["dB", "%"]}, "the table, row 2 says unit '%' of sr_x2_div2k_psnr, where the "
         "table, row 1 says 'dB'"),
        ({"decimals": 1.5}, "the table, row 1 has decimals '1.5', where a whole number is needed"),
        ({"benchmark": "upscaling"}, "'upscaling' is no benchmark, valid are "
         "perceptual_similarity, super_resolution, delineation, autoencoding"),
        ({"value": [31.5, -1]}, "the table, row 2 has the value -1 for sr_x2_div2k_psnr, valid "
         "are 0 to inf"),
    ],
)  # fmt: skip
def test_a_wrong_table_registers_nothing(warehouse, change, message):
    table = NEW.assign(**change)
    assert refused(lambda: import_records(warehouse, table, new_scores=True))[0] == message
    assert list(warehouse.home.glob("catalog/scores/*.json")) == []
    assert warehouse.rows("from score_catalog where score = 'sr_x2_div2k_psnr'")[1] == []
