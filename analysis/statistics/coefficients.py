"""Pearson, Spearman and Kendall of one variable with many, and without each observation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import Floats

Indices = NDArray[np.intp]
Singles = NDArray[np.float32]

FEW = 40  # rows that are ranked by comparing all with all
UNTHREADED = 200_000  # multiplications that linear algebra libraries leave to one thread
PAIR_BLOCK = 4_000_000  # observations² × columns handled at once: bounds the memory


def complete_rows(x: Floats, y: Floats) -> Iterator[tuple[Indices, Indices]]:
    """Rows and columns that are complete together, one pair per pattern of missing values.

    `x`: (n,); `y`: (n, columns).
    """
    present = np.isfinite(y) & np.isfinite(x)[:, None]
    if present.shape[1] and (present == present[:, :1]).all():
        yield np.flatnonzero(present[:, 0]), np.arange(present.shape[1])
        return
    patterns, pattern_of = np.unique(present, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        yield np.flatnonzero(patterns[:, pattern]), np.flatnonzero(pattern_of == pattern)


def unit_columns(values: Floats) -> Floats:
    """Columns with mean 0 and length 1; NaN where a column does not vary."""
    if not len(values):
        return np.full(values.shape, np.nan)
    size = np.abs(values).max(axis=0)
    scaled = values / np.where(size > 0, size, 1.0)
    centred = scaled - scaled.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    constant = np.ptp(scaled, axis=0) <= 1e-13
    return centred / np.where(constant, np.nan, length)


def pearson(x: Floats, y: Floats) -> Floats:
    """Product-moment correlation of x (n,) with each column of y (n, columns)."""
    return _bounded(unit_columns(x[:, None])[:, 0] @ unit_columns(y))


def spearman(x: Floats, y: Floats) -> Floats:
    """Rank correlation, average ranks for ties, of x (n,) with each column of y.

    >>> spearman(np.array([1.0, 2, 3]), np.array([[10.0], [100], [1000]])).tolist()
    [1.0]
    """
    return pearson(ranks_of_columns(x[:, None])[:, 0], ranks_of_columns(y))


def kendall(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Kendall's τ-b of x (n,) with each column of y, and its two-sided p.

    The p value is that of the normal approximation with tie correction (Kendall 1970).
    """
    tau, p = np.full(y.shape[1], np.nan), np.full(y.shape[1], np.nan)
    for block in _blocks(*y.shape):
        agreement, ties = _agreement(x, y[:, block])
        concordance = agreement.sum(axis=0) / 2
        tau[block] = _tau(concordance, *(untied.sum(axis=0) / 2 for untied in ties))
        p[block] = _kendall_p(concordance, x, y[:, block])
    return tau, np.where(np.isnan(tau), np.nan, p)


def without_each(x: Floats, y: Floats) -> dict[str, Floats]:
    """The three coefficients without each observation: (n, columns) arrays by name."""
    n, columns = y.shape
    result = {name: np.full((n, columns), np.nan) for name in ("pearson", "spearman", "kendall")}
    if n < 4:
        return result
    kept = ~np.eye(n, dtype=bool)
    for block in _blocks(n, columns):
        z = y[:, block]
        others_x = np.broadcast_to(x, (n, n))[kept].reshape(n, n - 1)
        others_z = np.broadcast_to(z, (n, *z.shape))[kept].reshape(n, n - 1, -1)
        result["pearson"][:, block] = _pearson_rows(others_x, others_z)
        ranks_x = _ranks_without(x[:, None])[kept].reshape(n, n - 1)
        ranks_z = _ranks_without(z)[kept].reshape(n, n - 1, -1)
        result["spearman"][:, block] = _pearson_rows(ranks_x, ranks_z)
        agreement, ties = _agreement(x, z)
        left = [table.sum(axis=0) / 2 - table for table in (agreement, *ties)]
        result["kendall"][:, block] = _tau(*left)
    return result


def ranks_of_columns(values: Floats) -> Floats:
    """Average ranks within each column, 1 = least: few rows by comparison, which is faster.

    >>> ranks_of_columns(np.array([[0.2], [0.1], [0.2]])).ravel().tolist()
    [2.5, 1.0, 2.5]
    """
    if len(values) > FEW:
        return np.asarray(rankdata(values, axis=0))
    return (len(values) + 1 + order_signs(values, values).sum(axis=1)) / 2


def order_signs(first: Floats, second: Floats) -> Floats:
    """1, 0 or −1 where first (n, …) is greater than, equal to or less than second (m, …).

    Returns (n, m, …). Differences of huge numbers would overflow.
    """
    a, b = first[:, None], second[None]
    return np.greater(a, b).astype(float) - np.less(a, b)


def narrow_product(a: Singles, b: Singles) -> Singles:
    """a (m, k) times the transpose of b (many, k): (m, many), in blocks too small for threads.

    Waking the linear algebra's threads costs more than a product as narrow as this, most of
    all where other processes keep the cores busy.
    """
    product = np.empty((len(a), len(b)), dtype=np.float32)
    step = max(1, UNTHREADED // max(1, a.size))
    for start in range(0, len(b), step):
        block = slice(start, start + step)
        np.matmul(a, b[block].T, out=product[:, block])
    return product


def t_test_p(r: Floats, n: Floats, controls: int = 0) -> Floats:
    """Two-sided p of a correlation by Student's t with n − 2 − controls degrees of freedom."""
    freedom = np.where(n - 2 - controls > 0, n - 2 - controls, np.nan)
    rest = np.maximum(1 - r**2, 0)
    t = np.abs(r) * np.sqrt(freedom / np.where(rest > 0, rest, np.nan))
    p = 2 * stdtr(freedom, -t)
    return np.where((rest == 0) & ~np.isnan(freedom), 0.0, p)


def _blocks(n: int, columns: int) -> Iterator[slice]:
    width = max(1, PAIR_BLOCK // max(1, n * n))
    for start in range(0, columns, width):
        yield slice(start, start + width)


def _pearson_rows(x: Floats, y: Floats) -> Floats:
    """Pearson of x (sets, m) with y (sets, m, columns) for each set: (sets, columns)."""
    unit_x = unit_columns(x.T).T
    unit_y = unit_columns(y.transpose(1, 0, 2))
    return _bounded(np.einsum("sm,msc->sc", unit_x, unit_y))


def _ranks_without(values: Floats) -> Floats:
    """Ranks of all (second axis) when each (first axis) is taken out: (n, n, columns)."""
    below = order_signs(values, values)
    return (len(values) + 1 - below.sum(axis=0)) / 2 - (1 - below) / 2


def _agreement(x: Floats, y: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    """Per observation and column: concordant minus discordant, and pairs untied in x, in y."""
    signs_x, signs_y = order_signs(x, x), order_signs(y, y)
    agreement = np.einsum("ij,ijc->ic", signs_x, signs_y)
    untied_x = np.broadcast_to(np.abs(signs_x).sum(axis=1)[:, None], agreement.shape)
    return agreement, (untied_x, np.abs(signs_y).sum(axis=1))


def _tau(concordance: Floats, untied_x: Floats, untied_y: Floats) -> Floats:
    pairs = np.sqrt(untied_x * untied_y)
    return _bounded(concordance / np.where(pairs > 0, pairs, np.nan))


def _bounded(r: Floats) -> Floats:
    """Correlations that are ±1 but for rounding, as ±1: Fisher's z of these is infinite."""
    return np.where(np.abs(r) > 1 - 1e-12, np.sign(r), r)


def _kendall_p(concordance: Floats, x: Floats, y: Floats) -> Floats:
    n = len(x)
    if n < 3:
        return np.full(y.shape[1], np.nan)
    tied_x, tied_y = _ties(x[:, None]), _ties(y)
    pairs = n * (n - 1.0)
    variance = (
        (pairs * (2 * n + 5) - tied_x[2] - tied_y[2]) / 18
        + tied_x[0] * tied_y[0] / (2 * pairs)
        + tied_x[1] * tied_y[1] / (9 * pairs * (n - 2))
    )
    z = concordance / np.sqrt(np.where(variance > 0, variance, np.nan))
    return 2 * ndtr(-np.abs(z))


def _ties(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums over tied groups of c(c−1), c(c−1)(c−2) and c(c−1)(2c+5), per column."""
    same = (values[:, None] == values[None]).sum(axis=1).astype(float)
    return (
        (same - 1).sum(axis=0),
        ((same - 1) * (same - 2)).sum(axis=0),
        ((same - 1) * (2 * same + 5)).sum(axis=0),
    )
