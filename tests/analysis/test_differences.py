"""Friedman's test and what follows from it, against SciPy, scikit-posthocs and Demšar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from lossnets.analysis.ranking.blocks import blocks_of
from lossnets.analysis.ranking.differences import (
    critical_difference,
    friedman,
    friedman_table,
    rank_diagram,
)
from lossnets.analysis.ranking.pairs import (
    groups_of,
    nemenyi_p,
    rank_groups,
    rank_pairs,
    signed_rank,
)
from lossnets.analysis.ranking.ranks import ranks_of
from lossnets.analysis.statistics.permutations import permutation_p, permuted_rank_sums


def rng(seed=0):
    return np.random.default_rng(seed)


def ranks(table):
    """Ranks within each row, 1 = highest."""
    return ranks_of(np.asarray(table, float).T).T


tables = hnp.arrays(int, (5, 4), elements=st.integers(0, 3))


@settings(deadline=None)
@given(tables)
def test_friedman_is_that_of_scipy_also_with_ties(table):
    own = ranks(table)
    if np.ptp(own, axis=1).max() == 0:
        return
    expected = stats.friedmanchisquare(*table.T)
    found = friedman(own, rng(), permutations=10)
    assert found.chi2 == pytest.approx(expected.statistic)
    assert found.p_chi2 == pytest.approx(expected.pvalue)
    assert found.kendall_w == pytest.approx(expected.statistic / (5 * 3))


def test_iman_davenport_by_hand():
    found = friedman(ranks([[3, 2, 1], [3, 2, 1], [3, 1, 2], [2, 3, 1]]), rng(), permutations=10)
    assert found.chi2 == pytest.approx(4.5)
    assert found.f == pytest.approx(3 * 4.5 / (8 - 4.5))
    assert found.p_f == pytest.approx(stats.f.sf(3 * 4.5 / 3.5, 2, 6))


def test_perfect_agreement_has_the_least_permutation_p_there_is():
    found = friedman(ranks([[4, 3, 2, 1]] * 6), rng(), permutations=999)
    assert (found.kendall_w, found.p_permutation) == (1.0, 0.001)
    assert (found.f, found.p_f) == (np.inf, 0.0)


def test_the_permutation_p_agrees_with_all_permutations():
    own = ranks([[1, 2, 3], [1, 3, 2], [2, 1, 3]])
    orders = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    sums = [own[0] + own[1][b] + own[2][c] for b in orders for c in orders]
    statistic = np.sum((np.array(sums) - 6) ** 2, axis=1)
    exact = np.mean(statistic >= np.sum((own.sum(axis=0) - 6) ** 2) - 1e-9)
    assert friedman(own, rng(), permutations=20_000).p_permutation == pytest.approx(exact, abs=0.01)


def test_permuting_within_blocks_keeps_their_sums():
    own = ranks([[1, 1, 3], [1, 3, 2]])
    assert permuted_rank_sums(own, rng(), 50).sum(axis=1).tolist() == [12.0] * 50


def test_columns_share_their_permutations():
    own = ranks(rng(3).normal(size=(4, 3)))
    both = permuted_rank_sums(np.stack([own, own], axis=2), rng(1), 20)
    assert (both[..., 0] == both[..., 1]).all()


def test_the_permutation_p_is_uniform_when_nothing_differs():
    draws, generator = [], rng(17)
    for _ in range(300):
        table = generator.normal(size=(6, 5))
        draws.append(friedman(ranks(table), generator, permutations=199).p_permutation)
    assert stats.kstest(draws, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("k", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (10, 3.164)]
)
def test_critical_values_are_those_of_demsars_table(k, q):
    assert critical_difference(k, n=1) / np.sqrt(k * (k + 1) / 6) == pytest.approx(q, abs=1e-3)


def test_the_critical_difference_shrinks_with_the_root_of_the_blocks():
    assert critical_difference(14, 4) == pytest.approx(critical_difference(14, 16) * 2)


def test_nemenyi_is_that_of_scikit_posthocs():
    table = rng(5).normal(size=(9, 6)) + np.arange(6) * 0.5
    expected = scikit_posthocs.posthoc_nemenyi_friedman(table).to_numpy()
    means = ranks(table).mean(axis=0)
    found = nemenyi_p(means[:, None] - means[None, :], k=6, n=9)
    off = ~np.eye(6, dtype=bool)
    assert found[off] == pytest.approx(expected[off], abs=2e-3)


def test_nemenyi_and_the_critical_difference_say_the_same():
    edge = critical_difference(14, 19)
    assert nemenyi_p(np.array([edge]), 14, 19)[0] == pytest.approx(0.05, abs=1e-6)


def _reference_signed_rank(differences):
    """All patterns of signs, one by one."""
    given_values = differences[differences != 0]
    own = stats.rankdata(np.abs(given_values))
    signs = np.array(np.meshgrid(*[[0, 1]] * len(own))).reshape(len(own), -1)
    sums = own @ signs
    lesser = min(own[given_values > 0].sum(), own[given_values < 0].sum())
    return lesser, min(1.0, 2 * np.mean(sums <= lesser + 1e-9))


@settings(deadline=None)
@given(hnp.arrays(float, st.integers(1, 8), elements=st.integers(-3, 3).map(float)))
def test_the_signed_rank_test_is_exact_with_ties_and_zeros(differences):
    statistic, p = signed_rank(differences[:, None])
    expected = _reference_signed_rank(differences) if differences.any() else (0.0, 1.0)
    assert (statistic[0], p[0]) == pytest.approx(expected)


def test_the_signed_rank_test_is_that_of_scipy_without_ties():
    differences = rng(2).normal(0.4, 1, size=(19, 30))
    statistic, p = signed_rank(differences)
    expected = stats.wilcoxon(differences, axis=0, method="exact")
    assert statistic == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue)


def test_an_infinite_difference_has_no_p():
    statistic, p = signed_rank(np.array([[np.inf, 1.0], [1.0, 1.0]]))
    assert np.isnan([statistic[0], p[0]]).all()
    assert p[1] == 0.5


def _reference_groups(order, apart):
    """Longest runs without a pair told apart, of all runs."""
    runs = [order[i:j] for i in range(len(order)) for j in range(i + 2, len(order) + 1)]
    fine = [run for run in runs if not apart[np.ix_(run, run)].any()]
    return [r for r in fine if not any(set(r) < set(other) for other in fine)]


@given(hnp.arrays(bool, (5, 5)))
def test_groups_are_the_longest_runs_that_no_test_tells_apart(draws):
    apart = (draws | draws.T) & ~np.eye(5, dtype=bool)
    assert groups_of(np.arange(5.0), apart) == _reference_groups(list(range(5)), apart)


def test_nemenyis_groups_span_at_most_the_critical_difference(frames):
    table = rank_groups(frames.scores)
    own = table[(table["method"] == "Nemenyi") & (table["blocks"] == "scores")]
    spans = own["worst_mean_rank"] - own["best_mean_rank"]
    assert (spans <= critical_difference(14, 19)).all()
    assert len(own) == 5


def test_published_scores_tell_architectures_apart_and_benchmarks_hardly_any(frames):
    scores, benchmarks = (row for _, row in friedman_table(frames.scores, rng()).iterrows())
    assert (scores["n"], benchmarks["n"]) == (19, 4)
    assert scores["chi2"] == pytest.approx(104.327, abs=1e-3)
    assert benchmarks["chi2"] == pytest.approx(25.835, abs=1e-3)
    pairs = rank_pairs(frames.scores)
    apart = pairs["p_nemenyi"] < 0.05
    wide = pairs["difference"] > pairs["n"].map(lambda n: critical_difference(14, n))
    assert (apart == wide).all()
    assert apart.groupby(pairs["blocks"]).sum().to_dict() == {"benchmarks": 0, "scores": 25}
    assert (pairs.loc[pairs["blocks"] == "benchmarks", "p_wilcoxon"] >= 0.125).all()
    assert (pairs["family_size"] == 91).all()


def test_a_diagram_has_each_architecture_once_per_kind_of_block(frames):
    table = rank_diagram(frames.scores)
    assert table.groupby("blocks").size().to_dict() == {"benchmarks": 14, "scores": 14}
    assert table.groupby("blocks")["mean_rank"].sum().tolist() == pytest.approx([105.0, 105.0])


def test_architectures_without_all_scores_are_left_out_by_name(frames):
    scores = frames.scores
    lacking = (scores["architecture"] == "vgg11") & (scores["benchmark"] != "delineation")
    by_score, _ = blocks_of(scores[~lacking])
    assert "vgg11" not in by_score.architectures
    assert by_score.note.endswith("left out for missing scores: architectures vgg11")


def test_a_p_value_counts_the_observed_statistic_in():
    assert permutation_p(5.0, np.array([1.0, 2.0, 3.0])) == 0.25


def test_differences_are_signed_from_better_to_worse(frames):
    pairs = rank_pairs(frames.scores)
    assert (pairs["difference"] >= 0).all()
    assert pd.Series(pairs["first"] != pairs["second"]).all()
