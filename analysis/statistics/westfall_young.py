"""Permutations of whole architectures, and p values adjusted for many scores."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
from scipy.stats import rankdata
from statsmodels.stats.multitest import multipletests

from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.statistics.coefficients import (
    Indices,
    Singles,
    complete_rows,
    narrow_product,
    unit_columns,
)
from lossnets.analysis.statistics.permutations import PERMUTATIONS

TOLERANCE = 1e-5  # statistics closer than this are equal: single precision, and ties of ranks


class Shuffles:
    """Random orders of architectures, the same ones for every attribute and score.

    Each order is that of random keys, one per architecture, so that leaving some
    architectures out keeps the others' order: adding an attribute changes no p value of
    another. The first order is the one observed; where all orders of a set are fewer than
    `count`, they are all taken and p values are exact.
    """

    def __init__(self, size: int, rng: np.random.Generator, count: int = PERMUTATIONS) -> None:
        self._keys = rng.random((count, size), dtype=np.float32)
        self._orders: dict[bytes, Indices] = {}

    def of(self, rows: Indices) -> Indices:
        """Orders (shuffles, rows) of the given rows, as positions among them."""
        token = np.asarray(rows).tobytes()
        if token not in self._orders:
            self._orders[token] = self._draw(rows)
        return self._orders[token]

    def _draw(self, rows: Indices) -> Indices:
        observed = np.arange(len(rows))
        if len(rows) < 20 and factorial(len(rows)) <= len(self._keys):
            return np.array(list(permutations(observed)), dtype=np.intp)
        return np.vstack([observed, self._keys[:, rows].argsort(axis=1)])


def permuted_correlations(x: Floats, y: Floats, shuffles: Shuffles, *, ranked: bool) -> Singles:
    """Correlation times √(n−1) of x with each column of y, for each shuffle of x.

    `x`: (architectures,); `y`: (architectures, columns). Returns (columns, shuffles), the
    first as observed, NaN where not computable. Columns that miss some architectures are
    correlated, and ranked, without them.
    """
    known = np.flatnonzero(np.isfinite(x))
    size = np.abs(x[known]).max(initial=0)
    base = rankdata(x[known]) if ranked else x[known] / (size or 1.0)
    arranged = (base - base.mean() if len(base) else base)[shuffles.of(known)]
    return arranged_correlations(arranged.astype(np.float32), x, y, ranked=ranked)


def arranged_correlations(
    arranged: Singles, x: Floats, y: Floats, *, ranked: bool, least: int = 3
) -> Singles:
    """Correlation times √(n−1) of arrangements of x's known values with each column of y.

    `arranged`: (arrangements, known values), the first as in x; all hold the same values.
    NaN where fewer than `least` architectures are left or something is constant.
    """
    known = np.flatnonzero(np.isfinite(x))
    statistics = np.empty((y.shape[1], len(arranged)), dtype=np.float32)
    missing = np.ones(y.shape[1], dtype=bool)
    for rows, columns in complete_rows(x, y):
        if len(rows) < least or np.isnan(unit_columns(x[rows][:, None])[0, 0]):
            continue
        values = y[np.ix_(rows, columns)]
        units = unit_columns(rankdata(values, axis=0) if ranked else values)
        if len(rows) == len(known):
            centred = arranged - arranged[0].mean()
            centred /= np.sqrt((centred[0] ** 2).sum())
        else:
            centred = _subset_units(arranged[:, np.isin(known, rows)], ranked=ranked)
        scaled = (units * np.sqrt(len(rows) - 1.0)).T.astype(np.float32)
        statistics[columns] = narrow_product(scaled, centred)
        missing[columns] = False
    statistics[missing] = np.nan
    return statistics


def _subset_units(values: Singles, *, ranked: bool) -> Singles:
    """Rows (arrangements, n) ranked anew, centred, length 1; 0 where constant."""
    scores = rankdata(values, axis=1) if ranked else values.astype(float)
    return np.nan_to_num(unit_columns(scores.T).T).astype(np.float32)


def two_sided_p(statistics: Singles) -> Floats:
    """Share of shuffles (columns, shuffles) at least as far from zero as the first one."""
    size = np.abs(statistics)
    p = np.count_nonzero(size >= size[:, :1] - TOLERANCE, axis=1) / size.shape[1]
    return np.where(np.isnan(size[:, 0]), np.nan, p)


def westfall_young(statistics: Singles) -> Floats:
    """Step-down max-statistic p values of the rows of (columns, shuffles), NaN for NaN rows.

    Each observed |statistic| is compared with the greatest among those not greater than it,
    shuffle by shuffle, which keeps the dependence between the scores and bounds the chance
    of one false finding in the family (Westfall & Young 1993, Resampling-Based Multiple
    Testing, algorithm 2.8 with maxima of |r|).
    """
    size = np.abs(statistics)
    observed = size[:, 0].astype(float)
    adjusted = np.full(len(size), np.nan)
    ascending = [row for row in np.argsort(observed) if np.isfinite(observed[row])]
    greatest = np.zeros(size.shape[1], dtype=np.float32)
    for row in ascending:
        np.maximum(greatest, size[row], out=greatest)
        adjusted[row] = np.count_nonzero(greatest >= observed[row] - TOLERANCE) / len(greatest)
    descending = ascending[::-1]
    adjusted[descending] = np.maximum.accumulate(adjusted[descending])
    return adjusted


def holm(p: Floats) -> Floats:
    """Holm's step-down p values; NaN stays NaN and counts for nothing.

    Written out, because statsmodels' `multipletests` collects garbage at every call of this
    method: 50 ms each beside a loaded page, of which the studies make several hundred.

    >>> [round(v, 6) for v in holm(np.array([0.01, 0.04, np.nan, 0.03])).tolist()]
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.full(p.shape, np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return adjusted


def benjamini_hochberg(p: Floats) -> Floats:
    """Benjamini–Hochberg p values (false discovery rate); NaN stays NaN.

    >>> [round(v, 6) for v in benjamini_hochberg(np.array([0.01, 0.04, 0.03])).tolist()]
    [0.03, 0.04, 0.04]
    """
    adjusted = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        adjusted[known] = multipletests(p[known], method="fdr_bh")[1]
    return adjusted
