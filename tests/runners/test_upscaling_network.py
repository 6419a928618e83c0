"""The upscaling network against the same network written plainly."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lossnets.runners.models.upscaling_network import DoublingConv2d, Network

pytestmark = pytest.mark.torch


def _reference_unit(inputs: int, outputs: int, kernel: int, *after: nn.Module) -> list[nn.Module]:
    return [nn.ReflectionPad2d(kernel // 2), nn.Conv2d(inputs, outputs, kernel), *after]


class _ReferenceResidual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_reference_unit(64, 64, 3, nn.BatchNorm2d(64), nn.ReLU()),
            *_reference_unit(64, 64, 3, nn.BatchNorm2d(64)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def _reference_network(doublings: int, blocks: int, *last: nn.Module) -> nn.Sequential:
    """Up to (tanh + 1) / 2."""
    layers = _reference_unit(3, 64, 9, nn.BatchNorm2d(64), nn.ReLU())
    layers += [_ReferenceResidual() for _ in range(blocks)]
    for _ in range(doublings):
        layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
        layers += _reference_unit(64, 64, 3, nn.BatchNorm2d(64), nn.ReLU())
    return nn.Sequential(*layers, *_reference_unit(64, 3, 9, *last), nn.Tanh())


@pytest.mark.parametrize(("factor", "blocks", "norm"), [(4, 2, True), (8, 1, False)])
def test_outputs_and_gradients_are_those_of_the_plain_network(factor, blocks, norm):
    torch.manual_seed(0)
    network = Network(factor, residual_blocks=blocks, last_batch_norm=norm).double()
    last = [nn.BatchNorm2d(3)] if norm else []
    plain = _reference_network({4: 2, 8: 3}[factor], blocks, *last).double()
    plain.load_state_dict(dict(zip(plain.state_dict(), network.state_dict().values(), strict=True)))
    images = torch.rand(2, 3, 6, 7, dtype=torch.float64)
    for mode in (True, False):
        output = network.train(mode)(images)
        expected = (plain.train(mode)(images) + 1) / 2
        assert output.shape == (2, 3, 6 * factor, 7 * factor)
        torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
        for model, result in ((network, output), (plain, expected)):
            model.zero_grad()
            result.square().sum().backward()
        for ours, theirs in zip(network.parameters(), plain.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-9)


def test_the_network_has_four_residual_blocks_and_no_batch_norm_at_its_end():
    names = dict(Network(4).named_modules())
    assert "residual.3.1.conv" in names
    assert "residual.4.1.conv" not in names
    assert sum(isinstance(module, nn.BatchNorm2d) for module in names.values()) == 1 + 8 + 2
    assert isinstance(names["last.norm"], nn.Identity)


def test_a_doubling_convolution_is_upsampling_padding_and_convolution():
    torch.manual_seed(0)
    conv = DoublingConv2d(5, 4, 3).double()
    plain = nn.Sequential(nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(5, 4, 3))
    plain.double()[2].load_state_dict(conv.state_dict())
    for size in ((1, 1), (3, 5)):
        images = torch.rand(2, 5, *size, dtype=torch.float64)
        torch.testing.assert_close(conv(images), plain(images), rtol=0, atol=1e-13)
    assert torch.autograd.gradcheck(conv, torch.rand(1, 5, 2, 3).double().requires_grad_())
