"""Layer against architecture: sums of squares, ω², jackknife and non-additivity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols

from lossnets.analysis.frames.frames import LAYERS
from lossnets.analysis.layers.variance import (
    additive_model,
    jackknife_difference,
    layer_variance,
    nonadditivity,
    two_way,
)


def tidy(cells):
    """Rows of `score_means` of one score from (architectures, layers) values."""
    rows = [
        ("delineation", "s", True, f"net{a:02}", "F", LAYERS[i], i + 1, cells[a, i])
        for a, i in np.ndindex(cells.shape)
    ]
    names = ["benchmark", "score", "higher_is_better", "architecture", "family"]
    frame = pd.DataFrame(rows, columns=[*names, "layer", "layer_position", "value"])
    return frame.assign(sd=np.nan, runs=1)


def random_cells(seed, architectures=7, layers=4):
    generator = np.random.default_rng(seed)
    effects = generator.normal(size=(architectures, 1)) + generator.normal(size=(1, layers))
    return effects + generator.normal(size=(architectures, layers))


def long(cells):
    a, i = np.indices(cells.shape)
    return pd.DataFrame({"y": cells.ravel(), "a": a.ravel(), "l": i.ravel()})


def _reference_omega2(cells):
    """ω² from the sums of squares and degrees of freedom of statsmodels' table."""
    table = sm.stats.anova_lm(ols("y ~ C(a) + C(l)", long(cells)).fit())
    error = table.loc["Residual", "mean_sq"]
    total = table["sum_sq"].sum()
    return [
        (table.loc[name, "sum_sq"] - table.loc[name, "df"] * error) / (total + error)
        for name in ("C(a)", "C(l)")
    ]


@pytest.mark.parametrize("seed", range(4))
def test_sums_of_squares_and_f_are_those_of_statsmodels(seed):
    cells = random_cells(seed)
    table = sm.stats.anova_lm(ols("y ~ C(a) + C(l)", long(cells)).fit())
    found = two_way(cells)
    assert [found.rows, found.columns, found.residual] == pytest.approx(table["sum_sq"].tolist())
    row = layer_variance(tidy(cells)).iloc[0]
    assert row["f_architecture"] == pytest.approx(table.loc["C(a)", "F"])
    assert row["p_architecture"] == pytest.approx(table.loc["C(a)", "PR(>F)"])
    assert row["f_layer"] == pytest.approx(table.loc["C(l)", "F"])
    assert row["p_layer"] == pytest.approx(table.loc["C(l)", "PR(>F)"])


@pytest.mark.parametrize("seed", range(4))
def test_omega_squared_is_that_of_the_reference(seed):
    cells = random_cells(seed)
    assert [float(x) for x in two_way(cells).omega2] == pytest.approx(_reference_omega2(cells))


@pytest.mark.parametrize("seed", range(3))
def test_the_jackknife_is_that_of_leaving_out_one_by_one(seed):
    cells = random_cells(seed)
    n = len(cells)

    def lead(some):
        rows, columns = _reference_omega2(some)
        return columns - rows

    pseudo = [n * lead(cells) - (n - 1) * lead(np.delete(cells, a, axis=0)) for a in range(n)]
    error = np.std(pseudo, ddof=1) / np.sqrt(n)
    half = stats.t.ppf(0.975, n - 1) * error
    expected = (error, np.mean(pseudo) - half, np.mean(pseudo) + half)
    assert jackknife_difference(cells) == pytest.approx(expected)


def _reference_tukey(cells):
    """F of the product of the effects of rows and columns, as Tukey wrote it, and its p."""
    centred = cells - cells.mean()
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    explained = (rows @ centred @ columns) ** 2 / (rows @ rows * columns @ columns)
    freedom = (len(rows) - 1) * (len(columns) - 1) - 1
    f = explained / ((float(two_way(cells).residual) - explained) / freedom)
    return f, stats.f.sf(f, 1, freedom)


@pytest.mark.parametrize("seed", range(4))
def test_non_additivity_is_that_of_the_product_of_effects(seed):
    cells = random_cells(seed)
    assert nonadditivity(cells, additive_model(cells)) == pytest.approx(_reference_tukey(cells))


def test_non_additivity_of_additive_cells_is_nil_and_of_products_not():
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(14, 4)) * 0.05
    rows, columns = np.linspace(1, 2, 14)[:, None], np.array([[1.0, 2, 3, 4]])
    for cells, (low, high) in ((rows + columns, (0.05, 1)), (rows * columns, (0, 1e-6))):
        assert low < nonadditivity(cells + noise, additive_model(cells + noise))[1] < high


def test_cells_that_depend_on_the_layer_alone():
    row = layer_variance(tidy(np.tile([1.0, 2.0, 3.0, 4.0], (5, 1)))).iloc[0]
    assert (row["eta2_layer"], row["eta2_architecture"]) == pytest.approx((1.0, 0.0))
    assert (row["omega2_layer"], row["difference"]) == pytest.approx((1.0, 1.0))
    assert "F is not computable, because nothing is left of the residual" in row["note"]


def test_components_by_hand():
    row = layer_variance(tidy(np.array([[1.0, 2.0], [3.0, 6.0]]))).iloc[0]
    assert row["variance_residual"] == pytest.approx(1.0)  # residuals ± 0.5, one degree of freedom
    assert row["variance_architecture"] == pytest.approx((9.0 - 1.0) / 2)
    assert row["variance_layer"] == pytest.approx((4.0 - 1.0) / 2)


@settings(max_examples=30, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_effect_sizes_stay_under_a_change_of_unit(factor, shift):
    cells = random_cells(1)
    before, after = (two_way(x).omega2 for x in (cells, factor * cells + factor * shift))
    assert np.array(after) == pytest.approx(np.array(before), abs=1e-6)


def test_ranks_stay_under_monotone_transforms_and_values_do_not():
    cells = random_cells(2)
    before, after = layer_variance(tidy(cells)), layer_variance(tidy(np.exp(cells)))
    pd.testing.assert_series_equal(before.iloc[1], after.iloc[1])
    assert before.iloc[0]["omega2_layer"] != pytest.approx(after.iloc[0]["omega2_layer"])


def test_omega_squared_is_nil_on_average_when_nothing_matters_and_eta_squared_is_not():
    tables = two_way(np.random.default_rng(3).normal(size=(4_000, 14, 4)))
    rows, columns = tables.omega2
    assert np.mean(rows) == pytest.approx(0, abs=0.01)
    assert np.mean(columns) == pytest.approx(0, abs=0.01)
    assert np.mean(tables.rows / tables.total) == pytest.approx(13 / 55, abs=0.01)


def test_the_jackknife_interval_covers_about_nominally():
    generator = np.random.default_rng(7)

    def draw(count):
        architectures = generator.normal(size=(count, 14, 1))
        return architectures + np.array([0, 1.0, 1.5, 0]) + generator.normal(size=(count, 14, 4))

    rows, columns = two_way(draw(20_000)).omega2
    truth = np.mean(columns - rows)
    intervals = [jackknife_difference(cells)[1:] for cells in draw(400)]
    assert 0.90 <= np.mean([low <= truth <= high for low, high in intervals]) <= 0.99


def test_published_layers_explain_more_than_architectures_in_sixteen_of_nineteen_scores(frames):
    table = layer_variance(frames.scores)
    by_scale = table.groupby("scale")["difference"]
    assert by_scale.apply(lambda x: int((x > 0).sum())).to_dict() == {"ranks": 19, "values": 16}
    beyond_zero = table.groupby("scale")["low"].apply(lambda x: int((x > 0).sum()))
    assert beyond_zero.to_dict() == {"ranks": 8, "values": 6}
    assert len(table) == 38
