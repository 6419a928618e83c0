"""The network of benchmark 2 that upscales images: Johnson et al.'s, faster at equal results."""

from __future__ import annotations

from math import log2

import torch
from torch import nn
from torch.nn import functional


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
            Unit(nn.Conv2d(64, 64, 3)) for _ in range(int(log2(factor)))
        )
        self.last = Unit(TallConv2d(64, 3, 9), batch_norm=last_batch_norm, relu=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.first(images)  # (N, 64, h, w)
        for block in self.residual:
            x = x + block(x)  # (N, 64, h, w)
        for unit in self.upsampling:
            x = unit(functional.interpolate(x, scale_factor=2, mode="nearest"))  # (N, 64, 2h, 2w)
        return (torch.tanh(self.last(x)) + 1) / 2  # (N, 3, factor · h, factor · w)


class Unit(nn.Module):
    """Reflection padding, convolution, batch norm, ReLU: the size stays."""

    def __init__(self, conv: nn.Conv2d, *, batch_norm: bool = True, relu: bool = True) -> None:
        super().__init__()
        self.padding = [conv.kernel_size[0] // 2] * 4
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels) if batch_norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = functional.pad(x, self.padding, mode="reflect")
        return self.relu(self.norm(self.conv(padded)))  # (N, C, H, W)


class TallConv2d(nn.Conv2d):
    """A convolution with few output channels, faster: each row of the kernel, then their sum.

    A k×k convolution to C channels keeps wide registers idle; one of 1×k to k · C channels does
    not, and a k×1 convolution with ones and zeros adds up what belongs to each row. The same to
    rounding.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        channels, _, rows, _ = self.weight.shape
        by_row = self.weight.transpose(1, 2).flatten(0, 1).unsqueeze(2)  # (C·k, C_in, 1, k)
        of_rows = functional.conv2d(x, by_row)  # (N, C·k, H, W - k + 1)
        pick = torch.eye(rows).to(of_rows).view(1, rows, rows, 1).repeat(channels, 1, 1, 1)
        return functional.conv2d(of_rows, pick, self.bias, groups=channels)
