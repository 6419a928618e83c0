"""The network of benchmark 2 that upscales images: Johnson et al.'s, faster at equal results."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.networks.kernels.few_channels import TallConv2d


class Network(nn.Module):
    """The upscaling network: (N, 3, h, w) in [0, 1] → (N, 3, factor · h, factor · w) in [0, 1].

    Source: Johnson et al., Perceptual Losses for Real-Time Style Transfer and Super-Resolution,
    ECCV 2016, supplementary material.

    >>> tuple(Network(8)(torch.rand(2, 3, 6, 5)).shape)
    (2, 3, 48, 40)
    """

    def __init__(
        self, factor: int, *, residual_blocks: int = 4, last_batch_norm: bool = False
    ) -> None:
        super().__init__()
        self.first = Unit(nn.Conv2d(3, 64, 9))
        self.residual = nn.ModuleList(
            nn.Sequential(Unit(nn.Conv2d(64, 64, 3)), Unit(nn.Conv2d(64, 64, 3), relu=False))
            for _ in range(residual_blocks)
        )
        self.upsampling = nn.ModuleList(
            Unit(DoublingConv2d(64, 64, 3), pads=False) for _ in range(int(log2(factor)))
        )
        self.last = Unit(TallConv2d(64, 3, 9), batch_norm=last_batch_norm, relu=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.first(images)  # (N, 64, h, w)
        for block in self.residual:
            x = x + block(x)  # (N, 64, h, w)
        for unit in self.upsampling:
            x = unit(x)  # (N, 64, 2h, 2w)
        return (torch.tanh(self.last(x)) + 1) / 2  # (N, 3, factor · h, factor · w)


class Unit(nn.Module):
    """Reflection padding, convolution, batch norm, ReLU."""

    def __init__(
        self, conv: nn.Conv2d, *, pads: bool = True, batch_norm: bool = True, relu: bool = True
    ) -> None:
        super().__init__()
        self.pad = nn.ReflectionPad2d(conv.kernel_size[0] // 2) if pads else nn.Identity()
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels) if batch_norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.norm(self.conv(self.pad(x))))  # (N, C, H, W)


class DoublingConv2d(nn.Conv2d):
    """Nearest upsampling ×2, reflection padding and a 3×3 convolution, in fewer multiplications.

    (N, C_in, h, w) → (N, C, 2h, 2w). Of the nine pixels below a kernel at most four differ, and
    which are the same depends on whether row and column of the output are even or odd: four 2×2
    kernels, sums of the weights of the 3×3 one, give the four kinds of pixels. The same to
    rounding. Reflected at the border, the upsampled image repeats the pixel there.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # of even pixels the first tap sees the pixel before, of odd ones the last the one after
        taps = [[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]]
        sums = torch.tensor(taps).to(self.weight)  # (kind, tap of 2, tap of 3)
        kernels = torch.einsum("pau,qbv,oiuv->pqoiab", sums, sums, self.weight).flatten(0, 2)
        bias = None if self.bias is None else self.bias.repeat(4)
        padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
        return _Interleave.apply(functional.conv2d(padded, kernels, bias))


class _Interleave(torch.autograd.Function):
    """(N, 4·C, h + 1, w + 1), the four kinds of pixels → (N, C, 2h, 2w), channels last.

    Kind (i, j) lies at the rows from i and the columns from j.
    """

    @staticmethod
    def forward(ctx: Any, kinds: torch.Tensor) -> torch.Tensor:
        n, channels, height, width = kinds.shape
        size = (n, height - 1, 2, width - 1, 2, channels // 4)
        pixels = kinds.new_empty(size)
        for place, kind in _kinds(pixels, kinds.permute(0, 2, 3, 1)):
            place.copy_(kind)
        return pixels.view(n, 2 * height - 2, 2 * width - 2, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        n, channels, height, width = gradient.shape
        size = (n, height // 2, 2, width // 2, 2, channels)
        pixels = gradient.permute(0, 2, 3, 1).reshape(size)
        kinds = gradient.new_zeros(n, height // 2 + 1, width // 2 + 1, 4 * channels)
        for place, kind in _kinds(pixels, kinds):
            kind.copy_(place)
        return kinds.permute(0, 3, 1, 2)


def _kinds(
    pixels: torch.Tensor, kinds: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Views of the same pixels: in (N, h, 2, w, 2, C), and in (N, h + 1, w + 1, 4·C)."""
    _, height, _, width, _, channels = pixels.shape
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        of_kind = slice((2 * i + j) * channels, (2 * i + j + 1) * channels)
        yield pixels[:, :, i, :, j], kinds[:, i : height + i, j : width + j, of_kind]
