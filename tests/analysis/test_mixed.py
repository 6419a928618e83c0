import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from lossnets.analysis.attributes.mixed import STUDIES, random_intercept

(MIXED,) = STUDIES


def study(frames):
    table = MIXED.compute(frames)
    assert list(table.columns) == list(MIXED.columns)
    return table


def sample(seed, sizes, between=1.0):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=len(groups)) + rng.normal(size=len(sizes))[groups]
    y = 0.5 * x + between * rng.normal(size=len(sizes))[groups] + rng.normal(size=len(groups))
    return x, y, groups


def _reference_standard_error(x, groups, between, residual):
    """Of generalised least squares with the covariance matrix written out."""
    covariance = residual * np.eye(len(x)) + between * (groups[:, None] == groups)
    design = sm.add_constant(x)
    return np.sqrt(np.linalg.inv(design.T @ np.linalg.solve(covariance, design))[1, 1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [[4] * 14, [4, 3, 4, 1, 2, 4, 4, 3, 2, 4]])
def test_agrees_with_statsmodels(seed, sizes):
    x, y, groups = sample(seed, sizes)
    ours = random_intercept(x, y[:, None], groups)
    library = sm.MixedLM(y, sm.add_constant(x), groups).fit(reml=True, method="bfgs")
    assert library.converged
    assert ours.slope[0] == pytest.approx(library.params[1], rel=1e-3)
    variances = library.cov_re[0, 0], library.scale
    assert ours.ratio[0] == pytest.approx(variances[0] / variances[1], rel=0.01)
    expected = _reference_standard_error(x, groups, *variances)
    assert ours.standard_error[0] == pytest.approx(expected, rel=2e-3)


def test_without_differences_between_groups_it_is_ordinary_regression():
    groups = np.repeat(np.arange(6), 4)
    x = np.tile([0.0, 1, 2, 3], 6)
    y = x + np.tile([1.0, -1, -1, 1], 6)
    ours = random_intercept(x, y[:, None], groups)
    library = sm.OLS(y, sm.add_constant(x)).fit()
    assert ours.ratio[0] == 0
    assert ours.slope[0] == pytest.approx(library.params[1])
    assert ours.standard_error[0] == pytest.approx(library.bse[1])


def test_property_of_the_group_is_a_regression_of_group_means():
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(8), 4)
    x = rng.normal(size=8)[groups]
    y = rng.normal(size=8)[groups] * 3 + 0.1 * rng.normal(size=32)
    means = y.reshape(8, 4).mean(axis=1)
    ours = random_intercept(x, y[:, None], groups)
    library = sm.OLS(means, sm.add_constant(x[::4])).fit()
    assert ours.slope[0] == pytest.approx(library.params[1])
    assert ours.standard_error[0] == pytest.approx(library.bse[1], rel=1e-4)


def test_published_slopes_are_statsmodels_where_that_converges(frames):
    table = study(frames).set_index(["attribute", "score"])
    found = table.loc[("depth_fraction", "bapps_2afc")]
    cells = frames.scores[frames.scores["score"] == "bapps_2afc"].merge(frames.loss_networks)
    x, y = (cells[c].to_numpy(float) for c in ("depth_fraction", "value"))
    x, y = ((v - v.mean()) / v.std(ddof=1) for v in (x, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        library = sm.MixedLM(y, sm.add_constant(x), cells["architecture"]).fit(reml=True)
    assert library.converged
    assert found["slope"] == pytest.approx(library.params[1], abs=1e-3)
    assert found["standard_error"] == pytest.approx(library.bse[1], abs=1e-3)
    assert not found["boundary"]


HARD = {
    "constant": ([2.0] * 4, 2, "the attribute is the same for all 4 architectures"),
    "few": ([1.0, 2, np.nan, np.nan], 2, "2 architectures have both values and 3 are needed"),
    "one layer": ([1.0, 2, 3, 5], 1, "not computable, because no architecture has two layers"),
    "huge": ([1e308, -1e308, 1, 2], 2, ""),
}


@pytest.mark.parametrize("case", HARD)
def test_hard_input_keeps_its_rows_and_says_why(made_frames, case):
    values, layers, note = HARD[case]
    cells = np.random.default_rng(0).normal(size=(4, layers, 2))
    table = study(made_frames(cells, {"a": ("numeric", values)}))
    assert len(table) == 2
    assert table["note"].str.contains(note, regex=False).all()
    assert (table["slope"].isna() == (table["note"] != "")).all()


def test_tied_scores_are_stated(made_frames):
    table = study(made_frames(np.ones((4, 2, 1)), {"a": ("numeric", np.arange(4.0))}))
    assert table["note"].item() == (
        "not computable, because the score is the same for all loss networks"
    )
