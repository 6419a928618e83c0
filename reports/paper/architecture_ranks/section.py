"""The section on architectures: Table III, recomputed and compared with its print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.rank_columns import PAPER as LABELS
from lossnets.reports.page.rank_columns import rank_columns
from lossnets.reports.page.section import Section
from lossnets.reports.page.tables import Cell, Column, family_grid, grid, records, shown

COLUMNS = tuple(LABELS)
VERDICTS = ("agrees", "inside the bounds", "outside the bounds")


def architecture_ranks(page: Page) -> dict[str, object]:
    """Table III: average ranks by the best extraction layer, and each cell against its print."""
    query = page.query("table_03", columns=COLUMNS)
    frame = query.frame
    counts = frame["verdict"].value_counts()
    overall = frame[frame["column"] == "overall"].sort_values(["recomputed", "name"])
    return {
        "ranks": page.table("table_03", _ranks_grid(frame), query, number="III"),
        "measured": _measured(page),
        "cells": len(frame),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS},
        "differences": [
            {**row, "label": LABELS[row["column"]]}
            for row in records(frame[frame["verdict"] != "agrees"])
        ],
        "first": overall["name"].head(3).tolist(),
        "last": overall["name"].iloc[-1],
    }


def _measured(page: Page) -> Exhibit | None:
    """The mean ranks among the measured architectures, where there are any."""
    labels = rank_columns(page)
    query = page.query("measured_ranks", columns=labels)
    if query.frame.empty:
        return None
    columns = [
        Column(key="name", label="Architecture", head=True),
        *(Column(key=key, label=labels[key], decimals=2, numeric=True) for key in labels),
    ]
    measured = grid(query.frame, columns)
    return page.table("table_03_measured", measured, query, number="III-measured")


def _ranks_grid(frame: pd.DataFrame) -> Any:
    cells = {(r["architecture"], r["column"]): r for r in records(frame)}
    best = frame.groupby("column")["recomputed"].min()
    columns = [
        Column(key="name", label="Architecture", head=True),
        *(
            Column(
                key=name,
                label=LABELS[name],
                group="Average rank per benchmark, recomputed (printed)",
                numeric=True,
                remarks=True,
            )
            for name in COLUMNS
        ),
    ]

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.head:
            return None
        found = cells[row["architecture"], column.key]
        marks = ("top",) if found["recomputed"] == best[column.key] else ()
        text = shown(found["recomputed"], 2)
        if found["verdict"] == "agrees":
            return Cell(text=text, marks=marks)
        outside = "‡" if found["verdict"] == "outside the bounds" else "†"
        remark = f"({shown(found['printed'], 2)}){outside}"
        return Cell(text=text, marks=(*marks, "differs"), remark=remark)

    wide = frame.drop_duplicates("architecture")[["architecture", "name", "family"]]
    return family_grid(wide, columns, cell=cell)


SECTION = Section(
    name="architecture_ranks",
    title="Which architecture",
    order=40,
    build=architecture_ranks,
)
