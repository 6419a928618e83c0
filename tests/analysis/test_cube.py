"""The scores as one array: what goes together, and what is a tie."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import score_cube
from lossnets.analysis.layers.best_layers import best_layers
from lossnets.analysis.ranking.ranks import rank_table


def tidy(values):
    """Rows of `score_means` from {(architecture, layer): value} of one score."""
    rows = [
        ("delineation", "s", True, "F", name, layer, i, value)
        for i, ((name, layer), value) in enumerate(values.items(), 1)
    ]
    names = ["benchmark", "score", "higher_is_better", "family", "architecture", "layer"]
    return pd.DataFrame(rows, columns=[*names, "layer_position", "value"])


def test_the_papers_scores_come_from_five_trained_models_and_two_measurements(frames):
    cube = score_cube(frames.scores)
    units = [[cube.scores[s] for s in unit] for unit in cube.units]
    assert sorted(map(len, units)) == [1, 1, 1, 1, 3, 6, 6]
    assert ["bapps_2afc"] in units
    assert ["mrd_completeness", "mrd_correctness", "mrd_quality"] in units


def test_values_that_agree_to_twelve_digits_are_ties():
    scores = tidy({("a", "early"): 0.1 + 0.2, ("b", "early"): 0.3, ("b", "late"): 0.3 + 1e-16})
    assert rank_table(scores)["rank"].tolist() == [1.5, 1.5]
    assert best_layers(scores)["layers"].tolist() == ["early", "early, late"]


def test_a_difference_in_the_eleventh_digit_is_one():
    scores = tidy({("a", "early"): 0.3, ("b", "early"): 0.300_000_000_01})
    assert rank_table(scores)["rank"].tolist() == [2.0, 1.0]


def test_a_frame_without_trained_models_has_each_score_alone():
    scores = pd.concat([tidy({("a", "early"): 1.0}), tidy({("a", "early"): 2.0}).assign(score="t")])
    assert [unit.tolist() for unit in score_cube(scores).units] == [[0], [1]]
    assert np.isfinite(score_cube(scores).best).all()
