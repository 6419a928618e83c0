"""What sections make of warehouses that hold more than the paper."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from lossnets.reports.build import build_report
from lossnets.reports.page.page import Page
from lossnets.reports.paper.forward_cost.section import forward_cost
from lossnets.warehouse.intake.attributes import Description, add
from lossnets.warehouse.sources.records import Measurement, RunRecord

HOSTILE = "</script><img src=x onerror=alert(1)>"


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def run(architecture: str, layer: str, value: float, **parts: object) -> RunRecord:
    """A run of benchmark 1 that measured one 2AFC score."""
    measured = Measurement(
        architecture=architecture, layer=layer, score="bapps_2afc", value=value, n=10
    )
    return RunRecord(
        benchmark="perceptual_similarity",
        measurements=(measured,),
        recorded_at="2024-01-02T03:04:05+00:00",
        **parts,  # type: ignore[arg-type]
    )


@pytest.fixture
def busy(warehouse, tmp_path: Path):
    """Runs of two seeds, one of a network beyond the paper, a smoke run, hostile names."""
    warehouse.append(
        [
            run("vgg11", "late", 0.68, seed=1),
            run("vgg11", "late", 0.70, seed=2),
            run(HOSTILE, "stages.3[0]:out", 0.61, seed=1, nodes={"stages.3[0]:out": "stages.3"}),
            run("vgg11", "early", 0.99, seed=1, preset="smoke"),
        ]
    )
    table = tmp_path / "attributes.csv"
    table.write_text("architecture,age\nvgg11,10\nalexnet,12\n")
    add(warehouse, table, Description(label=HOSTILE, description=HOSTILE))
    return warehouse


def test_measured_scores_stand_beside_the_printed_ones(busy, tmp_path):
    build_report(busy, tmp_path / "out")
    by_layer = {
        (row["architecture"], row["layer"]): row
        for row in rows_of(tmp_path / "out", "table_05_measured")
    }
    late = by_layer["vgg11", "late"]
    assert float(late["measured"]) == pytest.approx(0.69)
    assert late["runs"] == "2"
    assert float(late["sd"]) == pytest.approx(0.01 * 2**0.5)
    assert late["printed"] == "0.682"
    beyond = by_layer[HOSTILE, "stages.3[0]:out"]
    assert beyond["printed"] == ""
    assert ("vgg11", "early") not in by_layer


def test_measured_best_layers_stand_beside_the_published_ones(busy, tmp_path):
    build_report(busy, tmp_path / "out")
    best = {row["architecture"]: row for row in rows_of(tmp_path / "out", "table_04_measured")}
    assert (best["vgg11"]["layers"], best["vgg11"]["printed_layers"]) == ("late", "late")
    assert best[HOSTILE]["printed_layers"] == ""
    ranks = {row["architecture"]: row for row in rows_of(tmp_path / "out", "table_03_measured")}
    assert ranks["vgg11"]["overall"] == ""


def test_nothing_in_the_target_folder_is_deleted(paper_warehouse, tmp_path):
    kept = tmp_path / "data" / "records" / "precious.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    build_report(paper_warehouse, tmp_path)
    assert kept.read_text() == "x"


def test_costs_are_the_published_totals_where_none_up_to_the_layer_is_known(
    paper_warehouse, frames
):
    catalog = frames.attribute_catalog
    page = Page(paper_warehouse)
    unmeasured = catalog[catalog["attribute"] != "macs_to_layer"]
    page.once("frames paper", lambda: replace(frames, attribute_catalog=unmeasured))
    context = forward_cost(page)
    costs = context["cost"].frame
    assert not context["measured"]
    assert set(costs.loc[costs["architecture"] == "vgg11", "macs"]) == {7637e6}


def test_figure_4_has_layers_that_are_none_of_the_papers_four(busy):
    frame = Page(busy).query("figure_04", macs="loss_networks.macs_to_layer").frame
    _, [(scored,)] = busy.rows("select count(*) from scores_wide where bapps_2afc is not null "
                               "and source in ('paper', 'measured')")  # fmt: skip
    assert len(frame) == scored
    assert frame["layer_position"].isna().any()


def test_preset_runs_are_listed_and_never_scored(busy, tmp_path):
    build_report(busy, tmp_path / "out")
    runs = rows_of(tmp_path / "out", "runs")
    assert [(r["preset"], r["runs"]) for r in runs if r["architecture"] == "vgg11"] == [
        ("smoke", "1"),
        ("", "2"),
    ]
    scores = [row["value"] for row in rows_of(tmp_path / "out", "figure_02")]
    assert "0.99" not in scores


def test_a_name_cannot_leave_its_place_in_the_page(busy, tmp_path):
    page = build_report(busy, tmp_path / "out").read_text()
    assert HOSTILE not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page


@pytest.mark.browser
def test_a_page_with_hostile_names_is_quiet_and_draws_them(busy, tmp_path, visit):
    build_report(busy, tmp_path / "out")
    visited = visit(tmp_path / "out")
    assert visited.messages == []
    assert visited.page.locator("img").count() == 0
    assert visited.page.locator(f"#figure_02 .chart text:has-text('{HOSTILE[:12]}')").count() > 0


def test_a_file_that_was_left_out_is_named(warehouse, home, tmp_path):
    (home / "records").mkdir(exist_ok=True)
    (home / "records" / "broken.jsonl").write_text("no json\n")
    warehouse.refresh()
    page = build_report(warehouse, tmp_path / "out").read_text()
    assert "<code>records/broken.jsonl</code>" in page
