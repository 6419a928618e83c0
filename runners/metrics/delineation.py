"""Scores of a delineation: completeness, correctness and quality, per image."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

SCORES = ("correctness", "completeness", "quality")  # as the paper's Table X prints them


def delineation_scores(
    found: torch.Tensor, truth: torch.Tensor, buffer_px: float = 0
) -> dict[str, torch.Tensor]:
    """Compare binary maps with the true ones, image by image.

    found, truth: bool, (N, H, W). buffer_px: a pixel is matched if one of the other map lies
    within this distance (Euclidean, in pixels); 0 compares pixel by pixel. Returns float64, (N,):
    `tp`, `fp`: pixels found that are matched, and that are not; `fn`: true pixels that are not
    matched; and in percent `completeness`, matched true pixels of all true ones (without a buffer
    tp / (tp + fn)), `correctness`, tp / (tp + fp), and `quality`, tp / (tp + fp + fn). Where there
    is nothing to divide by, a score is 100 if nothing was to be found and nothing was, else 0.

    Source: paper, Sec. IV-C; Wiedemann et al., "Empirical evaluation of automatically extracted
    road axes", 1998.

    >>> found = torch.tensor([[[True, True, False, False]]])
    >>> truth = torch.tensor([[[False, True, True, True]]])
    >>> {name: round(value.item(), 1) for name, value in delineation_scores(found, truth).items()}
    {'tp': 1.0, 'fp': 1.0, 'fn': 2.0, 'completeness': 33.3, 'correctness': 50.0, 'quality': 25.0}
    """
    tp = _pixels(found & widened(truth, buffer_px))  # (N,)
    fp = _pixels(found) - tp
    matched = _pixels(truth & widened(found, buffer_px))
    fn = _pixels(truth) - matched
    empty = (tp + fp + fn == 0) & (matched == 0)
    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "completeness": _percent(matched, matched + fn, empty),
        "correctness": _percent(tp, tp + fp, empty),
        "quality": _percent(tp, tp + fp + fn, empty),
    }


def widened(maps: torch.Tensor, radius: float) -> torch.Tensor:
    """Every pixel within a distance of a pixel that is set; (N, H, W), bool.

    >>> widened(torch.tensor([[[False, False, True, False]]]), 1)
    tensor([[[False,  True,  True,  True]]])
    """
    reach = math.floor(radius)
    if reach < 1:
        return maps
    offsets = torch.arange(-reach, reach + 1, device=maps.device)
    disc = (offsets[:, None] ** 2 + offsets**2 <= radius**2).float()  # (2r+1, 2r+1)
    near = functional.conv2d(maps[:, None].float(), disc[None, None], padding=reach)  # (N, 1, H, W)
    return near[:, 0] > 0.5


def _pixels(maps: torch.Tensor) -> torch.Tensor:
    return maps.flatten(1).sum(1).cpu().double()  # (N,)


def _percent(part: torch.Tensor, whole: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    return torch.where(whole > 0, 100 * part / whole.clamp(min=1), 100 * empty.double())
