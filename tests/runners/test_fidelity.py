"""What docs/fidelity.md says of arithmetic and files, by numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn
from torch.nn import functional

from lossnets.runners.benchmarks.super_resolution import bicubic
from lossnets.runners.data.image_files import read_image
from lossnets.runners.data.photographs import degrade
from lossnets.runners.metrics.images import luma_psnr

pytestmark = pytest.mark.torch


def test_images_are_turned_as_their_exif_says(tmp_path):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn by 90° clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(pixels, -1))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)


def test_the_baseline_bicubic_has_the_sharper_of_two_kernels():
    """Between two pixels (a + 2)/8 − (a + 3)/4 + 1 = 0.594 for a = −0.75; 0.5625 for a = −0.5."""
    line = torch.zeros(1, 1, 1, 9)
    line[..., 4] = 1
    between = functional.interpolate(line, (1, 17), mode="bicubic", align_corners=True)[..., 7]
    assert between.item() == pytest.approx(0.59375)
    pixels = data.astronaut()  # (512, 512, 3)
    target, small = (
        torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
        for image in (pixels, degrade(pixels, 4))
    )
    other = functional.interpolate(small, (512, 512), mode="bicubic", antialias=True).clamp(0, 1)
    found = [luma_psnr(image, target, border=4).item() for image in (bicubic(4)(small), other)]
    assert found == pytest.approx([26.6, 26.4], abs=0.05)


def test_batch_norm_in_training_is_less_exact_with_channels_last():
    torch.manual_seed(0)
    images = 0.7 + 1.3 * torch.randn(16, 64, 112, 112)
    exact = nn.BatchNorm2d(64).double()(images.double())
    errors = {
        form: (nn.BatchNorm2d(64)(images.contiguous(memory_format=form)) - exact).abs().max().item()
        for form in (torch.contiguous_format, torch.channels_last)
    }
    assert errors[torch.contiguous_format] < 1e-6
    assert errors[torch.channels_last] < 1e-4
