"""Frozen convolutions on a CPU with a fraction of the multiplications.

Small maps are carried over as wholes, larger ones in tiles, to points at which a convolution is
one product per pair of channels; all points are one product of matrices each. Libraries for GPUs
do such things by themselves; torch on a CPU does not.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.networks.kernels.bilinear import TILE, of_map

CHANNELS = 96  # the geometric mean of in and out: fewer do not pay for carrying over
TILED_CHANNELS = 128  # the fewer of in and out, in tiles
LARGER = 2  # px a side that a map carried over as a whole may exceed the filter by
FEWEST = 16  # such maps: with fewer the filters, once for each point, are most of the work
SAVED = 3  # times fewer multiplications, else whole tiles are too large for the map
CHUNK_BYTES = 2**23  # of tiles at once: what a processor's cache holds
STEP, REACH = TILE.to_output.shape[0], TILE.to_input.shape[1]  # px a side of tiles: out, in


class FastConvolution(nn.Module):
    """A frozen convolution of stride 1 that keeps its maps' size, 3×3 or 5×5.

    Equal to the convolution but for rounding, about 1e-5 of the greatest output in float32, and
    so is the gradient to its input. Takes up to six times the convolution's memory for its
    filters, twice that with gradients.

    >>> convolution = nn.Conv2d(128, 128, 3, padding=1)
    >>> maps = torch.rand(2, 128, 8, 8)
    >>> with torch.no_grad():
    ...     torch.allclose(FastConvolution(convolution)(maps), convolution(maps), atol=1e-5)
    True
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        self._filters: dict[int | None, torch.Tensor] = {}  # by the side of whole maps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) → (N, O, H, W); by the convolution itself where nothing is saved."""
        if not (self._is_whole(x) or self._is_tiled(x)):
            return self.convolution(x)
        return _WithGradient.apply(x, self)

    def fast(self, x: torch.Tensor) -> torch.Tensor:
        """The same without gradients, for maps that it pays for."""
        return self._as_wholes(x) if self._is_whole(x) else self._by_tiles(x)

    @cached_property
    def transposed(self) -> FastConvolution:
        """The convolution that carries gradients of its output back to its input."""
        there = self.convolution
        back = nn.Conv2d(
            there.out_channels, there.in_channels, self._taps, padding="same", bias=False
        )
        back.weight = nn.Parameter(there.weight.detach().flip(2, 3).transpose(0, 1))
        return FastConvolution(back.requires_grad_(False))

    @property
    def _taps(self) -> int:
        return self.convolution.kernel_size[0]

    def _is_whole(self, x: torch.Tensor) -> bool:
        n, _, height, width = x.shape
        return height == width and 2 <= height <= self._taps + LARGER and n >= FEWEST

    def _is_tiled(self, x: torch.Tensor) -> bool:
        height, width = x.shape[2:]
        saved = 9 * height * width / (TILE.products**2 * -(-height // STEP) * -(-width // STEP))
        fewest = min(self.convolution.in_channels, self.convolution.out_channels)
        return self._taps == 3 and fewest >= TILED_CHANNELS and saved >= SAVED

    def _carried_over(self, side: int | None) -> torch.Tensor:
        """The filters at each point, for maps as wholes or for tiles. (products, C, O)"""
        if side not in self._filters:
            by = of_map(side, self._taps) if side else TILE.along_both_sides()
            weight = self.convolution.weight.detach()  # (O, C, k, k)
            taps = weight.double().flatten(2).permute(2, 1, 0)  # (k², C, O)
            points = torch.tensordot(by.to_filter.to(taps), taps, dims=1)
            self._filters[side] = points.to(weight.dtype).contiguous()
        return self._filters[side]

    def _as_wholes(self, x: torch.Tensor) -> torch.Tensor:
        n, channels, side, _ = x.shape
        by = of_map(side, self._taps)
        maps = x.permute(2, 3, 0, 1).reshape(side**2, -1)
        points = (by.to_input.to(x) @ maps).view(-1, n, channels)  # (products, N, C)
        products = torch.bmm(points, self._carried_over(side)).flatten(1)  # (…, N · O)
        y = (by.to_output.to(x) @ products).view(side, side, n, -1)
        if self.convolution.bias is not None:
            y += self.convolution.bias
        return y.permute(2, 3, 0, 1).clone(memory_format=torch.channels_last)

    def _by_tiles(self, x: torch.Tensor) -> torch.Tensor:
        filters = self._carried_over(None)
        n, _, height, width = x.shape
        rows, columns, channels = -(-height // STEP), -(-width // STEP), filters.shape[2]
        margins = (0, 0, 1, 1 + columns * STEP - width, 1, 1 + rows * STEP - height)
        whole = (n, channels, rows * STEP, columns * STEP)
        y = torch.empty(whole, dtype=x.dtype, memory_format=torch.channels_last)
        out = y.permute(0, 2, 3, 1).view(n, rows, STEP, columns, STEP, channels)
        tiles = len(filters) * rows * columns * max(filters.shape[1:]) * x.element_size()
        at_once = max(1, CHUNK_BYTES // tiles)
        chunks = x.permute(0, 2, 3, 1).split(at_once)  # (n, H, W, C)
        for chunk, part in zip(chunks, out.split(at_once), strict=True):
            self._convolve(functional.pad(chunk, margins), filters, part)
        if (rows * STEP, columns * STEP) == (height, width):
            return y
        return y[:, :, :height, :width].clone(memory_format=torch.channels_last)

    def _convolve(self, x: torch.Tensor, filters: torch.Tensor, out: torch.Tensor) -> None:
        """Maps with margins (n, H, W, C) → tiles of the output (n, rows, 4, columns, 4, O)."""
        to_input, to_output, points = TILE.to_input.to(x), TILE.to_output.to(x), TILE.products
        tiles = x.unfold(1, REACH, STEP).unfold(2, REACH, STEP)  # (n, rows, columns, C, 6, 6)
        tiles = tiles.permute(4, 5, 0, 1, 2, 3).reshape(REACH, -1)  # one side, all the rest
        found = (to_input @ tiles).view(points, REACH, -1)
        found = (to_input @ found).view(points**2, -1, x.shape[3])  # (36, tiles, C)
        found = torch.bmm(found, filters).view(points, -1)  # (6, 6 · tiles · O)
        found = (to_output @ found).view(STEP, points, -1)
        found = to_output @ found  # (4, 4, tiles · O)
        n, rows, _, columns, _, channels = out.shape
        found = found.view(STEP, STEP, n, rows, columns, channels).permute(2, 3, 0, 4, 1, 5)
        bias = self.convolution.bias
        if bias is None:
            out.copy_(found)
        else:
            torch.add(found, bias, out=out)


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: FastConvolution) -> torch.Tensor:
        ctx.layer = layer
        return layer.fast(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.layer.transposed(gradient), None


def pays(c: nn.Conv2d) -> bool:
    """Whether a convolution is of a kind that this can compute, with channels enough."""
    plain = c.stride == (1, 1) and c.dilation == (1, 1) and c.groups == 1
    taps = c.kernel_size[0]
    same = c.kernel_size in ((3, 3), (5, 5)) and c.padding in ("same", (taps // 2, taps // 2))
    enough = c.in_channels * c.out_channels >= CHANNELS**2
    return plain and same and c.padding_mode == "zeros" and enough
