"""Distances between images: of their features (Eq. 1), and the baselines without a network."""

from __future__ import annotations

import torch
from torch.nn import functional

from lossnets.runners.metrics.images import ssim


def distance(y: torch.Tensor, y0: torch.Tensor, *, epsilon: float = 1e-12) -> torch.Tensor:
    """The distance between the features of images, as Eq. 1 is written. (N,)

    y, y0: (N, C, H, W). At each position both are divided by their length over channels, by
    `epsilon` where they are shorter; the squared differences are summed over channels and
    averaged over positions. `distances_to_first` gives the same, faster.

    Source: paper, Eq. 1 with all importance weights 1.

    >>> y, y0 = torch.tensor([[3.0, 0.0], [0.0, 2.0]]).view(2, 2, 1, 1)
    >>> distance(y[None], y0[None])
    tensor([2.])
    """
    unit, unit0 = (f / f.norm(dim=1, keepdim=True).clamp(min=epsilon) for f in (y, y0))
    return (unit - unit0).square().sum(dim=1).mean(dim=(1, 2))


def distances_to_first(features: torch.Tensor, sets: int, epsilon: float) -> torch.Tensor:
    """Eq. 1 between the first N features and each N that follow. (sets − 1, N)

    With the lengths a of y and b of y0, the summand of Eq. 1 is ‖y − y0·a/b‖² / a², which reads
    and writes the features once where Eq. 1 as it is written does so five times.
    """
    features = features.float()  # (sets·N, C, H, W)
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True).clamp_min_(epsilon)
    (y0, *others), (b, *lengths) = features.chunk(sets), length.chunk(sets)
    of_sets = []
    for y, a in zip(others, lengths, strict=True):
        difference = torch.addcmul(y, y0, a / b, value=-1)  # (N, C, H, W)
        at_positions = torch.linalg.vector_norm(difference, dim=1, keepdim=True) / a
        of_sets.append(at_positions.square_().mean(dim=(1, 2, 3)))  # (N,)
    return torch.stack(of_sets)


def l2(x: torch.Tensor, x0: torch.Tensor) -> torch.Tensor:
    """The mean squared difference over colours and pixels. x, x0: (N, 3, H, W) in [0, 1]."""
    return (x - x0).square().mean(dim=(1, 2, 3))  # (N,)


def negative_psnr(x: torch.Tensor, x0: torch.Tensor) -> torch.Tensor:
    """Minus the peak signal-to-noise ratio in dB, of peak 1 over colours and pixels: (N,).

    -inf for equal images. Orders images as `l2` does.
    """
    return 10 * l2(x, x0).log10()


def dissimilarity(x: torch.Tensor, x0: torch.Tensor) -> torch.Tensor:
    """1 − structural similarity, the mean of the three colours': (N,).

    Gaussian window of 11 pixels with σ 1.5, images mirrored at their borders.
    """
    padded = (functional.pad(images, (5, 5, 5, 5), mode="reflect") for images in (x, x0))
    planes, planes0 = (images.flatten(0, 1) for images in padded)  # (3·N, H + 10, W + 10)
    return 1 - ssim(planes, planes0, peak=1.0).view(-1, 3).mean(1)
