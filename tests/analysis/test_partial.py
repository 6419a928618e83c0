import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from lossnets.analysis.attributes.partial import STUDIES, partial_spearman
from lossnets.warehouse.errors import UserError

(PARTIAL,) = STUDIES


def study(frames):
    table = PARTIAL.compute(frames)
    assert list(table.columns) == list(PARTIAL.columns)
    return table


def made(made_frames, depth, other, n=6):
    cells = np.random.default_rng(0).normal(size=(n, 1, 2))
    return made_frames(cells, {"depth": ("numeric", depth), "a": ("numeric", other)})


def _reference_partial(x, y, z):
    """Correlation of what is left of the ranks after a regression on the given ranks."""
    x, y, z = (stats.rankdata(v) for v in (x, y, z))
    left = [sm.OLS(v, sm.add_constant(z)).fit().resid for v in (x, y)]
    return stats.pearsonr(*left).statistic


def test_is_the_correlation_of_residual_ranks():
    rng = np.random.default_rng(1)
    x, z = rng.integers(0, 8, (2, 14)).astype(float)
    y = rng.integers(0, 8, (14, 4)).astype(float)
    expected = [_reference_partial(x, column, z) for column in y.T]
    np.testing.assert_allclose(partial_spearman(x, y, z), expected)


def test_p_is_that_of_a_regression_of_ranks(made_frames):
    rng = np.random.default_rng(2)
    depth, other = rng.normal(size=(2, 9))
    frames = made(made_frames, depth, other, n=9)
    table = study(frames)
    found = table[(table["attribute"] == "a") & (table["score"] == "score1")]
    y = frames.scores[frames.scores["score"] == "score1"]["value"]
    design = sm.add_constant(np.column_stack([stats.rankdata(other), stats.rankdata(depth)]))
    expected = sm.OLS(stats.rankdata(y), design).fit().pvalues[1]
    assert found["p"].item() == pytest.approx(expected)


def test_an_attribute_that_orders_as_the_given_one_has_nothing_left(made_frames):
    x = np.array([1.0, 2, 3, 5, 4, 6])
    table = study(made(made_frames, x, x**3))
    assert table["partial"].isna().all()
    assert table["note"].str.startswith("not computable, because").all()


def test_three_architectures_are_too_few(made_frames):
    nan = np.nan
    table = study(made(made_frames, [1.0, 3, 2, nan, nan, nan], np.arange(6.0)))
    assert set(table["note"]) == {
        "not computable, because 3 architectures have both values and 4 are needed"
    }


def test_given_attributes_are_the_measured_ones_where_there_are(frames):
    assert list(study(frames)["given"].unique()) == ["imagenet_top1", "depth"]


def test_published_accuracy_and_2afc_with_depth_held_fixed(frames):
    table = study(frames).set_index(["given", "attribute", "score"])
    found = table.loc[("depth", "imagenet_top1", "bapps_2afc")]
    assert found["partial"] == pytest.approx(-0.781, abs=5e-4)
    assert found["p_holm"] < 0.05


def test_any_attribute_can_be_held_fixed(frames):
    table = PARTIAL.given(frames, ["batch_norm", "macs"])
    assert set(table["given"]) == {"batch_norm", "macs"}
    found = table[(table["attribute"] == "depth") & (table["benchmark"] == "overall")]
    assert len(found) == 2
    with pytest.raises(UserError, match=r"valid are .*batch_norm"):
        PARTIAL.given(frames, ["bach_norm"])
