"""Whether a loss network's rank in one benchmark tells its rank in another."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.between.score_correlations import spearman_matrix
from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    complete_block,
    join_notes,
    left_out,
    not_computable,
    result,
    score_cube,
)
from lossnets.analysis.frames.frames import SEED, Study
from lossnets.analysis.layers.agreement import detectable_concordance
from lossnets.analysis.ranking.differences import friedman
from lossnets.analysis.ranking.ranks import ranks_of
from lossnets.analysis.statistics.coefficients import t_test_p
from lossnets.analysis.statistics.intervals import fisher_interval, minimum_detectable
from lossnets.analysis.statistics.permutations import PERMUTATIONS, permutation_p, permutations
from lossnets.analysis.statistics.westfall_young import holm

POOL = {"pool": "'all' architectures, or 'without' one family (ranked anew)"}

PAIR_COLUMNS = POOL | {
    "first": "benchmark id",
    "second": "benchmark id",
    "rho": "Spearman correlation of the architectures' mean ranks",
    "low": "lower end of its 95 % interval (Fisher's z, Bonett and Wright's variance)",
    "high": "upper end",
    "n": "number of architectures",
    "p_value": "two-sided p (t approximation)",
    "p_holm": "the same after Holm's adjustment over the pairs of the pool",
    "family_size": "number of pairs in the adjustment",
    "detectable": "least |ρ| found with 80 % power at p_holm < 0.05 (5 % shared out "
    "over the family)",
    "note": "what is missing, and why",
}

PREDICTION_COLUMNS = POOL | {
    "benchmark": "benchmark left out",
    "rho": "Spearman correlation of its mean ranks with the mean over the other benchmarks",
    "low": "lower end of its 95 % interval (Fisher's z, Bonett and Wright's variance)",
    "high": "upper end",
    "n": "number of architectures",
    "p_permutation": "two-sided p from permuted architectures",
    "p_holm": "the same after Holm's adjustment over the benchmarks of the pool",
    "family_size": "number of benchmarks in the adjustment",
    "permutations": "number of permutations",
    "detectable": "least |ρ| found with 80 % power at p_holm < 0.05 (5 % shared out "
    "over the family)",
    "note": "what is missing, and why",
}

AGREEMENT_COLUMNS = POOL | {
    "benchmarks": "number of benchmarks",
    "n": "number of architectures",
    "kendall_w": "agreement of the benchmarks on the order of the architectures, 0 to 1",
    "mean_rho": "mean Spearman correlation of two benchmarks",
    "chi2": "Friedman's statistic with tie correction",
    "df": "architectures − 1",
    "p_chi2": "its p value from the chi-squared distribution",
    "p_permutation": "p value from architectures permuted within benchmarks",
    "permutations": "number of permutations",
    "detectable_w": "least W found with 80 % power at p < 0.05 (non-central χ²)",
    "note": "what is missing, and why",
}


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Mean ranks (architectures, benchmarks) within one pool of architectures."""

    name: str
    means: Floats
    benchmarks: tuple[str, ...]
    note: str

    @property
    def fault(self) -> str:
        """Why nothing can be compared, empty if it can."""
        n, b = self.means.shape
        if n < 3 or b < 2:
            return f"it takes three architectures and two benchmarks, and there are {n} and {b}"
        return ""


def pools(scores: pd.DataFrame) -> list[Pool]:
    """All architectures, then all without each family; mean ranks are taken within the pool."""
    cube = score_cube(scores)
    if not cube.scores:
        return []
    families = np.array([family or "" for family in cube.families])
    named = [("all", families == families)]
    named += [(f"without {name}", families != name) for name in sorted(set(families) - {""})]
    return [_pool(cube, name, np.flatnonzero(members)) for name, members in named]


def _pool(cube: ScoreCube, name: str, members: NDArray[np.intp]) -> Pool:
    best = cube.best[members]
    rows, columns = complete_block(best)
    ranks = ranks_of(best[np.ix_(rows, columns)])
    of = np.array(cube.benchmarks)[columns]
    benchmarks = tuple(each for each in cube.benchmark_names if each in of)
    means = [np.round(ranks[:, of == each].mean(axis=1), 9) for each in benchmarks]
    return Pool(
        name=name,
        means=np.array(means).reshape(len(benchmarks), len(rows)).T,
        benchmarks=benchmarks,
        note=join_notes(
            left_out("architectures", np.delete(np.array(cube.architectures)[members], rows)),
            left_out("scores", np.delete(cube.scores, columns)),
        ),
    )


def benchmark_correlations(scores: pd.DataFrame) -> pd.DataFrame:
    """Spearman correlation of the mean ranks in every two benchmarks, with and without families.

    `scores`: rows of `score_means`. Columns: PAIR_COLUMNS.
    """
    rows: list[Row] = []
    for pool in pools(scores):
        n = len(pool.means)
        if pool.fault:
            rows.append({"pool": pool.name, "n": n} | not_computable(pool.fault))
            continue
        matrix = spearman_matrix(pool.means)
        first, second = np.triu_indices(len(matrix), 1)
        rho = matrix[first, second]
        p = np.where(np.isnan(rho), np.nan, t_test_p(rho, np.full(len(rho), float(n))))
        own = _with_intervals(pool, rho, p, "p_value")
        for i, row in enumerate(own):
            ends = {"first": pool.benchmarks[first[i]], "second": pool.benchmarks[second[i]]}
            rows.append(row | ends)
    return result(PAIR_COLUMNS, rows or [not_computable(NO_SCORES)])


def _with_intervals(pool: Pool, rho: Floats, p: Floats, p_column: str) -> list[Row]:
    """What correlations over one pool's architectures have in common, a row each."""
    n = len(pool.means)
    low, high = fisher_interval(rho, np.full(len(rho), float(n)), "spearman")
    p_holm, tested = holm(p), int(np.sum(~np.isnan(p)))
    detectable = float(minimum_detectable(np.array(float(n)), "spearman", tested))
    missing = not_computable("the mean ranks of a benchmark do not vary")["note"]
    bound = "the interval is not computable, because it takes four architectures and |ρ| < 1"
    return [
        {
            "pool": pool.name,
            "rho": rho[i],
            "low": low[i],
            "high": high[i],
            "n": n,
            p_column: p[i],
            "p_holm": p_holm[i],
            "family_size": tested,
            "detectable": detectable,
            "note": join_notes(
                missing if np.isnan(rho[i]) else bound if np.isnan(low[i]) else "", pool.note
            ),
        }
        for i in range(len(rho))
    ]


def benchmark_prediction(
    scores: pd.DataFrame, rng: np.random.Generator, count: int = PERMUTATIONS
) -> pd.DataFrame:
    """Does the mean rank over the other benchmarks tell the rank in the one left out?

    `scores`: rows of `score_means`. Columns: PREDICTION_COLUMNS; with and without each family.
    """
    rows: list[Row] = []
    for pool in pools(scores):
        n = len(pool.means)
        if pool.fault:
            rows.append({"pool": pool.name, "n": n} | not_computable(pool.fault))
            continue
        orders = permutations(rng, count, n)
        rho, p = np.full((2, len(pool.benchmarks)), np.nan)
        for b in range(len(pool.benchmarks)):
            others = np.round(np.delete(pool.means, b, axis=1).mean(axis=1), 9)
            rho[b], p[b] = _permuted_spearman(pool.means[:, b], others, orders)
        for name, row in zip(
            pool.benchmarks, _with_intervals(pool, rho, p, "p_permutation"), strict=True
        ):
            rows.append(row | {"benchmark": name, "permutations": count})
    return result(PREDICTION_COLUMNS, rows or [not_computable(NO_SCORES)])


def _permuted_spearman(x: Floats, y: Floats, orders: NDArray[np.intp]) -> tuple[float, float]:
    """Spearman's ρ and its two-sided p over the given orders (permutations, n) of x."""
    unit = []
    for values in (x, y):
        ranks = stats.rankdata(values)
        centred = ranks - ranks.mean()
        length = float(np.sqrt(np.sum(centred**2)))
        if length == 0:
            return np.nan, np.nan
        unit.append(centred / length)
    rho = float(np.clip(unit[0] @ unit[1], -1, 1))
    return rho, permutation_p(abs(rho), np.abs(unit[0][orders] @ unit[1]))


def benchmark_agreement(
    scores: pd.DataFrame, rng: np.random.Generator, count: int = PERMUTATIONS
) -> pd.DataFrame:
    """Do the benchmarks agree on the order of the architectures? Kendall's W.

    `scores`: rows of `score_means`. Columns: AGREEMENT_COLUMNS; with and without each family. Each
    pool begins with the same random numbers, as `friedman_table` does: one test has one p.
    """
    rows: list[Row] = []
    for pool in pools(scores):
        n, b = pool.means.shape
        row: Row = {"pool": pool.name, "benchmarks": b, "n": n}
        ranks = ranks_of(-pool.means).T
        fault = pool.fault or ("all architectures tie" if np.ptp(ranks, axis=1).max() == 0 else "")
        if fault:
            rows.append(row | not_computable(fault))
            continue
        test = friedman(ranks, deepcopy(rng), count)
        rows.append(
            row
            | {
                "kendall_w": test.kendall_w,
                "mean_rho": (b * test.kendall_w - 1) / (b - 1),
                "chi2": test.chi2,
                "df": n - 1,
                "p_chi2": test.p_chi2,
                "p_permutation": test.p_permutation,
                "permutations": count,
                "detectable_w": detectable_concordance(b, n),
                "note": pool.note,
            }
        )
    return result(AGREEMENT_COLUMNS, rows or [not_computable(NO_SCORES)])


STUDIES = (
    Study(
        name="benchmark_correlations",
        title="Do two benchmarks rank the architectures alike?",
        columns=PAIR_COLUMNS,
        compute=lambda frames: benchmark_correlations(frames.scores),
    ),
    Study(
        name="benchmark_prediction",
        title="Do the other benchmarks tell the ranks in one that is left out?",
        columns=PREDICTION_COLUMNS,
        compute=lambda frames: benchmark_prediction(frames.scores, np.random.default_rng(SEED)),
    ),
    Study(
        name="benchmark_agreement",
        title="Do the benchmarks agree on the order of the architectures?",
        columns=AGREEMENT_COLUMNS,
        compute=lambda frames: benchmark_agreement(frames.scores, np.random.default_rng(SEED)),
    ),
)
