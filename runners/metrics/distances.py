"""Distances between images without a loss network: the baselines of perceptual similarity."""

from __future__ import annotations

import torch
from torch.nn import functional

from lossnets.runners.metrics.images import ssim


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
