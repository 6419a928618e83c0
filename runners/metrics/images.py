"""PSNR and SSIM of images on their luma, a value per image."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

LUMA = (65.481, 128.553, 24.966)  # of R, G and B in [0, 1]; ITU-R BT.601, 16 to 235
BLACK = 16.0
PEAK = 255.0


def luma(images: torch.Tensor) -> torch.Tensor:
    """The luma Y, 16 for black to 235 for white, of RGB images in [0, 1], in double precision.

    images: (N, 3, H, W). Returns (N, H, W). Source: ITU-R BT.601, as customary in super-resolution.

    >>> luma(torch.stack([torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1)]).squeeze(1)).flatten()
    tensor([ 16., 235.], dtype=torch.float64)
    """
    weights = torch.tensor(LUMA, dtype=torch.float64, device=images.device)
    return torch.einsum("nchw,c->nhw", images.double(), weights) + BLACK  # (N, H, W)


def psnr(
    outputs: torch.Tensor, targets: torch.Tensor, *, peak: float | torch.Tensor = PEAK
) -> torch.Tensor:
    """Peak signal-to-noise ratio, dB, of planes (N, H, W): (N,); infinite where they are equal.

    peak: of all planes, or (N,).

    >>> psnr(torch.full((1, 2, 2), 10.0), torch.zeros(1, 2, 2), peak=100.0)
    tensor([20.])
    """
    error = (outputs - targets).square().mean((1, 2))  # (N,)
    return 10 * torch.log10(torch.as_tensor(peak).square() / error)


def ssim(
    outputs: torch.Tensor, targets: torch.Tensor, *, window: str = "gaussian", peak: float = PEAK
) -> torch.Tensor:
    """Mean structural similarity of planes (N, H, W): (N,), over windows inside the image alone.

    window: "gaussian", 11×11 with σ = 1.5 px; "uniform", 7×7 with the variances of a sample
    (divided by 48, not 49). Constants 0.01 and 0.03. Source: Wang et al., Image Quality
    Assessment: From Error Visibility to Structural Similarity, IEEE TIP 13(4), 2004.

    >>> plane = torch.rand(2, 16, 16)
    >>> ssim(plane, plane, peak=1.0)
    tensor([1., 1.])
    """
    weights = _window(window).to(outputs)
    moments = torch.stack(
        [outputs, targets, outputs.square(), targets.square(), outputs * targets], 1
    )  # (N, 5, H, W)
    mean_x, mean_y, xx, yy, xy = _filtered(moments, weights).unbind(1)  # each (N, H', W')
    scale = 1.0 if window == "gaussian" else len(weights) ** 2 / (len(weights) ** 2 - 1)
    var_x, var_y = scale * (xx - mean_x.square()), scale * (yy - mean_y.square())
    covariance = scale * (xy - mean_x * mean_y)
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return (luminance * structure).mean((1, 2))  # (N,)


def luma_psnr(
    outputs: torch.Tensor, targets: torch.Tensor, *, border: int, kind: str = "peak_255"
) -> torch.Tensor:
    """PSNR of images (N, 3, H, W) in [0, 1] on their luma, dB: (N,).

    kind: "peak_255", less a border of so many pixels; "target_range": the peak is the target's
    greatest value, and no border is cut.
    """
    if kind == "target_range":
        x, y = _lumas(outputs, targets, border=0)
        return psnr(x, y, peak=y.amax((1, 2)))
    return psnr(*_lumas(outputs, targets, border=border))


def luma_ssim(
    outputs: torch.Tensor, targets: torch.Tensor, *, border: int, kind: str = "gaussian"
) -> torch.Tensor:
    """Mean SSIM of images (N, 3, H, W) in [0, 1] on their luma: (N,).

    kind: "gaussian", 11×11, less a border of so many pixels; "uniform": 7×7, of images of 8 bits,
    less 2 pixels.
    """
    if kind == "uniform":
        x, y = _lumas((outputs * 255).round() / 255, (targets * 255).round() / 255, border=2)
        return ssim(x - BLACK, y - BLACK, window="uniform")
    return ssim(*_lumas(outputs, targets, border=border))


def _lumas(
    outputs: torch.Tensor, targets: torch.Tensor, *, border: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The luma of both, (N, H, W), less a border of so many pixels."""
    height, width = outputs.shape[2:]
    rows, columns = slice(border, height - border), slice(border, width - border)
    x, y = (luma(images)[:, rows, columns] for images in (outputs, targets))
    return x, y


@cache
def _window(name: str) -> torch.Tensor:
    """The weights of a window along one side, which add up to 1."""
    if name == "uniform":
        return torch.full((7,), 1 / 7, dtype=torch.float64)
    if name != "gaussian":
        raise ValueError(f"window is {name!r}, valid are gaussian and uniform")
    weights = torch.exp(-torch.arange(-5, 6, dtype=torch.float64).square() / (2 * 1.5**2))
    return weights / weights.sum()


def _filtered(planes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted means of (N, C, H, W) over every window that lies inside."""
    flat = planes.flatten(0, 1).unsqueeze(1)  # (N·C, 1, H, W)
    rows = nn.functional.conv2d(flat, weights.view(1, 1, -1, 1))
    both = nn.functional.conv2d(rows, weights.view(1, 1, 1, -1))  # (N·C, 1, H', W')
    return both.view(*planes.shape[:2], *both.shape[2:])
