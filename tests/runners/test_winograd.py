"""Winograd's convolution is the convolution, and takes its place only where it pays."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from runners import winograd
from runners.loss_network import LossNetwork
from runners.perceptual_similarity import distances
from runners.winograd import TO_FILTER, TO_INPUT, TO_OUTPUT, Winograd, on_device

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")


def test_its_three_transforms_give_a_correlation_exactly():
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-9, 10, (6,), generator=generator).double()
    w = torch.randint(-9, 10, (3,), generator=generator).double()

    found = TO_OUTPUT @ ((TO_INPUT @ x) * (TO_FILTER @ w))

    assert torch.allclose(found, x.unfold(0, 3, 1) @ w, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(4, 4), (8, 16), (14, 13), (7, 7)])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_convolution(size, padding, bias, monkeypatch):
    torch.manual_seed(0)
    convolution = nn.Conv2d(5, 7, 3, padding=padding, bias=bias).double()
    maps = torch.randn(5, 5, *size, dtype=torch.float64)
    monkeypatch.setattr(winograd, "SAVED", 0)  # also where it would not pay
    monkeypatch.setattr(winograd, "CHUNK_BYTES", 2 * 36 * 7 * 8 * 4)  # two images or so at once

    convolution.requires_grad_(False)
    maps.requires_grad_()

    found, expected = Winograd(convolution)(maps).relu_(), convolution(maps).relu_()

    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    towards = torch.randn_like(expected)
    gradients = [torch.autograd.grad(y, maps, towards)[0] for y in (found, expected)]
    assert torch.allclose(*gradients, rtol=0, atol=1e-12)


def test_of_maps_that_tiles_hardly_fit_it_leaves_the_convolution_as_it_is(monkeypatch):
    convolution = nn.Conv2d(4, 4, 3, padding=1)
    quick = Winograd(convolution)
    monkeypatch.setattr(quick, "_convolve", None)  # not to be called
    maps = torch.randn(2, 4, 3, 3)  # 36 products for 81

    with torch.no_grad():
        assert torch.equal(quick(maps), convolution(maps))


def test_only_convolutions_that_it_pays_for_are_replaced():
    kept = [
        nn.Conv2d(64, 256, 3, padding=1),
        nn.Conv2d(256, 256, 3, padding=1, stride=2),
        nn.Conv2d(256, 256, 3, padding=2, dilation=2),
        nn.Conv2d(256, 256, 3, padding=1, groups=2),
        nn.Conv2d(256, 256, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(256, 256, 5, padding=1),
    ]
    network = nn.Sequential(*kept, nn.Sequential(nn.Conv2d(128, 256, 3, padding=1)))

    on_device(network, CPU, "fp32")

    assert [type(module) for module in network[:-1]] == [nn.Conv2d] * len(kept)
    assert isinstance(network[-1][0], Winograd)


def test_distances_of_a_network_are_the_same_with_it():
    layers = ["early", "middle", "late"]
    plain = LossNetwork("vgg11", layers, weights="random")
    quick = on_device(LossNetwork("vgg11", layers, weights="random"), CPU, "fp32")
    triplets = torch.rand(3, 2, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    with torch.no_grad():
        expected, found = distances(plain, triplets), distances(quick, triplets)

    assert any(isinstance(module, Winograd) for module in quick.modules())
    for layer in layers:
        assert torch.allclose(found[layer], expected[layer], rtol=0, atol=1e-6)


def test_other_precisions_keep_their_convolutions():
    network = on_device(LossNetwork("vgg11", "late", weights="random"), CPU, "bf16")

    assert not any(isinstance(module, Winograd) for module in network.modules())
