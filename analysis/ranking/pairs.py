"""Which architectures differ: every pair, and the groups no test tells apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.frames.cube import Floats, Row, join_notes, not_computable, result
from lossnets.analysis.frames.frames import Study
from lossnets.analysis.ranking.blocks import Blocks, blocks_of
from lossnets.analysis.ranking.differences import ALPHA
from lossnets.analysis.statistics.westfall_young import holm

PAIR_COLUMNS = {
    "blocks": "what a block is: a score, or a benchmark",
    "n": "number of blocks N",
    "first": "architecture with the better mean rank",
    "second": "architecture with the worse mean rank",
    "difference": "second's mean rank − first's, ranks",
    "p_nemenyi": "Nemenyi's p value (adjusted for the family by construction)",
    "signed_rank": "Wilcoxon's signed-rank statistic, the lesser sum",
    "p_wilcoxon": "its exact two-sided p value",
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


def nemenyi_p(differences: Floats, k: int, n: int) -> Floats:
    """Nemenyi's p value of differences of mean ranks among k architectures over n blocks."""
    q = np.abs(differences) * np.sqrt(2) / np.sqrt(k * (k + 1) / (6 * n))
    return np.clip(stats.studentized_range.sf(q, k, np.inf), 0, 1)


def signed_rank(differences: Floats) -> tuple[Floats, Floats]:
    """Wilcoxon's signed-rank statistic and exact two-sided p for each column of differences.

    `differences`: (blocks, pairs). Zeros are left out, ties share their rank, and the null
    distribution is that of these very ranks under random signs, so p is exact with ties too.
    Columns that are not finite give NaN.
    """
    size = np.abs(differences)
    ranks = stats.rankdata(size, axis=0) - np.sum(size == 0, axis=0)
    doubled = np.where(size > 0, np.rint(2 * ranks), 0).astype(int)
    total = doubled.sum(axis=0)
    positive = np.where(differences > 0, doubled, 0).sum(axis=0)
    lesser = np.minimum(positive, total - positive)
    sums = np.arange(total.max(initial=0) + 1)
    share = np.tile(sums == 0, (len(total), 1)).astype(float)  # (pairs, sums) of positive ranks
    for block in doubled:
        source = sums - block[:, None]
        moved = np.take_along_axis(share, np.maximum(source, 0), axis=1) * (source >= 0)
        share = (share + moved) / 2
    p = np.minimum(1.0, 2 * np.where(sums <= lesser[:, None], share, 0).sum(axis=1))
    known = np.isfinite(differences).all(axis=0)
    return np.where(known, lesser / 2, np.nan), np.where(known, p, np.nan)


def rank_pairs(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare every pair of architectures: Nemenyi, and Wilcoxon with Holm's adjustment.

    `scores`: rows of `score_means`. Columns: PAIR_COLUMNS. Wilcoxon's test looks at the two
    alone: over scores at their best values in standard deviations of each score, over
    benchmarks at their mean ranks. Its p cannot fall below 2^(1−N).
    """
    return result(PAIR_COLUMNS, [row for blocks in blocks_of(scores) for row in _pairs(blocks)])


def _pairs(blocks: Blocks) -> list[Row]:
    """Rows of `rank_pairs` for one kind of blocks."""
    n, k = blocks.ranks.shape
    shared: Row = {"blocks": blocks.kind, "n": n}
    if blocks.fault:
        return [shared | not_computable(blocks.fault)]
    order = np.argsort(blocks.mean_ranks, kind="stable")
    first, second = (order[index] for index in np.triu_indices(k, 1))
    difference = blocks.mean_ranks[second] - blocks.mean_ranks[first]
    with np.errstate(invalid="ignore"):  # inf − inf: no difference to rank
        statistic, p = signed_rank(blocks.strength[:, first] - blocks.strength[:, second])
    p_nemenyi, p_holm = nemenyi_p(difference, k, n), holm(p)
    rows = []
    for i in range(len(p)):
        missing = not_computable("scores are infinite")["note"] if np.isnan(p[i]) else ""
        row = {
            "first": blocks.architectures[first[i]],
            "second": blocks.architectures[second[i]],
            "difference": difference[i],
            "p_nemenyi": p_nemenyi[i],
            "signed_rank": statistic[i],
            "p_wilcoxon": p[i],
            "p_holm": p_holm[i],
            "family_size": len(p),
            "note": join_notes(missing, blocks.note),
        }
        rows.append(shared | row)
    return rows


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


def rank_groups(scores: pd.DataFrame) -> pd.DataFrame:
    """Groups of architectures that a test does not tell apart, for both diagrams.

    `scores`: rows of `score_means`. Columns: GROUP_COLUMNS. Nemenyi's groups span at most the
    critical difference; Wilcoxon–Holm's are runs in order of mean rank without a pair told
    apart.
    """
    rows = []
    for blocks in blocks_of(scores):
        shared: Row = {"blocks": blocks.kind, "n": len(blocks.ranks)}
        if blocks.fault:
            rows.append(shared | not_computable(blocks.fault))
            continue
        means = blocks.mean_ranks
        pairs = pd.DataFrame(_pairs(blocks))
        for method, column in (("Nemenyi", "p_nemenyi"), ("Wilcoxon–Holm", "p_holm")):
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
    return result(GROUP_COLUMNS, rows)


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
        title="Which architectures differ: all pairs, Nemenyi and Wilcoxon–Holm",
        columns=PAIR_COLUMNS,
        compute=lambda frames: rank_pairs(frames.scores),
    ),
    Study(
        name="rank_groups",
        title="Groups of architectures that the data do not tell apart",
        columns=GROUP_COLUMNS,
        compute=lambda frames: rank_groups(frames.scores),
    ),
)
