"""Random permutations, many at once, and what is counted over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lossnets.analysis.frames.cube import Floats

PERMUTATIONS = 10_000


def permutations(rng: np.random.Generator, count: int, size: int) -> NDArray[np.intp]:
    """Uniform random permutations of `size` things: (count, size) indices."""
    return rng.integers(0, 2**32, (count, size), dtype=np.uint32).argsort(axis=1)


def permutation_p(observed: float, null: Floats) -> float:
    """Share of null statistics at least as large as observed, the observed one counted in.

    >>> float(permutation_p(3.0, np.array([1.0, 2.0, 3.0])))
    0.5
    """
    scale = max(abs(observed), 1e-300)
    return float((1 + np.sum(null >= observed - 1e-9 * scale)) / (1 + len(null)))


def permuted_rank_sums(
    ranks: Floats, rng: np.random.Generator, count: int = PERMUTATIONS
) -> Floats:
    """Sums of ranks over blocks after permuting each block's ranks on its own.

    `ranks`: (blocks, treatments), or (blocks, treatments, columns) whose columns share the
    permutations. Returns (count, treatments) or (count, treatments, columns). The first block
    stays, which changes no statistic that is symmetric in the treatments.
    """
    doubled = np.rint(2 * ranks).astype(np.int32)
    sums = np.repeat(doubled[:1], count, axis=0)
    for block in doubled[1:]:
        sums += np.take(block, permutations(rng, count, len(block)), axis=0)
    return sums / 2
