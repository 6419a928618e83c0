"""Scores of delineations, with a buffer and without."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import jaccard_score, precision_score, recall_score

from lossnets.runners.metrics.delineation import SCORES, delineation_scores, widened

pytestmark = pytest.mark.torch


def _maps(*rows: str) -> torch.Tensor:
    """One map (1, H, W) from rows of `#` and `.`."""
    return torch.tensor([[[cell == "#" for cell in row] for row in rows]])


def _random_maps(seed: int, share: float, n: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.rand(2, n, 9, 11, generator=torch.Generator().manual_seed(seed))
    found, truth = draws < share
    return found, truth


def _reference_scores(found: np.ndarray, truth: np.ndarray, buffer_px: float) -> dict[str, float]:
    """Wiedemann et al.'s definitions, pixel by pixel, of one image."""

    def matched(some: np.ndarray, others: np.ndarray) -> int:
        near = np.argwhere(others)
        return sum(
            any(math.dist(pixel, other) <= buffer_px for other in near)
            for pixel in np.argwhere(some)
        )

    tp, matched_truth = matched(found, truth), matched(truth, found)
    fp, fn = int(found.sum()) - tp, int(truth.sum()) - matched_truth
    nothing = not found.any() and not truth.any()

    def percent(part: int, whole: int) -> float:
        return 100 * part / whole if whole else 100.0 * nothing

    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "completeness": percent(matched_truth, int(truth.sum())),
        "correctness": percent(tp, int(found.sum())),
        "quality": percent(tp, tp + fp + fn),
    }


def test_scores_counted_by_hand():
    found = _maps("##..", "#...", "....")
    truth = _maps("#...", "#...", "##..")
    scores = {name: value.item() for name, value in delineation_scores(found, truth).items()}
    assert scores == {
        "tp": 2,
        "fp": 1,
        "fn": 2,
        "completeness": 50.0,
        "correctness": pytest.approx(200 / 3),
        "quality": 40.0,
    }


def test_a_line_beside_the_true_one_is_wrong_without_a_buffer_and_right_with_it():
    found, truth = _maps(".#..", ".#..", ".#.."), _maps("..#.", "..#.", "..#.")
    assert [delineation_scores(found, truth)[name].item() for name in SCORES] == [0, 0, 0]
    assert [delineation_scores(found, truth, 1)[name].item() for name in SCORES] == [100, 100, 100]


@pytest.mark.parametrize("buffer_px", [0, 1, 1.5, 2, 3.7])
@pytest.mark.parametrize("share", [0.03, 0.2, 0.6])
def test_scores_equal_their_definition_pixel_by_pixel(buffer_px, share):
    found, truth = _random_maps(7, share)
    scores = delineation_scores(found, truth, buffer_px)
    for place in range(len(found)):
        expected = _reference_scores(found[place].numpy(), truth[place].numpy(), buffer_px)
        assert {name: value[place].item() for name, value in scores.items()} == pytest.approx(
            expected, abs=1e-9
        )


def test_without_a_buffer_scores_are_recall_precision_and_jaccard_index():
    found, truth = _random_maps(3, 0.3)
    scores = delineation_scores(found, truth)
    for name, metric in (
        ("completeness", recall_score),
        ("correctness", precision_score),
        ("quality", jaccard_score),
    ):
        expected = [
            100 * metric(*(m[i].flatten().numpy() for m in (truth, found)))
            for i in range(len(found))
        ]
        assert scores[name].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("buffer_px", [0, 2])
def test_where_there_is_nothing_to_divide_by_nothing_found_of_nothing_is_right(buffer_px):
    nothing, something = _maps("...", "..."), _maps("#..", "...")

    def scores(found: torch.Tensor, truth: torch.Tensor) -> list[float]:
        values = delineation_scores(found, truth, buffer_px)
        return [values[name].item() for name in SCORES]

    assert scores(nothing, nothing) == [100, 100, 100]
    assert scores(something, nothing) == [0, 0, 0]
    assert scores(nothing, something) == [0, 0, 0]


def test_a_map_is_widened_by_a_disc():
    dot = _maps(".......", ".......", ".......", "...#...", ".......", ".......", ".......")
    disc = _maps(".......", "...#...", "..###..", ".#####.", "..###..", "...#...", ".......")
    assert torch.equal(widened(dot, 2), disc)
    assert torch.equal(widened(dot, 0.9), dot)
