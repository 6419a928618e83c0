"""A fast convolution is the convolution, and takes its place only where it pays."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn

from lossnets.runners.networks.kernels import fast_convolution
from lossnets.runners.networks.kernels.bilinear import TILE, of_map
from lossnets.runners.networks.kernels.fast_convolution import FastConvolution

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("side", "taps"), [*product(range(1, 9), [3]), *product(range(2, 9), [5])])
def test_its_transforms_give_the_convolution_of_a_whole_map(side, taps):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-9, 10, (side, side), generator=generator).double()
    w = torch.randint(-9, 10, (taps, taps), generator=generator).double()
    by = of_map(side, taps)

    found = by.to_output @ ((by.to_input @ x.flatten()) * (by.to_filter @ w.flatten()))

    expected = nn.functional.conv2d(x[None, None], w[None, None], padding="same")[0, 0]
    assert torch.allclose(found.view(side, side), expected, rtol=0, atol=1e-11)


def test_its_transforms_give_the_correlation_of_a_tile():
    x = torch.tensor([3, -1, 4, 1, -5, 9], dtype=torch.float64)
    w = torch.tensor([2, 7, -1], dtype=torch.float64)

    found = TILE.to_output @ ((TILE.to_input @ x) * (TILE.to_filter @ w))

    # 2·3 - 7·1 - 4, -2 + 28 - 1, 8 + 7 + 5, 2 - 35 - 9
    assert torch.allclose(found, torch.tensor([-5.0, 25, 20, -42]).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("side", "taps", "products"), [(2, 3, 9), (3, 3, 16), (4, 3, 37), (5, 3, 52), (7, 5, 121)]
)
def test_it_takes_so_few_products_for_a_map(side, taps, products):
    assert of_map(side, taps).products == products
    assert products < (taps * side) ** 2 / 3  # what the convolution takes


SIZES = [(2, 2), (3, 3), (4, 4), (5, 5), (7, 7), (8, 16), (14, 13), (2, 3), (1, 1)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("taps", [3, 5])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_convolution(size, taps, bias, monkeypatch):
    torch.manual_seed(0)
    convolution = nn.Conv2d(5, 7, taps, padding=taps // 2, bias=bias).double()
    maps = torch.randn(5, 5, *size, dtype=torch.float64)
    monkeypatch.setattr(fast_convolution, "SAVED", 0)  # also where it would not pay
    monkeypatch.setattr(fast_convolution, "TILED_CHANNELS", 1)
    monkeypatch.setattr(fast_convolution, "FEWEST", 1)
    monkeypatch.setattr(fast_convolution, "CHUNK_BYTES", 2 * 36 * 7 * 8 * 4)  # two or so at once

    convolution.requires_grad_(False)
    maps.requires_grad_()

    found, expected = FastConvolution(convolution)(maps).relu_(), convolution(maps).relu_()

    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    towards = torch.randn_like(expected)
    gradients = [torch.autograd.grad(y, maps, towards)[0] for y in (found, expected)]
    assert torch.allclose(*gradients, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("taps", "maps", "ways"),
    [
        (3, (16, 128, 3, 3), {"_as_wholes"}),
        (3, (15, 128, 3, 3), set()),  # too few maps; 36 products for 81
        (3, (15, 128, 4, 4), {"_by_tiles"}),
        (3, (16, 128, 6, 6), set()),  # larger; 144 products for 324
        (3, (16, 128, 8, 8), {"_by_tiles"}),
        (3, (16, 128, 3, 5), set()),  # no square
        (5, (16, 128, 7, 7), {"_as_wholes"}),
        (5, (16, 128, 8, 8), set()),
    ],
)
def test_which_maps_are_carried_over_as_wholes_which_in_tiles_and_which_are_not(
    taps, maps, ways, monkeypatch
):
    convolution = nn.Conv2d(128, 128, taps, padding=taps // 2).requires_grad_(False)
    quick, gone = FastConvolution(convolution), set()
    for way in ("_as_wholes", "_by_tiles"):
        usual = getattr(quick, way)
        monkeypatch.setattr(quick, way, lambda x, w=way, f=usual: (gone.add(w), f(x))[1])
    x = torch.randn(maps)

    found = quick(x)

    assert gone == ways
    assert torch.allclose(found, convolution(x), rtol=0, atol=1e-4)
