"""Whether architectures agree on the order of the extraction layers."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

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
from lossnets.analysis.layers.best_layers import ALPHA, POWER, extraction_cells
from lossnets.analysis.ranking.ranks import ranks_of
from lossnets.analysis.statistics.permutations import (
    PERMUTATIONS,
    permutation_p,
    permuted_rank_sums,
)
from lossnets.analysis.statistics.westfall_young import holm

AGREEMENT_COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "trained_model": "training that the score is of: scores of one are one witness; missing where "
    "nothing is trained",
    "architectures": "number of architectures (blocks) N",
    "layers": "number of layers (treatments) k",
    "kendall_w": "agreement on the order of the layers, 0 to 1",
    "mean_rho": "mean Spearman correlation of two architectures, (N·W − 1)/(N − 1)",
    "chi2": "Friedman's statistic with tie correction",
    "df": "k − 1",
    "p_chi2": "its p value from the chi-squared distribution",
    "p_permutation": "p value from layers permuted within architectures",
    "permutations": "number of permutations",
    "p_holm": "p_permutation after Holm's adjustment over the scores",
    "family_size": "number of scores in the adjustment",
    "detectable_w": "least W found with 80 % power at p_holm < 0.05 (non-central χ², 5 % shared "
    "out over the family)",
    "best_order": "layers by mean rank, best first",
    "note": "what is missing, and why",
}


def layer_agreement(
    scores: pd.DataFrame, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> pd.DataFrame:
    """Do architectures agree on the order of the layers? Kendall's W and Friedman per score.

    `scores`: rows of `score_means`. Columns: AGREEMENT_COLUMNS. Architectures are blocks, the
    extraction layers treatments; only architectures with every layer take part.
    """
    cube = score_cube(scores)
    cells = extraction_cells(cube)
    rows = [_agreement(cube, s, cells[..., s]) for s in range(len(cube.scores))]
    _permute(rows, rng, permutations)
    p = np.array([row.get("p_permutation", np.nan) for row in rows])
    tested = int(np.sum(~np.isnan(p)))
    for row, adjusted in zip(rows, holm(p), strict=True):
        row |= {"p_holm": adjusted, "family_size": tested}
        if "ranks" in row:
            row["detectable_w"] = detectable_concordance(*row.pop("ranks").shape, tested)
    return result(AGREEMENT_COLUMNS, rows or [not_computable(NO_SCORES)])


def _agreement(cube: ScoreCube, s: int, cells: Floats) -> Row:
    """One row of `layer_agreement` before permutation, with its ranks (architectures, layers)."""
    kept, layers = complete_block(cells)
    ranks = ranks_of(cells[np.ix_(kept, layers)].T).T
    n, k = ranks.shape
    row: Row = {"benchmark": cube.benchmarks[s], "score": cube.scores[s]}
    row |= {"trained_model": cube.trained_models[s], "architectures": n, "layers": k}
    expected = (k + 1) / 2
    spread = float(np.sum((ranks - expected) ** 2)) if ranks.size else 0.0
    if n < 2 or k < 2 or spread == 0:
        reason = (
            f"it takes two architectures and two layers, and there are {n} and {k}"
            if n < 2 or k < 2
            else "all layers tie in every architecture"
        )
        return row | not_computable(reason)
    w = float(np.sum((ranks.sum(axis=0) - n * expected) ** 2)) / (n * spread)
    chi2 = n * (k - 1) * w
    names = [cube.layers[cube.extraction[layer]] for layer in layers]
    order = np.argsort(ranks.mean(axis=0), kind="stable")
    return row | {
        "ranks": ranks,
        "kendall_w": w,
        "mean_rho": (n * w - 1) / (n - 1),
        "chi2": chi2,
        "df": k - 1,
        "p_chi2": stats.chi2.sf(chi2, k - 1),
        "best_order": ", ".join(names[i] for i in order),
        "note": join_notes(
            left_out("architectures", np.delete(cube.architectures, kept)),
            left_out("layers", np.delete(np.array(cube.layers)[cube.extraction], layers)),
        ),
    }


def _permute(rows: list[Row], rng: np.random.Generator, permutations: int) -> None:
    """Add p_permutation to the rows that have ranks; rows of one shape share the shuffles."""
    alike = defaultdict(list)
    for row in rows:
        if "ranks" in row:
            alike[row["ranks"].shape].append(row)
    for shape in sorted(alike):
        ranks = np.stack([row["ranks"] for row in alike[shape]], axis=2)
        observed = np.sum((ranks.sum(axis=0) - ranks.mean(axis=(0, 1)) * shape[0]) ** 2, axis=0)
        sums = permuted_rank_sums(ranks, rng, permutations)  # (permutations, layers, scores)
        null = np.sum((sums - sums.mean(axis=1, keepdims=True)) ** 2, axis=1)
        for s, row in enumerate(alike[shape]):
            p = permutation_p(float(observed[s]), null[:, s])
            row |= {"p_permutation": p, "permutations": permutations}


@cache
def detectable_concordance(n: int, k: int, family: int = 1) -> float:
    """Least W of n judges over k things found with 80 % power at 5 % / family (non-central χ²).

    NaN where even perfect agreement is not found.
    """
    critical = stats.chi2.isf(ALPHA / family, k - 1)
    greatest = 10 * critical + 200
    noncentral = brentq(lambda x: stats.ncx2.sf(critical, k - 1, x) - POWER, 1e-3, greatest)
    w = (k - 1 + noncentral) / (n * (k - 1))
    return w if w <= 1 else np.nan


STUDIES = (
    Study(
        name="layer_agreement",
        title="Do architectures agree on the order of the layers?",
        columns=AGREEMENT_COLUMNS,
        compute=lambda frames: layer_agreement(frames.scores, np.random.default_rng(SEED)),
    ),
)
