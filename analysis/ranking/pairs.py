"""Which architectures differ: every pair, and the groups no test tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.frames.cube import Floats, Row, join_notes, not_computable, result
from lossnets.analysis.frames.frames import SEED, Study
from lossnets.analysis.ranking.blocks import Blocks, blocks_of
from lossnets.analysis.ranking.differences import ALPHA, difference_p, friedman
from lossnets.analysis.statistics.westfall_young import holm

TOGETHER = 10_000  # pairs whose distributions are held at once
TIES = 9  # decimals of a standard deviation, or of a rank, beyond which differences are ties

PAIR_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark",
    "n": "number of blocks N",
    "units": "blocks that could have come out otherwise on their own",
    "first": "architecture with the better mean rank",
    "second": "architecture with the worse mean rank",
    "difference": "second's mean rank − first's, ranks",
    "p_difference": "its p value in the family of all pairs: Nemenyi's where blocks are "
    "independent, else from architectures permuted within units",
    "signed_rank": "Wilcoxon's signed-rank statistic, the lesser sum",
    "p_wilcoxon": "its exact two-sided p value, from signs flipped by unit",
    "p_holm": "the same after Holm's adjustment over the family",
    "family_size": "number of pairs",
    "note": "what is missing, and what the blocks leave doubtful",
}

GROUP_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark",
    "n": "number of blocks N",
    "method": "test that tells no two members apart at α = 0.05",
    "group": "number of the group, from the best mean rank on",
    "members": "architectures of the group, best first",
    "size": "number of members",
    "best_mean_rank": "mean rank of the first member",
    "worst_mean_rank": "mean rank of the last member",
    "note": "what is missing, and what the blocks leave doubtful",
}


def signed_rank(
    differences: Floats, units: Sequence[NDArray[np.intp]] | None = None
) -> tuple[Floats, Floats]:
    """Wilcoxon's signed-rank statistic and exact two-sided p for each column of differences.

    `differences`: (blocks, pairs). Zeros are left out, ties share their rank, and the null
    distribution is that of these very ranks under random signs, alike in all blocks of a unit
    (every block on its own by default), so p is exact with ties too. Columns that are not finite
    give NaN.
    """
    units = units or [np.array([block]) for block in range(len(differences))]
    known = np.isfinite(differences).all(axis=0)
    differences = np.where(known, differences, 0)
    size = np.abs(differences)
    ranks = stats.rankdata(size, axis=0) - np.sum(size == 0, axis=0)
    doubled = np.where(size > 0, np.rint(2 * ranks), 0).astype(int)
    signed = np.where(differences > 0, doubled, -doubled)
    positive = np.where(differences > 0, doubled, 0).sum(axis=0)
    statistic = np.minimum(positive, doubled.sum(axis=0) - positive) / 2
    p = _sign_p(np.array([signed[unit].sum(axis=0) for unit in units]))
    return np.where(known, statistic, np.nan), np.where(known, p, np.nan)


def _sign_p(signed: NDArray[np.int_]) -> Floats:
    """Exact two-sided p of the sum of whole numbers (units, pairs) under random signs."""
    starts = range(0, max(signed.shape[1], 1), TOGETHER)
    return np.concatenate([_signs_p(signed[:, start : start + TOGETHER]) for start in starts])


def _signs_p(signed: NDArray[np.int_]) -> Floats:
    """`_sign_p` of pairs whose distributions fit into memory together."""
    size = np.abs(signed)
    positive = np.where(signed > 0, size, 0).sum(axis=0)
    lesser = np.minimum(positive, size.sum(axis=0) - positive)
    sums = np.arange(size.sum(axis=0).max(initial=0) + 1)
    share = np.tile(sums == 0, (size.shape[1], 1)).astype(float)  # (pairs, sums of positive ones)
    for unit in size:
        source = sums - unit[:, None]
        moved = np.take_along_axis(share, np.maximum(source, 0), axis=1) * (source >= 0)
        share = (share + moved) / 2
    both = 2 * np.where(sums <= lesser[:, None], share, 0).sum(axis=1)
    return np.asarray(np.minimum(1.0, both))


def rank_pairs(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Compare every pair of architectures: mean ranks, and Wilcoxon with Holm's adjustment.

    `scores`: rows of `score_means`. Columns: PAIR_COLUMNS. Wilcoxon's test looks at the two
    alone: over scores at their best values in standard deviations of each score, over
    benchmarks at their mean ranks. Its p cannot fall below 2^(1 − units).
    """
    rows = [row for blocks in blocks_of(scores) for row in _pairs(blocks, rng)]
    return result(PAIR_COLUMNS, rows)


def _pairs(blocks: Blocks, rng: np.random.Generator) -> list[Row]:
    """Rows of `rank_pairs` for one kind of blocks."""
    n, k = blocks.ranks.shape
    shared: Row = {"blocks": blocks.kind, "n": n, "units": len(blocks.units)}
    if blocks.fault:
        return [shared | not_computable(blocks.fault)]
    order = np.argsort(blocks.mean_ranks, kind="stable")
    first, second = (order[index] for index in np.triu_indices(k, 1))
    difference = blocks.mean_ranks[second] - blocks.mean_ranks[first]
    with np.errstate(invalid="ignore"):  # inf − inf: no difference to rank
        better = np.round(blocks.strength[:, first] - blocks.strength[:, second], TIES)
    statistic, p = signed_rank(better, blocks.units)
    ranges = friedman(blocks.ranks, deepcopy(rng), units=blocks.units).ranges
    p_difference, p_holm = difference_p(blocks, difference, ranges), holm(p)
    missing = not_computable("scores are infinite")["note"]
    return [
        shared
        | {
            "first": blocks.architectures[first[i]],
            "second": blocks.architectures[second[i]],
            "difference": difference[i],
            "p_difference": p_difference[i],
            "signed_rank": statistic[i],
            "p_wilcoxon": p[i],
            "p_holm": p_holm[i],
            "family_size": len(p),
            "note": join_notes(missing if np.isnan(p[i]) else "", blocks.note),
        }
        for i in range(len(p))
    ]


def groups_of(mean_ranks: Floats, apart: NDArray[np.bool_]) -> list[list[int]]:
    """Longest runs in order of mean rank in which no two are told apart (diagram bars).

    `apart`: (k, k), whether a test tells two apart. Runs inside another, and of one, are
    left out.
    """
    order = [int(a) for a in np.argsort(mean_ranks, kind="stable")]
    runs: list[list[int]] = []
    reached = 0
    for start in range(len(order)):
        stop = start + 1
        while stop < len(order) and not apart[order[stop], order[start:stop]].any():
            stop += 1
        if stop - start > 1 and stop > reached:
            runs.append(order[start:stop])
            reached = stop
    return runs


def rank_groups(scores: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Groups of architectures that a test does not tell apart, for both diagrams.

    `scores`: rows of `score_means`. Columns: GROUP_COLUMNS. Groups by mean ranks span less than
    the critical difference; Wilcoxon–Holm's are runs in order of mean rank without a pair told
    apart.
    """
    rows = [row for blocks in blocks_of(scores) for row in _groups(blocks, rng)]
    return result(GROUP_COLUMNS, rows)


def _groups(blocks: Blocks, rng: np.random.Generator) -> list[Row]:
    """Rows of `rank_groups` for one kind of blocks."""
    shared: Row = {"blocks": blocks.kind, "n": len(blocks.ranks)}
    if blocks.fault:
        return [shared | not_computable(blocks.fault)]
    rows = []
    means = blocks.mean_ranks
    pairs = pd.DataFrame(_pairs(blocks, rng))
    by_ranks = "Nemenyi" if blocks.independent else "Permutation"
    for method, column in ((by_ranks, "p_difference"), ("Wilcoxon–Holm", "p_holm")):
        runs = groups_of(means, _apart(pairs, column, blocks.architectures))
        for number, run in enumerate(runs, start=1):
            row = {
                "method": method,
                "group": number,
                "members": ", ".join(blocks.architectures[a] for a in run),
                "size": len(run),
                "best_mean_rank": means[run[0]],
                "worst_mean_rank": means[run[-1]],
                "note": blocks.note,
            }
            rows.append(shared | row)
        if not runs:
            told = {"method": method, "note": f"every pair is told apart; {blocks.note}"}
            rows.append(shared | told)
    return rows


def _apart(pairs: pd.DataFrame, column: str, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether each pair is told apart at α (k, k); a missing p tells nothing apart."""
    index = pd.Index(names)
    first, second = (index.get_indexer(pd.Index(pairs[end])) for end in ("first", "second"))
    apart = np.zeros((len(names), len(names)), dtype=bool)
    apart[first, second] = apart[second, first] = pairs[column].to_numpy(float) < ALPHA
    return apart


STUDIES = (
    Study(
        name="rank_pairs",
        title="Which architectures differ: all pairs, by mean ranks and by Wilcoxon–Holm",
        columns=PAIR_COLUMNS,
        compute=lambda frames: rank_pairs(frames.scores, np.random.default_rng(SEED)),
    ),
    Study(
        name="rank_groups",
        title="Groups of architectures that the data do not tell apart",
        columns=GROUP_COLUMNS,
        compute=lambda frames: rank_groups(frames.scores, np.random.default_rng(SEED)),
    ),
)
