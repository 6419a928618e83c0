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

from lossnets.analysis.frames.cube import units_of
from lossnets.analysis.ranking.blocks import Blocks, blocks_of
from lossnets.analysis.ranking.differences import (
    critical_difference,
    critical_difference_of,
    difference_p,
    friedman,
    friedman_table,
    nemenyi_p,
    rank_diagram,
)
from lossnets.analysis.ranking.pairs import (
    groups_of,
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
    assert np.isnan([found.f, found.p_f]).all()  # an infinite F is none


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


def blocks(table, units):
    names = tuple(str(a) for a in range(table.shape[1]))
    about = {"kind": "scores", "architectures": names, "families": ("F",) * len(names), "note": ""}
    return Blocks(units=units, ranks=table, strength=-table, **about)


TRAINED = units_of(["x4"] * 6 + ["x8"] * 6 + ["unet"] * 3 + ["svhn", "stl10", None, None])


def null_tables(draws, generator):
    """Ranks (19, 14) in which no architecture is better: each trained model has its own order."""
    for _ in range(draws):
        table = np.empty((19, 14))
        for unit in TRAINED:
            common = generator.normal(size=14)
            table[unit] = common + 0.3 * generator.normal(size=(len(unit), 14))
        yield ranks(table)


def test_where_nothing_differs_at_most_seven_in_a_hundred_draws_tell_a_pair_apart():
    generator, apart, by_nemenyi, wilcoxon = rng(8), [], [], []
    first, second = np.triu_indices(14, 1)
    for table in null_tables(150, generator):
        own = blocks(table, TRAINED)
        ranges = friedman(table, generator, 300, TRAINED).ranges
        widest = np.ptp(own.mean_ranks)
        apart.append(difference_p(own, np.array([widest]), ranges)[0] < 0.05)
        by_nemenyi.append(widest > critical_difference(14, 19))
        _, p = signed_rank(table[:, first] - table[:, second], TRAINED)
        wilcoxon.append(len(p) * p.min() < 0.05)
    assert np.mean(apart) <= 0.07
    assert np.mean(wilcoxon) == 0  # 7 witnesses cannot tell one of 91 pairs apart
    assert np.mean(by_nemenyi) > 0.8  # which is why it is not used here


def test_where_nothing_differs_friedmans_p_by_units_is_uniform():
    generator = rng(9)
    draws = [
        friedman(t, generator, 199, TRAINED).p_permutation for t in null_tables(200, generator)
    ]
    assert stats.kstest(draws, "uniform").pvalue > 0.01


def test_blocks_that_depend_on_each_other_have_no_p_from_a_formula():
    found = friedman(next(null_tables(1, rng())), rng(), 10, TRAINED)
    assert np.isnan([found.p_chi2, found.p_f]).all()


def test_the_critical_difference_is_reached_by_at_most_five_in_a_hundred_permutations():
    own = blocks(next(null_tables(1, rng(4))), TRAINED)
    ranges = friedman(own.ranks, rng(5), 2_000, TRAINED).ranges
    critical = critical_difference_of(own, ranges)
    assert np.mean(ranges >= critical) <= 0.05
    assert difference_p(own, np.array([critical, critical - 0.2]), ranges)[0] <= 0.0505


def test_pairs_taken_in_parts_have_the_same_p(monkeypatch):
    differences = rng(6).normal(size=(7, 25))
    expected = signed_rank(differences)[1]
    monkeypatch.setattr("lossnets.analysis.ranking.pairs.TOGETHER", 4)
    assert signed_rank(differences)[1].tolist() == expected.tolist()


def test_signs_flip_together_within_a_unit():
    differences = np.array([[1.0], [2.0], [3.0]])
    assert signed_rank(differences)[1][0] == pytest.approx(2 / 8)
    assert signed_rank(differences, units_of(["m", "m", "n"]))[1][0] == pytest.approx(2 / 4)


def _reference_groups(order, apart):
    """Longest runs without a pair told apart, of all runs."""
    runs = [order[i:j] for i in range(len(order)) for j in range(i + 2, len(order) + 1)]
    fine = [run for run in runs if not apart[np.ix_(run, run)].any()]
    return [r for r in fine if not any(set(r) < set(other) for other in fine)]


@given(hnp.arrays(bool, (5, 5)))
def test_groups_are_the_longest_runs_that_no_test_tells_apart(draws):
    apart = (draws | draws.T) & ~np.eye(5, dtype=bool)
    assert groups_of(np.arange(5.0), apart) == _reference_groups(list(range(5)), apart)


def test_published_scores_tell_one_pair_apart_and_benchmarks_none(frames):
    scores, benchmarks = (row for _, row in friedman_table(frames.scores, rng()).iterrows())
    assert (scores["n"], scores["units"], benchmarks["n"], benchmarks["units"]) == (19, 7, 4, 4)
    assert scores["chi2"] == pytest.approx(104.327, abs=1e-3)
    assert benchmarks["chi2"] == pytest.approx(25.835, abs=1e-3)
    assert scores["critical_difference"] == pytest.approx(7.7, abs=0.1)
    pairs = rank_pairs(frames.scores, rng())
    apart = pairs[pairs["p_difference"] < 0.05]
    assert apart[["blocks", "first", "second"]].to_numpy().tolist() == [
        ["scores", "vgg11", "densenet121"]
    ]
    assert (pairs["p_holm"] == 1).sum() == (pairs["p_holm"] >= 0.05).sum()
    assert (pairs["family_size"] == 91).all()


def test_groups_by_mean_ranks_span_less_than_the_critical_difference(frames):
    table = rank_groups(frames.scores, rng())
    own = table[table["method"] == "Permutation"]
    assert own["size"].tolist() == [13, 13]
    assert ((own["worst_mean_rank"] - own["best_mean_rank"]) < 7.7).all()
    assert set(table.loc[table["blocks"] == "benchmarks", "method"]) == {"Nemenyi", "Wilcoxon–Holm"}


def test_a_diagram_has_each_architecture_once_per_kind_of_block(frames):
    table = rank_diagram(frames.scores, rng())
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
    pairs = rank_pairs(frames.scores, rng())
    assert (pairs["difference"] >= 0).all()
    assert pd.Series(pairs["first"] != pairs["second"]).all()
