"""Convolutions to or from a few channels are what torch's are, and so are their gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lossnets.runners.networks.kernels.few_channels import FirstConvolution, TallConv2d, pays

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("padding", "bias"), [(0, True), (2, False)])
def test_the_tall_convolution_is_torchs_with_its_gradients(padding, bias):
    torch.manual_seed(0)
    tall = TallConv2d(6, 3, 5, padding=padding, bias=bias).double()
    plain = nn.Conv2d(6, 3, 5, padding=padding, bias=bias).double()
    plain.load_state_dict(tall.state_dict())
    x = torch.randn(2, 6, 9, 12, dtype=torch.float64, requires_grad=True)
    found, expected = tall(x), plain(x)
    towards = torch.randn_like(expected)

    gradients = [
        torch.autograd.grad(y, [x, layer.weight], towards)
        for y, layer in ((found, tall), (expected, plain))
    ]

    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize(
    ("taps", "stride", "padding"),
    [(11, 4, 2), (7, 2, 3), (3, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (4, 4, 0), (16, 16, 0)],
)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("size", [(32, 32), (37, 43)])
def test_the_gradient_to_images_is_torchs(taps, stride, padding, channels, size):
    torch.manual_seed(0)
    plain = nn.Conv2d(channels, 5, taps, stride=stride, padding=padding).double()
    plain.requires_grad_(False)
    images = torch.randn(2, channels, *size, dtype=torch.float64, requires_grad=True)
    found, expected = FirstConvolution(plain)(images), plain(images)
    towards = torch.randn_like(expected)

    gradients = [torch.autograd.grad(y, images, towards)[0] for y in (found, expected)]

    assert torch.equal(found, expected)
    assert torch.allclose(*gradients, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(5, 64, 3),
        nn.Conv2d(3, 64, 1),
        nn.Conv2d(3, 63, 3, groups=3),
        nn.Conv2d(3, 64, 3, dilation=2),
        nn.Conv2d(3, 64, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(3, 64, 3, padding="same"),
        nn.Conv2d(3, 64, (3, 5)),
        nn.Conv2d(3, 64, 3, stride=(1, 2)),
    ],
)
def test_others_are_left_to_torch(convolution):
    assert pays(nn.Conv2d(3, 64, 3))
    assert not pays(convolution)
