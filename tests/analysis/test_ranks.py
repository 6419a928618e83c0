"""Ranks by the best layer, their bounds, and how they depend on the choice of scores."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import complete_block, score_cube
from lossnets.analysis.frames.frames import BENCHMARKS
from lossnets.analysis.ranking.rank_intervals import rank_intervals
from lossnets.analysis.ranking.ranks import average_ranks, rank_table, ranks_of


def tidy(values, benchmark="delineation", score="s", **more):
    """Rows of `score_means`: {architecture: value, or one per layer} of one score."""
    rows = []
    for architecture, given_values in values.items():
        for position, value in enumerate(np.atleast_1d(given_values), start=1):
            row = {
                "benchmark": benchmark,
                "score": score,
                "higher_is_better": True,
                "architecture": architecture,
                "family": "F",
                "layer": f"layer{position}",
                "layer_position": position,
                "value": value,
                "sd": np.nan,
                "runs": 1,
            }
            rows.append(row | more)
    return pd.DataFrame(rows)


values = st.lists(st.integers(0, 5), min_size=2, max_size=6)


def test_the_best_layer_is_ranked():
    table = rank_table(tidy({"a": [1.0, 5.0], "b": [4.0, 4.0], "c": [0.0, 4.0]}))
    found = table.set_index("architecture")[["value", "rank", "least_rank", "greatest_rank"]]
    assert found.loc["a"].tolist() == [5.0, 1.0, 1.0, 1.0]
    assert found.loc["b"].tolist() == [4.0, 2.5, 2.0, 3.0]
    assert found.loc["c"].tolist() == [4.0, 2.5, 2.0, 3.0]


def test_the_least_value_ranks_first_where_less_is_better():
    table = rank_table(tidy({"a": [3.0, 2.0], "b": [1.0, 9.0]}, higher_is_better=False))
    assert dict(zip(table["architecture"], table["rank"], strict=True)) == {"a": 2.0, "b": 1.0}
    assert dict(zip(table["architecture"], table["value"], strict=True)) == {"a": 2.0, "b": 1.0}


def test_a_missing_value_is_not_ranked_and_says_so():
    table = rank_table(tidy({"a": 1.0, "b": np.nan, "c": 2.0})).set_index("architecture")
    assert table["rank"].fillna(0).to_dict() == {"a": 2.0, "b": 0.0, "c": 1.0}
    assert table.loc["b", "note"] == (
        "not computable, because the architecture has no value of this score"
    )
    assert table["architectures"].tolist() == [2, 2, 2]


@given(values)
def test_ranks_sum_to_those_without_ties(column):
    n = len(column)
    assert ranks_of(np.array(column, float)[:, None]).sum() == n * (n + 1) / 2


@given(values)
def test_ranks_are_those_of_scipy(column):
    expected = rankdata([-value for value in column])
    assert ranks_of(np.array(column, float)[:, None])[:, 0].tolist() == expected.tolist()


@given(st.lists(st.integers(0, 2), min_size=2, max_size=5))
def test_bounds_are_the_extremes_over_every_order_of_tied_architectures(column):
    given_ranks = []
    for order in permutations(range(len(column))):
        by_value = sorted(range(len(column)), key=lambda a: (-column[a], order[a]))
        given_ranks.append([by_value.index(a) + 1 for a in range(len(column))])
    table = rank_table(tidy({f"a{i}": float(v) for i, v in enumerate(column)}))
    assert table["least_rank"].tolist() == np.min(given_ranks, axis=0).tolist()
    assert table["greatest_rank"].tolist() == np.max(given_ranks, axis=0).tolist()
    assert table["rank"].tolist() == pytest.approx(np.mean(given_ranks, axis=0))


@given(values, st.integers(-3, 3))
def test_ranks_stay_under_monotone_transforms(column, shift):
    x = np.array(column, float)[:, None]
    assert (ranks_of(x) == ranks_of(np.exp(x) + shift)).all()


def test_the_overall_mean_weights_benchmarks_equally():
    scores = pd.concat(
        [
            tidy({"a": 2.0, "b": 1.0}, "perceptual_similarity", "p"),
            tidy({"a": 1.0, "b": 2.0}, "super_resolution", "r1"),
            tidy({"a": 1.0, "b": 2.0}, "super_resolution", "r2"),
            tidy({"a": 1.0, "b": 1.0}, "delineation", "d"),
            tidy({"a": 2.0, "b": 1.0}, "autoencoding", "c"),
        ]
    )
    a = average_ranks(scores).set_index("architecture").loc["a"]
    assert [a[name] for name in BENCHMARKS] == [1.0, 2.0, 1.5, 1.0]
    assert (a["overall_least"], a["overall"], a["overall_greatest"]) == (1.25, 1.375, 1.5)


def test_an_overall_mean_needs_all_four_benchmarks():
    row = average_ranks(tidy({"a": 2.0, "b": 1.0})).iloc[0]
    assert np.isnan(row["overall"])
    assert row["note"] == (
        "not computable, because there is no score of perceptual_similarity, super_resolution, "
        "autoencoding"
    )


def test_a_mean_over_some_of_a_benchmarks_scores_is_none():
    scores = pd.concat(
        [tidy({"a": 2.0, "b": 1.0}, score="d1"), tidy({"a": 2.0, "b": np.nan}, score="d2")]
    )
    table = average_ranks(scores)
    assert table["delineation"].isna().tolist() == [False, True]
    assert (
        table["note"]
        .iloc[1]
        .startswith(
            "not computable, because delineation lacks 1 of 2 scores, there is no score of "
        )
    )


def test_mean_ranks_are_those_of_the_warehouse(frames, paper_warehouse):
    columns = [f"{name}{end}" for name in (*BENCHMARKS, "overall") for end in ("", "_least")]
    ours = average_ranks(frames.scores).set_index("architecture")[columns]
    query = "select * from average_ranks where source = 'paper' order by architecture"
    theirs = paper_warehouse.query(query).set_index("architecture")[columns]
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)


def test_the_published_winner_is_vgg11_by_a_third_of_a_place(frames):
    ours = average_ranks(frames.scores).set_index("architecture")["overall"].sort_values()
    assert list(ours.index[:4]) == ["vgg11", "vgg19", "vgg16", "squeezenet1_1"]
    assert ours.iloc[:2].tolist() == pytest.approx([3.3125, 3.604167])


def intervals(scores, seed=1, draws=2_000):
    return rank_intervals(scores, np.random.default_rng(seed), draws)


def test_an_architecture_that_always_wins_is_best_for_certain():
    scores = pd.concat(
        [
            tidy({"a": 3.0, "b": 2.0, "c": 1.0}, "delineation", "d1"),
            tidy({"a": 3.0, "b": 1.0, "c": 2.0}, "delineation", "d2"),
            tidy({"a": 3.0, "b": 1.0, "c": 2.0}, "autoencoding", "e"),
        ]
    )
    table = intervals(scores)
    a = table[table["architecture"] == "a"]
    assert a["p_best"].tolist() == [1.0, 1.0, 1.0]
    assert (
        a[["mean_rank_low", "mean_rank_high", "place_high"]].to_numpy().tolist() == [[1.0] * 3] * 3
    )


def test_chances_of_being_best_sum_to_one(frames):
    sums = intervals(frames.scores).groupby("method")["p_best"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(3))


def test_leaving_a_benchmark_out_is_exact():
    scores = pd.concat(
        [
            tidy({"a": 2.0, "b": 1.0}, "perceptual_similarity", "p"),
            tidy({"a": 1.0, "b": 2.0}, "super_resolution", "r"),
            tidy({"a": 2.0, "b": 1.0}, "delineation", "d"),
        ]
    )
    table = intervals(scores)
    a = table[(table["method"] == "leave one benchmark out") & (table["architecture"] == "a")]
    assert a[["mean_rank", "mean_rank_low", "mean_rank_high"]].to_numpy()[0] == pytest.approx(
        [4 / 3, 1.0, 1.5]
    )
    assert a["p_best"].iloc[0] == pytest.approx((0.5 + 1 + 0.5) / 3)


def test_same_seed_same_intervals_other_seed_others(frames):
    first, again, other = (intervals(frames.scores, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first["p_best"] != other["p_best"]).any()


def test_scores_of_one_trained_model_are_drawn_together():
    scores = pd.concat(
        [
            tidy({"a": 2.0, "b": 1.0}, score="d1").assign(trained_model="unet"),
            tidy({"a": 1.0, "b": 2.0}, score="d2").assign(trained_model="unet"),
        ]
    )
    assert intervals(scores)["mean_rank_low"].dropna().tolist() == [1.5] * 4  # the one unit


def test_intervals_over_scores_cover_the_true_mean_rank_about_nominally():
    rng = np.random.default_rng(11)
    strength = np.array([0.0, 0.4, 0.8])
    truth = np.mean([rankdata(-(strength + rng.normal(size=3)))[0] for _ in range(20_000)])
    covered = []
    scores = pd.concat([tidy(dict.fromkeys("abc", 0.0), score=f"s{i:02}") for i in range(20)])
    for _ in range(120):
        drawn = strength + rng.normal(size=(20, 3))
        row = intervals(scores.assign(value=drawn.ravel()), seed=5, draws=400).iloc[0]
        covered.append(row["mean_rank_low"] - 1e-9 <= truth <= row["mean_rank_high"] + 1e-9)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_a_cell_given_twice_counts_with_its_mean():
    scores = pd.concat([tidy({"a": 1.0, "b": 1.5}), tidy({"a": 3.0})])
    assert score_cube(scores).best[:, 0].tolist() == [2.0, 1.5]


@settings(max_examples=50)
@given(st.integers(0, 2**12 - 1))
def test_what_is_kept_for_tests_has_no_gap(bits):
    matrix = np.where([[bits >> (4 * i + j) & 1 for j in range(4)] for i in range(3)], np.nan, 1.0)
    rows, columns = complete_block(matrix)
    assert not np.isnan(matrix[np.ix_(rows, columns)]).any()
    assert bits or (len(rows), len(columns)) == (3, 4)


def test_the_emptiest_score_goes_first():
    matrix = np.array([[1.0, np.nan, 1.0], [1.0, np.nan, 1.0], [1.0, 1.0, np.nan]])
    rows, columns = complete_block(matrix)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 2])
