"""The studies' sections and the summary: what they say follows from the numbers."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lossnets.reports.attributes import section as correlation_study
from lossnets.reports.audit import section as audit_findings
from lossnets.reports.beyond import section as beyond_study
from lossnets.reports.choice import section as cost_study
from lossnets.reports.claims import section as claims_ledger
from lossnets.reports.layers import section as layer_study
from lossnets.reports.page import study_results
from lossnets.reports.page.page import Page
from lossnets.reports.ranking import section as rank_study

STUDY_EXHIBITS = {
    "rank_diagram_scores": "rank_diagram",
    "rank_diagram_benchmarks": "rank_diagram",
    "rank_intervals": "rank_intervals",
    "tie_breaking": "tie_breaking",
    "noise_tolerance": "noise_tolerance",
    "best_layer_shares": "layer_shares",
    "layer_modes": "layer_modes",
    "layer_agreement": "layer_agreement",
    "layer_variance": "layer_variance",
    "layer_swap": "layer_swap",
    "correlation_summary": "correlation_summary",
    "correlation_map": "correlation",
    "correlation_forest": "correlation",
    "correlation_layers": "correlation",
    "correlation_benchmarks": "correlation_benchmarks",
    "within_layers": "correlation_layers",
    "attribute_groups": "correlation_groups",
    "correlation_partial": "correlation_partial",
    "correlation_corrections": "correlation_corrections",
    "training_noise": "noise",
    "rerun_winners": "rerun_winners",
    "prediction": "prediction",
    "lineages": "lineages",
    "score_map": "score_correlations",
    "benchmark_prediction": "benchmark_prediction",
    "benchmark_correlations": "benchmark_correlations",
    "benchmark_agreement": "benchmark_agreement",
    "score_dimensions": "score_dimensions",
    "choice": "choice",
    "new_benchmark": "new_benchmark",
    "carry_over": "carry_over",
    "network_ranks": "network_ranks",
    "pareto_fronts": "pareto_fronts",
    "pareto_shares": "pareto_shares",
    "audit": "audit",
    "audit_rules": "audit_rules",
    "claims": "claims",
}
MEGABYTES = 1_000_000


@pytest.fixture(scope="module")
def page(paper_warehouse) -> Page:
    """What sections work with, over the published scores."""
    return Page(paper_warehouse)


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return (report / "index.html").read_text()


def prose(section: str, page_text: str) -> str:
    """A section of the page as a reader reads it."""
    start = page_text.index(f'<h2 id="{section}"')
    end = page_text.index("</section>", start)
    plain = html.unescape(re.sub(r"<[^>]+>", "", page_text[start:end]))
    return re.sub(r"\s+", " ", plain)


@pytest.mark.parametrize(("exhibit", "study"), STUDY_EXHIBITS.items())
def test_every_study_exhibit_names_its_command_and_has_its_csv(report, text, exhibit, study):
    start = text.index(f'<figure class="exhibit" id="{exhibit}"')
    assert f"lossnets study {study} --format csv" in text[start : text.index("</figure>", start)]
    assert (report / "data" / f"{exhibit}.csv").stat().st_size > 100


def test_page_stays_below_four_megabytes(report):
    assert (report / "index.html").stat().st_size < 4 * MEGABYTES


def test_no_row_of_a_study_is_dropped_on_its_way_to_the_page(page):
    whole = page.studies()["correlation"]
    shown = correlation_study.correlations(page)
    assert len(shown) == len(whole)
    assert shown["spearman"].isna().sum() == whole["spearman"].isna().sum()


def test_numbers_keep_six_digits_and_gaps_stay_gaps():
    frame = pd.DataFrame({"p": [0.123456789, np.nan, 1234567.0], "note": ["", "why", ""]})
    shortened = study_results.shortened(frame)
    assert shortened["p"].tolist()[::2] == [0.123457, 1234570.0]
    assert np.isnan(shortened["p"][1])


def test_alike_labels_are_told_apart(page, monkeypatch):
    catalog = page.frames().score_catalog.copy()
    catalog["label"] = ["Same", "Same", *catalog["label"][2:]]
    names = study_results._told_apart(catalog, "score", "label")
    assert names["bapps_2afc"] == "Same (bapps_2afc)"
    assert names["bapps_jnd"] == "Same (bapps_jnd)"
    assert names["mrd_quality"] == "MRD quality"


def test_pairs_count_as_told_apart_below_five_percent():
    pairs = pd.DataFrame(
        {
            "blocks": ["scores"] * 3,
            "p_difference": [0.04, 0.05, np.nan],
            "p_holm": [0.01, 0.02, 0.9],
        }
    )
    assert rank_study.separated_pairs(pairs) == {
        "scores": {"pairs": 3, "mean_ranks": 1, "wilcoxon": 2}
    }


def test_group_bars_run_from_the_first_to_the_last_member():
    groups = pd.DataFrame(
        {
            "source": ["paper"] * 2,
            "blocks": ["scores", "benchmarks"],
            "method": ["Nemenyi"] * 2,
            "group": [1, 1],
            "members": [["vgg11", "x", "vgg19"], ["vgg11"]],
        }
    )
    bars = rank_study.group_bars(groups, "scores", {"vgg11": "VGG-11", "vgg19": "VGG-19"}, 14)
    assert bars[["name", "last", "members"]].values.tolist() == [
        ["VGG-11", "VGG-19", "VGG-11, x, VGG-19"]
    ]


def test_layers_count_as_best_only_beyond_chance():
    modes = pd.DataFrame(
        {
            "modal_layer": ["early", "late", "semi_early"],
            "p_holm": [0.01, 0.3, 0.02],
            "family_size": [3, 3, 3],
            "detectable_share": [0.6, 0.5, 0.6],
        }
    )
    assert layer_study.modal_counts(modes) == {
        "scores": 3,
        "found": 2,
        "layers": [("early", 1), ("semi-early", 1)],
        "family": 3,
        "detectable": 0.5,
    }


def test_swap_argument_counts_what_lies_beyond_the_null():
    swap = pd.DataFrame(
        {
            "difference": [0.5, -0.1, np.nan],
            "p_greater": [0.01, 0.8, np.nan],
            "null_median": [0.2, 0.1, np.nan],
            "shuffles": [10000, 10000, np.nan],
        }
    )
    found = layer_study.swap_counts(swap)
    assert (found["scores"], found["holds"], found["beyond_chance"], found["usual"]) == (3, 1, 1, 2)


def test_the_most_for_a_cost_is_what_lies_beyond_chance_not_what_is_cheapest():
    shares = pd.DataFrame(
        {
            "cost": ["a", "a", "a", "b"],
            "architecture": ["cheapest", "second", "dearer", "cheapest"],
            "layer": "early",
            "fronts": [19, 14, 12, 19],
            "expected": [19.0, 9.5, 4.0, 19.0],
        }
    )
    found = cost_study.beyond_chance(shares)
    assert [row["architecture"] for row in found["a"]] == ["dearer"]
    assert list(found) == ["a"]  # by b nothing is beyond chance


def test_ledger_lists_each_claim_once_contradicted_ones_first():
    claims = pd.DataFrame(
        {
            "claim": ["a", "a", "b"],
            "section": ["V"] * 3,
            "statement": ["A.", "A.", "B."],
            "rule": ["r"] * 3,
            "variant": ["as given", "measured attributes", "as given"],
            "number": [0.12345, 0.5, np.nan],
            "number_label": ["n"] * 3,
            "unit": ["", "", "rank"],
            "verdict": ["contradicted", "supported", "supported"],
            "severity": [0.34, np.nan, np.nan],
            "missed": [np.nan, np.nan, 0.0],
            "reason": ["because"] * 3,
            "verdict_changes": [False, True, False],
            "noise_fraction": [0.0, np.nan, 1.0],
            "note": ["", "", ""],
        }
    )
    grid = claims_ledger.ledger_grid(claims)
    assert [group.label for group in grid.groups] == ["Contradicted", "Supported"]
    assert [cell.text for cell in grid.groups[0].rows[0]] == ["V", "A.", "0.123", "34 %"]
    assert grid.groups[1].rows[0][2].marks == ("missing",)
    first, second = claims_ledger.ledger_groups(claims)
    assert (first["name"], first["sign"], second["sign"]) == ("contradicted", "×", "✓")
    line = first["rows"][0]
    assert (line["noise"], line["missed"], line["chance"]) == ("less than 0.05 sd", "", "34 %")
    assert [other["verdict"] for other in line["turned"]] == ["supported"]
    assert second["rows"][0]["noise"] == "1 sd or more"


def test_a_square_of_the_strip_leads_to_its_claim(page, text):
    given = page.studies()["claims"].query("variant == 'as given'")
    squares = re.findall(r'<a class="verdict [a-z-]+" href="#(claim-\w+)"', text)
    assert len(squares) == len(given)
    assert set(squares) == set(re.findall(r'<div id="(claim-\w+)">', text))
    assert squares[0] == f"claim-{given[given['verdict'] == 'contradicted']['claim'].iloc[0]}"
    strip = text.split('<ol class="verdicts"')[1].split("</ol>")[0]
    assert "style=" not in strip
    assert strip.count("aria-label=") == len(given) + 1


def test_summary_gives_the_studies_numbers(page, text):
    said = prose("summary", text)
    intervals = page.studies()["rank_intervals"]
    first = intervals[intervals["method"] == "benchmarks, then scores"].nsmallest(1, "mean_rank")
    assert f"first in {100 * first['p_best'].item():.0f} % of draws" in said
    claims = page.studies()["claims"]
    given = claims[claims["variant"] == "as given"]
    testable = (given["verdict"] != "not testable").sum()
    assert f"Of {testable} testable ones, " in said
    assert f"{(given['verdict'] == 'supported').sum()} are supported" in said
    findings = page.studies()["audit"].query("kind == 'contradiction'")
    strengths = findings["strength"].value_counts()
    assert f"{strengths['strong']} strong and {strengths['certain']} certain findings" in said
    assert said.count("Evidence") == len(re.findall("<li><strong>", text))


def test_summary_says_the_contrary_where_the_numbers_do(paper_warehouse, page):
    turned = Page(paper_warehouse)
    studies = {name: frame.copy() for name, frame in page.studies().items()}
    variance = studies["layer_variance"]
    variance[["low", "high", "difference"]] = [-0.6, -0.2, -0.4]
    swap = studies["layer_swap"]
    swap["p_greater"] = 0.001
    accuracy = studies["correlation_benchmarks"]
    accuracy["spearman_p_westfall_young"], accuracy["spearman"] = 0.001, 0.9
    intervals = studies["rank_intervals"]
    best = intervals["architecture"] == "vgg11"
    intervals["p_best"] = np.where(best, 0.97, 0.0)
    prediction = studies["benchmark_prediction"]
    prediction["p_holm"] = 0.01
    studies["claims"]["verdict"] = "contradicted"
    turned.once("studies paper", lambda: studies)
    said = rendered(turned)
    assert "VGG-11 is the best architecture." in said
    assert "The architecture matters more than the layer, on most scores." in said
    assert "goes beyond what shuffled cells give on 19 of 19 scores" in said
    assert "Better ImageNet classifiers make better loss networks." in said
    assert "Each benchmark can be told from the others." in said
    assert "bear out fewer than half of its statements" in said


def rendered(page: Page) -> str:
    from lossnets.reports import build
    from lossnets.reports.summary.section import SECTION

    template = build._environment(page).get_template("summary/section.html.j2")
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", "", template.render(SECTION.build(page), section=SECTION))
    )


def test_one_run_per_cell_is_said_wherever_something_is_concluded(text):
    for section in (
        "rank_study",
        "layer_study",
        "correlation_study",
        "benchmark_study",
        "cost_study",
    ):
        assert "Nothing in the paper was trained twice" in prose(section, text), section
    assert "Nothing was trained twice" in prose("summary", text)


def test_noise_that_exceeds_what_is_ranked_is_said(text):
    said = prose("beyond_study", text)
    assert "on super-resolution x8 and delineation: places there are mostly noise" in said
    assert "Of 10 findings on attributes, 3 hold over the means of lineages" in said


def test_noise_is_sorted_by_what_one_architecture_decides():
    noise = pd.DataFrame(
        {
            "label": ["always", "hinges", "calm", "untrained"],
            "p_same_winner": [0.1, 0.1, 0.9, np.nan],
            "without_low": [1.2, 0.5, 0.1, 0.1],
            "without_high": [2.0, 1.5, 0.3, 2.0],
        }
    )
    assert beyond_study.noisy(noise) == {
        "always": ["always"],
        "hinges": ["hinges"],
        "calm": ["calm"],
    }


def test_p_values_stand_beside_their_family_and_power(text):
    said = prose("correlation_study", text)
    assert "In its family a ρ has to reach at least 0.83 to be found with 80 % power" in said
    assert "family of 19 scores" in prose("layer_study", text)
    assert "family of 4; |ρ| of 0.78 would be found reliably" in prose("summary", text)


@pytest.fixture(scope="module")
def with_attribute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a home with attributes of its own: one half unknown, sixty of noise, a leak."""
    from lossnets.reports.build import build_report
    from lossnets.warehouse.intake import attributes
    from lossnets.warehouse.store import Warehouse

    home = tmp_path_factory.mktemp("home")
    warehouse = Warehouse.open(home / "data")
    names = warehouse.query("select architecture from architectures order by all")["architecture"]
    values = np.random.default_rng(7).normal(size=len(names))
    table = home / "random.csv"
    half = ["" if i % 2 else str(i) for i in range(len(names))]
    flag = ["1" if value > 0 else "0" for value in values]
    rows = zip(names, values, half, flag, strict=True)
    lines = [
        "architecture,random_number,half_known,random_flag",
        *(",".join(map(str, r)) for r in rows),
    ]
    table.write_text("\n".join(lines))
    attributes.add(warehouse, table, attributes.Description(unit="furlongs"))
    noise = np.random.default_rng(8).normal(size=(len(names), 60)).round(3)
    wide = pd.DataFrame(noise, index=names).add_prefix("noise_")
    ranks = warehouse.query("from average_ranks where source = 'paper'")
    wide["leak"] = ranks.set_index("architecture")["overall"]
    wide.to_csv(home / "noise.csv")
    attributes.add(warehouse, home / "noise.csv")
    attributes.derive(warehouse, "leak_and_depth", "leak + depth / 1e6")
    build_report(warehouse, home / "out")
    return home / "out"


LABEL = "random number"


def test_an_added_attribute_stands_in_map_forest_explorer_and_csv(with_attribute):
    for name in ("correlation_map", "correlation_forest", "correlation_benchmarks"):
        table = pd.read_csv(with_attribute / "data" / f"{name}.csv")
        assert "random_number" in set(table["attribute"]), name
    groups = pd.read_csv(with_attribute / "data" / "attribute_groups.csv")
    assert "random_flag" in set(groups["attribute"])
    explorer = pd.read_csv(with_attribute / "data" / "explorer.csv")
    assert explorer["random_number"].nunique() == 14
    text = (with_attribute / "index.html").read_text()
    assert '<option value="random_number"' in text


def test_what_a_user_registers_moves_nothing_that_is_said_of_the_paper(with_attribute, report):
    found = {}
    for folder in (with_attribute, report):
        tables = [
            (folder / "data" / f"{name}.csv").read_text()
            for name in ("claims", "audit_rules", "audit")
        ]
        said = re.findall("<li><strong>.*?</strong>", (folder / "index.html").read_text(), re.S)
        found[folder] = tables, said
    assert found[with_attribute] == found[report]
    own = "Exploratory, of 64 registered here: leak"
    assert own in prose("summary", (with_attribute / "index.html").read_text())


def test_an_attribute_known_for_few_shows_fewer_architectures(with_attribute):
    table = pd.read_csv(with_attribute / "data" / "correlation_map.csv")
    known = table[(table["attribute"] == "half_known") & (table["view"] == "best")]
    assert set(known["n"]) == {7}
    assert len(known) == 19


@pytest.mark.browser
def test_map_and_forest_show_the_added_attribute(visit, with_attribute):
    page = visit(with_attribute).page
    for name in ("correlation_map", "correlation_forest"):
        texts = page.locator(f"#{name} .chart svg text").all_text_contents()
        assert LABEL in texts, name


@pytest.mark.browser
def test_a_view_of_the_map_shows_the_attributes_that_have_it(visit, report):
    page = visit(report).page
    before = page.locator("#correlation_map .chart svg text").all_text_contents()
    assert "Depth to layer" not in before
    page.locator("#correlation_map select").select_option("mean")
    page.locator("#correlation_map svg text", has_text="Depth to layer").wait_for()


@pytest.mark.browser
def test_claims_can_be_shown_by_verdict(visit, report):
    page = visit(report).page

    def groups():
        found = page.locator("#claims tbody tr.group").all_text_contents()
        return [text.strip() for text in found]

    assert groups()[0].startswith("Contradicted")
    box = page.get_by_role("checkbox", name=re.compile("^Contradicted"))
    box.focus()
    page.keyboard.press("Space")
    assert not any(text.startswith("Contradicted") for text in groups())
    assert groups()


def test_findings_of_the_audit_stand_under_their_strength(page):
    context = audit_findings.audit_findings(Page(page.warehouse))
    labels = [group.label for group in context["findings"].grid.groups]
    assert labels == ["Certain", "Strong", "Suggestive"]
    assert sum(context["counts"].values()) == context["findings"].grid.rows


@pytest.mark.browser
def test_sections_stand_beside_measured_runs_too_few_to_study(warehouse, tmp_path, visit):
    from lossnets.reports.build import build_report
    from lossnets.warehouse.sources.records import Measurement, RunRecord

    measured = [
        Measurement(architecture=name, layer="late", score=score, value=value)
        for name, value in (("vgg11", 0.7), ("alexnet", 0.6))
        for score in ("bapps_2afc", "bapps_jnd")
    ]
    record = RunRecord(benchmark="perceptual_similarity", measurements=tuple(measured), seed=0)
    warehouse.append([record])
    build_report(warehouse, tmp_path / "out")
    visited = visit(tmp_path / "out")
    source = visited.page.locator("#rank_intervals select[data-field=source]")
    assert source.locator("option").all_text_contents() == ["paper", "measured"]
    source.select_option("measured")
    assert visited.messages == []
    table = pd.read_csv(tmp_path / "out" / "data" / "layer_agreement.csv")
    notes = table.loc[table["source"] == "measured", "note"]
    assert len(notes) > 0
    assert notes.str.contains("not computable, because").all()
