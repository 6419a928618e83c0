import numpy as np
import pytest
from scipy import stats

from lossnets.analysis.statistics.coefficients import kendall, pearson, spearman, t_test_p
from lossnets.analysis.statistics.intervals import (
    bootstrap_intervals,
    fisher_interval,
    minimum_detectable,
    overturning_sd,
)

COEFFICIENTS = {
    "pearson": (pearson, lambda rho: rho),
    "spearman": (spearman, lambda rho: 6 / np.pi * np.arcsin(rho / 2)),
    "kendall": (lambda x, y: kendall(x, y)[0], lambda rho: 2 / np.pi * np.arcsin(rho)),
}


def normal_pairs(rng, rho, n=14):
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def test_pearson_interval_is_scipys():
    rng = np.random.default_rng(0)
    x, y = normal_pairs(rng, 0.6)
    result = stats.pearsonr(x, y)
    low, high = fisher_interval(np.array([result.statistic]), np.array([14.0]), "pearson")
    assert (low[0], high[0]) == pytest.approx(tuple(result.confidence_interval(0.95)))


def test_spearman_interval_has_bonett_and_wrights_variance():
    # atanh(0.6) = 0.693147; half = 1.959964 * sqrt((1 + 0.18) / 11) = 0.641936
    low, high = fisher_interval(np.array([0.6]), np.array([14.0]), "spearman")
    assert low[0] == pytest.approx(np.tanh(0.693147 - 0.641936), abs=1e-5)
    assert high[0] == pytest.approx(np.tanh(0.693147 + 0.641936), abs=1e-5)


def test_kendall_interval_has_fiellers_variance():
    # atanh(0.4) = 0.423649; half = 1.959964 * sqrt(0.437 / 10) = 0.409724
    low, high = fisher_interval(np.array([0.4]), np.array([14.0]), "kendall")
    assert low[0] == pytest.approx(np.tanh(0.423649 - 0.409724), abs=1e-5)
    assert high[0] == pytest.approx(np.tanh(0.423649 + 0.409724), abs=1e-5)


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("name", COEFFICIENTS)
def test_intervals_cover_about_95_percent(name, rho):
    rng = np.random.default_rng(7)
    estimate, of_normal = COEFFICIENTS[name]
    truth = of_normal(rho)
    r = np.array(
        [estimate(x, y[:, None])[0] for x, y in (normal_pairs(rng, rho) for _ in range(1500))]
    )
    low, high = fisher_interval(r, np.full(len(r), 14.0), name)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.98


def test_no_interval_for_three_observations_nor_for_a_perfect_correlation():
    low, high = fisher_interval(np.array([0.5, 1.0]), np.array([3.0, 14.0]), "spearman")
    assert np.isnan([low, high]).all()


def test_each_control_costs_an_observation():
    r, n = np.array([0.5]), np.array([14.0])
    assert fisher_interval(r, n, "pearson", controls=1) == fisher_interval(r, n - 1, "pearson")


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_minimum_detectable_correlation_is_found_with_80_percent_power(name):
    r = float(minimum_detectable(np.array(14.0), name))
    rho = r if name == "pearson" else 2 * np.sin(np.pi * r / 6)  # of a normal distribution
    rng = np.random.default_rng(3)
    pairs = [normal_pairs(rng, rho) for _ in range(3000)]
    r = np.array([COEFFICIENTS[name][0](x, y[:, None])[0] for x, y in pairs])
    assert np.mean(t_test_p(r, np.full(3000, 14.0)) <= 0.05) == pytest.approx(0.8, abs=0.025)


def test_minimum_detectable_grows_with_comparisons_and_falls_with_n():
    n = np.array([3.0, 14.0, 50.0])
    one, many = minimum_detectable(n), minimum_detectable(n, "spearman", 19)
    assert np.isnan(one[0])
    assert one[1] == pytest.approx(0.674, abs=2e-3)
    assert many[1] > one[1] > one[2]


def test_overturning_sd_brings_the_correlation_to_the_critical_one():
    critical = 0.5324  # two-sided 5 % at n = 14
    spread = np.array([2.0, 2.0])
    r = np.array([0.8, 0.3])
    sd = overturning_sd(r, np.array([14.0, 14.0]), spread)
    assert 0.8 * 2 / np.hypot(2, sd[0]) == pytest.approx(critical, abs=1e-4)
    assert 0.3 * 2 / np.sqrt(4 - sd[1] ** 2) == pytest.approx(critical, abs=1e-4)


def test_bootstrap_ranks_each_draw_anew():
    rng = np.random.default_rng(5)
    x, y = normal_pairs(rng, 0.5, n=20)
    low, high = bootstrap_intervals(x[:, None], y[:, None], np.random.default_rng(1))
    picks = np.random.default_rng(2).integers(0, 20, (1500, 20))
    expected = np.quantile([stats.spearmanr(x[p], y[p]).statistic for p in picks], [0.025, 0.975])
    assert (low[0, 0], high[0, 0]) == pytest.approx(tuple(expected), abs=0.04)


def test_bootstrap_repeats_with_its_seed_and_leaves_out_what_is_missing():
    x, y = normal_pairs(np.random.default_rng(0), 0.5)
    x = np.column_stack([x, np.where(np.arange(14) < 2, x, np.nan), np.zeros(14)])
    one, two, other = (
        bootstrap_intervals(x, y[:, None], np.random.default_rng(s)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert one[0][0, 0] != other[0][0, 0]
    assert np.isnan(one[0][1:]).all()
