"""Convolutions of small tiles and maps with the fewest multiplications.

A bilinear algorithm carries the input and the filter over to points at which the convolution is
one product each, and the products back to the output.

Sources: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016 (`TILE`); Ju and
Solomonik, Derivation and Analysis of Fast Bilinear Algorithms for Convolution, 2020 (in general).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Bilinear:
    """The correlation of x by w as to_output @ ((to_input @ x) * (to_filter @ w))."""

    to_input: torch.Tensor  # (products, inputs)
    to_filter: torch.Tensor  # (products, taps)
    to_output: torch.Tensor  # (outputs, products)

    @property
    def products(self) -> int:
        return len(self.to_input)

    def along_both_sides(self) -> Bilinear:
        """Of squares, row by row in one vector."""
        return Bilinear(*(torch.kron(t, t) for t in vars(self).values()))


def _rows(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# 4 outputs of 6 inputs by 3 taps: polynomials through the points 0, ±1, ±2 and ∞.
TILE = Bilinear(
    to_input=_rows(
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ),
    to_filter=_rows(
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ),
    to_output=_rows(
        [1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]
    ),
)

# Two and three pixels by 3 taps, with a zero at either end. Three pixels by (a, b, c) are
# [[0, c, b], [c, b, a], [b, a, 0]] times the pixels in reverse, a sum of four matrices of rank
# one: those of (1, ±3/2, 1) and (-1, ±1/2, 1).
SMALL = {
    2: Bilinear(
        to_input=_rows([1, 1], [0, 1], [1, 0]),
        to_filter=_rows([0, 1, 0], [0, -1, 1], [1, -1, 0]),
        to_output=_rows([1, 1, 0], [1, 0, 1]),
    ),
    3: Bilinear(
        to_input=_rows([1, 3 / 2, 1], [1, -3 / 2, 1], [1, 1 / 2, -1], [1, -1 / 2, -1]),
        to_filter=_rows(
            [1 / 6, 1 / 4, 1 / 6],
            [-1 / 6, 1 / 4, -1 / 6],
            [1 / 2, -1 / 4, -1 / 2],
            [-1 / 2, -1 / 4, 1 / 2],
        ),
        to_output=_rows([1, 1, -1, -1], [3 / 2, -3 / 2, 1 / 2, -1 / 2], [1, 1, 1, 1]),
    ),
}


@cache
def of_map(side: int, taps: int) -> Bilinear:
    """Square maps, zeros round them, by square filters of an odd number of taps a side.

    The output has the size of the map. All are row by row in one vector.

    >>> by = of_map(7, 5)
    >>> by.products, tuple(by.to_input.shape), tuple(by.to_filter.shape)
    (121, (121, 49), (121, 25))
    """
    if taps == 3 and side in SMALL:
        return SMALL[side].along_both_sides()
    return _by_fourier(side, taps)


def _by_fourier(side: int, taps: int) -> Bilinear:
    """Periodic convolution: the period is so long that only what is cut off meets itself.

    A product of complex numbers, (a + bi)(c + di), is three of real ones: c(a + b), a(d - c) and
    b(c + d). Of a real map, one of every two conjugate frequencies is enough.
    """
    margin = taps // 2
    period = side + margin
    pixels, filters = (
        torch.eye(n * n, dtype=torch.float64).view(n * n, n, n) for n in (side, taps)
    )
    filters = functional.pad(filters, (0, period - taps, 0, period - taps))
    filters = filters.roll((-margin, -margin), (1, 2))
    x = torch.fft.fft2(pixels, s=(period, period)).flatten(1).T  # (frequencies, inputs)
    w = torch.fft.fft2(filters).flatten(1).T.conj()  # (frequencies, taps)
    place = torch.arange(period**2).view(period, period)
    opposite = place.flip(0, 1).roll((1, 1), (0, 1)).flatten()
    place = place.flatten()
    real, complex_ = place == opposite, place < opposite
    a, b, c, d = x[complex_].real, x[complex_].imag, w[complex_].real, w[complex_].imag
    return Bilinear(
        to_input=torch.cat([x[real].real, a + b, a, b]),
        to_filter=torch.cat([w[real].real, c, d - c, c + d]),
        to_output=torch.cat([x[real].real, 2 * (a + b), 2 * b, -2 * a]).T / period**2,
    )
