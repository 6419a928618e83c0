"""Which extraction layer is the best, and how often."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    not_computable,
    result,
    score_cube,
)
from lossnets.analysis.frames.frames import Study
from lossnets.analysis.statistics.westfall_young import holm

ALPHA = 0.05
POWER = 0.80
RARE = 1e-6  # chances below are not told from 0 by 1 − their complement

BEST_COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "value": "best value over the layers, in the score's unit",
    "layers": "every layer that reaches it, by position",
    "layer_count": "how many layers reach it",
    "note": "what is missing, and why",
}

SHARE_COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "layer": "extraction layer",
    "layer_position": "1 = earliest",
    "architectures": "number of architectures with a value of this score",
    "count": "architectures whose best layer this is, ties shared equally",
    "least_count": "architectures of which this alone is the best layer",
    "greatest_count": "the same and those where it ties for best",
    "share": "count / architectures",
    "note": "what is missing, and why",
}

MODE_COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "trained_model": "training that the score is of: scores of one are one witness; missing where "
    "nothing is trained",
    "architectures": "number of architectures N",
    "layers": "number of layers",
    "modal_layer": "layer that is best most often (all, where several are)",
    "count": "architectures whose best layer it is, ties shared equally",
    "least_count": "architectures of which it alone is the best layer",
    "greatest_count": "the same and those where it ties for best",
    "share": "count / architectures",
    "p_least": "one-sided binomial p of greatest_count against equal shares",
    "p_greatest": "one-sided binomial p of least_count against equal shares",
    "p_any_layer": "p of least_count for the most frequent of all layers (chosen after looking)",
    "p_holm": "p_any_layer after Holm's adjustment over the scores",
    "family_size": "number of scores in the adjustment",
    "detectable_share": "least true share that p_holm < 0.05 finds with 80 % power (5 % shared "
    "out over the family)",
    "note": "what is missing, and why",
}


def extraction_cells(cube: ScoreCube) -> Floats:
    """Oriented values at the named extraction layers (architectures, layers, scores)."""
    return cube.oriented[:, cube.extraction]


def reaches_best(cells: Floats) -> NDArray[np.bool_]:
    """Whether a layer reaches the architecture's best value, along axis 1 of `cells`."""
    if 0 in cells.shape:
        return np.zeros(cells.shape, dtype=bool)
    best = np.fmax.reduce(cells, axis=1, keepdims=True)
    return np.asarray(cells == best)


def best_layers(scores: pd.DataFrame) -> pd.DataFrame:
    """The layer or layers with each architecture's best value on each score (Table IV).

    `scores`: rows of `score_means`. Columns: BEST_COLUMNS; `layers` joins ties with ", ".
    """
    cube = score_cube(scores)
    best, at = cube.best, reaches_best(cube.oriented)
    names = np.array(cube.layers)
    rows = []
    for s, score in enumerate(cube.scores):
        for a, architecture in enumerate(cube.architectures):
            row: Row = {
                "benchmark": cube.benchmarks[s],
                "score": score,
                "architecture": architecture,
                "family": cube.families[a],
                "value": cube.signs[s] * best[a, s],
                "layers": ", ".join(names[at[a, :, s]]),
                "layer_count": int(at[a, :, s].sum()),
            }
            if np.isnan(best[a, s]):
                row |= not_computable("the architecture has no value of this score")
            rows.append(row)
    return result(BEST_COLUMNS, rows or [not_computable(NO_SCORES)])


def layer_shares(scores: pd.DataFrame) -> pd.DataFrame:
    """How often each extraction layer is an architecture's best, per score.

    `scores`: rows of `score_means`. Columns: SHARE_COLUMNS. Ties count fractionally in `count`
    and bound it in `least_count` and `greatest_count`. Other traced nodes than the named
    layers do not compete.
    """
    cube = score_cube(scores)
    cells = extraction_cells(cube)
    rows = []
    for s, score in enumerate(cube.scores):
        count, least, greatest, n = _counts(cells[..., s])
        for i, layer in enumerate(cube.extraction):
            row: Row = {
                "benchmark": cube.benchmarks[s],
                "score": score,
                "layer": cube.layers[layer],
                "layer_position": cube.positions[layer],
                "architectures": n,
                "count": count[i],
                "least_count": least[i],
                "greatest_count": greatest[i],
                "share": count[i] / n if n else np.nan,
            }
            rows.append(row if n else row | not_computable("the score has no values"))
    return result(SHARE_COLUMNS, rows or [not_computable(NO_SCORES)])


def _counts(cells: Floats) -> tuple[Floats, Floats, Floats, int]:
    """Fractional, least and greatest count per layer of (architectures, layers), and N."""
    at = reaches_best(cells)
    reached = at.sum(axis=1, keepdims=True)
    count = (at / np.maximum(reached, 1)).sum(axis=0)
    least = (at & (reached == 1)).sum(axis=0)
    return count, least, at.sum(axis=0), int((reached > 0).sum())


def layer_modes(scores: pd.DataFrame) -> pd.DataFrame:
    """Is the most frequent best layer more frequent than chance, per score?

    `scores`: rows of `score_means`. Columns: MODE_COLUMNS. The binomial test is against equal
    shares (¼ for four layers), bounded by both ways to count ties. Because the layer is chosen
    after looking, `p_any_layer` asks how often the most frequent of all layers would be as
    frequent (exact, multinomial).
    """
    cube = score_cube(scores)
    cells = extraction_cells(cube)
    rows = [_mode(cube, s, cells[..., s]) for s in range(len(cube.scores))]
    p = np.array([row.get("p_any_layer", np.nan) for row in rows])
    tested = int(np.sum(~np.isnan(p)))
    for row, adjusted in zip(rows, holm(p), strict=True):
        row |= {"p_holm": adjusted, "family_size": tested}
        if "p_any_layer" in row:
            row["detectable_share"] = detectable_share(row["architectures"], row["layers"], tested)
    return result(MODE_COLUMNS, rows or [not_computable(NO_SCORES)])


def _mode(cube: ScoreCube, s: int, cells: Floats) -> Row:
    """One row of `layer_modes`, without the adjustment; `cells`: (architectures, layers)."""
    count, least, greatest, n = _counts(cells)
    k = len(count)
    row: Row = {"benchmark": cube.benchmarks[s], "score": cube.scores[s]}
    row |= {"trained_model": cube.trained_models[s], "architectures": n, "layers": k}
    if not n or k < 2:
        reason = "the score has no values" if k != 1 else "there is one extraction layer"
        return row | not_computable(reason)
    modal = np.flatnonzero(np.isclose(count, count.max()))
    low, high = int(least[modal].max()), int(greatest[modal].max())
    incomplete = bool(np.isnan(cells[~np.isnan(cells).all(axis=1)]).any())
    return row | {
        "modal_layer": ", ".join(cube.layers[cube.extraction[i]] for i in modal),
        "count": count.max(),
        "least_count": low,
        "greatest_count": high,
        "share": count.max() / n,
        "p_least": stats.binom.sf(high - 1, n, 1 / k),
        "p_greatest": stats.binom.sf(low - 1, n, 1 / k),
        "p_any_layer": most_frequent_p(low, n, k),
        "note": "some architectures lack a layer" if incomplete else "",
    }


def most_frequent_p(count: int, n: int, k: int) -> float:
    """Chance that the most frequent of k equally likely outcomes comes up `count` of n times.

    Exact: 1 − P(no outcome comes up as often). Counts are Poisson counts of mean n/k, given that
    they sum to n: their truncated probabilities are convolved, which overflows for no n. Where two
    cannot come up as often, or hardly ever do, the chance is the sum of theirs.

    >>> round(most_frequent_p(count=2, n=2, k=4), 12)
    0.25
    """
    together = k * float(stats.binom.sf(count - 1, n, 1 / k))
    if 2 * count > n or together < RARE:
        return min(together, 1.0)
    fewer = stats.poisson.pmf(np.arange(min(count, n + 1)), n / k) if count else np.zeros(1)
    sums = np.ones(1)
    for _ in range(k):
        sums = np.convolve(sums, fewer)[: n + 1]
    none = sums[n] / stats.poisson.pmf(n, n) if len(sums) > n else 0.0
    return float(np.clip(1 - none, 0, 1))


@cache
def detectable_share(n: int, k: int, family: int = 1) -> float:
    """Least share of one layer that `most_frequent_p` finds with 80 % power at 5 % / family.

    NaN where even all of n are too few.

    >>> round(detectable_share(n=14, k=4, family=19), 2)
    0.77
    """
    counts = range(n // k, n + 1)
    found = [c for c in counts if most_frequent_p(c, n, k) < ALPHA / family]
    if not found:
        return np.nan
    return float(brentq(lambda p: stats.binom.sf(found[0] - 1, n, p) - POWER, 1e-9, 1 - 1e-9))


STUDIES = (
    Study(
        name="best_layers",
        title="Best extraction layer of each architecture on each score (Table IV)",
        columns=BEST_COLUMNS,
        compute=lambda frames: best_layers(frames.scores),
    ),
    Study(
        name="layer_shares",
        title="How often each extraction layer is the best",
        columns=SHARE_COLUMNS,
        compute=lambda frames: layer_shares(frames.scores),
    ),
    Study(
        name="layer_modes",
        title="Is the most frequent best layer more frequent than chance?",
        columns=MODE_COLUMNS,
        compute=lambda frames: layer_modes(frames.scores),
    ),
)
