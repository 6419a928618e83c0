"""What measured runs kept for each item: an image, a pair or a triplet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lossnets.warehouse.store import Warehouse

RUNS = """
select run_id, benchmark, architecture, baseline, preset
from runs
where source = 'measured' and has_item_values and ($1 is null or list_contains($1, run_id))
order by all
"""

SCORES = """
with scored as (
    select run_id, layer, score, value from scores where source = 'measured'
    union all
    select run_id, layer, score, value from preset_scores
)
select run_id, layer, score, value
from scored
semi join (select unnest($1) as run_id) using (run_id)
order by all
"""

SERIES = """
select
    run_id, coalesce(layer, '') as layer, dataset, quantity,
    list(coalesce(value, 'nan'::double) order by item) as values, bit_xor(hash(item)) as items
from item_values
semi join (select unnest($1) as run_id) using (run_id)
group by all
"""
TOGETHER = 16  # runs asked for at once: of BAPPS, the largest, 60 MB


@dataclass(frozen=True, kw_only=True)
class Series:
    """One quantity of all items of a data set.

    values: in the order of the items' names, NaN where an item has none; items: equal where the
    items are the same.
    """

    values: NDArray[np.float64]
    items: int


@dataclass(frozen=True, kw_only=True)
class MeasuredRun:
    """A measured run: its scores, and the values per item that they are made of.

    about: run_id, benchmark, architecture, baseline, preset; scores: columns layer (missing for
    a baseline), score, value; series: by (layer, data set, quantity), the layer "" for labels and
    baselines.
    """

    about: Mapping[str, object]
    scores: pd.DataFrame
    series: Mapping[tuple[str, str, str], Series]


def measured_runs(
    warehouse: Warehouse, run_ids: Sequence[str] | None = None
) -> Iterator[MeasuredRun]:
    """The measured runs of these ids (all by default) that have values per item, presets too.

    A few at a time, so that no more than those are in memory.
    """
    with warehouse.connect():  # one opening of the database for all queries
        found = warehouse.query(RUNS, [None if run_ids is None else list(run_ids)])
        runs = found.astype(object).where(found.notna(), None).to_dict("records")
        for start in range(0, len(runs), TOGETHER):
            part = runs[start : start + TOGETHER]
            ids = [about["run_id"] for about in part]
            series = warehouse.query(SERIES, [ids])
            scores = warehouse.query(SCORES, [ids])
            for about in part:
                yield MeasuredRun(
                    about={str(name): value for name, value in about.items()},
                    scores=_of_run(scores, about["run_id"]),
                    series=_series(_of_run(series, about["run_id"])),
                )


def _of_run(rows: pd.DataFrame, run_id: object) -> pd.DataFrame:
    of_run = rows[rows["run_id"] == run_id]
    return of_run.drop(columns="run_id").reset_index(drop=True)


def _series(rows: pd.DataFrame) -> dict[tuple[str, str, str], Series]:
    keys = zip(rows["layer"], rows["dataset"], rows["quantity"], strict=True)
    found = [
        Series(values=values, items=int(items))
        for values, items in zip(rows["values"], rows["items"], strict=True)
    ]
    return dict(zip(keys, found, strict=True))
