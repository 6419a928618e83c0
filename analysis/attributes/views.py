"""Scores and attributes per architecture: what a correlation is taken between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats, score_cube
from lossnets.analysis.frames.digits import to_digits
from lossnets.analysis.frames.frames import LAYERS, Frames
from lossnets.analysis.frames.once import once
from lossnets.analysis.ranking.ranks import ranks_of

BEST, MEAN = "best", "mean"
PLACING = "mean_rank"  # minus the mean rank over a benchmark's scores, each at its best layer
OVERALL = "overall"


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Values (architectures, columns), greater = better; NaN where missing.

    views, scores, benchmarks: one label per column.
    """

    architectures: tuple[str, ...]
    values: Floats
    views: tuple[str, ...]
    scores: tuple[str, ...]
    benchmarks: tuple[str, ...]

    def of_views(self, views: tuple[str, ...]) -> Scores:
        """The columns of some views."""
        kept = [c for c, view in enumerate(self.views) if view in views]
        return Scores(
            architectures=self.architectures,
            values=self.values[:, kept],
            views=tuple(self.views[c] for c in kept),
            scores=tuple(self.scores[c] for c in kept),
            benchmarks=tuple(self.benchmarks[c] for c in kept),
        )

    def families(self) -> Iterator[tuple[str, list[int]]]:
        """Each view with its columns: the scores that one attribute is tested against."""
        for view in dict.fromkeys(self.views):
            yield view, [c for c, other in enumerate(self.views) if other == view]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Values (architectures, layers, scores), greater = better; NaN where missing."""

    architectures: tuple[str, ...]
    layers: tuple[str, ...]
    values: Floats
    scores: tuple[str, ...]
    benchmarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """An attribute as numbers, NaN where unknown.

    values: (architectures, 1) for level 'architecture', (architectures, layers) for level
    'loss_network', with the layers that occur of LAYERS; infinite: values that were no
    finite numbers, left out.
    """

    attribute: str
    level: str
    layers: tuple[str, ...]
    values: Floats
    infinite: int

    def views(self, views: tuple[str, ...]) -> Iterator[tuple[Floats, tuple[str, ...]]]:
        """Its values per architecture, each with the views of a score they belong to.

        A property of an architecture belongs to all views. A property of a loss network
        belongs to each layer on its own and, as its mean, to the mean over layers; the best
        layer is chosen by the score, so no property of it is independent of the score.
        """
        if self.level == "architecture":
            yield self.values[:, 0], views
            return
        for column, layer in enumerate(self.layers):
            if layer in views:
                yield self.values[:, column], (layer,)
        if MEAN in views:
            yield to_digits(self.values.mean(axis=1)), (MEAN,)

    def at_layers(self, layers: tuple[str, ...]) -> Floats:
        """Its values at these layers (architectures, layers), NaN for layers it is not known at;
        (architectures, 1) for a property of the architecture."""
        if self.level == "architecture":
            return self.values
        values = np.full((len(self.values), len(layers)), np.nan)
        for column, layer in enumerate(layers):
            if layer in self.layers:
                values[:, column] = self.values[:, self.layers.index(layer)]
        return values


def score_views(scores: pd.DataFrame) -> Scores:
    """Each score at its best layer, at each extraction layer, and as the mean over these.

    `scores`: rows of `score_means`. The mean over layers is missing for an architecture that
    lacks one of the extraction layers that occur. Values are turned round where less is
    better.
    """
    cube = score_cube(scores)
    extraction = cube.oriented[:, cube.extraction]
    named = [cube.layers[index] for index in cube.extraction]
    cells = {BEST: cube.best} | {name: extraction[:, i] for i, name in enumerate(named)}
    if len(named) > 1:
        cells[MEAN] = extraction.mean(axis=1)
    width = len(cube.scores)
    return Scores(
        architectures=cube.architectures,
        values=to_digits(np.hstack(list(cells.values()))),
        views=tuple(view for view in cells for _ in range(width)),
        scores=cube.scores * len(cells),
        benchmarks=cube.benchmarks * len(cells),
    )


def score_cells(scores: pd.DataFrame) -> Cells:
    """Each score at each extraction layer."""
    cube = score_cube(scores)
    return Cells(
        architectures=cube.architectures,
        layers=tuple(cube.layers[index] for index in cube.extraction),
        values=to_digits(cube.oriented[:, cube.extraction]),
        scores=cube.scores,
        benchmarks=cube.benchmarks,
    )


def mean_placings(scores: pd.DataFrame) -> Scores:
    """Minus the mean rank per benchmark and overall (Table III), so that greater = better.

    A benchmark's mean is missing for an architecture that lacks one of its scores; overall
    weights the benchmarks equally and is missing where one of them is.
    """
    cube = score_cube(scores)
    ranks = ranks_of(cube.best)
    names = cube.benchmark_names
    of_benchmark = [[b == name for b in cube.benchmarks] for name in names]
    means = np.array([ranks[:, columns].mean(axis=1) for columns in of_benchmark])
    if len(names) > 1:
        means = np.vstack([means, means.mean(axis=0)])
        names = (*names, OVERALL)
    return Scores(
        architectures=cube.architectures,
        values=to_digits(-means.reshape(len(names), len(cube.architectures)).T),
        views=(PLACING,) * len(names),
        scores=(PLACING,) * len(names),
        benchmarks=names,
    )


@once
def views_of(frames: Frames) -> Scores:
    """`score_views` of the frames."""
    return score_views(frames.scores)


@once
def placings_of(frames: Frames) -> Scores:
    """`mean_placings` of the frames."""
    return mean_placings(frames.scores)


@once
def ordered_attributes(frames: Frames) -> list[Attribute]:
    """The attributes whose values have an order, numeric and yes/no, of what has scores."""
    return attributes(frames, views_of(frames).architectures, "numeric", "binary")


def attributes(frames: Frames, architectures: tuple[str, ...], *kinds: str) -> list[Attribute]:
    """Every attribute of some kinds ('numeric', 'binary') in the catalog, in its order.

    Values are in the order of `architectures`.
    """
    catalog = frames.attribute_catalog
    catalog = catalog[catalog["kind"].isin(kinds)]
    return [
        _attribute(frames, architectures, str(name), str(level))
        for name, level in zip(catalog["attribute"], catalog["level"], strict=True)
    ]


def _attribute(frames: Frames, architectures: tuple[str, ...], name: str, level: str) -> Attribute:
    whole = level == "architecture"
    table = frames.architectures if whole else frames.loss_networks
    layers = ("",) if whole else tuple(la for la in LAYERS if (table["layer"] == la).any())
    shape = (len(architectures), len(layers))
    raw = np.full(shape, np.nan)
    if name in table.columns:
        column = table[name].astype(object).where(table[name].notna(), np.nan)
        known = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
        row = pd.Index(architectures).get_indexer(pd.Index(table["architecture"]))
        layer = np.zeros_like(row)
        if not whole:
            layer = pd.Index(layers).get_indexer(pd.Index(table["layer"]))
        inside = (row >= 0) & (layer >= 0)
        raw[row[inside], layer[inside]] = known[inside]
    infinite = np.isinf(raw)
    return Attribute(
        attribute=name,
        level=level,
        layers=layers,
        values=to_digits(np.where(infinite, np.nan, raw)),
        infinite=int(infinite.sum()),
    )
