"""3×3 convolutions with a quarter of the multiplications, by Winograd's minimal filtering.

Every 4×4 tile of an output depends on a 6×6 tile of the input. Both are carried over to 36 points,
at which the convolution is one product per pair of channels, where it takes 9·16 = 144 otherwise.
Libraries for GPUs do this by themselves; torch on a CPU does not.

Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016, F(4×4, 3×3).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn import functional

Frozen = TypeVar("Frozen", bound=nn.Module)

TILE, POINTS = 4, 6  # px a side of a tile of the output, of the input
CHANNELS = 128  # fewer do not pay for carrying tiles over
SAVED = 3  # times fewer multiplications, else whole tiles are too large for the map
CHUNK_BYTES = 2**23  # of tiles at once: what a processor's cache holds

# Polynomials through the points 0, ±1, ±2 and ∞: of input tiles, filters and output tiles.
TO_INPUT = torch.tensor(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=torch.float64,
)
TO_FILTER = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    dtype=torch.float64,
)
TO_OUTPUT = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    dtype=torch.float64,
)


class Winograd(nn.Module):
    """A frozen 3×3 convolution of stride 1, for feature maps in channels-last order.

    Equal to the convolution but for rounding, about 1e-5 of the greatest output in float32, and
    so is the gradient to its input. Takes four times the convolution's memory for its filters,
    eight times with gradients.

    >>> convolution = nn.Conv2d(128, 128, 3, padding=1)
    >>> maps = torch.rand(2, 128, 8, 8)
    >>> with torch.no_grad():
    ...     torch.allclose(Winograd(convolution)(maps), convolution(maps), atol=1e-5)
    True
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        weight = convolution.weight.detach()  # (O, C, 3, 3)
        to_filter = TO_FILTER.to(weight.device)
        points = torch.einsum("ia,jb,ocab->ijco", to_filter, to_filter, weight.double())
        self.filters = points.flatten(0, 1).to(weight.dtype).contiguous()  # (36, C, O)
        self.to_input, self.to_output = TO_INPUT.to(weight), TO_OUTPUT.to(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, O, H', W'); by the convolution itself where tiles save too little."""
        height, width, rows, columns = self._sizes(x)
        if 9 * height * width < SAVED * POINTS**2 * rows * columns:
            return self.convolution(x)
        return _WithGradient.apply(x, self)

    def tiled(self, x: torch.Tensor) -> torch.Tensor:
        """The same by tiles, whatever they save; without gradients."""
        height, width, rows, columns = self._sizes(x)
        pad = int(self.convolution.padding[0])
        x = x.permute(0, 2, 3, 1)  # (N, H, W, C)
        ends = (rows * TILE - height, columns * TILE - width)
        margins = (0, 0, pad, pad + ends[1], pad, pad + ends[0])
        channels = self.filters.shape[2]
        whole = (len(x), channels, rows * TILE, columns * TILE)
        y = torch.empty(whole, dtype=x.dtype, memory_format=torch.channels_last)
        out = y.permute(0, 2, 3, 1).view(len(x), rows, TILE, columns, TILE, channels)
        tiles = POINTS**2 * rows * columns * max(self.filters.shape[1:]) * x.element_size()
        at_once = max(1, CHUNK_BYTES // tiles)
        for chunk, part in zip(x.split(at_once), out.split(at_once), strict=True):
            self._convolve(functional.pad(chunk, margins), part)
        if y.shape[2:] == (height, width):
            return y
        return y[:, :, :height, :width].clone(memory_format=torch.channels_last)

    @cached_property
    def transposed(self) -> Winograd:
        """The convolution that carries gradients of its output back to its input."""
        there = self.convolution
        back = nn.Conv2d(
            there.out_channels, there.in_channels, 3, padding=2 - int(there.padding[0]), bias=False
        )
        back.weight = nn.Parameter(there.weight.detach().flip(2, 3).transpose(0, 1))
        return Winograd(back.requires_grad_(False))

    def _sizes(self, x: torch.Tensor) -> tuple[int, int, int, int]:
        """Height and width of the output, in pixels and in tiles."""
        height, width = (side + 2 * int(self.convolution.padding[0]) - 2 for side in x.shape[2:])
        return height, width, -(-height // TILE), -(-width // TILE)

    def _convolve(self, x: torch.Tensor, out: torch.Tensor) -> None:
        """Maps with margins (n, H, W, C) → tiles of the output (n, rows, 4, columns, 4, O)."""
        tiles = x.unfold(1, POINTS, TILE).unfold(2, POINTS, TILE)  # (n, rows, columns, C, 6, 6)
        tiles = tiles.permute(4, 5, 0, 1, 2, 3).reshape(POINTS, -1)  # one side, all the rest
        points = (self.to_input @ tiles).view(POINTS, POINTS, -1)
        points = (self.to_input @ points).view(POINTS**2, -1, x.shape[3])  # (36, tiles, C)
        products = torch.bmm(points, self.filters)  # (36, tiles, O)
        found = (self.to_output @ products.view(POINTS, -1)).view(TILE, POINTS, -1)
        found = self.to_output @ found  # (4, 4, tiles · O)
        n, rows, _, columns, _, channels = out.shape
        found = found.view(TILE, TILE, n, rows, columns, channels).permute(2, 3, 0, 4, 1, 5)
        bias = self.convolution.bias
        if bias is None:
            out.copy_(found)
        else:
            torch.add(found, bias, out=out)


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: Winograd) -> torch.Tensor:
        ctx.layer = layer
        return layer.tiled(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.layer.transposed(gradient), None


def on_device(network: Frozen, device: torch.device, precision: str) -> Frozen:
    """A frozen network where it is to compute, in the form in which it computes fastest there.

    Channels last; in fp32 on a CPU with Winograd's convolutions where they pay.
    """
    network = network.to(device).to(memory_format=torch.channels_last)
    if device.type == "cpu" and precision == "fp32":
        for parent in list(network.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Conv2d) and _pays(child):
                    setattr(parent, name, Winograd(child))
    return network


def _pays(c: nn.Conv2d) -> bool:
    plain = c.kernel_size == (3, 3) and c.stride == (1, 1) and c.dilation == (1, 1)
    same = c.padding in ((0, 0), (1, 1)) and c.padding_mode == "zeros" and c.groups == 1
    return plain and same and min(c.in_channels, c.out_channels) >= CHANNELS
