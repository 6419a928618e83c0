"""What claims are tested on: the cells of the published layers, ranks and attributes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import Floats, score_cube
from lossnets.analysis.frames.frames import BENCHMARKS, LAYERS, Frames, Study
from lossnets.analysis.frames.once import computed, once

FEWEST = 8  # architectures below which a claim about all of them is not tested

PRINTED, MEASURED = "printed", "measured"
ATTRIBUTES = {
    "accuracy": {PRINTED: "paper_imagenet_top1", MEASURED: "imagenet_top1"},
    "depth": {PRINTED: "paper_depth", MEASURED: "depth"},
    "operations": {PRINTED: "paper_mflops", MEASURED: "macs"},
    "parameters": {MEASURED: "params"},
}


class NotTestable(Exception):  # noqa: N818  (it ends a test, it is no fault)
    """A claim cannot be tested with what is there; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Scores at the four extraction layers, and what goes with them.

    cells: (…, architectures, layers, scores), higher is better; leading axes are draws of
    noise, NaN a cell that was left out; attribute_source: PRINTED or MEASURED; printed: mean
    ranks as Table III prints them, by benchmark and 'overall', where these are to be used.
    """

    frames: Frames
    cells: Floats
    architectures: tuple[str, ...]
    scores: tuple[str, ...]
    benchmarks: tuple[str, ...]
    attribute_source: str = PRINTED
    printed: pd.DataFrame | None = None

    @classmethod
    def of(cls, frames: Frames) -> Evidence:
        """Arrange the scores of some frames; architectures without a score have NaN."""
        if frames.scores.empty:
            raise NotTestable("there are no scores")
        cube = score_cube(frames.scores[frames.scores["layer"].isin(LAYERS)])
        missing = [layer for layer in LAYERS if layer not in cube.layers]
        if missing:
            raise NotTestable(f"there are no scores at the layers {', '.join(missing)}")
        return cls(
            frames=frames,
            cells=cube.oriented,
            architectures=cube.architectures,
            scores=cube.scores,
            benchmarks=cube.benchmarks,
            attribute_source=PRINTED if frames.source == "paper" else MEASURED,
        )

    def restricted(
        self, benchmarks: tuple[str, ...], architectures: tuple[str, ...] = ()
    ) -> Evidence:
        """Only these benchmarks, and only architectures that have all their cells."""
        key = (benchmarks, architectures)
        if key not in self._restrictions:
            self._restrictions[key] = self._restrict(benchmarks, architectures)
        return self._restrictions[key]

    @cached_property
    def _restrictions(self) -> dict[tuple[tuple[str, ...], ...], Evidence]:
        return {}

    def _restrict(self, benchmarks: tuple[str, ...], named: tuple[str, ...]) -> Evidence:
        absent = [name for name in benchmarks if name not in self.benchmarks]
        if absent:
            raise NotTestable(f"there are no scores of {', '.join(absent)}")
        columns = [s for s, name in enumerate(self.benchmarks) if name in benchmarks]
        cells = self.cells[..., columns]
        complete = ~np.isnan(cells).any(axis=(-2, -1))
        kept = tuple(np.array(self.architectures)[complete])
        lacking = [name for name in named if name not in kept]
        if lacking:
            raise NotTestable(f"cells are missing for {', '.join(lacking)}")
        if len(kept) < FEWEST:
            raise NotTestable(f"{len(kept)} architectures have every cell, and it takes {FEWEST}")
        return replace(
            self,
            cells=np.ascontiguousarray(cells[..., complete, :, :]),
            architectures=kept,
            scores=tuple(self.scores[s] for s in columns),
            benchmarks=tuple(self.benchmarks[s] for s in columns),
        )

    def without_family(self, family: str) -> Evidence:
        """The same without the architectures of a family."""
        kept = np.array([self.family(name) != family for name in self.architectures])
        return replace(
            self,
            cells=self.cells[..., kept, :, :],
            architectures=tuple(np.array(self.architectures)[kept]),
        )

    def without(self, cells: set[tuple[str, str, str]]) -> Evidence:
        """The same with some cells (architecture, layer, score) left out.

        A cell stays where an architecture would be left without any value of a score.
        """
        left = self.cells.copy()
        for architecture, layer, score in cells:
            if architecture in self.architectures and score in self.scores:
                a, s = self.architectures.index(architecture), self.scores.index(score)
                left[..., a, LAYERS.index(layer), s] = np.nan
        nothing = np.isnan(left).all(axis=-2, keepdims=True)
        return replace(self, cells=np.where(nothing, self.cells, left))

    def noisy(self, noise: Floats, fraction: float) -> Evidence:
        """Cells with noise (draws, architectures, layers, scores) of unit variance added.

        `fraction`: its standard deviation, in those between architectures at their best layer.
        """
        spread = np.nanstd(self.best, axis=-2, ddof=1)
        return replace(self, cells=self.cells + fraction * spread * noise)

    def family(self, architecture: str) -> str | None:
        """Family of an architecture, None where none is known."""
        return _families(self.frames).get(architecture)

    # scores -----------------------------------------------------------------------------

    def index(self, *architectures: str) -> list[int]:
        """Positions of architectures on their axis."""
        absent = [name for name in architectures if name not in self.architectures]
        if absent:
            raise NotTestable(f"cells are missing for {', '.join(absent)}")
        return [self.architectures.index(name) for name in architectures]

    def columns(self, *, benchmark: str = "", prefix: str = "") -> list[int]:
        """Positions of scores by benchmark or by the beginning of their id."""
        positions = [
            s
            for s, (score, of) in enumerate(zip(self.scores, self.benchmarks, strict=True))
            if benchmark in ("", of) and score.startswith(prefix)
        ]
        if not positions:
            raise NotTestable(f"there are no scores of {benchmark or prefix}")
        return positions

    @cached_property
    def best(self) -> Floats:
        """Best value over the layers (…, architectures, scores)."""
        return np.asarray(np.fmax.reduce(self.cells, axis=-2))

    @cached_property
    def ranks(self) -> Floats:
        """Rank by the best layer (…, architectures, scores), 1 = best, ties share."""
        return np.asarray(rankdata(-self.best, axis=-2))

    def mean_ranks(self, benchmark: str) -> Floats:
        """Mean rank over the scores of a benchmark, or overall (…, architectures)."""
        if self.printed is not None:
            return self.printed[benchmark].loc[list(self.architectures)].to_numpy(dtype=float)
        if benchmark == "overall":
            return np.asarray(np.mean([self.mean_ranks(name) for name in BENCHMARKS], axis=0))
        return np.asarray(self.ranks[..., self.columns(benchmark=benchmark)].mean(axis=-1))

    def places(self, benchmark: str) -> NDArray[np.intp]:
        """1 + how many architectures have a better mean rank (…, architectures)."""
        return places_of(self.mean_ranks(benchmark))

    # layers -----------------------------------------------------------------------------

    @cached_property
    def best_shares(self) -> Floats:
        """Share of each layer in being the best, ties shared (…, architectures, layers, scores)."""
        at = self.is_best
        return np.asarray(at / at.sum(axis=-2, keepdims=True))

    @cached_property
    def is_best(self) -> NDArray[np.bool_]:
        """Whether a layer reaches the best value (…, architectures, layers, scores)."""
        return np.asarray(self.cells == self.best[..., None, :])

    @cached_property
    def best_positions(self) -> Floats:
        """Position of the best layer, 1 to 4, mean over ties (…, architectures, scores)."""
        return np.einsum("...als,l->...as", self.best_shares, np.arange(1.0, 5.0))

    @cached_property
    def later_is_better(self) -> Floats:
        """Pairs of layers in which the later wins − loses, as a share (…, architectures, scores).

        1: each layer beats every earlier one; −1: the reverse (Kendall's τ with position).
        """
        first, second = np.triu_indices(len(LAYERS), 1)
        signs = np.sign(self.cells[..., second, :] - self.cells[..., first, :])
        there = np.sum(~np.isnan(signs), axis=-2)
        return np.asarray(np.nansum(signs, axis=-2) / np.maximum(there, 1))

    # attributes and studies ---------------------------------------------------------------

    def attribute_id(self, name: str) -> str:
        """Id of an attribute in the source in use: Table I, or measured on the networks."""
        ids = ATTRIBUTES.get(name, {MEASURED: name})
        return ids.get(self.attribute_source, ids[MEASURED])

    def attribute(self, name: str) -> Floats:
        """An attribute of the architectures in their order; NotTestable where one is unknown."""
        column = self.attribute_id(name)
        known = _attributes(self.frames).get(column)
        if known is None:
            raise NotTestable(f"the attribute {column} is not there")
        unknown = [each for each in self.architectures if not np.isfinite(known.get(each, np.nan))]
        if unknown:
            raise NotTestable(f"the attribute {column} is unknown for {', '.join(unknown)}")
        return np.array([known[each] for each in self.architectures])

    def dataset(self, score: str) -> str:
        """Data set of a score, empty if the catalog does not say."""
        return _datasets(self.frames).get(score, "")

    def study(self, studies: tuple[Study, ...], name: str) -> pd.DataFrame:
        """The result of another module's study on the same frames."""
        return computed(self.frames, next(study for study in studies if study.name == name))


@once
def _families(frames: Frames) -> dict[str, str]:
    table = frames.architectures
    return dict(zip(table["architecture"], table["family"], strict=True))


@once
def _datasets(frames: Frames) -> dict[str, str]:
    catalog = frames.score_catalog
    return dict(zip(catalog["score"], catalog["dataset"].fillna("").astype(str), strict=True))


@once
def _attributes(frames: Frames) -> dict[str, dict[str, float]]:
    """Numeric columns of the architectures by id: {attribute: {architecture: value}}."""
    table = frames.architectures
    numbers = table.select_dtypes("number")
    return {
        str(column): dict(zip(table["architecture"], numbers[column].astype(float), strict=True))
        for column in numbers
    }


def places_of(means: Floats) -> NDArray[np.intp]:
    """1 + how many are lower, along the last axis.

    >>> places_of(np.array([2.5, 1.0, 2.5])).tolist()
    [2, 1, 2]
    """
    lower = means[..., None, :] < means[..., :, None] - 1e-9
    return np.asarray(1 + lower.sum(axis=-1))
