import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lossnets.analysis.statistics.coefficients import (
    complete_rows,
    kendall,
    narrow_product,
    pearson,
    spearman,
    t_test_p,
    without_each,
)

LIBRARY = {"pearson": stats.pearsonr, "spearman": stats.spearmanr, "kendall": stats.kendalltau}


def ours(name, x, y):
    return {"pearson": pearson, "spearman": spearman, "kendall": lambda a, b: kendall(a, b)[0]}[
        name
    ](x, y)


def tied_sample(seed=0, n=14, columns=5):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 6, n).astype(float), rng.integers(0, 6, (n, columns)).astype(float)


@pytest.mark.parametrize("name", LIBRARY)
def test_agrees_with_scipy_under_ties(name):
    x, y = tied_sample()
    expected = [LIBRARY[name](x, column).statistic for column in y.T]
    np.testing.assert_allclose(ours(name, x, y), expected, atol=1e-12)


def test_p_values_agree_with_scipy_under_ties():
    x, y = tied_sample(1)
    _, p = kendall(x, y)
    expected = [stats.kendalltau(x, column, method="asymptotic").pvalue for column in y.T]
    np.testing.assert_allclose(p, expected, atol=1e-12)
    r = pearson(x, y)
    expected = [stats.pearsonr(x, column).pvalue for column in y.T]
    np.testing.assert_allclose(t_test_p(r, np.full(5, 14.0)), expected, atol=1e-12)


@pytest.mark.parametrize("name", LIBRARY)
def test_leaving_one_out_is_computing_without_it(name):
    x, y = tied_sample(2)
    kept = ~np.eye(14, dtype=bool)
    expected = [[LIBRARY[name](x[k], column[k]).statistic for column in y.T] for k in kept]
    np.testing.assert_allclose(without_each(x, y)[name], expected, atol=1e-12)


def test_leaving_one_out_of_a_nearly_constant_variable_is_not_computable():
    x = np.array([0.0, 0, 0, 0, 1])
    without = without_each(x, np.arange(5.0)[:, None])
    for values in without.values():
        assert np.isnan(values[:, 0]).tolist() == [False] * 4 + [True]


@pytest.mark.parametrize("name", LIBRARY)
def test_a_constant_has_no_correlation(name):
    assert np.isnan(ours(name, np.full(5, 0.1), np.arange(5.0)[:, None])).all()
    assert np.isnan(ours(name, np.arange(5.0), np.full((5, 1), 0.1))).all()


def test_huge_and_tiny_values_do_not_overflow():
    x = np.array([1e308, -1e308, 5e307, 0.0])
    y = np.array([[3e-300], [-3e-300], [1.5e-300], [0.0]])
    assert pearson(x, y).tolist() == pytest.approx([1.0])


def test_p_of_a_perfect_correlation_is_zero_and_of_two_points_unknown():
    assert t_test_p(np.array([1.0]), np.array([5.0])).tolist() == [0.0]
    assert np.isnan(t_test_p(np.array([1.0]), np.array([2.0]))).all()


def test_complete_rows_gives_each_pattern_of_missing_values_once():
    nan = np.nan
    x = np.array([1, 2, nan, 4.0])
    y = np.array([[1, nan, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4.0]])
    found = {tuple(rows): tuple(columns) for rows, columns in complete_rows(x, y)}
    assert found == {(0, 1, 3): (0, 2), (1, 3): (1,)}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=3, max_size=12, unique=True
    ),
    st.randoms(use_true_random=False),
)
def test_rank_correlations_ignore_row_order_and_monotone_transforms(pairs, random):
    x, y = np.array(pairs, dtype=float).T
    order = list(range(len(x)))
    random.shuffle(order)
    for name in ("spearman", "kendall"):
        before = ours(name, x, y[:, None])
        after = ours(name, np.exp(x / 5)[order], (y**3)[order][:, None])
        np.testing.assert_allclose(after, before, atol=1e-9)


def test_narrow_product_is_the_product_whatever_its_length():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(30, 14)).astype(np.float32)
    for many in (0, 1, 475, 477, 1500):
        b = rng.normal(size=(many, 14)).astype(np.float32)
        np.testing.assert_allclose(narrow_product(a, b), a @ b.T, rtol=1e-4, atol=1e-5)
