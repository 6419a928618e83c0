"""Two runs, or two groups of runs, score by score, with intervals over items that both have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats, Row, not_computable, result
from lossnets.analysis.frames.frames import SEED
from lossnets.analysis.frames.item_values import MeasuredRun, measured_runs
from lossnets.analysis.noise.score_intervals import RESAMPLES, Draws, Missing, items_of, made_of
from lossnets.analysis.statistics.intervals import CONFIDENCE

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "first_network": "architecture and layer, or baseline, of the first",
    "second_network": "architecture and layer, or baseline, of the second",
    "first": "score of the first, the mean over its runs, in its unit",
    "second": "score of the second, the mean over its runs, in its unit",
    "difference": "second minus first, in the score's unit",
    "low": "lower end of the 95 % interval of the difference, for other items of the kind",
    "high": "its upper end",
    "better": "first or second, empty where they are equal",
    "items": "images, pairs or triplets that both are made of",
    "first_runs": "number of runs of the first",
    "second_runs": "number of runs of the second",
    "note": "what is missing, and why",
}
SCORES = """
with every as (from scores union all by name from preset_scores)
select every.run_id, every.benchmark, every.score, every.higher_is_better,
    coalesce(every.architecture || ' ' || every.layer, every.baseline, 'baseline') as network,
    every.architecture, coalesce(every.layer, '') as layer, every.value
from every join score_catalog using (score)
where every.run_id in (select unnest($1))
order by score_catalog.position, every.layer_position, every.layer
"""


def compare_runs(warehouse: Warehouse, first: Sequence[str], second: Sequence[str]) -> pd.DataFrame:
    """Compare two groups of runs, by their ids, on the scores that both have.

    Columns: COLUMNS. Where each side has one loss network these two are compared, else those that
    both have, or the same layers of two architectures. The interval of a difference is over items,
    drawn anew for both alike, where each side is one run that kept its values per item: training
    and its seed are as they were. Values that agree to 12 digits are equal.
    """
    sides = [warehouse.query(SCORES, [list(ids)]) for ids in (first, second)]
    kept = {str(run.about["run_id"]): run for run in measured_runs(warehouse, [*first, *second])}
    draws = Draws(seed=SEED, resamples=RESAMPLES)
    rows = [
        _row(own, other, kept, draws)
        for score in sides[0]["score"].unique()
        for own, other in _pairs(*(side[side["score"] == score] for side in sides))
    ]
    return result(COLUMNS, rows or [not_computable("they have no score in common")])


def _pairs(first: pd.DataFrame, second: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    sides = (first, second)
    if all(side["network"].nunique() == 1 for side in sides):
        return [sides]
    shared = [name for name in first["network"].unique() if name in set(second["network"])]
    key = "network"
    if not shared and all(side["architecture"].nunique() == 1 for side in sides):
        key = "layer"
        shared = [layer for layer in first["layer"].unique() if layer in set(second["layer"])]
    return [(first[first[key] == name], second[second[key] == name]) for name in shared]


def _row(
    first: pd.DataFrame, second: pd.DataFrame, kept: dict[str, MeasuredRun], draws: Draws
) -> Row:
    about = first.iloc[0]
    difference = second["value"].mean() - first["value"].mean()
    equal = abs(difference) <= 1e-12 * abs(first["value"].mean())
    sign = difference if about["higher_is_better"] else -difference
    row: Row = {
        "benchmark": about["benchmark"],
        "score": about["score"],
        "first_network": about["network"],
        "second_network": second["network"].iloc[0],
        "first": first["value"].mean(),
        "second": second["value"].mean(),
        "difference": difference,
        "better": "" if equal else "second" if sign > 0 else "first",
        "first_runs": len(first),
        "second_runs": len(second),
    }
    try:
        return row | _interval(first, second, kept, draws)
    except Missing as missing:
        return row | {"note": f"no interval, because {missing}"}


def _interval(
    first: pd.DataFrame, second: pd.DataFrame, kept: dict[str, MeasuredRun], draws: Draws
) -> Row:
    made = made_of(str(first["score"].iloc[0]))
    if len(first) > 1 or len(second) > 1:
        raise Missing("a side is several runs")
    if made is None:
        raise Missing("how the score is made of items is not known")
    sides = []
    for side in (first.iloc[0], second.iloc[0]):
        run = kept.get(str(side["run_id"]))
        if run is None:
            raise Missing(f"run {side['run_id']} kept no values per item")
        sides.append([items_of(run, str(side["layer"]), each, made) for each in made.datasets])
    if any(len(a[0]) != len(b[0]) for a, b in zip(*sides, strict=True)):
        raise Missing("they are made of different items")
    drawn = _differences(*sides, draws=draws, paired=made.per_item is not None)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(drawn[~np.isnan(drawn)], [tail, 100 - tail])
    return {"low": low, "high": high, "items": sum(len(part[0]) for part in sides[0])}


def _differences(
    first: list[tuple[Floats, ...]], second: list[tuple[Floats, ...]], *, draws: Draws, paired: bool
) -> Floats:
    """The difference of the scores in each resample of the items."""
    if not paired:
        return draws.precisions(second)[1] - draws.precisions(first)[1]
    each: list[tuple[Floats, ...]] = [(b[0] - a[0],) for a, b in zip(first, second, strict=True)]
    return draws.means(each)[1]
