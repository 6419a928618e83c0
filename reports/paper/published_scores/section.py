"""The section with the scores themselves: Tables V to XI, and what was measured beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.tables import Cell, Column, Grid, family_grid, grid, shown

LAYERS = ("early", "semi_early", "middle", "late")
PUBLISHED = ("V", "VI", "VII", "VIII", "IX", "X", "XI")


def published_scores(page: Page) -> dict[str, object]:
    """Tables V to XI as printed, each with the measured scores where there are any."""
    catalog = page.frames().score_catalog
    tables = []
    for position, number in enumerate(PUBLISHED, start=5):
        scores = catalog[catalog["paper_table"] == number].sort_values("position")
        tables.append(
            {
                "table": _published(page, f"table_{position:02d}", number, scores),
                "measured": _measured(page, f"table_{position:02d}_measured", number, scores),
                "benchmark": scores["benchmark"].iloc[0],
                "unit": scores["unit"].iloc[0],
                "detail": _detail(scores),
            }
        )
    return {"tables": tables}


def _detail(scores: pd.DataFrame) -> str:
    """The setting and metric that tell a table from others of its benchmark: " ×4, PSNR"."""
    if scores["scale"].isna().all():
        return ""
    return f" ×{scores['scale'].iloc[0]:g}, {scores['metric'].iloc[0]}"


def _published(page: Page, anchor: str, number: str, scores: pd.DataFrame) -> Exhibit:
    names = scores["score"].tolist()
    query = page.query("scores_table", scores=names, layers=LAYERS)
    return page.table(anchor, _published_grid(query.frame, scores), query, number=number)


def _published_grid(frame: pd.DataFrame, scores: pd.DataFrame) -> Grid:
    columns = [Column(key="name", label="Architecture", head=True)]
    best: dict[str, pd.Series] = {}
    top: dict[str, float] = {}
    for score in scores.to_dict("records"):
        keys = [f"{score['score']}_{layer}" for layer in LAYERS]
        extreme = "max" if score["higher_is_better"] else "min"
        by_row = frame[keys].agg(extreme, axis=1)
        for layer, key in zip(LAYERS, keys, strict=True):
            columns.append(
                Column(
                    key=key,
                    label=layer[0].upper(),
                    group=_heading(score),
                    decimals=int(score["decimals"]),
                    numeric=True,
                )
            )
            best[key] = frame[key] == by_row
            top[key] = frame[key].agg(extreme)
    ranks = _ranks(frame, scores)
    positions = {name: index for index, name in enumerate(frame["architecture"])}

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.head:
            return None
        text = shown(row[column.key], column.decimals)
        if not text:
            return Cell(text="", marks=("missing",))
        position = positions[row["architecture"]]
        field = int(ranks[column.group].count().sum())
        place = float(ranks[column.group][column.key].iloc[position])
        marks = [f"s{theme.rank_shade(place, field)}"]
        marks += ["best"] if best[column.key].iloc[position] else []
        marks += ["top"] if row[column.key] == top[column.key] else []
        return Cell(text=text, marks=tuple(marks))

    return family_grid(frame, columns, cell=cell)


def _ranks(frame: pd.DataFrame, scores: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Heading → the rank of each of its cells among all loss networks, 1 = best."""
    found = {}
    for score in scores.to_dict("records"):
        cells = frame[[f"{score['score']}_{layer}" for layer in LAYERS]]
        signed = -cells if score["higher_is_better"] else cells
        ranks = pd.Series(signed.to_numpy().ravel()).rank().to_numpy().reshape(signed.shape)
        found[_heading(score)] = pd.DataFrame(ranks, index=cells.index, columns=cells.columns)
    return found


def _heading(score: Mapping[Any, Any]) -> str:
    return str(score["dataset"] if pd.notna(score["scale"]) else score["label"])


def _measured(page: Page, anchor: str, number: str, scores: pd.DataFrame) -> Exhibit | None:
    known = page.once("measured", lambda: set(page.query("measured_names").frame["score"]))
    if known.isdisjoint(scores["score"]):
        return None
    query = page.query("measured_scores", scores=scores["score"].tolist())
    decimals = int(scores["decimals"].max()) + 1
    columns = [
        Column(key="name", label="Architecture", head=True),
        Column(key="layer", label="Layer"),
        Column(key="label", label="Score"),
        Column(key="measured", label="Measured", decimals=decimals, numeric=True),
        Column(key="sd", label="SD", decimals=decimals, numeric=True),
        Column(key="runs", label="Runs", numeric=True),
        Column(key="printed", label="Printed", numeric=True),
        Column(key="difference", label="Difference", decimals=decimals, numeric=True),
    ]
    return page.table(anchor, grid(query.frame, columns), query, number=f"{number}-measured")


SECTION = Section(
    name="published_scores",
    title="All published scores",
    order=80,
    build=published_scores,
    scripts=("one_of.js",),
)
