"""Do sources agree on what they both have: the same score of the same loss network?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Row, benchmark_order, not_computable, result
from lossnets.analysis.frames.frames import Study
from lossnets.analysis.statistics.coefficients import spearman

COLUMNS = {
    "first": "a source",
    "second": "another source",
    "benchmark": "benchmark id",
    "score": "score id",
    "loss_networks": "number of loss networks of which both have the score",
    "mean_difference": "mean of second minus first, in the score's unit",
    "mean_absolute_difference": "mean of its absolute value, in the score's unit",
    "largest_difference": "the difference of the greatest absolute value, in the score's unit",
    "architecture": "of the largest difference",
    "layer": "of the largest difference",
    "spearman": "rank correlation of the two over the loss networks; missing below 3 of them",
    "note": "what is missing, and why",
}
KEYS = ["benchmark", "score", "architecture", "layer"]


def source_agreement(scores: pd.DataFrame, sources: list[str]) -> pd.DataFrame:
    """Compare every two sources on each score of each loss network that both have.

    `scores`: rows of `score_means`, their source in `source`; means over runs. Columns: COLUMNS.
    """
    rows: list[Row] = []
    for first, second in combinations(sources, 2):
        both = _of(scores, first).merge(_of(scores, second), on=KEYS, suffixes=("_1", "_2"))
        pair = {"first": first, "second": second}
        if both.empty:
            rows.append(pair | not_computable("they have no score of a loss network in common"))
        shared = both[["benchmark", "score"]].drop_duplicates().itertuples(index=False, name=None)
        for benchmark, score in sorted(shared, key=lambda of: (benchmark_order(of[0]), of[1])):
            part = both[both["score"] == score]
            rows.append(pair | {"benchmark": benchmark, "score": score} | _compared(part))
    return result(COLUMNS, rows or [not_computable("there is only one source with scores")])


def _of(scores: pd.DataFrame, source: str) -> pd.DataFrame:
    return scores.loc[scores["source"] == source, [*KEYS, "value"]]


def _compared(part: pd.DataFrame) -> Row:
    first, second = part["value_1"].to_numpy(float), part["value_2"].to_numpy(float)
    difference = second - first
    largest = int(np.argmax(np.abs(difference)))
    row: Row = {
        "loss_networks": len(part),
        "mean_difference": difference.mean(),
        "mean_absolute_difference": np.abs(difference).mean(),
        "largest_difference": difference[largest],
        "architecture": part["architecture"].iloc[largest],
        "layer": part["layer"].iloc[largest],
    }
    if len(part) < 3:
        return row | {"note": "no correlation, because fewer than 3 loss networks are shared"}
    return row | {"spearman": spearman(first, second[:, None])[0]}


STUDIES = (
    Study(
        name="source_agreement",
        title="Where two sources give the same score of the same loss network: do they agree",
        columns=COLUMNS,
        compute=lambda frames: source_agreement(frames.every, frames.all_sources),
    ),
)
