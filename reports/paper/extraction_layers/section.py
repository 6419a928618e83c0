"""Which extraction layer: Table IV, Figures 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_figures import ordered
from lossnets.reports.page.tables import Cell, Column, family_grid, grid, records
from lossnets.reports.paper import figures

MOST_PANELS = 42  # six rows of small panels
VERDICTS = ("agrees", "among tied layers", "differs")


def extraction_layers(page: Page) -> dict[str, object]:
    """Best layers per score, and scores by layer."""
    best = page.query("table_04")
    by_layer = page.query("figure_02")
    datasets = page.query("figure_03")
    panels = with_panels(by_layer.frame)
    counts = best.frame["verdict"].value_counts()
    labels = _labels(page)
    return {
        "best": page.table("table_04", _letters_grid(best.frame, labels), best, number="IV"),
        "measured": _measured(page),
        "cells": len(best.frame),
        "counts": {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS},
        "differences": [
            {**row, "label": labels.get(row["column"], row["column"])}
            for row in records(best.frame[best.frame["verdict"] != "agrees"])
        ],
        "by_layer": page.figure(
            "figure_02",
            figures.score_by_layer(panels, by_layer.frame),
            by_layer,
            number="2",
            filters=_score_filters(by_layer.frame),
        ),
        "datasets": page.figure(
            "figure_03",
            figures.svhn_against_stl10(datasets.frame),
            datasets,
            number="3",
            filters=_layer_filters(datasets.frame),
        ),
        "commonest": _commonest(by_layer.frame),
        "left_out": by_layer.frame["architecture"].nunique() - panels["architecture"].nunique(),
    }


def with_panels(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the architectures that get a panel: all, or, of very many, the paper's."""
    if frame["architecture"].nunique() <= MOST_PANELS:
        return frame
    paper = frame.loc[frame["source"] == "paper", "architecture"]
    return frame[frame["architecture"].isin(paper)].reset_index(drop=True)


def _measured(page: Page) -> Exhibit | None:
    """The best measured layers beside the best published ones, where there are any."""
    query = page.query("measured_best_layers")
    if query.frame.empty:
        return None
    columns = [
        Column(key="name", label="Architecture", head=True),
        Column(key="label", label="Score"),
        Column(key="value", label="Best value", decimals=4, numeric=True),
        Column(key="layers", label="Measured best"),
        Column(key="printed_layers", label="Published best"),
    ]
    measured = grid(query.frame, columns)
    return page.table("table_04_measured", measured, query, number="IV-measured")


def _labels(page: Page) -> dict[str, str]:
    catalog = page.frames().score_catalog
    labels = dict(zip(catalog["score"], catalog["label"], strict=True))
    return {**labels, "mrd": "MRD (All)"}


def _letters_grid(frame: pd.DataFrame, labels: Mapping[str, str]) -> Any:
    cells = {(r["architecture"], r["column"]): r for r in records(frame)}
    keys = list(dict.fromkeys(frame["column"]))
    columns = [
        Column(key="name", label="Architecture", head=True),
        *(Column(key=key, label=labels.get(key, key), centred=True) for key in keys),
    ]

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.head:
            return None
        found = cells[row["architecture"], column.key]
        marks = ("top",) if found["best_architecture"] else ()
        letters = found["recomputed"] if isinstance(found["recomputed"], str) else "none"
        if found["verdict"] == "agrees":
            return Cell(text=letters, marks=marks)
        return Cell(text=letters, marks=(*marks, "differs"), remark=f"({found['printed']})")

    wide = frame.drop_duplicates("architecture")[["architecture", "name", "family"]]
    return family_grid(wide, columns, cell=cell)


def _score_filters(frame: pd.DataFrame) -> tuple[Filter, ...]:
    families = ordered(frame["family"])
    labels = frame.drop_duplicates("score").set_index("score")["label"]
    choice = Filter(
        field="score",
        label="Score",
        values=list(labels.index),
        labels={str(score): str(label) for score, label in labels.items()},
        single=True,
    )
    return (
        choice,
        Filter(field="family", label="Family", values=families, marks=theme.marks(families)),
    )


def _layer_filters(frame: pd.DataFrame) -> tuple[Filter, ...]:
    layers = figures.layer_order(frame)
    labels = {layer: layer.replace("_", "-") for layer in layers}
    return (
        Filter(
            field="layer", label="Layer", values=layers, labels=labels, marks=theme.marks(layers)
        ),
    )


def _commonest(frame: pd.DataFrame) -> dict[str, dict[str, object]]:
    """For each published score, the layer that is best for most architectures, and for how many."""
    best = frame[frame["best"] & (frame["source"] == "paper")]
    found: dict[str, dict[str, object]] = {}
    for score, cells in best.groupby("score"):
        counts = cells["layer"].value_counts()
        found[str(score)] = {
            "layer": str(counts.index[0]).replace("_", "-"),
            "architectures": int(counts.iloc[0]),
            "of": cells["architecture"].nunique(),
        }
    return found


SECTION = Section(
    name="extraction_layers",
    title="Which extraction layer",
    order=50,
    build=extraction_layers,
)
