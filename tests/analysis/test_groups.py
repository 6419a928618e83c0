import dataclasses
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lossnets.analysis.attributes.groups import STUDIES, Splits, cliffs_delta

(GROUPS,) = STUDIES


def study(frames):
    table = GROUPS.compute(frames)
    assert list(table.columns) == list(GROUPS.columns)
    return table


def made(made_frames, values, n=7, name="b", layers=2):
    cells = np.random.default_rng(4).normal(size=(n, layers, 3))
    return made_frames(cells, {name: ("binary", values)})


def _reference_exact_p(values, chosen):
    """Every way to choose as many, by mean ranks."""
    ranks = stats.rankdata(-values)
    n, k = len(values), chosen.sum()

    def difference(members):
        inside = np.isin(np.arange(n), members)
        return ranks[~inside].mean() - ranks[inside].mean()

    observed = abs(difference(np.flatnonzero(chosen)))
    every = [abs(difference(members)) for members in combinations(range(n), k)]
    return np.mean([d >= observed - 1e-9 for d in every])


def test_p_is_that_of_all_splits(made_frames):
    chosen = np.array([1, 0, 0, 1, 1, 0, 0], dtype=bool)
    frames = made(made_frames, chosen)
    table = study(frames)
    best = table[table["view"] == "best"]
    values = frames.scores.groupby(["score", "architecture"])["value"].max()
    expected = [_reference_exact_p(values[s].to_numpy(), chosen) for s in best["score"]]
    np.testing.assert_allclose(best["p"], expected)
    assert set(best["splits"]) == {35}
    assert best["exact"].all()


def test_p_agrees_with_scipys_exact_mann_whitney_without_ties(made_frames):
    chosen = np.array([1, 0, 0, 1, 1, 0, 0], dtype=bool)
    frames = made(made_frames, chosen)
    early = frames.scores[
        (frames.scores["layer"] == "early") & (frames.scores["score"] == "score1")
    ]
    x = early.sort_values("architecture")["value"].to_numpy()
    expected = stats.mannwhitneyu(x[chosen], x[~chosen], method="exact").pvalue
    table = study(frames)
    found = table[(table["view"] == "early") & (table["score"] == "score1")]
    assert found["p"].item() == pytest.approx(expected)


def test_difference_and_delta_are_positive_where_those_with_it_are_better(made_frames):
    cells = np.array([4.0, 3, 2, 1]).reshape(4, 1, 1)
    table = study(made_frames(cells, {"b": ("binary", [True, True, False, False])}))
    assert set(table["difference"]) == {2.0}  # mean ranks 1.5 and 3.5
    assert set(table["cliffs_delta"]) == {1.0}
    assert table[["mean_rank_with", "mean_rank_without"]].drop_duplicates().to_numpy().tolist() == [
        [1.5, 3.5]
    ]


def test_many_architectures_are_split_at_random():
    chosen = np.arange(40) < 20
    drawn, exact = Splits(40, np.random.default_rng(0), count=300).of(np.arange(40), chosen)
    assert not exact
    assert drawn.shape == (301, 40)
    assert (drawn.sum(axis=1) == 20).all()
    np.testing.assert_array_equal(drawn[0], chosen)


def _reference_delta(a, b):
    return np.mean([float(x > y) - float(x < y) for x in a for y in b])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=2, max_size=8),
    st.lists(st.integers(0, 5), min_size=2, max_size=8),
)
def test_cliffs_delta_lies_in_its_interval_and_turns_round(a, b):
    a, b = np.array(a, dtype=float)[:, None], np.array(b, dtype=float)[:, None]
    delta, low, high = cliffs_delta(a, b)
    assert delta[0] == pytest.approx(_reference_delta(a.ravel(), b.ravel()))
    assert -1 <= low[0] <= delta[0] + 1e-12
    assert delta[0] - 1e-12 <= high[0] <= 1
    turned = cliffs_delta(b, a)
    np.testing.assert_allclose([-turned[0], -turned[2], -turned[1]], [delta, low, high], atol=1e-12)


def test_a_delta_of_one_is_bounded_by_the_smaller_group():
    # t with 12 degrees of freedom is 2.17881: (5 - 4.74722) / (5 + 4.74722) = 0.025933
    delta, low, high = cliffs_delta(np.arange(10.0, 15)[:, None], np.arange(9.0)[:, None])
    assert (delta[0], high[0]) == (1, 1)
    assert low[0] == pytest.approx(0.025933, abs=1e-5)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_deltas_interval_covers_about_95_percent(shift):
    rng = np.random.default_rng(9)
    truth = 2 * stats.norm.cdf(shift / np.sqrt(2)) - 1
    a, b = rng.normal(size=(5, 4000)) + shift, rng.normal(size=(9, 4000))
    _, low, high = cliffs_delta(a, b)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.985


HARD = {
    "constant": ([True] * 7, "the attribute is the same for all 7 architectures"),
    "unknown": ([None] * 7, "0 architectures have both values and 2 are needed"),
    "three values": ([0, 1, 2, 0, 1, 2, 0], "a binary attribute has 2 values and 3 were found"),
    "one has it": ([1, 0, 0, 0, 0, 0, 0], "one of the groups is a single architecture"),
}


@pytest.mark.parametrize("case", HARD)
def test_hard_attributes_keep_their_rows_and_say_why(made_frames, case):
    values, note = HARD[case]
    table = study(made(made_frames, np.array(values, dtype=object)))
    assert len(table) == 13  # one mean rank and four views of three scores
    assert table["note"].str.contains(note, regex=False).all()


def test_tied_scores_are_stated(made_frames):
    table = study(made_frames(np.zeros((4, 2, 1)), {"b": ("binary", [1, 1, 0, 0])}))
    assert set(table["note"]) == {
        "not computable, because the score is the same for all 4 architectures"
    }
    assert table["p"].isna().all()


def test_a_score_missing_somewhere_is_compared_without_it(made_frames):
    frames = made(made_frames, [1, 0, 0, 1, 1, 0, 0])
    gone = (frames.scores["architecture"] == "net00") & (frames.scores["score"] == "score0")
    frames = dataclasses.replace(frames, scores=frames.scores[~gone])
    best = study(frames).set_index(["view", "score"]).loc["best"]
    assert best["n_with"].tolist() == [2, 3, 3]
    assert best["p"].notna().all()


def test_property_of_a_loss_network_is_compared_at_each_layer(made_frames):
    values = np.array([[1, 0], [0, 0], [1, 1], [0, 1], [0, 0], [1, 1], [0, 0]])
    assert list(study(made(made_frames, values))["view"].unique()) == ["early", "semi_early"]


def test_published_batch_norm_goes_with_worse_overall_ranks_than_none(frames):
    table = study(frames)
    found = table[(table["attribute"] == "batch_norm") & (table["view"] == "mean_rank")]
    found = found.set_index("benchmark").loc["overall"]
    assert (found["n_with"], found["n_without"]) == (9, 5)
    assert found["splits"] == 2002
    assert found["difference"] < 0
