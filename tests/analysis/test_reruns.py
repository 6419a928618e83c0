"""The noise of a training from twins and repeated runs, and what a rerun would give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import TTestIndPower

from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.noise.conclusions import standardise
from lossnets.analysis.noise.reruns import (
    noise_table,
    ratio_interval,
    rerun,
    rerun_winners,
    runs_needed,
    winners,
)
from lossnets.analysis.noise.training_noise import (
    noise_of_runs,
    noise_of_twins,
    training_noise,
    twin_groups,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def tidy(cells, score="s", model="unet", sd=np.nan, runs=1):
    """Rows of `score_means` from an array (architectures, layers)."""
    rows = [
        ("delineation", score, True, model, f"a{a:02}", "F", f"layer{i}", i + 1, value)
        for a, row in enumerate(np.asarray(cells, dtype=float))
        for i, value in enumerate(row)
    ]
    names = ["benchmark", "score", "higher_is_better", "trained_model", "architecture", "family"]
    frame = pd.DataFrame(rows, columns=[*names, "layer", "layer_position", "value"])
    return frame.assign(sd=sd, runs=runs)


def test_published_twins_are_found_from_what_is_measured(frames):
    stems = ["densenet121", "googlenet", "resnet18", "resnet50", "resnext50_32x4d"]
    assert twin_groups(frames) == [
        [(name, "early") for name in stems],
        [("vgg16", "early"), ("vgg19", "early")],
        [("vgg16", "semi_early"), ("vgg19", "semi_early")],
    ]


def test_networks_of_one_architecture_are_no_twins_and_weights_tell_none_apart():
    scores = tidy([[1.0, 2.0], [3.0, 4.0]])
    networks = pd.DataFrame(
        {
            "architecture": ["a00", "a00", "a01"],
            "layer": ["layer0", "layer1", "layer0"],
            "depth_to_layer": [3.0, 3.0, 3.0],
            "of_weights": [0.1, 0.2, 0.3],
            "rated": [1.0, 2.0, 3.0],
        }
    )
    about = {"level": "loss_network", "kind": "numeric", "registered": False}
    catalog = pd.DataFrame(
        [
            about | {"attribute": "depth_to_layer", "origin": "measured"},
            about | {"attribute": "of_weights", "origin": "measured"},
            about | {"attribute": "rated", "origin": "added", "registered": True},
        ]
    )
    given = Frames(
        source="made",
        scores=scores,
        loss_networks=networks,
        architectures=pd.DataFrame({"architecture": ["a00", "a01"], "family": "F"}),
        score_catalog=pd.DataFrame(),
        attribute_catalog=catalog,
        paper_tables={},
    )
    assert twin_groups(given) == [[("a00", "layer0"), ("a01", "layer0")]]


TWINS = [[(f"a{a:02}", "layer0") for a in group] for group in ((0, 1, 2, 3, 4), (5, 6), (7, 8))]


def world(generator, sd):
    """Values (14, 2): noise around what twins share, far below a layer that differs by 1."""
    return np.column_stack([generator.normal(-99, sd, 14), generator.normal(0, 1, 14)])


def test_pooled_variance_by_hand():
    cells = np.array([[1.0, 9.0], [3.0, 7.0], [0.0, 5.0]])
    (noise,) = noise_of_twins(standardise(tidy(cells)), [[("a00", "layer0"), ("a01", "layer0")]])
    assert (noise.freedom, noise.networks, noise.groups) == (1, 2, 1)
    assert noise.ratio == pytest.approx(2 / 4)  # (1² + 1²) / 1 over the variance of 9, 7, 5
    assert np.isnan(noise.without[:2]).all()
    assert noise.without[2] == pytest.approx(2 / 2)  # 9 and 7 are left


@pytest.mark.parametrize("sd", [0.2, 1.8])
def test_a_known_noise_is_recovered_and_covered(sd):
    generator, squares, covered = rng(3), [], []
    for _ in range(300):
        scores = tidy(world(generator, sd))
        (noise,) = noise_of_twins(standardise(scores), TWINS)
        squares.append(noise.ratio)
        low, high = ratio_interval(noise, 14)
        covered.append(low <= sd <= high)
    expected = sd**2 * 13 / 11  # mean of F with 6 and 13 degrees of freedom
    assert np.mean(squares) == pytest.approx(expected, rel=0.12)
    assert 0.92 < np.mean(covered) < 0.98


def test_left_out_means_computed_without(frames):
    data, groups = standardise(frames.scores), twin_groups(frames)
    for name in ("densenet121", "vgg16", "alexnet"):
        fewer = frames.scores[frames.scores["architecture"] != name]
        for noise, expected in zip(
            noise_of_twins(data, groups), noise_of_twins(standardise(fewer), groups), strict=True
        ):
            assert noise.without[data.architectures.index(name)] == pytest.approx(expected.ratio)


def test_repeated_runs_are_pooled_by_their_degrees_of_freedom():
    scores = tidy([[0.0], [2.0], [4.0]], sd=[1.0, 2.0, np.nan], runs=[2, 3, 1])
    (noise,) = noise_of_runs(standardise(scores), scores)
    assert noise.ratio == pytest.approx((1 * 1 + 2 * 4) / 3 / 4)
    assert (noise.freedom, noise.networks) == (3, 2)
    assert noise.without[0] == pytest.approx(4 / 4)


def test_measured_seeds_are_the_better_estimate(frames):
    assert training_noise(frames)["stl10_accuracy"] == pytest.approx(0.2, abs=0.01)
    own = frames.scores.assign(
        sd=frames.scores["sd"].where(frames.scores["score"] != "stl10_accuracy", 0.0),
        runs=frames.scores["runs"].where(frames.scores["score"] != "stl10_accuracy", 2),
    )
    found = training_noise(replace(frames, scores=own))
    assert (found["stl10_accuracy"], found["bapps_2afc"]) == (0.0, 0.0)
    table = noise_table(replace(frames, scores=own), rng())
    both = table.loc[table["trained_model"] == "autoencoding_stl10", "method"]
    assert both.tolist() == ["repeated runs", "structural twins"]


def test_the_chance_of_the_same_winner_is_what_reruns_of_a_known_truth_give():
    generator, said, seen = rng(5), [], []
    for _ in range(300):
        truth = generator.normal(0, 1, 8)
        first, second = (truth + generator.normal(0, 0.7, 8) for _ in range(2))
        data = standardise(tidy(first[:, None]))
        noise = np.full(1, 0.7**2) / data.spread**2
        again = rerun(data, noise, generator, 200)
        leads, chances = winners(again, [np.array([0])], data)
        said.append(chances[leads].sum())
        seen.append(first.argmax() == second.argmax())
    assert np.mean(said) == pytest.approx(np.mean(seen), abs=0.06)


def test_a_score_of_nothing_but_noise_has_a_winner_by_chance():
    data = standardise(tidy(rng(1).normal(size=(10, 1))))
    _, chances = winners(rerun(data, np.full(1, 4.0), rng(2)), [np.array([0])], data)
    assert chances == pytest.approx(np.full(10, 0.1), abs=0.03)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 1.8])
def test_runs_needed_are_those_of_the_t_test(ratio):
    expected = TTestIndPower().solve_power(1 / ratio, power=0.8, alpha=0.05)
    assert runs_needed(ratio) == np.ceil(expected)


def test_published_noise_and_winners(frames):
    table = noise_table(frames, rng()).set_index("trained_model")
    assert table.loc["bapps_2afc", "sd_ratio"] == pytest.approx(0.13, abs=0.01)
    assert table.loc["delineation", "without_low"] > 1.5  # whichever architecture is left out
    assert table.loc["autoencoding_svhn", "without_low"] < 0.2  # one collapsed run
    won = rerun_winners(frames, rng()).set_index("scope")
    assert won.loc["perceptual_similarity", "p_same_winner"] == 1
    assert won.loc["delineation", "p_same_winner"] < 0.15
    assert won.loc["overall", ["winner", "next_architecture"]].tolist() == ["vgg11", "vgg16"]
