"""The paper's swap argument, and how often it would hold by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
from lossnets.analysis.layers.best_layers import extraction_cells
from lossnets.analysis.statistics.permutations import PERMUTATIONS, permutation_p, permutations

COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "trained_model": "training that the score is of: scores of one are one witness; missing where "
    "nothing is trained",
    "worst_architecture": "architecture with the worst best layer",
    "its_best": "its value at its best layer, in the score's unit",
    "best_architecture": "architecture with the best best layer",
    "its_worst": "its value at its worst layer, in the score's unit",
    "difference": "its_best − its_worst, positive where the worst architecture wins, in "
    "standard deviations of the score's cells",
    "null_median": "median of the difference when cells are shuffled",
    "null_low": "its 2.5 % quantile",
    "null_high": "its 97.5 % quantile",
    "p_greater": "share of shuffles with at least this difference",
    "p_less": "share of shuffles with at most this difference",
    "shuffles": "number of shuffles of all cells",
    "architectures": "number of architectures",
    "layers": "number of layers",
    "note": "what is missing, and why",
}


def swap_statistic(cells: Floats) -> Floats:
    """Worst architecture at its best layer − best architecture at its worst layer.

    `cells`: (architectures, layers, …), higher is better; best and worst by the best layer.
    Architectures that tie for best count with the lowest of their worst layers.

    >>> float(swap_statistic(np.array([[9.0, 1.0], [5.0, 4.0]])))
    4.0
    """
    tops, bottoms = cells.max(axis=1), cells.min(axis=1)
    best = tops == tops.max(axis=0)
    return np.asarray(tops.min(axis=0) - np.where(best, bottoms, np.inf).min(axis=0))


def layer_swap(
    scores: pd.DataFrame, rng: np.random.Generator, shuffles: int = PERMUTATIONS
) -> pd.DataFrame:
    """Does choosing the layer make up for choosing the architecture? With its null (V-B).

    `scores`: rows of `score_means`. Columns: COLUMNS. The paper compares the worst
    architecture at its best layer with the best architecture at its worst layer. Shuffling all
    cells of a score takes away every effect of architecture and layer, so a difference inside
    the shuffled range says nothing about either.
    """
    cube = score_cube(scores)
    cells = extraction_cells(cube)
    orders: dict[int, NDArray[np.intp]] = {}
    rows = []
    for s in range(len(cube.scores)):
        kept, layers = complete_block(cells[..., s])
        block = cells[..., s][np.ix_(kept, layers)]
        if block.size not in orders:
            order = permutations(rng, shuffles, block.size)
            orders[block.size] = np.ascontiguousarray(order.T)  # (cells, shuffles)
        row = _row(cube, s, block, orders[block.size])
        row["note"] = join_notes(
            row.get("note", ""), left_out("architectures", np.delete(cube.architectures, kept))
        )
        if "difference" in row:
            tops, bottoms = block.max(axis=1), block.min(axis=1)
            worst, best = int(tops.argmin()), _best(tops, bottoms)
            row |= {
                "worst_architecture": cube.architectures[kept[worst]],
                "its_best": cube.signs[s] * tops[worst],
                "best_architecture": cube.architectures[kept[best]],
                "its_worst": cube.signs[s] * bottoms[best],
            }
        rows.append(row)
    return result(COLUMNS, rows or [not_computable(NO_SCORES)])


def _best(tops: Floats, bottoms: Floats) -> int:
    """Index of the best architecture, of those that tie the one with the lowest worst layer."""
    return int(np.argmin(np.where(tops == tops.max(), bottoms, np.inf)))


def _row(cube: ScoreCube, s: int, block: Floats, orders: NDArray[np.intp]) -> Row:
    """One row of `layer_swap`; `block`: (architectures, layers); `orders`: (cells, shuffles)."""
    a, b = block.shape
    row: Row = {"benchmark": cube.benchmarks[s], "score": cube.scores[s]}
    row |= {"trained_model": cube.trained_models[s], "architectures": a, "layers": b}
    if a < 2 or b < 2:
        return row | not_computable(f"it takes two architectures and two layers, not {a} and {b}")
    if not np.isfinite(block).all():
        return row | not_computable("some values are infinite")
    scaled = block / (float(np.abs(block).max()) or 1.0)
    if np.ptp(scaled) <= 1e-13:
        return row | not_computable("all values are equal")
    scaled = scaled / scaled.std(ddof=1)
    observed = float(swap_statistic(scaled))
    shuffled = scaled.ravel()[orders].reshape(a, b, -1)
    null = swap_statistic(shuffled)
    low, median, high = np.quantile(null, [0.025, 0.5, 0.975])
    return row | {
        "difference": observed,
        "null_median": median,
        "null_low": low,
        "null_high": high,
        "p_greater": permutation_p(observed, null),
        "p_less": permutation_p(-observed, -null),
        "shuffles": null.size,
    }


STUDIES = (
    Study(
        name="layer_swap",
        title="The swap argument of section V-B with its null distribution",
        columns=COLUMNS,
        compute=lambda frames: layer_swap(frames.scores, np.random.default_rng(SEED)),
    ),
)
