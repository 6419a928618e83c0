"""Only runs that differ in seed alone are repeats; all others stand apart, and it is said how."""

from __future__ import annotations

import pandas as pd
import pytest

from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.store import Warehouse

BOTH = """
select architecture, {0}, value, sd, runs, shown from configuration_means
where source = 'measured' order by architecture, {0}
"""
RANKS = """
select architecture, {0}, rank, shown from ranks where source = 'measured' order by all
"""


@pytest.fixture
def measured(warehouse: Warehouse):
    """Import rows (architecture, seed, what differs, value) of one score of one layer."""

    def measure(column: str, *rows: tuple[str, int, str | None, float]) -> Warehouse:
        frame = pd.DataFrame(rows, columns=["architecture", "seed", column, "value"])
        import_records(warehouse, frame.assign(layer="early", score="svhn_accuracy"))
        return warehouse

    return measure


@pytest.mark.parametrize(
    ("column", "usual", "other"),
    [
        ("weights", "IMAGENET1K_V1", "random:0"),
        ("config", '{"learning_rate": 0.001}', '{"learning_rate": 0.0001}'),
        ("data", "svhn:0123", "svhn:4567"),
    ],
)
def test_what_differs_in_more_than_the_seed_is_not_averaged(measured, column, usual, other):
    warehouse = measured(
        column,
        ("vgg11", 0, usual, 0.5), ("vgg11", 1, usual, 0.75), ("vgg11", 0, other, 0.25),
        ("alexnet", 0, usual, 0.25),
    )  # fmt: skip
    _, rows = warehouse.rows(BOTH.format(column))
    assert sorted((row[0], row[1], row[2], row[4], row[5]) for row in rows) == sorted([
        ("alexnet", usual, 0.25, 1, True),
        ("vgg11", usual, 0.625, 2, True),
        ("vgg11", other, 0.25, 1, False),
    ])  # fmt: skip
    _, shown = warehouse.rows(
        f"select architecture, {column}, value, configurations from score_means "
        "where source = 'measured' order by all"
    )
    assert shown == [("alexnet", usual, 0.25, 1), ("vgg11", usual, 0.625, 2)]
    _, ranks = warehouse.rows(RANKS.format(column))
    assert sorted(ranks) == sorted([
        ("alexnet", usual, 2.0, True), ("vgg11", usual, 1.0, True), ("vgg11", other, 1.5, False),
    ])  # fmt: skip


def test_no_config_and_an_empty_one_are_the_same(measured):
    warehouse = measured("config", ("vgg11", 0, None, 0.5), ("vgg11", 1, "{}", 0.75))
    assert warehouse.rows("select value, runs from score_means where source = 'measured'")[1] == [
        (0.625, 2)
    ]


def test_what_is_shown_does_not_depend_on_the_order_of_loading(measured):
    warehouse = measured("weights", ("vgg11", 0, "b", 0.5), ("vgg11", 0, "a", 0.75))
    before = warehouse.rows(BOTH.format("weights"))[1]
    assert [row[-1] for row in before].count(True) == 1
    warehouse.rebuild()
    assert warehouse.rows(BOTH.format("weights"))[1] == before


def test_a_study_looks_at_what_is_shown(measured):
    from lossnets.analysis.frames.frames import Frames

    warehouse = measured(
        "weights", ("vgg11", 0, "a", 0.5), ("vgg11", 0, "b", 0.75), ("alexnet", 0, "b", 0.25)
    )
    scores = Frames.read(warehouse, "measured").scores
    assert scores[["architecture", "value"]].to_numpy().tolist() == [
        ["alexnet", 0.25], ["vgg11", 0.75],
    ]  # fmt: skip
