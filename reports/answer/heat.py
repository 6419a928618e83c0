"""The table of the first screen: architectures by scores, their best layers and ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.frames.frames import BENCHMARKS, Frames
from lossnets.reports.page import theme
from lossnets.reports.page.tables import records, shown

PAPER = "paper"

BENCHMARK_TITLES = {
    "perceptual_similarity": "Similarity",
    "super_resolution": "Super-resolution",
    "delineation": "Delineation",
    "autoencoding": "Autoencoding",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A network on a score: letters of its best layers, shade (1 best to 8 last), place, words."""

    letters: str
    shade: int
    place: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """An architecture of a source; low and high: the interval of its mean rank, or None."""

    key: str
    name: str
    family: str
    source: str
    mean: float
    low: float | None
    high: float | None
    cells: tuple[Cell | None, ...]


def score_titles(catalog: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(score, the heading of its group, its own heading), in the paper's order."""
    ordered = records(catalog.sort_values("position"))
    return [(row["score"], _group(row), _title(row)) for row in ordered]


def _group(row: Mapping[str, Any]) -> str:
    title = BENCHMARK_TITLES.get(row["benchmark"], str(row["benchmark"]).replace("_", " "))
    return title if pd.isna(row["scale"]) else f"{title} ×{row['scale']:g}"


def _title(row: Mapping[str, Any]) -> str:
    if pd.notna(row["scale"]):
        return f"{row['dataset']} {row['metric']}"
    if row["metric"] == "accuracy":
        return str(row["dataset"])
    return str(row["metric"])


def best_values(frames: Frames) -> pd.DataFrame:
    """A row per architecture and score: its best value, and the layers that reach it, listed."""
    scores = frames.scores
    sign = np.where(scores["higher_is_better"].astype(bool), 1.0, -1.0)
    signed = (scores["value"] * sign).round(12)
    best = signed.groupby([scores["score"], scores["architecture"]]).transform("max")
    reached = scores.assign(signed=signed)[signed == best].sort_values(
        ["score", "architecture", "layer_position", "layer"]
    )
    keys = ["score", "architecture"]
    return reached.groupby(keys, as_index=False).agg(
        benchmark=("benchmark", "first"),
        family=("family", "first"),
        value=("value", "first"),
        signed=("signed", "first"),
        layers=("layer", ", ".join),
    )


def placed(frames: Frames, paper: pd.DataFrame) -> pd.DataFrame:
    """`best_values` of a source with `place`: the rank that each would have in the paper's field.

    An architecture of the paper has its rank (ties averaged); any other one 1 plus how many of
    the paper's are better, and a half for each that is equal. field: how many they are.
    """
    best = best_values(frames)
    fields = {score: np.sort(rows["signed"]) for score, rows in paper.groupby("score")}
    own = 1 if frames.source == PAPER else 0
    places, sizes = [], []
    for score, signed in zip(best["score"], best["signed"], strict=True):
        field = fields.get(score, np.array([]))
        better = len(field) - np.searchsorted(field, signed, side="right")
        equal = len(field) - better - np.searchsorted(field, signed, side="left")
        places.append(1 + better + (equal - own) / 2)
        sizes.append(len(field))
    return best.assign(place=places, field=sizes, source=frames.source)


def rows(
    placed: pd.DataFrame, catalog: pd.DataFrame, names: Mapping[str, str], intervals: pd.DataFrame
) -> list[Row]:
    """The table's rows: best mean rank first, those without one at the end.

    placed: of all sources, one below the other; intervals: by architecture, with
    `mean_rank_low` and `mean_rank_high`, of the paper's.
    """
    decimals = catalog.set_index("score")["decimals"]
    scores = catalog.sort_values("position")["score"].tolist()
    drawn = zip(intervals["mean_rank_low"], intervals["mean_rank_high"], strict=True)
    limits = dict(zip(intervals.index.tolist(), drawn, strict=True))
    made = []
    for (source, architecture), part in placed.groupby(["source", "architecture"], sort=False):
        cells = {}
        for row in records(part):
            cells[row["score"]] = _cell(row, int(decimals[row["score"]]))
        low, high = limits.get(str(architecture), (None, None)) if source == PAPER else (None, None)
        made.append(
            Row(
                key=f"{source}/{architecture}",
                name=names.get(str(architecture), str(architecture)),
                family=str(part["family"].iloc[0]),
                source=str(source),
                mean=mean_place(part, catalog),
                low=low,
                high=high,
                cells=tuple(cells.get(score) for score in scores),
            )
        )
    return sorted(made, key=lambda row: (np.isnan(row.mean), row.mean, row.name, row.source))


def compact(rows: list[Row]) -> list[list[Any]]:
    """Rows as `answer.js` takes them: key, name, source, mean, and a list for each cell."""
    return [
        [
            *(row.key, row.name, row.source, shown(row.mean, 1)),
            [
                [cell.letters, cell.shade, shown(cell.place), cell.words] if cell else None
                for cell in row.cells
            ],
        ]
        for row in rows
    ]


def mean_place(part: pd.DataFrame, catalog: pd.DataFrame) -> float:
    """Mean over the benchmarks of the mean places on their scores; NaN unless all are there."""
    if len(part) < len(catalog):
        return float("nan")
    by_benchmark = part.groupby("benchmark")["place"].mean()
    return float(by_benchmark.reindex([b for b in BENCHMARKS if b in by_benchmark]).mean())


def _cell(row: Mapping[str, Any], decimals: int) -> Cell:
    layers = str(row["layers"]).replace("_", "-")
    value = shown(row["value"], decimals if row["source"] == PAPER else decimals + 1)
    return Cell(
        letters="".join(letter(layer) for layer in str(row["layers"]).split(", ")),
        shade=theme.rank_shade(row["place"], row["field"]),
        place=float(row["place"]),
        words=f"{value} at {layers}, rank {shown(float(row['place']))}",
    )


def letter(layer: str) -> str:
    """One letter for the paper's layers, a bullet for any other.

    >>> [letter(name) for name in ("early", "semi_early", "middle", "late", "features.3")]
    ['E', 'S', 'M', 'L', '•']
    """
    known = ("early", "semi_early", "middle", "late")
    return layer[0].upper() if layer in known else "•"
