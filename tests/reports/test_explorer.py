"""The explorer, used as a reader uses it, in headless Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.pwned=1">.[0]'


@pytest.fixture
def opened(visit, report: Path):
    """The explorer's part of an opened report."""
    return visit(report).page


def show(page, **choice: str) -> None:
    """Open a view through the page's address."""
    from urllib.parse import urlencode

    url = page.url.split("#")[0]
    page.evaluate("window.history.replaceState(null, '', '#')")
    page.goto(f"{url}#explorer?{urlencode(choice, doseq=True)}")


def coefficients(page) -> list[list[str]]:
    return page.locator("[data-part=coefficients] tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )


def marked(page) -> list[str]:
    """The names of the points that the plot shows as selected."""
    points = page.locator(".plot .point[aria-selected=true]")
    return [text.split(",")[0] for text in points.evaluate_all("p => p.map(q => q.ariaLabel)")]


@pytest.fixture(scope="module")
def scripted(chromium):
    """A blank page that holds nothing but the coefficients' script."""
    page = chromium.new_page()
    page.evaluate("window.lossnets = {}")
    script = Path(__file__).parents[2] / "reports" / "explorer" / "coefficients.js"
    page.evaluate(f"() => {{ {script.read_text()} }}")
    yield page
    page.close()


def computed(page, name: str, x: list[float], y: list[float]):
    return page.evaluate(f"([x, y]) => window.lossnets.coefficients.{name}(x, y)", [x, y])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=20))
def test_coefficients_agree_with_scipy_under_ties(scripted, pairs):
    x, y = (list(map(float, side)) for side in zip(*pairs, strict=True))
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert computed(scripted, "pearson", x, y) is None
        assert computed(scripted, "kendall", x, y) is None
        return
    expected = {
        "pearson": stats.pearsonr(x, y).statistic,
        "spearman": stats.spearmanr(x, y).statistic,
        "kendall": stats.kendalltau(x, y).statistic,
    }
    for name, value in expected.items():
        assert computed(scripted, name, x, y) == pytest.approx(value, abs=1e-9)


def test_huge_values_neither_overflow_nor_lose_the_line(scripted):
    x, y = [1e300, 2e300, 4e300], [1.0, 2.0, 4.0]
    assert computed(scripted, "pearson", x, y) == pytest.approx(1)
    assert computed(scripted, "line", x, y) == {
        "slope": pytest.approx(1e-300),
        "intercept": pytest.approx(0, abs=1e-9),
    }


def test_line_is_that_of_least_squares(scripted):
    x, y = [1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 4.0, 4.5]
    expected = stats.linregress(x, y)
    found = computed(scripted, "line", x, y)
    assert found["slope"] == pytest.approx(expected.slope)
    assert found["intercept"] == pytest.approx(expected.intercept)


def test_best_layer_view_shows_each_architecture_once_with_its_correlation(opened, frames):
    show(opened, x="imagenet_top1", y="bapps_2afc", view="best")
    scores = frames.scores[frames.scores["score"] == "bapps_2afc"]
    best = scores.groupby("architecture")["value"].max()
    accuracy = frames.architectures.set_index("architecture")["imagenet_top1"][best.index]
    expected = [
        stats.pearsonr(accuracy, best).statistic,
        stats.spearmanr(accuracy, best).statistic,
        stats.kendalltau(accuracy, best).statistic,
    ]
    row = coefficients(opened)[0]
    assert row[:2] == ["All points shown", "14"]
    assert row[2:] == [f"{value:.3f}".replace("-", "−") for value in expected]


def test_every_loss_network_is_a_point_and_layers_count_on_their_own(opened, frames):
    show(opened, x="macs_to_layer", y="stl10_accuracy", view="all", logx="1")
    rows = coefficients(opened)
    assert rows[0][1] == "56, 14 architectures"
    both = frames.scores[frames.scores["score"] == "stl10_accuracy"].merge(
        frames.loss_networks, on=["architecture", "layer"]
    )
    within = [
        stats.spearmanr(own["macs_to_layer"], own["value"]).statistic
        for _, own in both.groupby("layer")
    ]
    assert rows[1][0] == "Mean of those within each layer"
    assert float(rows[1][3].replace("−", "-")) == pytest.approx(sum(within) / 4, abs=6e-4)
    assert opened.locator(".plot .title").first.text_content() == (
        "MACs to layer (operations), log scale"
    )


def test_points_without_a_place_are_counted_aloud(opened):
    show(opened, x="batch_norm", y="bapps_2afc", view="best", logx="1")
    assert opened.locator("[data-part=gaps]").text_content() == (
        "Not drawn: 5 points of Batch norm at or below zero, which a logarithmic axis cannot show."
    )


def test_a_view_comes_back_from_the_address(visit, opened, report: Path):
    opened.locator("[data-control=x]").select_option("macs")
    opened.locator("[data-control=view]").select_option("mean")
    opened.locator("[data-control=logx]").check()
    opened.locator("[data-hides='family:VGG']").uncheck()
    opened.get_by_role("checkbox", name="Select AlexNet").check()
    shared = opened.url
    other = visit(report).page
    other.goto(shared)
    for name, value in {"x": "macs", "view": "mean"}.items():
        assert other.locator(f"[data-control={name}]").input_value() == value
    assert other.locator("[data-control=logx]").is_checked()
    assert not other.locator("[data-hides='family:VGG']").is_checked()
    assert coefficients(other)[0][1] == "10"
    assert marked(other) == ["AlexNet"]
    assert other.locator("[data-part=link]").get_attribute("href") == "#" + shared.split("#")[1]


def test_an_address_of_nonsense_is_ignored(opened):
    show(opened, x="no_such", view="<script>", select="?")
    assert opened.locator("[data-control=x]").input_value() == "imagenet_top1"
    assert opened.locator("[data-control=view]").input_value() == "best"
    assert marked(opened) == []


def test_keyboard_alone_walks_selects_and_clears(opened):
    show(opened, x="imagenet_top1", y="bapps_2afc", view="best")
    opened.locator(".plot .point").first.focus()
    opened.keyboard.press("Space")
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Enter")
    assert marked(opened) == ["AlexNet", "SqueezeNet 1.1"]
    assert opened.locator("[data-part=count]").text_content() == "2 of 14 selected"
    checked = opened.locator("[data-part=table] tbody input:checked")
    assert checked.count() == 2
    opened.keyboard.press("Control+a")
    assert len(marked(opened)) == 14
    opened.keyboard.press("Escape")
    assert marked(opened) == []
    opened.keyboard.press("End")
    assert opened.evaluate("document.activeElement.ariaLabel").startswith("EfficientNet_B7")


def test_a_drawn_rectangle_selects_what_it_holds_and_the_table_can_show_only_that(opened):
    show(opened, x="imagenet_top1", y="bapps_2afc", view="best")
    plot = opened.locator(".plot > svg")
    plot.scroll_into_view_if_needed()
    first = opened.locator(".plot .point").first.bounding_box()
    opened.mouse.move(first["x"] - 12, first["y"] - 4)
    opened.mouse.down()
    opened.mouse.move(first["x"] + 30, first["y"] + 30)
    opened.mouse.up()
    assert marked(opened) == ["AlexNet"]
    opened.locator("[data-part=only]").check()
    assert opened.locator("[data-part=table] tbody tr").count() == 1
    opened.locator(".plot .point").nth(1).click()
    assert opened.locator("[data-part=table] tbody tr").count() == 2


def test_headings_sort_the_table_and_say_so(opened):
    table = opened.locator("[data-part=table]")
    heading = table.get_by_role("columnheader", name="architecture")
    heading.get_by_role("button").click()
    names = opened.locator("[data-part=table] tbody tr td:nth-child(2)").all_text_contents()
    assert names == sorted(names, key=str.lower)
    heading = opened.locator("[data-part=table] th[aria-sort]")
    assert heading.get_attribute("aria-sort") == "ascending"


def test_points_go_out_as_csv(opened, tmp_path: Path):
    show(opened, x="depth", y="mean_rank_overall", view="best", select="paper|vgg11|")
    with opened.expect_download() as download:
        opened.locator("[data-part=csv]").click()
    target = tmp_path / "view.csv"
    download.value.save_as(target)
    frame = pd.read_csv(target)
    assert list(frame.columns[-3:]) == ["depth", "mean_rank_overall", "selected"]
    assert len(frame) == 14
    assert frame.loc[frame["selected"], "architecture"].tolist() == ["vgg11"]


def test_hostile_labels_and_names_stay_text(warehouse, tmp_path: Path, visit):
    from lossnets.reports.build import build_report
    from lossnets.warehouse.intake import attributes
    from lossnets.warehouse.sources.records import Measurement, RunRecord

    table = tmp_path / "odd.csv"
    table.write_text("architecture,odd\nvgg11,1\nvgg16,-2.5\nalexnet,1e300\n")
    about = attributes.Description(label=HOSTILE, unit="</script>", description=HOSTILE)
    attributes.add(warehouse, table, about)
    measured = Measurement(architecture=HOSTILE, layer="a.b[0]", score="bapps_2afc", value=0.5)
    record = RunRecord(
        benchmark="perceptual_similarity", measurements=(measured,), config={}, seed=0
    )
    warehouse.append([record])
    build_report(warehouse, tmp_path / "out")
    opened = visit(tmp_path / "out")
    show(opened.page, x="odd", y="bapps_2afc", view="best", colour="source")
    assert coefficients(opened.page)[0][1] == "3"
    assert opened.page.locator(".plot .title").first.text_content() == f"{HOSTILE} (</script>)"
    show(opened.page, x="bapps_2afc", y="bapps_2afc", view="all", colour="source")
    assert any(text.startswith(HOSTILE) for text in labels(opened.page))
    assert opened.page.evaluate("window.pwned") is None
    assert opened.messages == []


def labels(page) -> list[str]:
    return page.locator(".plot .point").evaluate_all("p => p.map(q => q.ariaLabel)")


def test_every_attribute_and_score_can_be_chosen(opened, frames):
    offered = opened.locator("[data-control=x] option").evaluate_all("o => o.map(p => p.value)")
    known = [*frames.attribute_catalog["attribute"], *frames.score_catalog["score"]]
    assert set(known) < set(offered)
    assert json.dumps(offered).count("mean_rank_") == 5
