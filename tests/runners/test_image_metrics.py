"""PSNR and SSIM against the libraries of the field, on the same planes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional import image as torchmetrics

from lossnets.runners.metrics import images as image_metrics

pytestmark = pytest.mark.torch

DRAWS = torch.Generator().manual_seed(0)
TARGETS = 16 + 219 * torch.rand(3, 32, 40, generator=DRAWS, dtype=torch.float64)
NOISE = torch.randn(3, 32, 40, generator=DRAWS, dtype=torch.float64)
OUTPUTS = TARGETS + torch.tensor([2.0, 10.0, 40.0]).view(3, 1, 1) * NOISE
PAIRS = list(zip(OUTPUTS.numpy(), TARGETS.numpy(), strict=True))


def test_luma_is_scikit_images():
    images = torch.rand(2, 3, 6, 5, generator=DRAWS)
    expected = rgb2ycbcr(images.double().permute(0, 2, 3, 1).numpy())[..., 0]  # (N, H, W)
    np.testing.assert_allclose(image_metrics.luma(images).numpy(), expected, rtol=1e-12)


def test_psnr_is_scikit_images_and_torchmetrics():
    found = image_metrics.psnr(OUTPUTS, TARGETS).tolist()
    assert found == pytest.approx(
        [peak_signal_noise_ratio(y, x, data_range=255) for x, y in PAIRS], rel=1e-12
    )
    assert found == pytest.approx(
        torchmetrics.peak_signal_noise_ratio(
            OUTPUTS, TARGETS, data_range=255.0, dim=(1, 2), reduction="none"
        ).tolist()
    )


def test_psnr_takes_a_peak_per_image():
    zeros, ones = torch.zeros(2, 4, 4), torch.ones(2, 4, 4)
    peaks = torch.tensor([10.0, 100.0])
    assert image_metrics.psnr(zeros, ones, peak=peaks).tolist() == [20.0, 40.0]


def test_ssim_with_a_gaussian_window_is_scikit_images_and_torchmetrics():
    found = image_metrics.ssim(OUTPUTS, TARGETS).tolist()
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert found == pytest.approx(
        [structural_similarity(x, y, data_range=255, **options) for x, y in PAIRS], abs=1e-12
    )
    planes = (OUTPUTS.unsqueeze(1), TARGETS.unsqueeze(1))  # (N, 1, H, W)
    _, at_every_pixel = torchmetrics.structural_similarity_index_measure(
        *planes, data_range=255.0, return_full_image=True
    )  # also where the window reaches past the border, which we leave out
    assert found == pytest.approx(at_every_pixel[..., 5:-5, 5:-5].mean((1, 2, 3)).tolist())


def test_ssim_with_a_uniform_window_is_scikit_images():
    found = image_metrics.ssim(OUTPUTS, TARGETS, window="uniform", peak=219.0).tolist()
    expected = [structural_similarity(x, y, data_range=219) for x, y in PAIRS]
    assert found == pytest.approx(expected, abs=1e-12)


def test_ssim_of_a_window_by_hand():
    """One 7×7 window: black against a single white pixel, 49 values of mean 1/49 and 0."""
    black, dot = torch.zeros(1, 7, 7), torch.zeros(1, 7, 7)
    dot[0, 3, 3] = 1.0
    mean, variance = 1 / 49, (1 / 49 - 1 / 49**2) * 49 / 48
    expected = 1e-4 / (mean**2 + 1e-4) * 9e-4 / (variance + 9e-4)
    assert image_metrics.ssim(black, dot, window="uniform", peak=1.0).item() == pytest.approx(
        expected, rel=1e-4
    )


def test_other_windows_are_refused():
    with pytest.raises(ValueError, match="window is 'hann', valid are gaussian and uniform"):
        image_metrics.ssim(OUTPUTS, TARGETS, window="hann")
