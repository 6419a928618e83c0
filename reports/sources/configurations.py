"""Several configurations of one loss network: which there are, and which one the page shows."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.study_results import words
from lossnets.reports.page.tables import Column, grid

COLUMNS = (
    Column(key="source", label="Source", head=True),
    Column(key="benchmark", label="Benchmark"),
    Column(key="weights", label="Weights"),
    Column(key="config", label="Config"),
    Column(key="data", label="Data"),
    Column(key="loss_networks", label="Loss networks", numeric=True),
    Column(key="shown_of", label="Shown", numeric=True),
)


def configurations(page: Page) -> Exhibit | None:
    """A row per configuration of each benchmark that has loss networks with several of them."""
    query = page.query("configurations")
    if query.frame.empty:
        return None
    told = [differing(part) for _, part in query.frame.groupby(["source", "benchmark"])]
    frame = query.frame.assign(
        config=pd.concat(told), benchmark=query.frame["benchmark"].map(words)
    )
    return page.table("configurations", grid(frame, COLUMNS), query)


def differing(part: pd.DataFrame) -> pd.Series[str]:
    """What tells the configs of a benchmark apart: the fields that are not the same in all.

    >>> configs = ['{"lr": 0.1, "epochs": 3}', '{"lr": 0.2, "epochs": 3}']
    >>> differing(pd.DataFrame({"config": configs})).tolist()
    ['lr 0.1', 'lr 0.2']
    """
    configs: list[dict[str, Any]] = [
        json.loads(text) if isinstance(text, str) else {} for text in part["config"]
    ]
    names = sorted({name for config in configs for name in config})
    apart = [
        name for name in names
        if len({json.dumps(config.get(name), sort_keys=True) for config in configs}) > 1
    ]  # fmt: skip
    texts = [
        ", ".join(f"{words(name)} {config[name]}" for name in apart if name in config)
        for config in configs
    ]
    return pd.Series(texts, index=part.index, name="config", dtype=object)
