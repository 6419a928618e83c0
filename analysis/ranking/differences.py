"""Whether the architectures differ: Friedman's test and the critical difference."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.frames.cube import Floats, Row, join_notes, not_computable, result
from lossnets.analysis.frames.frames import SEED, Study
from lossnets.analysis.ranking.blocks import Blocks, blocks_of
from lossnets.analysis.statistics.permutations import (
    PERMUTATIONS,
    permutation_p,
    permuted_rank_sums,
)

ALPHA = 0.05
DEPENDENT = "p_chi2 and p_f are not computable, because blocks of one unit are not independent"
CRITICAL = "least difference of two mean ranks that exceeds chance at α = 0.05 in the family of \
all pairs: Nemenyi's where blocks are independent, else by permutation within units"

FRIEDMAN_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark with its mean ranks",
    "n": "number of blocks N",
    "units": "blocks that could have come out otherwise on their own: trained models, and scores "
    "of which nothing is trained",
    "architectures": "number of architectures k",
    "chi2": "Friedman's statistic with tie correction",
    "df": "k − 1",
    "p_chi2": "its p value from the chi-squared distribution, where blocks are independent",
    "f": "Iman and Davenport's statistic",
    "df_error": "(k − 1)(N − 1)",
    "p_f": "its p value from the F distribution, where blocks are independent",
    "p_permutation": "p value from architectures permuted within each unit",
    "permutations": "number of permutations",
    "kendall_w": "Kendall's coefficient of concordance, 0 to 1",
    "critical_difference": CRITICAL,
    "note": "what is missing, and what the blocks leave doubtful",
}

DIAGRAM_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark",
    "n": "number of blocks N",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "mean_rank": "mean rank over the blocks, 1 = best",
    "critical_difference": CRITICAL,
    "note": "what is missing, and what the blocks leave doubtful",
}


@dataclass(frozen=True, kw_only=True)
class Friedman:
    """Friedman's test with tie correction, and what follows from it.

    p_chi2, p_f: NaN where blocks depend on each other; f, p_f: also where all blocks agree;
    ranges: greatest − least mean rank of each permutation.
    """

    chi2: float
    p_chi2: float
    f: float
    p_f: float
    kendall_w: float
    p_permutation: float
    ranges: Floats


def friedman(
    ranks: Floats,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    units: Sequence[NDArray[np.intp]] | None = None,
) -> Friedman:
    """Test whether treatments differ over blocks; `ranks`: (blocks, treatments), ties shared.

    Statistic with tie correction (Conover 1999, ch. 5), the F version of Iman and Davenport
    (1980), and a p value from permuting the treatments, alike in all blocks of a unit (every
    block on its own by default). At least two blocks and treatments, not all tied.
    """
    n, k = ranks.shape
    units = units or [np.array([block]) for block in range(n)]
    expected = (k + 1) / 2
    spread = float(np.sum((ranks - expected) ** 2))
    by_unit = np.array([ranks[unit].sum(axis=0) for unit in units])
    chi2 = (k - 1) * float(np.sum((by_unit.sum(axis=0) - n * expected) ** 2)) / spread
    w = min(chi2 / (n * (k - 1)), 1.0)
    f = np.nan if np.isclose(w, 1) else (n - 1) * chi2 / (n * (k - 1) - chi2)
    null = permuted_rank_sums(by_unit, rng, permutations)
    null_chi2 = (k - 1) * np.sum((null - n * expected) ** 2, axis=1) / spread
    independent = len(units) == n
    return Friedman(
        chi2=chi2,
        p_chi2=float(stats.chi2.sf(chi2, k - 1)) if independent else np.nan,
        f=float(f),
        p_f=float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))) if independent else np.nan,
        kendall_w=w,
        p_permutation=permutation_p(chi2, null_chi2),
        ranges=np.ptp(null, axis=1) / n,
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


def critical_difference_of(blocks: Blocks, ranges: Floats) -> float:
    """Critical difference of the blocks' mean ranks.

    Nemenyi's where they are independent; else the least difference that the greatest of all
    pairs reaches in at most 5 % of permutations within units, of which `ranges` are given.
    """
    n, k = blocks.ranks.shape
    if blocks.independent:
        return critical_difference(k, n)
    descending = np.unique(np.round(ranges, 9))[::-1]
    reached = [value for value in descending if np.mean(ranges >= value - 1e-9) <= ALPHA]
    return float(reached[-1]) if reached else np.nan


def difference_p(blocks: Blocks, differences: Floats, ranges: Floats) -> Floats:
    """p of differences of mean ranks in the family of all pairs, see `critical_difference_of`."""
    n, k = blocks.ranks.shape
    if blocks.independent:
        return nemenyi_p(differences, k, n)
    below = np.searchsorted(np.sort(ranges), np.abs(differences) - 1e-9)
    return np.asarray((1 + len(ranges) - below) / (1 + len(ranges)))


def nemenyi_p(differences: Floats, k: int, n: int) -> Floats:
    """Nemenyi's p value of differences of mean ranks among k architectures over n blocks."""
    q = np.abs(differences) * np.sqrt(2) / np.sqrt(k * (k + 1) / (6 * n))
    return np.clip(stats.studentized_range.sf(q, k, np.inf), 0, 1)


def friedman_table(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Test whether the architectures differ, with scores and with benchmarks as blocks.

    `scores`: rows of `score_means`. Columns: FRIEDMAN_COLUMNS. Both begin with the same random
    numbers, so that the same test has the same p in every study.
    """
    rows = [_friedman_row(blocks, deepcopy(rng)) for blocks in blocks_of(scores)]
    return result(FRIEDMAN_COLUMNS, rows)


def _friedman_row(blocks: Blocks, rng: np.random.Generator) -> Row:
    n, k = blocks.ranks.shape
    row: Row = {"blocks": blocks.kind, "n": n, "architectures": k, "units": len(blocks.units)}
    if blocks.fault:
        return row | not_computable(blocks.fault)
    test = friedman(blocks.ranks, rng, units=blocks.units)
    whole = not_computable("all blocks agree")["note"]
    agree = f"F is {whole}" if np.isnan(test.f) else ""
    return row | {
        "chi2": test.chi2,
        "df": k - 1,
        "p_chi2": test.p_chi2,
        "f": test.f,
        "df_error": (k - 1) * (n - 1),
        "p_f": test.p_f,
        "p_permutation": test.p_permutation,
        "permutations": len(test.ranges),
        "kendall_w": test.kendall_w,
        "critical_difference": critical_difference_of(blocks, test.ranges),
        "note": join_notes("" if blocks.independent else DEPENDENT, agree, blocks.note),
    }


def rank_diagram(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Mean ranks for two critical-difference diagrams: scores as blocks, benchmarks as blocks.

    `scores`: rows of `score_means`. Columns: DIAGRAM_COLUMNS, best mean rank first. The bars
    that join architectures are the groups of `rank_groups`.
    """
    rows = []
    for blocks in blocks_of(scores):
        shared: Row = {"blocks": blocks.kind, "n": len(blocks.ranks)}
        if blocks.fault:
            rows.append(shared | not_computable(blocks.fault))
            continue
        test = friedman(blocks.ranks, deepcopy(rng), units=blocks.units)
        critical = critical_difference_of(blocks, test.ranges)
        shared |= {"critical_difference": critical, "note": blocks.note}
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
        title="Mean ranks with their critical difference",
        columns=DIAGRAM_COLUMNS,
        compute=lambda frames: rank_diagram(frames.scores, np.random.default_rng(SEED)),
    ),
)
