"""What the warehouse says the paper published, against a reading of the paper's text by itself."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

LINES = (Path(__file__).parents[1] / "data" / "paper_tables.txt").read_text("utf-8").splitlines()
ARCHITECTURES = [
    "vgg11", "vgg16", "vgg16_bn", "vgg19", "resnet18", "resnet50", "resnext50_32x4d",
    "googlenet", "inception_v3", "efficientnet_b0", "efficientnet_b7", "alexnet", "densenet121",
    "squeezenet1_1",
]  # fmt: skip
LAYERS = ("early", "semi_early", "middle", "late")
SCORES = {
    4: ["bapps_2afc", "bapps_jnd"],
    5: ["sr_x4_set5_psnr", "sr_x4_set14_psnr", "sr_x4_bsd100_psnr"],
    6: ["sr_x4_set5_ssim", "sr_x4_set14_ssim", "sr_x4_bsd100_ssim"],
    7: ["sr_x8_set5_psnr", "sr_x8_set14_psnr", "sr_x8_bsd100_psnr"],
    8: ["sr_x8_set5_ssim", "sr_x8_set14_ssim", "sr_x8_bsd100_ssim"],
    9: ["mrd_correctness", "mrd_completeness", "mrd_quality"],
    10: ["svhn_accuracy", "stl10_accuracy"],
}
NUMBER = re.compile(r"(?<=\| )[\d.]+(?= \|)")


def _cells(table: int) -> dict[str, list[str]]:
    """Architecture → the printed numbers of its row: 14 lines a table, in the paper's order."""
    rows = LINES[14 * table : 14 * table + 14]
    return {
        name: NUMBER.findall(line.replace("| ", "| | "))
        for name, line in zip(ARCHITECTURES, rows, strict=True)
    }


def _published() -> dict[tuple[str, str, str], str]:
    """(score, architecture, layer) → as printed: a block of four layers per score."""
    return {
        (score, architecture, layer): cells[4 * block + place]
        for table, scores in SCORES.items()
        for architecture, cells in _cells(table).items()
        for block, score in enumerate(scores)
        for place, layer in enumerate(LAYERS)
    }


def test_the_lines_stand_in_the_paper_in_this_order():
    if path := os.environ.get("LOSSNETS_PAPER_TEXT"):
        text = iter(Path(path).read_text("utf-8").split("\n"))
        assert [line for line in LINES if line not in text] == []  # `in` reads on: order counts
    assert len(LINES) == 11 * 14


def test_each_of_the_1064_published_values_is_the_printed_one(paper_warehouse):
    _, rows = paper_warehouse.rows(
        "select score, architecture, layer, value from scores where source = 'paper'"
    )
    stored = {tuple(names): value for *names, value in rows}
    printed = {key: float(cell) for key, cell in _published().items()}
    assert len(printed) == len(rows) == 1064
    assert stored == printed


def test_every_value_has_the_decimals_that_the_catalog_says(paper_warehouse):
    decimals = dict(
        paper_warehouse.rows(
            "select score, decimals from score_catalog where paper_table is not null"
        )[1]
    )
    printed: dict[str, set[int]] = {}
    for (score, *_), cell in _published().items():
        printed.setdefault(score, set()).add(len(cell.partition(".")[2]))
    assert printed == {score: {count} for score, count in decimals.items()}


def test_the_sentence_of_the_issue(paper_warehouse):
    assert paper_warehouse.rows(
        "select source, count(*), count(distinct score), count(distinct architecture || layer) "
        "from scores group by 1"
    )[1] == [("paper", 1064, 19, 56)]


def test_table_1_is_kept_as_printed_and_as_attributes(paper_warehouse):
    printed = [(name, *cells) for name, cells in _cells(0).items()]
    assert paper_warehouse.rows("from paper_table_01")[1] == printed
    _, rows = paper_warehouse.rows(
        "select architecture, paper_imagenet_top1, paper_depth, paper_mflops from architectures"
    )
    assert rows == [(name, *map(float, cells)) for name, *cells in printed]


def test_table_2_is_kept_as_printed(paper_warehouse):
    rows = [line.split(" | ")[1].removesuffix(" |") for line in LINES[14:28]]
    assert paper_warehouse.rows("from paper_table_02")[1] == list(
        zip(ARCHITECTURES, rows, strict=True)
    )


def test_the_70_cells_of_table_3_are_kept_as_printed(paper_warehouse):
    rows = [(name, *cells) for name, cells in _cells(2).items()]
    assert paper_warehouse.rows("from paper_table_03")[1] == rows
    assert sum(len(cells) - 1 for cells in rows) == 70


def test_the_98_cells_of_table_4_are_kept_as_printed(paper_warehouse):
    rows = [
        (name, *re.findall(r"\b[ESML]\b", line.split("]")[1]))
        for name, line in zip(ARCHITECTURES, LINES[42:56], strict=True)
    ]
    assert paper_warehouse.rows("from paper_table_04")[1] == rows
    assert sum(len(cells) - 1 for cells in rows) == 98


def _reference_bounds() -> dict[tuple[str, str], tuple[Fraction, Fraction]]:
    """(architecture, benchmark) → mean least and greatest rank, by counting in exact decimals."""
    benchmarks = {"perceptual_similarity": (4,), "super_resolution": (5, 6, 7, 8)}
    benchmarks |= {"delineation": (9,), "autoencoding": (10,)}
    published = _published()
    bounds = {}
    for benchmark, tables in benchmarks.items():
        scores = [score for table in tables for score in SCORES[table]]
        best = {
            (score, name): max(Decimal(published[score, name, layer]) for layer in LAYERS)
            for score in scores
            for name in ARCHITECTURES
        }
        for name in ARCHITECTURES:
            least = sum(
                1 + sum(best[score, other] > best[score, name] for other in ARCHITECTURES)
                for score in scores
            )
            greatest = sum(
                sum(best[score, other] >= best[score, name] for other in ARCHITECTURES)
                for score in scores
            )
            bounds[name, benchmark] = Fraction(least, len(scores)), Fraction(greatest, len(scores))
    for name in ARCHITECTURES:
        low, high = zip(*(bounds[name, benchmark] for benchmark in benchmarks), strict=True)
        bounds[name, "overall"] = sum(low) / 4, sum(high) / 4
    return bounds


@pytest.mark.parametrize(
    "benchmark",
    ["perceptual_similarity", "super_resolution", "delineation", "autoencoding", "overall"],
)
def test_average_ranks_have_the_bounds_that_counting_gives(paper_warehouse, benchmark):
    _, rows = paper_warehouse.rows(
        f"select architecture, {benchmark}_least, {benchmark}_greatest, {benchmark} "
        "from average_ranks where source = 'paper'"
    )
    bounds = _reference_bounds()
    assert len(rows) == 14
    for name, least, greatest, mean in rows:
        assert (least, greatest) == pytest.approx(tuple(map(float, bounds[name, benchmark])))
        assert mean == pytest.approx((least + greatest) / 2)


def test_the_70_cells_of_table_3_lie_within_the_bounds_that_rounding_leaves(paper_warehouse):
    printed = {name: cells for name, *cells in paper_warehouse.rows("from paper_table_03")[1]}
    _, rows = paper_warehouse.rows(
        "select architecture, columns('_(least|greatest)$') from average_ranks"
    )
    outside = []
    for name, *bounds in rows:
        for place, cell in enumerate(printed[name]):
            least, greatest = bounds[2 * place], bounds[2 * place + 1]
            if not least - 0.005 - 1e-9 <= float(cell) <= greatest + 0.005 + 1e-9:  # two decimals
                outside.append((name, place, cell, least, greatest))
    assert outside == []


def test_97_of_the_98_cells_of_table_4_name_a_layer_with_the_best_printed_value(paper_warehouse):
    letters = {"E": "early", "S": "semi_early", "M": "middle", "L": "late"}
    columns, printed = paper_warehouse.rows("from paper_table_04")
    _, rows = paper_warehouse.rows("select score, architecture, layers from best_layers")
    best = {(score, architecture): layers for score, architecture, layers in rows}
    mrd = ("mrd_correctness", "mrd_completeness", "mrd_quality")
    elsewhere = {}
    for architecture, *cells in printed:
        for column, letter in zip(columns[1:], cells, strict=True):
            for score in mrd if column == "mrd" else (column,):
                layers = best[score, architecture]
                if letters[letter] not in layers:
                    elsewhere[architecture, score] = letter, layers
    assert elsewhere == {("squeezenet1_1", score): ("L", ["semi_early"]) for score in mrd}
