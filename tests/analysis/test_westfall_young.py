from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lossnets.analysis.statistics.coefficients import spearman
from lossnets.analysis.statistics.westfall_young import (
    Shuffles,
    benjamini_hochberg,
    holm,
    permuted_correlations,
    two_sided_p,
    westfall_young,
)


def sample(seed, n=6, columns=4):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    return rng.normal(size=n), common + 0.5 * rng.normal(size=(n, columns))


def _reference_step_down(x, y):
    """Brute force: every order of x, one score after the other, from the definition."""
    orders = list(permutations(range(len(x))))
    table = np.array([[abs(stats.spearmanr(x[list(o)], c).statistic) for c in y.T] for o in orders])
    observed = table[0]
    ranking = np.argsort(-observed)
    adjusted, largest_so_far = np.empty(len(ranking)), 0.0
    for place, column in enumerate(ranking):
        maxima = table[:, ranking[place:]].max(axis=1)
        p = np.mean(maxima >= observed[column] - 1e-9)
        largest_so_far = max(largest_so_far, p)
        adjusted[column] = largest_so_far
    return adjusted, (table >= observed - 1e-9).mean(axis=0)


@pytest.mark.parametrize("seed", [0, 1])
def test_step_down_agrees_with_brute_force(seed):
    x, y = sample(seed, n=5)
    statistics = permuted_correlations(x, y, Shuffles(5, np.random.default_rng(0)), ranked=True)
    adjusted, raw = _reference_step_down(x, y)
    np.testing.assert_allclose(westfall_young(statistics), adjusted, atol=1e-12)
    np.testing.assert_allclose(two_sided_p(statistics), raw, atol=1e-12)


def test_drawn_shuffles_approach_the_exact_p():
    x, y = sample(3, n=6)
    few = Shuffles(6, np.random.default_rng(0), count=700)  # fewer than 6! = 720 orders
    drawn = two_sided_p(permuted_correlations(x, y, few, ranked=True))
    exact = two_sided_p(
        permuted_correlations(x, y, Shuffles(6, np.random.default_rng(0)), ranked=True)
    )
    np.testing.assert_allclose(drawn, exact, atol=0.07)
    assert not np.array_equal(drawn, exact)


@pytest.mark.parametrize("ranked", [True, False])
def test_first_shuffle_is_the_observed_correlation(ranked):
    x, y = sample(4, n=14)
    statistics = permuted_correlations(x, y, Shuffles(14, np.random.default_rng(0)), ranked=ranked)
    library = stats.spearmanr if ranked else stats.pearsonr
    expected = [library(x, column).statistic * np.sqrt(13) for column in y.T]
    np.testing.assert_allclose(statistics[:, 0], expected, atol=1e-5)


def test_missing_scores_are_ranked_without_their_architectures():
    x, y = sample(5, n=14)
    y[:3, 1] = np.nan
    shuffles = Shuffles(14, np.random.default_rng(0), count=50)
    statistics = permuted_correlations(x, y, shuffles, ranked=True)
    orders = shuffles.of(np.arange(14))
    expected = [spearman(x[order][3:], y[3:, 1:2])[0] * np.sqrt(10) for order in orders]
    np.testing.assert_allclose(statistics[1], expected, atol=1e-5)


def test_an_architecture_without_the_attribute_changes_no_order_of_the_others():
    shuffles = Shuffles(12, np.random.default_rng(0), count=20)
    whole = shuffles.of(np.arange(12))
    part = shuffles.of(np.arange(1, 12))
    np.testing.assert_array_equal([row[row != 0] - 1 for row in whole], part)


def test_same_seed_same_p_and_another_seed_another():
    x, y = sample(6, n=14)
    p = [
        two_sided_p(
            permuted_correlations(x, y, Shuffles(14, np.random.default_rng(s)), ranked=True)
        )
        for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(p[0], p[1])
    assert not np.array_equal(p[0], p[2])


def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(11)
    shuffles = Shuffles(14, np.random.default_rng(1), count=2000)
    p = two_sided_p(
        permuted_correlations(
            rng.normal(size=14), rng.normal(size=(14, 1000)), shuffles, ranked=True
        )
    )
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_family_has_a_false_finding_in_at_most_5_percent():
    rng = np.random.default_rng(12)
    shuffles = Shuffles(14, np.random.default_rng(2), count=999)
    false, raw = 0, 0
    for _ in range(400):
        y = 0.7 * rng.normal(size=(14, 1)) + rng.normal(size=(14, 19))
        statistics = permuted_correlations(rng.normal(size=14), y, shuffles, ranked=True)
        false += np.nanmin(westfall_young(statistics)) <= 0.05
        raw += two_sided_p(statistics).min() <= 0.05
    assert 0.02 <= false / 400 <= 0.08
    assert raw / 400 > 0.3


def test_no_adjusted_p_is_below_its_raw_p_nor_above_holms():
    x, y = sample(8, n=14, columns=10)
    statistics = permuted_correlations(x, y, Shuffles(14, np.random.default_rng(0)), ranked=True)
    raw, adjusted = two_sided_p(statistics), westfall_young(statistics)
    assert (adjusted >= raw).all()
    assert (adjusted <= holm(raw) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= -1e-3).all()


def test_constants_have_no_p():
    x, y = sample(9, n=14)
    y[:, 2] = 0.5
    statistics = permuted_correlations(x, y, Shuffles(14, np.random.default_rng(0)), ranked=True)
    for p in (two_sided_p(statistics), westfall_young(statistics)):
        assert np.isnan(p).tolist() == [False, False, True, False]


@pytest.mark.parametrize(("adjust", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjustments_agree_with_statsmodels(adjust, method):
    p = np.random.default_rng(0).random(25) ** 3
    expected = multipletests(p, method=method)[1]
    np.testing.assert_allclose(adjust(p), expected, atol=1e-12)
    with_missing = adjust(np.insert(p, 5, np.nan))
    np.testing.assert_allclose(np.delete(with_missing, 5), expected, atol=1e-12)
    assert np.isnan(with_missing[5])
