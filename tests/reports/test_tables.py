"""Tables to print: what a cell says, and how rows and headings are grouped."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from lossnets.reports.page.page import Page
from lossnets.reports.page.tables import Cell, Column, family_grid, grid, shown

FRAME = pd.DataFrame(
    {
        "name": ["VGG-11", "VGG-16", "AlexNet"],
        "family": ["VGG", "VGG", "Other"],
        "score": [0.5, math.nan, 0.25],
    }
)
COLUMNS = [
    Column(key="name", label="Architecture", head=True),
    Column(key="score", label="Score", group="Scores", decimals=2, numeric=True),
]


def texts(printed):
    return [[[cell.text for cell in row] for row in group.rows] for group in printed.groups]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (30.7, 1, "30.7"),
        (30.0, 1, "30.0"),
        (-0.5, 2, "−0.50"),
        (12345, 0, "12,345"),
        (6.0, None, "6"),
        (True, None, "yes"),
        (None, 2, ""),
        (math.nan, None, ""),
        ("early", 3, "early"),
    ],
)
def test_a_value_is_shown_with_its_decimals_and_nothing_for_none(value, decimals, text):
    assert shown(value, decimals) == text


def test_rows_stand_under_the_headings_of_their_families():
    printed = family_grid(FRAME, COLUMNS)
    assert [group.label for group in printed.groups] == ["VGG Networks", "Other Networks"]
    assert texts(printed) == [[["VGG-11", "0.50"], ["VGG-16", ""]], [["AlexNet", "0.25"]]]


def test_a_family_that_the_paper_has_not_keeps_its_name():
    frame = FRAME.assign(family="Transformer")
    assert [group.label for group in family_grid(frame, COLUMNS).groups] == ["Transformer"]


def test_a_cell_of_ones_own_replaces_the_plain_one():
    printed = grid(
        FRAME, COLUMNS, cell=lambda row, column: None if column.head else Cell(text=row["family"])
    )
    assert texts(printed) == [[["VGG-11", "VGG"], ["VGG-16", "VGG"], ["AlexNet", "Other"]]]


def test_headings_span_the_columns_of_their_group():
    assert grid(FRAME, COLUMNS).spans == [("", 1), ("Scores", 1)]
    assert grid(FRAME, COLUMNS[:1]).spans == []


def test_mrd_all_is_the_layer_that_is_best_on_all_of_its_scores(paper_warehouse):
    sql = Page(paper_warehouse).query("table_04").sql
    elsewhere = (
        "with best_layers as (select * replace (case when architecture = 'vgg11' "
        "and score = 'mrd_quality' then ['early'] else layers end as layers) "
        "from main.best_layers), "
    )
    found = paper_warehouse.query(elsewhere + sql.removeprefix("with "))
    mrd = found[found["column"] == "mrd"].set_index("architecture")
    assert mrd["recomputed"].isna()["vgg11"]
    assert mrd.loc["vgg11", "verdict"] == "differs"
    assert mrd.loc["vgg16", "recomputed"] == "E"
