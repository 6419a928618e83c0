"""The first screen: complete, sorted, opened, and shared by its address."""

from __future__ import annotations

import pandas as pd
import pytest

from lossnets.reports.answer import heat
from lossnets.warehouse.sources.records import Measurement, RunRecord

EDGES = """() => ['.lead', '.cards', 'table.heat', '.answer figcaption'].map(part =>
    Math.round(document.querySelector(part).getBoundingClientRect().bottom + scrollY))"""
NAMES = "() => [...document.querySelectorAll('table.heat tbody th button')].map(b => b.innerText)"


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1400, 900), (400, 850)])
def test_the_answer_stands_on_the_first_screen(seen, width, height):
    page = seen(width).page
    assert max(page.evaluate(EDGES)) <= height
    assert page.locator(".card").count() == 5
    assert page.locator("table.heat tbody tr").count() == 14


@pytest.mark.browser
def test_a_column_sorts_the_address_says_so_and_back_undoes_it(report, visit):
    page = visit(report).page
    first = page.evaluate(NAMES)
    page.locator("table.heat thead button", has_text="SVHN").click()
    assert page.evaluate(NAMES)[:3] == ["VGG-19", "VGG-16", "GoogLeNet"]
    assert page.url.endswith("#answer?sort=20")
    page.go_back()
    page.wait_for_function(f"({NAMES})()[0] === '{first[0]}'")
    assert page.evaluate(NAMES) == first


@pytest.mark.browser
def test_a_link_opens_a_network_at_its_place(report, chromium):
    page = chromium.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto((report / "index.html").as_uri() + "#network?open=paper%2Fvgg16&answer.sort=3")
    panel = page.locator("tr.panel")
    panel.wait_for()
    assert "VGG-16 · VGG · paper" in panel.inner_text()
    assert "2AFC\t0.637\t0.641\t0.653\t0.671" in panel.inner_text()
    assert page.evaluate(NAMES)[0] == "AlexNet"
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("target", ["correlation_study", "explorer", "figure_02?score=bapps_jnd"])
def test_links_into_the_page_arrive_where_they_point(report, chromium, target):
    page = chromium.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto((report / "index.html").as_uri() + "#" + target)
    page.wait_for_selector("html[data-charts=drawn]", timeout=60_000)
    name = target.partition("?")[0]
    top = page.evaluate(f"document.getElementById('{name}').getBoundingClientRect().top")
    assert -1 <= top <= 100
    page.context.close()


def test_other_sources_are_placed_among_the_papers(paper_warehouse, warehouse):
    from lossnets.analysis.frames.frames import Frames

    values = {"a": 0.70, "b": 0.682, "c": 0.50}  # printed at most: 0.691, twice 0.682
    measured = tuple(
        Measurement(architecture=name, layer="late", score="bapps_2afc", value=value, n=10)
        for name, value in values.items()
    )
    warehouse.append(
        [
            RunRecord(
                benchmark="perceptual_similarity",
                measurements=measured,
                recorded_at="2024-01-02T03:04:05+00:00",
            )
        ]
    )
    paper = heat.best_values(Frames.read(warehouse, "paper"))
    placed = heat.placed(Frames.read(warehouse, "measured"), paper).set_index("architecture")
    better = int((paper.loc[paper["score"] == "bapps_2afc", "value"] > 0.682).sum())
    equal = int((paper.loc[paper["score"] == "bapps_2afc", "value"] == 0.682).sum())
    assert placed["place"].to_dict() == {"a": 1.0, "b": 1 + better + equal / 2, "c": 15.0}


def test_the_papers_own_places_are_their_ranks(paper_warehouse):
    from lossnets.analysis.frames.frames import Frames

    frames = Frames.read(paper_warehouse, "paper")
    placed = heat.placed(frames, heat.best_values(frames))
    ranks = paper_warehouse.query("select * from ranks where ranks.source = 'paper'")
    both = placed.merge(ranks, on=["score", "architecture"])
    pd.testing.assert_series_equal(both["place"], both["rank"], check_names=False)
