"""Pareto fronts of score against cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossnets.analysis.choice.cost import least_cost, on_front, pareto_fronts, pareto_shares

points = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9)


def _reference_front(value, cost):
    """Each point against each other."""
    return [
        not any(
            v >= own and c <= paid and (v > own or c < paid)
            for v, c in zip(value, cost, strict=True)
        )
        for own, paid in zip(value, cost, strict=True)
    ]


@given(points)
def test_the_front_is_what_no_other_point_dominates(pairs):
    value, cost = np.array(pairs, dtype=float).T
    assert on_front(value, cost).tolist() == _reference_front(value, cost)


@given(points)
def test_the_least_cost_is_that_of_the_points_at_least_as_good(pairs):
    value, cost = np.array(pairs, dtype=float).T
    expected = [min(cost[value >= own]) for own in value]
    assert least_cost(value, cost).tolist() == expected


@given(points)
def test_the_front_stays_under_monotone_transforms_of_score_and_cost(pairs):
    value, cost = np.array(pairs, dtype=float).T
    assert on_front(value, cost).tolist() == on_front(np.exp(value), cost**3).tolist()


def networks(**costs):
    table = pd.DataFrame({"architecture": ["a", "b", "c"], "layer": "late"})
    return table.assign(**costs)


def tidy(values, higher_is_better=True):
    frame = pd.DataFrame({"architecture": ["a", "b", "c"], "value": values})
    return frame.assign(
        benchmark="delineation",
        score="s",
        higher_is_better=higher_is_better,
        family="F",
        layer="late",
        layer_position=4,
    )


def test_equal_points_are_on_the_front_together():
    table = pareto_fronts(tidy([0.7, 0.7, 0.6]), networks(macs_to_layer=[1, 1, 1]))
    assert table["on_front"].head(3).tolist() == [True, True, False]


def test_the_front_of_a_score_of_which_less_is_better():
    table = pareto_fronts(tidy([3.0, 2.0, 1.0], False), networks(macs_to_layer=[1, 2, 2]))
    assert table["on_front"].head(3).tolist() == [True, False, True]
    assert table["ratio"].head(3).tolist() == [1.0, 1.0, 1.0]


def test_the_ratio_says_what_a_cheaper_choice_saves():
    table = pareto_fronts(tidy([3.0, 2.0, 1.0]), networks(macs_to_layer=[10, 40, 5]))
    assert table["ratio"].head(3).tolist() == [1.0, 4.0, 1.0]


def test_a_missing_attribute_and_a_missing_cost_say_so():
    table = pareto_fronts(tidy([3.0, 2.0, 1.0]), networks(macs_to_layer=[1, np.nan, 3]))
    own = table.set_index(["cost", "architecture"])["note"]
    assert own[("macs_to_layer", "a")] == ""
    assert own[("macs_to_layer", "b")] == (
        "not computable, because the loss network has no macs_to_layer"
    )
    assert own[("params_to_layer", "a")] == (
        "not computable, because there is no attribute params_to_layer"
    )


def test_shares_count_the_fronts_of_each_loss_network():
    scores = pd.concat([tidy([3.0, 2.0, 1.0]), tidy([1.0, 2.0, 3.0]).assign(score="t")])
    table = pareto_shares(scores, networks(macs_to_layer=[1, 2, 3], params_to_layer=[3, 2, 1]))
    own = table.set_index(["cost", "architecture"])
    assert own["fronts"].to_dict() == {
        ("macs_to_layer", "a"): 2,
        ("macs_to_layer", "b"): 1,
        ("macs_to_layer", "c"): 1,
        ("params_to_layer", "a"): 1,
        ("params_to_layer", "b"): 1,
        ("params_to_layer", "c"): 2,
    }
    assert own.loc[("macs_to_layer", "b"), "share"] == 0.5


def test_squeezenets_second_layer_costs_a_hundredth_of_vgg16s_last_at_the_same_2afc(frames):
    table = pareto_fronts(frames.scores, frames.loss_networks)
    macs = table[(table["cost"] == "macs_to_layer") & (table["score"] == "bapps_2afc")]
    own = macs.set_index(["architecture", "layer"])
    assert own.loc[("squeezenet1_1", "semi_early"), "on_front"]
    assert not own.loc[("vgg16", "late"), "on_front"]
    assert own.loc[("vgg16", "late"), "ratio"] > 100


def test_a_front_says_how_many_could_have_beaten_a_point_and_what_it_loses():
    table = pareto_fronts(tidy([3.0, 2.0, 1.0]), networks(macs_to_layer=[10, 40, 10])).head(3)
    assert table["rivals"].tolist() == [1, 2, 1]
    assert table["chance"].tolist() == [1 / 2, 1 / 3, 1 / 2]
    assert table["lost"].tolist() == [0.0, 1.0, 2.0]  # their standard deviation is 1


def test_dealt_at_random_a_network_lies_on_as_many_fronts_as_expected(frames):
    rng = np.random.default_rng(3)
    dealt = pd.concat(
        [
            frames.scores.assign(score=f"s{draw}", value=rng.normal(size=len(frames.scores)))
            .groupby(["architecture", "layer"], as_index=False)
            .head(1)
            for draw in range(400)
        ]
    )
    shares = pareto_shares(dealt, frames.loss_networks)
    deviation = (shares["fronts"] - shares["expected"]) / np.sqrt(shares["expected"] + 1)
    assert deviation.abs().max() < 4.5
    assert shares["fronts"].sum() == pytest.approx(shares["expected"].sum(), rel=0.03)
