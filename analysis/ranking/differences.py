"""Whether the architectures differ: Friedman's test and the critical difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lossnets.analysis.frames.cube import Floats, Row, not_computable, result
from lossnets.analysis.frames.frames import SEED, Study
from lossnets.analysis.ranking.blocks import blocks_of
from lossnets.analysis.statistics.permutations import (
    PERMUTATIONS,
    permutation_p,
    permuted_rank_sums,
)

ALPHA = 0.05

FRIEDMAN_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark with its mean ranks",
    "n": "number of blocks N",
    "architectures": "number of architectures k",
    "chi2": "Friedman's statistic with tie correction",
    "df": "k − 1",
    "p_chi2": "its p value from the chi-squared distribution",
    "f": "Iman and Davenport's statistic",
    "df_error": "(k − 1)(N − 1)",
    "p_f": "its p value from the F distribution",
    "p_permutation": "p value from ranks permuted within blocks",
    "permutations": "number of permutations",
    "kendall_w": "Kendall's coefficient of concordance, 0 to 1",
    "critical_difference": "Nemenyi's critical difference of mean ranks at α = 0.05",
    "note": "what is missing, and what the blocks leave doubtful",
}

DIAGRAM_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark",
    "n": "number of blocks N",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "mean_rank": "mean rank over the blocks, 1 = best",
    "critical_difference": "Nemenyi's critical difference of mean ranks at α = 0.05",
    "note": "what is missing, and what the blocks leave doubtful",
}


@dataclass(frozen=True, kw_only=True)
class Friedman:
    """Friedman's test with tie correction, and what follows from it."""

    n: int
    k: int
    chi2: float
    p_chi2: float
    f: float
    p_f: float
    kendall_w: float
    p_permutation: float
    permutations: int


def friedman(ranks: Floats, rng: np.random.Generator, permutations: int = PERMUTATIONS) -> Friedman:
    """Test whether treatments differ over blocks; `ranks`: (blocks, treatments), ties shared.

    Statistic with tie correction (Conover 1999, ch. 5), the F version of Iman and Davenport
    (1980), and a p value from permuting ranks within blocks. At least two blocks and
    treatments, not all tied.
    """
    n, k = ranks.shape
    expected = (k + 1) / 2
    spread = float(np.sum((ranks - expected) ** 2))
    sums = ranks.sum(axis=0)
    chi2 = (k - 1) * float(np.sum((sums - n * expected) ** 2)) / spread
    w = min(chi2 / (n * (k - 1)), 1.0)
    f = np.inf if np.isclose(w, 1) else (n - 1) * chi2 / (n * (k - 1) - chi2)
    null = permuted_rank_sums(ranks, rng, permutations)
    null_chi2 = (k - 1) * np.sum((null - n * expected) ** 2, axis=1) / spread
    return Friedman(
        n=n,
        k=k,
        chi2=chi2,
        p_chi2=float(stats.chi2.sf(chi2, k - 1)),
        f=float(f),
        p_f=float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
        kendall_w=w,
        p_permutation=permutation_p(chi2, null_chi2),
        permutations=permutations,
    )


def critical_difference(k: int, n: int, alpha: float = ALPHA) -> float:
    """Nemenyi's critical difference of mean ranks, for k architectures over n blocks.

    q/√2 · √(k(k+1)/6n), q from the studentized range with infinite degrees of freedom
    (Demšar 2006, section 3.2.2).

    >>> round(critical_difference(k=10, n=10) / (10 * 11 / 60) ** 0.5, 3)
    3.164
    """
    q = stats.studentized_range.ppf(1 - alpha, k, np.inf)
    return float(q / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n)))


def friedman_table(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Test whether the architectures differ, with scores and with benchmarks as blocks.

    `scores`: rows of `score_means`. Columns: FRIEDMAN_COLUMNS.
    """
    rows = []
    for blocks in blocks_of(scores):
        n, k = blocks.ranks.shape
        row: Row = {"blocks": blocks.kind, "n": n, "architectures": k}
        if blocks.fault:
            rows.append(row | not_computable(blocks.fault))
            continue
        test = friedman(blocks.ranks, rng)
        row |= {
            "chi2": test.chi2,
            "df": k - 1,
            "p_chi2": test.p_chi2,
            "f": test.f,
            "df_error": (k - 1) * (n - 1),
            "p_f": test.p_f,
            "p_permutation": test.p_permutation,
            "permutations": test.permutations,
            "kendall_w": test.kendall_w,
            "critical_difference": critical_difference(k, n),
        }
        rows.append(row | {"note": blocks.note})
    return result(FRIEDMAN_COLUMNS, rows)


def rank_diagram(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean ranks for two critical-difference diagrams: scores as blocks, benchmarks as blocks.

    `scores`: rows of `score_means`. Columns: DIAGRAM_COLUMNS, best mean rank first. The bars
    that join architectures are the groups of `rank_groups`.
    """
    rows = []
    for blocks in blocks_of(scores):
        n, k = blocks.ranks.shape
        shared: Row = {"blocks": blocks.kind, "n": n}
        if blocks.fault:
            rows.append(shared | not_computable(blocks.fault))
            continue
        shared |= {"critical_difference": critical_difference(k, n), "note": blocks.note}
        for a in np.argsort(blocks.mean_ranks, kind="stable"):
            own = {"architecture": blocks.architectures[a], "family": blocks.families[a]}
            rows.append(shared | own | {"mean_rank": blocks.mean_ranks[a]})
    return result(DIAGRAM_COLUMNS, rows)


STUDIES = (
    Study(
        name="friedman",
        title="Do the architectures differ? Friedman's test over scores and over benchmarks",
        columns=FRIEDMAN_COLUMNS,
        compute=lambda frames: friedman_table(frames.scores, np.random.default_rng(SEED)),
    ),
    Study(
        name="rank_diagram",
        title="Mean ranks with Nemenyi's critical difference",
        columns=DIAGRAM_COLUMNS,
        compute=lambda frames: rank_diagram(frames.scores),
    ),
)
