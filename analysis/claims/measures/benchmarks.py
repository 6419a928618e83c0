"""The numbers that claims about how benchmarks relate are decided by."""

from __future__ import annotations

import numpy as np

from lossnets.analysis.between import benchmarks
from lossnets.analysis.claims.claim import Numbers
from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.claims.measures.layers import critical_rho, rank_correlations
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS

SR = BENCHMARKS[1]


def _mean_ranks(e: Evidence, without: str = "") -> Floats:
    """Mean rank per benchmark (…, architectures, benchmarks), a family left out before ranking."""
    pool = e.without_family(without) if without else e
    means = np.stack([pool.mean_ranks(b) for b in BENCHMARKS], axis=-1)
    return np.asarray(np.round(means, 9), dtype=float)


def benchmarks_correlate(e: Evidence) -> Numbers:
    """Spearman correlations of mean ranks between benchmarks, without the VGG family."""
    means = _mean_ranks(e, "VGG")
    rho = rank_correlations(means)
    critical = critical_rho(means.shape[-2], rho.shape[-1])
    return {"mean_rho": rho.mean(axis=-1), "significant": np.sum(rho > critical, axis=-1)}


def others_predict(e: Evidence, without: str) -> Numbers:
    """Mean Spearman correlation of a benchmark's mean ranks with the mean of the other three."""
    means = _mean_ranks(e, without)
    rho = []
    for b in range(len(BENCHMARKS)):
        others = np.delete(means, b, axis=-1).mean(axis=-1)
        pair = np.stack([means[..., b], np.round(others, 9)], axis=-1)
        rho.append(rank_correlations(pair)[..., 0])
    return {"rho": np.mean(rho, axis=0), "greatest": np.max(rho, axis=0)}


def agreement_of_benchmarks(e: Evidence) -> Numbers:
    """Kendall's W of the four benchmarks over all architectures, and its permutation p."""
    table = e.study(benchmarks.STUDIES, "benchmark_agreement")
    row = table[table["pool"] == "all"]
    if row["kendall_w"].isna().all() or row["benchmarks"].iloc[0] != len(BENCHMARKS):
        raise NotTestable("the four benchmarks do not share enough architectures")
    return {"w": float(row["kendall_w"].iloc[0]), "p": float(row["p_permutation"].iloc[0])}


def bapps_super_resolution(e: Evidence) -> Numbers:
    """Correlation of 2AFC on the super-resolution patches with super-resolution scores."""
    subset = [s for s, name in enumerate(e.scores) if name.startswith("bapps_2afc_superres")]
    if not subset:
        raise NotTestable(
            "only scores over all of BAPPS are published, none of its super-resolution part"
        )
    columns = [*subset[:1], *e.columns(benchmark=SR)]
    first = rank_correlations(e.best[..., columns])[..., : len(columns) - 1]
    return {"strongest": np.abs(first).max(axis=-1)}
