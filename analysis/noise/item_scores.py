"""Scores from values per item over resampled items: arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lossnets.analysis.frames.cube import Floats

Times = NDArray[np.uint8]
CELLS = 20_000_000  # resamples × items at once at most: bounds memory


def resampled_means(values: Floats, rng: np.random.Generator, resamples: int) -> Floats:
    """Means of values (N,) over as many items, drawn again with replacement: (resamples,).

    A mean depends on how often each distinct value is drawn, not on which item it came from.
    """
    distinct, counts = np.unique(values, return_counts=True)
    n = len(values)
    step = max(CELLS // 8 // len(distinct), 1)
    drawn = (
        rng.multinomial(n, counts / n, size=min(step, resamples - start)) @ distinct
        for start in range(0, resamples, step)
    )
    return np.concatenate(list(drawn)) / n


def times_drawn(sizes: Sequence[int], rng: np.random.Generator, resamples: int) -> Times:
    """How often each item is drawn, in strata of these sizes: (sum of sizes, resamples).

    Each stratum is drawn from as often as it has items, with replacement. (No item of so many is
    ever drawn more than 255 times.)
    """
    times = np.empty((sum(sizes), resamples), dtype=np.uint8)
    for r in range(resamples):
        start = 0
        for size in sizes:
            drawn = np.bincount(rng.integers(0, size, size), minlength=size)
            times[start : start + size, r] = np.minimum(drawn, 255)
            start += size
    return times


def resampled_precisions(distance: Floats, same: Floats, times: Times) -> Floats:
    """`average_precision` with each pair counted so many times: times (N, R) → (R,).

    NaN where no pair with any "same" is counted. Pair by pair from the greatest distance down,
    all resamples at once: what is left are the pairs that are called at that distance.
    """
    order = np.argsort(distance, kind="stable")[::-1]
    _, group = np.unique(distance[order], return_inverse=True)
    begins = np.append(True, group[1:] != group[:-1]) & (np.bincount(group, same[order])[group] > 0)
    called = times.sum(axis=0, dtype=float)
    found = weighted(same, times)
    total = found.copy()
    best, area, step = (np.zeros_like(found) for _ in range(3))
    for pair, label, is_threshold in zip(order.tolist(), same[order], begins, strict=True):
        if is_threshold:
            np.divide(found, np.maximum(called, 1, out=step), out=step)
            np.maximum(best, step, out=best)
        if label > 0:
            np.multiply(times[pair], label, out=step)
            found -= step
            step *= best
            area += step
        called -= times[pair]
    return np.divide(area, total, out=np.full_like(total, np.nan), where=total > 0)


def weighted(weights: Floats, times: Times, rows: int = 256) -> Floats:
    """weights @ times, a few rows at a time: all of them as floats would be eight times as much."""
    parts = range(0, len(weights), rows)
    return np.sum(
        [weights[i : i + rows] @ times[i : i + rows].astype(float) for i in parts], axis=0
    )
