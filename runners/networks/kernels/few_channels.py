"""Convolutions to or from a few channels, such as an image's, which torch is slow at on a CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.networks.kernels import rearranged

FEW = 4  # channels of an image, or fewer
NARROW = 8  # channels that leave most of a wide register idle


class TallConv2d(nn.Conv2d):
    """A convolution with few output channels, faster: each row of the kernel, then their sum.

    A k×k convolution to C channels keeps wide registers idle; one of 1×k to k · C channels does
    not, and a k×1 convolution with ones and zeros adds up what belongs to each row. The same to
    rounding.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not rearranged():
            return super().forward(x)
        channels, _, rows, _ = self.weight.shape
        down, right = (int(side) for side in self.padding)
        by_row = self.weight.transpose(1, 2).flatten(0, 1).unsqueeze(2)  # (C·k, C_in, 1, k)
        of_rows = functional.conv2d(x, by_row, padding=(0, right))  # (N, C·k, H, W')
        pick = torch.eye(rows).to(of_rows).view(1, rows, rows, 1).repeat(channels, 1, 1, 1)
        return functional.conv2d(of_rows, pick, self.bias, padding=(down, 0), groups=channels)


class FirstConvolution(nn.Module):
    """A frozen convolution of images, with a gradient to them that is a convolution as well.

    Of stride s, it yields the s² kinds of pixels, each by the taps that meet it, as channels,
    which are then interleaved. The same as torch's to rounding; in single precision on a CPU,
    elsewhere it is torch's.

    Source: Shi et al., Is the deconvolution layer the same as a convolutional layer?, 2016.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        weight, stride = convolution.weight.detach(), convolution.stride[0]  # (O, C, k, k)
        taps = -(-weight.shape[2] // stride)  # of a kind of pixels, in a row or a column
        to = taps * stride - weight.shape[2]
        kinds = functional.pad(weight, (0, to, 0, to))
        kinds = kinds.view(*weight.shape[:2], taps, stride, taps, stride)
        kernels = kinds.flip(2, 4).permute(1, 3, 5, 0, 2, 4).flatten(0, 2)  # (C·s², O, taps, taps)
        layer = TallConv2d if len(kernels) < NARROW else nn.Conv2d
        self.back = layer(len(weight), len(kernels), taps, padding=taps - 1, bias=False)
        self.back.weight = nn.Parameter(kernels, requires_grad=False)
        self.back.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, O, H', W')."""
        plain = x.device.type != "cpu" or x.dtype != torch.float32 or not x.requires_grad
        if plain or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return self.convolution(x)
        return _WithGradient.apply(x, self)

    def gradient(self, y: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Of the output's gradient the input's, which is of a size (N, C, H, W)."""
        pixels = functional.pixel_shuffle(self.back(y), self.convolution.stride[0])
        before = int(self.convolution.padding[0])
        right, below = (before + size[i] - pixels.shape[i] for i in (3, 2))
        return functional.pad(pixels, (-before, right, -before, below))


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: FirstConvolution) -> torch.Tensor:
        ctx.layer, ctx.size = layer, x.shape
        return layer.convolution(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.layer.gradient(gradient, ctx.size), None


def pays(c: nn.Conv2d) -> bool:
    """Whether a convolution is one of images that this can compute."""
    plain = c.dilation == (1, 1) and c.groups == 1 and c.padding_mode == "zeros"
    square = all(len(set(pair)) == 1 for pair in (c.kernel_size, c.stride, c.padding))
    return plain and square and c.in_channels <= FEW and c.kernel_size[0] > 1
