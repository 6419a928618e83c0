"""Tables I, III and IV of the report, against the print and an independent calculation."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest

PAPER = Path(__file__).parents[2] / "warehouse" / "shipped" / "paper"
LETTERS = {"early": "E", "semi_early": "S", "middle": "M", "late": "L"}
BENCHMARK_TABLES = {
    "perceptual_similarity": (5,),
    "super_resolution": (6, 7, 8, 9),
    "delineation": (10,),
    "autoencoding": (11,),
}


def printed_table(number: int) -> list[dict[str, str]]:
    """A table of the paper as shipped, its cells as text."""
    (path,) = PAPER.glob(f"table_{number:02d}_*.csv")
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def exhibit(report: Path, name: str) -> list[dict[str, str]]:
    """The rows of an exhibit's CSV."""
    with (report / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def best_by_score(number: int) -> dict[str, dict[str, float]]:
    """Score -> architecture -> best value over the layers, of one table."""
    best: dict[str, dict[str, float]] = defaultdict(dict)
    for row in printed_table(number):
        for score in list(row)[2:]:
            value = float(row[score])
            known = best[score].get(row["architecture"], value)
            best[score][row["architecture"]] = max(known, value)
    return best


def _reference_ranks() -> dict[tuple[str, str], tuple[float, float, float]]:
    """(architecture, benchmark) -> mean rank, least, greatest; by counting, no library."""
    sums = defaultdict(lambda: [0.0, 0.0, 0.0, 0])
    for benchmark, numbers in BENCHMARK_TABLES.items():
        for scores in (best_by_score(number) for number in numbers):
            for values in scores.values():
                for architecture, value in values.items():
                    better = sum(other > value for other in values.values())
                    equal = sum(other == value for other in values.values())
                    total = sums[architecture, benchmark]
                    total[0] += better + (equal + 1) / 2
                    total[1] += better + 1
                    total[2] += better + equal
                    total[3] += 1
    return {key: (a / n, b / n, c / n) for key, (a, b, c, n) in sums.items()}


def test_all_70_cells_of_table_iii_hold_the_reference_ranks_and_bounds(report):
    reference = _reference_ranks()
    rows = exhibit(report, "table_03")
    assert len(rows) == 70
    for row in rows:
        if row["column"] == "overall":
            means = [reference[row["architecture"], name] for name in BENCHMARK_TABLES]
            expected = tuple(sum(values) / 4 for values in zip(*means, strict=True))
        else:
            expected = reference[row["architecture"], row["column"]]
        found = tuple(float(row[name]) for name in ("recomputed", "least", "greatest"))
        assert found == pytest.approx(expected), row


def test_table_iii_calls_a_cell_what_its_print_and_bounds_make_it(report):
    printed = {
        (row["architecture"], column): float(value)
        for row in printed_table(3)
        for column, value in row.items()
        if column != "architecture"
    }
    for row in exhibit(report, "table_03"):
        value = printed[row["architecture"], row["column"]]
        assert float(row["printed"]) == value
        if abs(value - float(row["recomputed"])) < 0.00501:
            verdict = "agrees"
        elif float(row["least"]) - 0.00501 < value < float(row["greatest"]) + 0.00501:
            verdict = "inside the bounds"
        else:
            verdict = "outside the bounds"
        assert row["verdict"] == verdict, row


def _reference_best_layers(score: str, number: int) -> dict[str, set[str]]:
    """Architecture -> letters of the layers with the best value."""
    best: dict[str, set[str]] = {}
    values: dict[str, float] = {}
    for row in printed_table(number):
        architecture, value = row["architecture"], float(row[score])
        if value > values.get(architecture, float("-inf")):
            values[architecture], best[architecture] = value, set()
        if value == values[architecture]:
            best[architecture].add(LETTERS[row["layer"]])
    return best


def test_all_98_cells_of_table_iv_hold_the_reference_layers(report):
    scores = {
        "bapps_2afc": 5,
        "bapps_jnd": 5,
        "sr_x4_bsd100_ssim": 7,
        "sr_x8_bsd100_ssim": 9,
        "svhn_accuracy": 11,
        "stl10_accuracy": 11,
    }
    expected = {
        (architecture, score): layers
        for score, number in scores.items()
        for architecture, layers in _reference_best_layers(score, number).items()
    }
    road_scores = ("mrd_correctness", "mrd_completeness", "mrd_quality")
    of_roads = [_reference_best_layers(score, 10) for score in road_scores]
    for architecture in of_roads[0]:
        common = set.intersection(*(layers[architecture] for layers in of_roads))
        expected[architecture, "mrd"] = common
    rows = exhibit(report, "table_04")
    found = {(row["architecture"], row["column"]): set(row["recomputed"].split()) for row in rows}
    assert len(rows) == 98
    assert found == expected


def test_table_iv_underlines_the_best_architecture_of_each_column(report):
    best = {
        (row["column"], row["architecture"])
        for row in exhibit(report, "table_04")
        if row["best_architecture"] == "true"
    }
    assert {
        ("bapps_2afc", "alexnet"),
        ("bapps_jnd", "vgg11"),
        ("sr_x8_bsd100_ssim", "squeezenet1_1"),
        ("mrd", "vgg19"),
        ("svhn_accuracy", "vgg19"),
        ("stl10_accuracy", "vgg16"),
    } <= best


def test_table_i_agrees_where_the_measured_value_rounds_to_the_print(report):
    rows = {(row["architecture"], row["attribute"]): row for row in exhibit(report, "table_01")}
    assert rows["vgg11", "imagenet_top1"]["verdict"] == "agrees"
    assert rows["efficientnet_b7", "imagenet_top1"]["verdict"] == "differs"
    assert rows["vgg11", "mflops"]["verdict"] == "differs"
    assert rows["vgg11", "skip_connections"]["verdict"] == ""
    assert float(rows["alexnet", "params"]["measured"]) == 61.10084  # torchvision's num_params
    assert len([row for row in rows.values() if row["printed"]]) == 42


def test_the_captions_count_what_the_tables_hold(report):
    page = " ".join((report / "index.html").read_text().split())
    verdicts = [row["verdict"] for row in exhibit(report, "table_03")]
    assert f"Of 70 cells, {verdicts.count('agrees')} agree with the print" in page
    letters = [row["verdict"] for row in exhibit(report, "table_04")]
    assert f"Of 98 cells, {letters.count('agrees')} agree with the print" in page


@pytest.mark.parametrize("number", range(5, 12))
def test_tables_v_to_xi_print_every_published_value(report, number):
    rows = {row["architecture"]: row for row in exhibit(report, f"table_{number:02d}")}
    printed = printed_table(number)
    scores = list(printed[0])[2:]
    for row, score in product(printed, scores):
        found = rows[row["architecture"]][f"{score}_{row['layer']}"]
        assert float(found) == float(row[score])
