"""Prediction of an architecture that was left out, and contrasts of layers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lossnets.analysis.attributes.layer_contrasts import layer_contrasts
from lossnets.analysis.attributes.prediction import prediction
from lossnets.analysis.statistics.left_out import line_errors, plane_errors
from lossnets.analysis.statistics.normal_scores import normal_scores


def rng(seed=0):
    return np.random.default_rng(seed)


def _reference_errors(x, y):
    """Squared errors of one slope and a mean a layer, fitted without each architecture in turn."""
    n, layers = y.shape
    total = 0.0
    for a in range(n):
        kept = np.delete(np.arange(n), a)
        means = [np.eye(layers)[i] for _ in kept for i in range(layers)]
        design = np.column_stack([means, x[kept].ravel()])
        found = np.linalg.lstsq(design, y[kept].ravel(), rcond=None)[0]
        total += np.sum((y[a] - found[:layers] - found[layers] * x[a]) ** 2)
    return total


@pytest.mark.parametrize("of_networks", [False, True])
def test_errors_are_those_of_fits_without_each_architecture(of_networks):
    n, layers = 9, 4
    x = rng(1).normal(size=(n, layers if of_networks else 1)) * np.ones((1, layers))
    y = rng(2).normal(size=(n, layers))
    x, centred = x - x.mean(axis=0), y - y.mean(axis=0)
    columns = [centred[:, [i]].astype(np.float32) for i in range(layers)]
    form = plane_errors(x.T, columns)[0]
    found = (n / (n - 1)) ** 2 * (np.sum(centred**2) + form)
    assert found == pytest.approx(_reference_errors(x, y), rel=1e-4)
    alone = line_errors(x[:, 0][None], columns[0])[0, 0]
    found = (n / (n - 1)) ** 2 * (np.sum(centred[:, 0] ** 2) + alone)
    assert found == pytest.approx(_reference_errors(x[:, [0]], y[:, [0]]), rel=1e-4)


def test_the_one_architecture_that_has_something_is_predicted_by_the_mean():
    x = np.array([[0.9, -0.3, -0.3, -0.3]])
    y = np.array([[3.0], [-1.0], [-2.0], [0.0]], dtype=np.float32)
    found = (4 / 3) ** 2 * (np.sum(y**2) + line_errors(x, y)[0, 0])
    assert found == pytest.approx(4**2 + 0 + 1.5**2 + 1.5**2, rel=1e-5)


def table(made_frames, cells, **attributes):
    found = prediction(made_frames(cells, attributes), rng())
    return found[found["scope"] == "all"].set_index(["model", "attribute"])


def test_layers_that_differ_predict_and_architectures_that_differ_do_not(made_frames):
    noise = rng(3).normal(size=(12, 4, 2))
    by_layer = table(made_frames, noise * 0.1 + np.arange(4)[:, None]).xs("layer")["q2"]
    by_architecture = table(made_frames, noise * 0.1 + np.arange(12)[:, None, None]).xs("layer")
    assert by_layer.iloc[0] > 0.8
    assert abs(by_architecture["q2"].iloc[0]) < 0.01


def test_an_attribute_that_the_scores_follow_predicts_and_noise_does_not(made_frames):
    x, noise = rng(4).normal(size=(2, 14))
    own = x[:, None, None] + rng(5).normal(0, 0.5, (14, 4, 2))
    found = table(made_frames, own, x=("numeric", x), noise=("numeric", noise))
    assert found.loc[("layer + attribute", "x"), "gain"] > 0.6
    assert found.loc[("layer + attribute", "x"), "p"] < 0.001
    assert found.loc[("layer + attribute", "noise"), "gain"] < 0.1


def test_where_an_attribute_works_at_one_layer_only_lines_by_layer_are_better(made_frames):
    x = rng(6).normal(size=14)
    own = x[:, None, None] * np.array([1, 0, 0, -1])[:, None] + rng(7).normal(0, 0.4, (14, 4, 1))
    found = table(made_frames, own, x=("numeric", x))
    assert found.loc[("layer + attribute", "x"), "gain"] < 0.05
    assert found.loc[("layer × attribute", "x"), "gain"] > 0.3


def test_the_p_of_a_gain_is_uniform_where_nothing_predicts(made_frames):
    generator, p = rng(8), []
    for _ in range(60):
        cells = generator.normal(size=(10, 2, 1))
        found = table(made_frames, cells, x=("numeric", generator.normal(size=10)))
        p.append(found.loc[("layer × attribute", "x"), "p"])
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_published_predictions(frames):
    found = prediction(frames, rng())
    found = found[found["scope"] == "all"].set_index(["model", "attribute"])
    assert found.xs("layer")["q2"].iloc[0] == pytest.approx(0.31, abs=0.01)
    assert found.loc[("layer × attribute", "batch_norm"), "gain"] == pytest.approx(0.12, abs=0.01)
    assert found.loc[("layer + attribute", "params"), "gain"] < 0
    assert found["permutations"].min() >= 10_000


def test_a_contrast_is_tested_over_all_ways_to_share_the_architectures_out(made_frames):
    has = np.array([1, 1, 1, 0, 0, 0, 0])
    cells = rng(9).normal(size=(7, 2, 1))
    cells[:3, 1] += 5
    row = layer_contrasts(made_frames(cells, {"has": ("binary", has)}), rng()).iloc[0]
    normal = normal_scores(cells.reshape(-1, 1)).reshape(7, 2)
    contrast = normal[:, 1] - normal[:, 0]
    ranks = stats.rankdata(contrast)
    sums = [abs(ranks[list(c)].sum() - 3 * 4) for c in combinations(range(7), 3)]
    expected = np.mean(np.array(sums) >= abs(ranks[:3].sum() - 12))
    assert (row["p"], row["splits"], row["n_with"]) == (pytest.approx(expected), 35, 3)
    assert row["with_it"] == pytest.approx(contrast[:3].mean())
    assert row["contrast"] == "semi_early − early"


def test_a_layer_without_any_value_is_as_if_it_were_not_there(made_frames):
    cells = rng(10).normal(size=(8, 3, 2))
    cells[:, 2] = np.nan
    has = {"has": ("binary", np.arange(8) % 2), "wide": ("numeric", rng(11).normal(size=(8, 3)))}
    bare = {"has": has["has"], "wide": ("numeric", has["wide"][1][:, :2])}
    for study in (prediction, layer_contrasts):
        found = study(made_frames(cells, has), rng())
        pd.testing.assert_frame_equal(found, study(made_frames(cells[:, :2], bare), rng()))
