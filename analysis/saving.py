"""Keep the results of all studies in the warehouse, so that SQL reaches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.studies import STUDIES
from lossnets.warehouse.loading import saved_studies
from lossnets.warehouse.sources import fingerprint

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

SOURCE = "Whose scores it is about: paper or measured."


def save(warehouse: Warehouse, progress: Callable[[int, int, str], None]) -> list[Path]:
    """Compute every study for every source that has scores; each becomes a table `study_<name>`.

    Its columns are the study's, after `source`. `progress` is called with (done, total, study).
    """
    inputs = fingerprint.inputs(warehouse.home)  # before: what changes meanwhile is not in
    _, sources = warehouse.rows("select distinct source from score_means order by source desc")
    frames = [Frames.read(warehouse, source) for (source,) in sources]
    results = []
    for done, study in enumerate(STUDIES.values(), 1):
        computed = [study.compute(of).assign(source=of.source) for of in frames]
        columns = {"source": SOURCE}
        for of in frames:
            columns |= study.columns_of(of)
        results.append(
            saved_studies.Result(
                name=study.name,
                title=study.title,
                columns=columns,
                frame=pd.concat(computed, ignore_index=True)[list(columns)],
            )
        )
        progress(done, len(STUDIES), study.name)
    paths = saved_studies.save(warehouse.home, results, inputs)
    warehouse.refresh()
    return paths
