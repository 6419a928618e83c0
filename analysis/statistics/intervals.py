"""How sure a correlation is: intervals, power, and the noise that would overturn it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.statistics.coefficients import complete_rows, narrow_product, order_signs

CONFIDENCE = 0.95
POWER = 0.80
SIGNIFICANCE = 0.05


def fisher_interval(
    r: Floats, n: Floats, coefficient: str, controls: int = 0
) -> tuple[Floats, Floats]:
    """95 % interval of a correlation by Fisher's z; NaN for n too small or |r| = 1.

    The variance of z is 1/(n−3) for 'pearson' (Fisher 1921), (1 + r²/2)/(n−3) for
    'spearman' (Bonett & Wright 2000, Psychometrika 65), 0.437/(n−4) for 'kendall' (Fieller,
    Hartley & Pearson 1957, Biometrika 44). `controls`: variables partialled out, each costs
    one observation.

    >>> low, high = fisher_interval(np.array([0.5]), np.array([14.0]), "pearson")
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (-0.042, 0.815)
    """
    r, n = np.asarray(r, dtype=float), np.asarray(n, dtype=float) - controls
    inside = np.abs(r) < 1
    z = np.arctanh(np.where(inside, r, np.nan))
    half = ndtri((1 + CONFIDENCE) / 2) * np.sqrt(_variance(z, n, coefficient))
    return np.tanh(z - half), np.tanh(z + half)


def _variance(z: Floats, n: Floats, coefficient: str) -> Floats:
    if coefficient == "kendall":
        return 0.437 / np.where(n > 4, n - 4, np.nan)
    spread = 1 + np.tanh(z) ** 2 / 2 if coefficient == "spearman" else np.ones_like(z)
    return spread / np.where(n > 3, n - 3, np.nan)


def minimum_detectable(
    n: Floats, coefficient: str = "pearson", comparisons: Floats | float = 1
) -> Floats:
    """Least |correlation| found with 80 % power at two-sided 5 %, NaN for n < 4.

    By Fisher's z as in `fisher_interval`; z of a Pearson correlation exceeds its true value
    by r/(2(n−1)) on average, which is taken off. `comparisons` shares the 5 % out
    (Bonferroni).

    >>> round(float(minimum_detectable(np.array(14.0))), 2)
    0.67
    """
    n = np.asarray(n, dtype=float)
    critical = -ndtri(SIGNIFICANCE / 2 / np.maximum(comparisons, 1))
    z = np.zeros(np.broadcast(n, critical).shape)
    null = np.sqrt(_variance(np.zeros_like(z), n, coefficient))
    for _ in range(30):  # the variance and the bias depend on the answer
        bias = np.tanh(z) / (2 * np.maximum(n - 1, 1)) if coefficient == "pearson" else 0.0
        z = critical * null + ndtri(POWER) * np.sqrt(_variance(z, n, coefficient)) - bias
    return np.tanh(z)


def overturning_sd(r: Floats, n: Floats, spread: Floats) -> Floats:
    """Seed-to-seed standard deviation that would turn a Pearson correlation's verdict at 5 %.

    `spread`: standard deviation of the score between architectures; the result has its unit.
    A significant r stays so in expectation after a re-run until noise of sd σ shrinks it,
    r·s/√(s² + σ²), to the critical value. One that is not significant could hide a
    correlation that is, r·s/√(s² − σ²), behind noise of sd σ.
    """
    freedom = np.where(n > 2, n - 2, np.nan)
    t = stdtrit(freedom, 1 - SIGNIFICANCE / 2)
    critical = t / np.sqrt(freedom + t**2)
    ratio = (r / critical) ** 2
    return spread * np.sqrt(np.where(ratio >= 1, ratio - 1, 1 - ratio))


def bootstrap_intervals(
    x: Floats, y: Floats, rng: np.random.Generator, draws: int = 10_000
) -> tuple[Floats, Floats]:
    """95 % percentile intervals of Spearman's ρ of each column of x with each of y.

    `x`: (architectures, p); `y`: (architectures, q); returns low and high (p, q). Whole
    architectures are drawn with replacement and ranked anew; draws in which either side is
    constant are left out. A picture, not a test: with 14 architectures it is too narrow.
    """
    low, high = np.full((2, x.shape[1], y.shape[1]), np.nan)
    uniform = rng.random((draws, len(x)))
    counts: dict[bytes, NDArray[np.float32]] = {}
    ranked: dict[tuple[bytes, int], NDArray[np.float32]] = {}
    for p, column in enumerate(x.T):
        for rows, columns in complete_rows(column, y):
            if len(rows) < 4:
                continue
            token = rows.tobytes()
            if token not in counts:
                counts[token] = _draw_counts(uniform[:, : len(rows)])
            units = _drawn_ranks(column[rows], counts[token])
            for q in columns:
                if (token, q) not in ranked:
                    ranked[token, q] = _drawn_ranks(y[rows, q], counts[token])
                low[p, q], high[p, q] = _percentiles(units, ranked[token, q])
    return low, high


def _draw_counts(uniform: Floats) -> NDArray[np.float32]:
    """How often each of n things is drawn when n are drawn with replacement: (draws, n)."""
    draws, n = uniform.shape
    picks = (uniform * n).astype(np.intp) + n * np.arange(draws)[:, None]
    return np.bincount(picks.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float32)


def _drawn_ranks(values: Floats, counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Ranks within each draw, centred, of length 1 when each counts as often as drawn."""
    below = ((1 - order_signs(values, values)) / 2).astype(np.float32)
    centred = np.ascontiguousarray(narrow_product(below.T, counts).T) - np.float32(len(values) / 2)
    centred *= np.sqrt(counts)
    length = np.sqrt(np.einsum("dn,dn->d", centred, centred))
    divisor = np.where(length > 1e-3, length, np.float32("nan"))
    return np.asarray(centred / divisor[:, None], dtype=np.float32)


def _percentiles(x: NDArray[np.float32], y: NDArray[np.float32]) -> Floats:
    rho = np.einsum("dn,dn->d", x, y)
    rho = rho[np.isfinite(rho)]
    if len(rho) < len(x) / 2:
        return np.array([np.nan, np.nan])
    return np.quantile(rho, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
