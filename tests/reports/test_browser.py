"""The page in headless Chromium, offline: it draws, it is quiet, it fits, it can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

VIEWS = [(1400, False), (1400, True), (400, False), (400, True)]
DRAWN_MARKS = """charts => charts.map(chart => [
    chart.dataset.chart,
    chart.querySelectorAll('svg .mark-symbol path, svg .mark-line path, svg .mark-rect path, '
        + 'svg .mark-rule line, svg .mark-text text').length,
])"""

CSV_TEXTS = """all => Object.fromEntries(all.map(({ dataset: { exhibit, dataset } }) => [
    exhibit, lossnets.toCsv(lossnets.fields(dataset), lossnets.rows(dataset)),
]))"""


@pytest.mark.parametrize(("width", "dark"), VIEWS)
def test_the_page_draws_every_chart_and_says_and_asks_nothing(report, seen, width, dark):
    visited = seen(width, dark)
    charts = visited.page.eval_on_selector_all("[data-chart]", DRAWN_MARKS)
    assert visited.messages == []
    assert visited.requests == [(report / "index.html").as_uri()]
    assert {name for name, _ in charts} >= {"figure_02", "figure_03", "figure_04", "figure_05"}
    assert [name for name, marks in charts if marks < 10] == []


@pytest.mark.parametrize("width", [1400, 400])
def test_nothing_makes_the_page_itself_scroll_sideways(seen, width):
    page = seen(width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    too_wide = page.eval_on_selector_all(
        ".chart:not(.scrolls) svg",
        "charts => charts.filter(c => c.getBoundingClientRect().right > innerWidth)",
    )
    assert too_wide == []


def test_dark_and_light_pages_have_readable_text_in_charts(seen):
    fill = "getComputedStyle(document.querySelector('.chart .role-axis-label text')).fill"
    assert seen(1400, False).page.evaluate(fill) == "rgb(29, 35, 41)"
    assert seen(1400, True).page.evaluate(fill) == "rgb(228, 232, 236)"


def points(page, figure: str) -> int:
    """Number of marks that stand in a figure."""
    return page.locator(f"#{figure} .chart .mark-symbol.role-mark path").count()


def test_a_legend_filter_answers_to_the_space_bar(report, visit):
    page = visit(report).page
    assert points(page, "figure_03") == 56
    box = page.locator("#figure_03 input[value=late]")
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_function(
        "document.querySelectorAll('#figure_03 .mark-symbol.role-mark path').length === 42"
    )
    page.keyboard.press("Space")
    page.wait_for_function(
        "document.querySelectorAll('#figure_03 .mark-symbol.role-mark path').length === 56"
    )


def test_choosing_another_score_redraws_figure_2(report, visit):
    page = visit(report).page
    axis = "document.querySelector('#figure_02 .role-axis-label').textContent"
    assert page.evaluate(axis).startswith("0.6")
    page.locator("#figure_02 select").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"!({axis}).startsWith('0.6')")
    assert page.locator("#figure_02 select").input_value() == "bapps_jnd"


def downloaded(page, exhibit: str, kind: str) -> bytes:
    """What the download button of an exhibit gives."""
    with page.expect_download() as event:
        page.locator(f"#{exhibit} [data-download={kind}]").click()
    assert event.value.suggested_filename == f"{exhibit}.{kind}"
    return Path(event.value.path()).read_bytes()


def test_every_csv_in_the_page_is_the_file_beside_it(report, seen):
    page = seen().page
    texts = page.eval_on_selector_all("details.rows", CSV_TEXTS)
    assert {f"table_{n:02d}" for n in range(1, 12)} <= set(texts)
    for exhibit, text in texts.items():
        assert text == (report / "data" / f"{exhibit}.csv").read_bytes().decode(), exhibit
    assert downloaded(page, "table_03", "csv").decode() == texts["table_03"]


def test_a_chart_downloads_as_svg_with_its_legend_and_as_png(seen):
    page = seen(1400, True).page
    svg = downloaded(page, "figure_03", "svg").decode()
    assert svg.startswith("<svg")
    assert "semi" in svg
    assert "Figure 3 SVHN against STL-10" in svg
    assert downloaded(page, "figure_03", "png").startswith(b"\x89PNG")


def test_a_table_downloads_as_latex_and_markdown(seen):
    page = seen().page
    latex = downloaded(page, "table_05", "tex").decode()
    assert "VGG-16\\_bn & 0.629 & 0.636 & 0.642 & \\textbf{0.669}" in latex
    markdown = downloaded(page, "table_05", "md").decode()
    assert "| VGG-11 | 0.635 | 0.650 | 0.659 | **0.682** | 0.545 |" in markdown
    assert markdown.startswith("| Architecture | 2AFC E | 2AFC S | 2AFC M | 2AFC L | JND E |")


def test_a_value_and_its_remark_are_pasted_as_two_cells_with_signs_that_latex_knows(seen):
    page = seen().page
    assert "| VGG-11 | 2.25 | (2.50)† | 2.33 |" in downloaded(page, "table_03", "md").decode()
    latex = downloaded(page, "table_03", "tex").decode()
    assert "VGG-11 & \\underline{2.25} & (2.50)\\dag{} & 2.33 &  &" in latex
    assert "\\cmidrule(lr){2-11}" in latex
    assert latex.isascii()


def test_every_table_is_pasted_as_latex_in_signs_that_need_no_package(seen):
    page = seen().page
    tables = page.eval_on_selector_all("[data-download=tex]", "b => b.map(x => x.dataset.exhibit)")
    texts = {name: page.evaluate("name => lossnets.toLatex(name)", name) for name in tables}
    assert len(texts) > 15
    assert [name for name, text in texts.items() if not text.isascii()] == []
    widths = {
        name: {line.count(" & ") for line in text.split("\n") if line.startswith("VGG-11")}
        for name, text in texts.items()
    }
    assert [name for name, found in widths.items() if len(found) > 1] == []


def test_one_of_tables_v_to_xi_is_shown_and_a_link_or_a_choice_shows_another(report, visit):
    page = visit(report).page
    shown = """() => [...document.querySelectorAll('.one-of .option:not(.away)')]
        .map(option => option.dataset.option)"""
    assert page.evaluate(shown) == ["table_05"]
    page.locator("#published_tables select").select_option("table_09")
    assert page.evaluate(shown) == ["table_09"]
    assert page.url.endswith("#published_tables?show=table_09")
    page.go_back()
    page.wait_for_function(f"({shown})()[0] === 'table_05'")
    page.evaluate("location.hash = 'table_11'")
    page.wait_for_function(f"({shown})()[0] === 'table_11'")


def test_the_findings_are_read_in_a_minute(seen):
    page = seen().page
    words = "part => document.querySelector(part).innerText.split(/\\s+/).length"
    assert page.evaluate(words, "#summary ~ ol") <= 250


def test_a_drawn_chart_is_one_image_with_a_text_alternative_of_its_own(seen):
    page = seen().page
    said = page.eval_on_selector_all(
        ".chart", "all => all.map(c => [c.role, c.ariaLabel, c.querySelector('svg').ariaHidden])"
    )
    assert len({text for _, text, _ in said}) == len(said) > 20
    assert {(role, hidden) for role, _, hidden in said} == {("img", "true")}
    assert [text for _, text, _ in said if len(text) < 40 or "Vega" in text] == []


def test_arrow_keys_walk_over_the_marks_of_a_chart(report, visit):
    page = visit(report).page
    page.locator("#figure_03 .chart").focus()
    page.keyboard.press("ArrowRight")
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    first = tip.inner_text()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "first => document.getElementById('vg-tooltip-element').innerText !== first", arg=first
    )
    assert "STL-10" in first
    page.keyboard.press("Escape")
    page.locator("#vg-tooltip-element:not(.visible)").wait_for(state="attached")


CODE_NAMES = """() => {
    document.querySelectorAll("details").forEach((fold) => (fold.open = true));
    const code = ["pre", "code", "details.rows", "script", "option",
        "#table_02", "#table_01_evidence", "#files"].join(","); // torchvision's names, file names
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const found = new Set();
    while (walk.nextNode()) {
        if (walk.currentNode.parentElement.closest(code)) continue;
        (walk.currentNode.textContent.match(/\\b[a-z][a-z0-9]*(_[a-z0-9]+)+\\b/g) ?? [])
            .forEach((name) => found.add(name));
    }
    return [...found];
}"""


def test_no_code_name_stands_where_people_read(report, visit):
    page = visit(report).page
    page.evaluate("lossnets.drawAll()")
    assert page.evaluate(CODE_NAMES) == []


def test_a_page_that_is_opened_draws_no_more_than_what_is_near(report, chromium):
    page = chromium.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto((report / "index.html").as_uri())
    page.wait_for_selector("html[data-charts=drawn]")
    assert page.locator(".chart svg").count() <= 2
    assert page.evaluate("document.body.innerText.split(/\\s+/).length") <= 8_000
    assert page.evaluate("document.getElementsByTagName('*').length") <= 15_000
    page.locator("#figure_03").scroll_into_view_if_needed()
    page.locator("#figure_03 .chart svg").wait_for()
    page.context.close()


def test_a_long_table_is_turned_over_searched_and_found_by_a_link(report, visit):
    page = visit(report).page
    rows = "() => document.querySelectorAll('#claims tbody tr:not(.group)').length"
    assert page.evaluate(rows) == 30
    page.locator("#claims .pager button").last.click()
    assert page.url.endswith("#claims?page=2")
    last = page.locator(".verdicts a").last
    last.click()
    page.locator(last.get_attribute("href")).wait_for()
    page.locator("#claims .pager input").fill("SqueezeNet")
    page.keyboard.press("Enter")
    assert 0 < page.evaluate(rows) < 30
    assert "find=SqueezeNet" in page.url


def test_the_data_under_a_chart_opens_as_a_table(report, visit):
    page = visit(report).page
    page.locator("#figure_03 details.rows summary").click()
    rows = page.locator("#figure_03 .scroll.data tbody tr")
    assert rows.count() == 56


def test_the_contents_fold_on_a_narrow_screen(seen):
    opened = "document.querySelector('nav.contents details').open"
    assert seen(1400).page.evaluate(opened)
    assert not seen(400).page.evaluate(opened)


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_axe_finds_nothing_to_object_to(seen, width, dark):
    from axe_playwright_python.sync_playwright import Axe

    drawn = {"exclude": [[".chart svg"]]}  # hidden from readers: its container speaks for it
    violations = Axe().run(seen(width, dark).page, context=drawn).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []


def test_the_policy_lets_no_foreign_script_run_and_no_request_out(report, visit):
    visited = visit(report)
    visited.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.foreign = true";
            document.body.append(script);
        }"""
    )
    fetched = visited.page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'no')")
    assert visited.page.evaluate("window.foreign") is None
    assert fetched == "no"
    assert visited.requests == [(report / "index.html").as_uri()]
