"""The numbers that claims about how benchmarks relate are decided by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.claims.measures.correlations import ALPHA, ranked, unit_length
from lossnets.analysis.claims.rules import Numbers
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS

SR = BENCHMARKS[1]


def pair_correlations(columns: Floats) -> Floats:
    """Spearman's ρ of every two columns of (…, n, columns): (…, pairs).

    A column that is constant correlates 0 with the others.
    """
    unit = unit_length(ranked(np.round(columns, 9)))
    rho = np.swapaxes(unit, -1, -2) @ unit
    first, second = np.triu_indices(columns.shape[-1], 1)
    return np.asarray(rho[..., first, second])


def _others(columns: Floats) -> Floats:
    """Spearman's ρ of each column with the mean of the others (…, columns)."""
    rho = []
    for c in range(columns.shape[-1]):
        rest = np.delete(columns, c, axis=-1).mean(axis=-1)
        rho.append(pair_correlations(np.stack([columns[..., c], rest], axis=-1))[..., 0])
    return np.stack(rho, axis=-1)


def agreement(columns: Floats, correlate: Callable[[Floats], Floats]) -> Numbers:
    """Mean correlation between columns (…, n, columns), whether it is positive beyond chance, and
    the one-sided 95 % limit of its size (jackknife over the n).

    Chance: Kendall's W of the columns by Iman and Davenport's F.
    """
    n, k = columns.shape[-2:]
    rho = correlate(columns).mean(axis=-1)
    left = [correlate(np.delete(columns, a, axis=-2)).mean(axis=-1) for a in range(n)]
    error = np.sqrt((n - 1) * np.var(left, axis=0))
    w = (1 + (k - 1) * pair_correlations(columns).mean(axis=-1)) / k
    f = (k - 1) * w / np.maximum(1 - w, 1e-12)
    p = stats.f.sf(f, n - 1, (n - 1) * (k - 1))
    return {
        "rho": rho,
        "limit": np.abs(rho) + stats.t.ppf(1 - ALPHA, n - 1) * error,
        "significant": (p < ALPHA).astype(int),
    }


def _mean_ranks(e: Evidence, without: str) -> Floats:
    """Mean rank per benchmark (…, architectures, benchmarks), a family left out before ranking."""
    pool = e.without_family(without) if without else e
    return np.stack([pool.mean_ranks(b) for b in BENCHMARKS], axis=-1)


def benchmarks_correlate(e: Evidence, without: str = "") -> Numbers:
    """Correlations of mean ranks between two benchmarks, on average."""
    return agreement(_mean_ranks(e, without), pair_correlations)


def others_predict(e: Evidence, without: str = "") -> Numbers:
    """Correlations of a benchmark's mean ranks with the mean of the other three, on average."""
    return agreement(_mean_ranks(e, without), _others)


def best_positions_correlate(e: Evidence) -> Numbers:
    """Correlations between benchmarks of the position of the architectures' best layers."""
    of = np.array(e.benchmarks)
    positions = [e.best_positions[..., of == b].mean(axis=-1) for b in BENCHMARKS]
    return agreement(np.stack(positions, axis=-1), pair_correlations)


def best_positions_of_sets(e: Evidence) -> Numbers:
    """Correlation of the position of the architectures' best layers on SVHN and STL-10."""
    columns = [e.columns(prefix=name)[0] for name in ("svhn", "stl10")]
    rho = pair_correlations(e.best_positions[..., columns])[..., 0]
    n = len(e.architectures)
    z = np.arctanh(np.clip(np.abs(rho), 0, 1 - 1e-12))
    half = stats.norm.ppf(1 - ALPHA) * np.sqrt((1 + rho**2 / 2) / (n - 3))
    t = rho * np.sqrt((n - 2) / np.maximum(1 - rho**2, 1e-12))
    return {
        "rho": rho,
        "limit": np.tanh(z + half),
        "significant": (2 * stats.t.sf(np.abs(t), n - 2) < ALPHA).astype(int),
    }


def bapps_super_resolution(e: Evidence) -> Numbers:
    """Correlation of 2AFC on the super-resolution patches with super-resolution scores."""
    subset = [s for s, name in enumerate(e.scores) if name.startswith("bapps_2afc_superres")]
    if not subset:
        raise NotTestable(
            "only scores over all of BAPPS are published, none of its super-resolution part"
        )
    scores = e.best[..., e.columns(benchmark=SR)].mean(axis=-1)
    pair = np.stack([e.best[..., subset[0]], scores], axis=-1)
    return agreement(pair, pair_correlations)
