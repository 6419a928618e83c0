"""2AFC and average precision beside their definitions, with ties, and beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from lossnets.warehouse.sources.judgements import average_precision, two_afc

distances = st.integers(0, 5).map(float)  # few values: many ties
fractions = st.integers(0, 5).map(lambda k: k / 5)  # as of five judges
triplets = st.lists(st.tuples(distances, distances, fractions), min_size=1, max_size=40)
pairs = st.lists(st.tuples(distances, fractions), min_size=1, max_size=40).filter(
    lambda rows: any(same for _, same in rows)
)
labelled = st.lists(st.tuples(distances, st.integers(0, 1)), min_size=1, max_size=40).filter(
    lambda rows: any(same for _, same in rows)
)


def _reference_two_afc(d0: float, d1: float, judge: float) -> float:
    if d0 < d1:
        return 1 - judge
    if d1 < d0:
        return judge
    return 0.5


def _reference_average_precision(rows: list[tuple[float, float]]) -> float:
    """Every threshold by itself: what is called the same at it, and the best at as much recall."""
    total = sum(same for _, same in rows)
    points = []
    for threshold in sorted({distance for distance, _ in rows}):
        called = [same for distance, same in rows if distance <= threshold]
        true, false = sum(called), sum(1 - same for same in called)
        points.append((true / total, true / (true + false)))
    area, before = 0.0, 0.0
    for recall, _ in points:
        area += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    return area


@given(triplets)
def test_two_afc_is_the_definition_on_any_triplets(rows):
    d0, d1, judge = np.array(rows).T
    expected = [_reference_two_afc(*row) for row in rows]
    assert two_afc(d0, d1, judge).tolist() == expected


@given(triplets)
def test_swapping_the_two_images_leaves_two_afc_as_it_is(rows):
    d0, d1, judge = np.array(rows).T
    assert two_afc(d1, d0, 1 - judge) == pytest.approx(two_afc(d0, d1, judge))


def test_two_afc_of_infinite_distances():
    infinite, one = np.array([-np.inf]), np.array([1.0])
    assert two_afc(infinite, infinite, np.array([0.2])).tolist() == [0.5]
    assert two_afc(infinite, one, np.array([0.25])).tolist() == [0.75]


@given(pairs)
def test_average_precision_is_the_definition_on_any_pairs(rows):
    distance, same = np.array(rows).T
    assert average_precision(distance, same) == pytest.approx(_reference_average_precision(rows))


@given(pairs, st.randoms(use_true_random=False))
def test_average_precision_depends_on_no_order(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert average_precision(*np.array(shuffled).T) == pytest.approx(
        average_precision(*np.array(rows).T), abs=1e-12
    )


@given(labelled)
def test_average_precision_of_whole_labels_is_that_of_scikit_learn(rows):
    distance, same = np.array(rows).T
    precision, recall, _ = precision_recall_curve(same, -distance)
    area = -np.diff(recall) @ np.maximum.accumulate(precision)[:-1]  # from high recall to low
    assert average_precision(distance, same) == pytest.approx(area)


def test_average_precision_worked_out_by_hand():
    # thresholds 1, 2, 3: true 0.5, 0.5, 1.5 of 1.5 in 1, 2, 4 pairs
    distance, same = np.array([3.0, 1.0, 2.0, 3.0]), np.array([1.0, 0.5, 0.0, 0.0])
    assert average_precision(distance, same) == pytest.approx(1 / 3 * 1 / 2 + 2 / 3 * 3 / 8)
    identical = np.array([-np.inf, -np.inf, 1.0, 2.0])
    assert average_precision(identical, np.array([1.0, 1.0, 0.0, 0.0])) == 1.0


def test_without_a_same_pair_there_is_no_average_precision():
    assert np.isnan(average_precision(np.array([1.0, 2.0]), np.zeros(2)))
