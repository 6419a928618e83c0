"""Squared errors of a line for what is left out, for many lines and permutations at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lossnets.analysis.frames.cube import Floats

Singles = NDArray[np.float32]


def line_errors(x: Floats, y: Singles) -> Singles:
    """Squared errors that a line in x avoids or adds, each architecture left out.

    `x`: (lines, n), centred; `y`: (n, columns), centred: the columns are scores in permuted
    orders. Returns (lines, columns), to be added to Σ y²; (n / (n − 1))² times that sum is the sum
    of squared errors. With Σ x² of the others in each denominator, and the sum over all of x·y,
    the errors of the architectures left out are a quadratic form in that sum. Where the others
    have one value of x, the mean predicts.
    """
    size = x**2
    pull, double, whole = _leverage(size)
    slope = x.astype(np.float32) @ y
    form = (double * size).astype(np.float32) @ (y * y)
    form -= 2 * slope * ((pull * x).astype(np.float32) @ y)
    form += whole.astype(np.float32)[:, None] * slope**2
    return np.asarray(form)


def plane_errors(x: Floats, y: Sequence[Singles]) -> Singles:
    """`line_errors` of one slope for several layers: x (layers, n), y a layer each (n, columns)."""
    pull, double, whole = (one[0] for one in _leverage((x**2).sum(axis=0, keepdims=True)))
    together = sum(row.astype(np.float32)[:, None] * of for row, of in zip(x, y, strict=True))
    slope = together.sum(axis=0)
    form = double.astype(np.float32) @ together**2
    form -= 2 * slope * (pull.astype(np.float32) @ together)
    return np.asarray(form + np.float32(whole) * slope**2)


def _leverage(size: Floats) -> tuple[Floats, Floats, Floats]:
    """Weights of x·y, of (x·y)², and of the squared sum of x·y, from x² (lines, n)."""
    c = size.shape[1] / (size.shape[1] - 1)
    total = size.sum(axis=1, keepdims=True)
    others = total - c * size
    known = others > 1e-9 * total
    inverse = np.where(known, 1 / np.where(known, others, 1), 0)
    pull = inverse * (1 + c * inverse * size)
    return pull, 2 * c * inverse + c**2 * inverse**2 * size, np.sum(inverse**2 * size, axis=1)
