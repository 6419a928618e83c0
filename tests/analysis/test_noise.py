"""How much noise a conclusion bears."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lossnets.analysis.frames.frames import LAYERS
from lossnets.analysis.layers.variance import two_way
from lossnets.analysis.noise.conclusions import Rerun, conclusions, standardise
from lossnets.analysis.noise.tolerance import FRACTIONS, noise_tolerance, noise_units, tolerance


def rng(seed=0):
    return np.random.default_rng(seed)


def tidy(cells, sd=np.nan, runs=1, score="s"):
    """Rows of `score_means` of one score from (architectures, layers) values."""
    cells = np.asarray(cells, dtype=float)
    rows = [
        ("delineation", score, True, f"net{a}", "F", LAYERS[i], i + 1, cells[a, i])
        for a, i in np.ndindex(cells.shape)
    ]
    names = ["benchmark", "score", "higher_is_better", "architecture", "family"]
    frame = pd.DataFrame(rows, columns=[*names, "layer", "layer_position", "value"])
    return frame.assign(sd=sd, runs=runs, trained_model="unet")


def row(scores, conclusion, draws=1_000):
    table = noise_tolerance(tolerance(scores, rng(), draws))
    return table.set_index("conclusion").loc[conclusion]


def test_the_noise_that_swaps_two_architectures_is_that_of_the_normal_distribution():
    """Two values d apart, each with noise of sd s: they swap with chance Φ(−d/(s√2))."""
    found = row(tidy([[0.0], [1.0]]), "best_architecture", draws=20_000)
    between = np.std([0.0, 1.0], ddof=1)
    expected = 1 / between / np.sqrt(2) / -stats.norm.ppf(0.05)
    assert found["statement"] == "the best mean rank, overall: net1"
    assert found["fraction_5"] == pytest.approx(expected, rel=0.05)
    assert np.isnan(found["fraction_50"])
    assert found["note"].startswith("fraction_50 is not computable, because fewer than half")


def test_the_same_in_the_unit_of_the_score():
    found = noise_units(tolerance(tidy([[0.0], [10.0]]), rng(), 20_000)).iloc[0]
    assert found["between_sd"] == pytest.approx(np.std([0.0, 10.0], ddof=1))
    assert found["sd_5"] == pytest.approx(10 / np.sqrt(2) / 1.645, rel=0.05)


def test_a_tie_is_no_conclusion_that_noise_could_overturn():
    found = row(tidy([[1.0], [1.0], [-99.0]]), "best_architecture")
    assert found["statement"] == "the best mean rank, overall: net0, net1"
    assert found["fraction_5"] > 1


def test_measured_spread_takes_the_place_of_the_unknown():
    cells = [[0.0], [1.0]]
    small, large, unknown = (
        row(tidy(cells, sd, runs=4), "best_architecture")["changed_at_measured"]
        for sd in (0.02, 20.0, np.nan)
    )
    assert small == 0
    assert large == pytest.approx(0.5, abs=0.05)
    assert np.isnan(unknown)


def test_more_runs_make_the_mean_surer():
    once, often = (
        row(tidy([[0.0], [1.0]], 1.0, runs=runs), "best_architecture")["changed_at_measured"]
        for runs in (1, 25)
    )
    assert once == pytest.approx(stats.norm.cdf(-1 / np.sqrt(2)), abs=0.05)
    assert often < 0.01


def test_ranks_and_layers_of_a_rerun_are_those_of_the_cells():
    cells = rng(3).normal(size=(4, 5, 2, 6)).astype(np.float32)
    rerun = Rerun(cells)
    expected = stats.rankdata(-cells.max(axis=0), axis=0)
    assert (rerun.ranks == expected).all()
    alike = np.repeat(np.float32([[[[1.0]], [[1.0]], [[0.0]]]]), 2, axis=3)  # two draws
    assert Rerun(alike).ranks[:, 0, 1].tolist() == [1.5, 1.5, 3.0]
    counts = [(cells[..., d].argmax(axis=0) == layer).sum() for layer in range(4) for d in range(6)]
    assert rerun.layer_counts(np.arange(2)).ravel().tolist() == counts


def test_the_lead_of_the_layer_is_the_mean_difference_of_omega_squared():
    cells = rng(4).normal(size=(4, 5, 2, 3)).astype(np.float32)
    rows, columns = two_way(cells.transpose(3, 2, 1, 0).astype(float)).omega2  # (draws, scores)
    assert Rerun(cells).layer_lead == pytest.approx((columns - rows).mean(axis=1), abs=1e-5)


def test_standardising_changes_neither_order_nor_ties(frames):
    data = standardise(frames.scores)
    assert data.cells.shape == (4, 14, 19)
    assert data.cells.max(axis=0).std(axis=0, ddof=1) == pytest.approx(np.ones(19))


def test_published_conclusions(frames):
    statements = {c.name: c.statement for c in conclusions(standardise(frames.scores))}
    assert statements["best_three_architectures"] == (
        "the 3 best mean ranks, overall: vgg11, vgg19, vgg16"
    )
    assert statements["best_layer_super_resolution"].endswith("super resolution: early")
    assert statements["layer_or_architecture"].startswith("the layer explains more")


def test_published_winners_fall_earlier_than_published_layers(frames):
    table = noise_tolerance(tolerance(frames.scores, rng())).set_index("conclusion")
    assert 0.08 < table.loc["best_architecture", "fraction_5"] < 0.11
    assert table.loc["best_architecture_perceptual_similarity", "note"] == (
        "not computable, because nothing is trained for its scores"
    )
    assert table.loc["best_architecture_delineation", "fraction_50"] < 0.3
    assert table.loc["best_layer_super_resolution", "fraction_5"] > 1


def test_noise_of_a_trained_model_moves_all_of_its_scores_alike():
    """Two scores with opposite orders: alike noise keeps one from making up for the other."""
    one = tidy([[0.0], [1.0]], score="s")
    together = pd.concat([one, one.assign(score="t")])
    apart = pd.concat([one, one.assign(score="t", trained_model="other")])
    fractions = [
        row(scores, "best_architecture", 20_000)["fraction_5"] for scores in (together, apart)
    ]
    assert fractions[0] == pytest.approx(
        row(one, "best_architecture", 20_000)["fraction_5"], rel=0.05
    )
    assert fractions[1] < 0.9 * fractions[0]


def test_tolerances_grow_with_the_share_of_draws(frames):
    table = noise_tolerance(tolerance(frames.scores, rng()))
    both = table.dropna(subset=["fraction_5", "fraction_50"])
    assert (both["fraction_5"] < both["fraction_50"]).all()
    assert both["fraction_5"].between(FRACTIONS[0], FRACTIONS[-1]).all()
