"""What claims are tested on: the cells of the published layers, ranks and attributes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.claims.known import attributes_of, catalog_of, families_of
from lossnets.analysis.frames.cube import Floats, score_cube
from lossnets.analysis.frames.families import lineages
from lossnets.analysis.frames.frames import BENCHMARKS, LAYERS, Frames
from lossnets.analysis.frames.trained_models import trained_models

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

    def by_family(self) -> Evidence:
        """One member a lineage: the means of families' cells in place of the architectures."""
        lineage = lineages(self.architectures, [self.family(name) for name in self.architectures])
        names = tuple(dict.fromkeys(lineage))
        members = [np.array([each == name for each in lineage]) for name in names]
        cells = np.stack([self.cells[..., m, :, :].mean(axis=-3) for m in members], axis=-3)
        return replace(self, cells=cells, architectures=names)

    def with_cells(self, cells: Floats) -> Evidence:
        """The same with other cells."""
        return replace(self, cells=np.ascontiguousarray(cells))

    def family(self, architecture: str) -> str | None:
        """Family of an architecture, None where none is known."""
        return families_of(self.frames).get(architecture)

    @cached_property
    def results(self) -> dict[object, object]:
        """What measures have computed of this evidence and share."""
        return {}

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

    # trained models -----------------------------------------------------------------------

    @cached_property
    def models(self) -> tuple[str | None, ...]:
        """The trained model of each score, None where nothing is trained."""
        return trained_models(catalog_of(self.frames), self.scores)

    @cached_property
    def units(self) -> tuple[NDArray[np.intp], ...]:
        """Scores by trained model: the positions that go together, a score alone if untrained."""
        models = zip(self.models, self.scores, strict=True)
        names = [model or score for model, score in models]
        return tuple(np.flatnonzero(np.array(names) == name) for name in dict.fromkeys(names))

    @cached_property
    def untrained(self) -> NDArray[np.bool_]:
        """Which scores come from no training (scores)."""
        return np.array([model is None for model in self.models])

    def unit_means(self, values: Floats) -> Floats:
        """Means over the scores of each trained model: (…, scores) to (…, units)."""
        return np.stack([values[..., unit].mean(axis=-1) for unit in self.units], axis=-1)

    @cached_property
    def standing(self) -> Floats:
        """Best values in sd from the mean, by trained model (…, architectures, units)."""
        centred = self.best - self.best.mean(axis=-2, keepdims=True)
        spread = self.best.std(axis=-2, ddof=1, keepdims=True)
        return self.unit_means(centred / np.where(spread > 0, spread, np.nan))

    # attributes ---------------------------------------------------------------

    def attribute_id(self, name: str) -> str:
        """Id of an attribute in the source in use: Table I, or measured on the networks."""
        ids = ATTRIBUTES.get(name, {MEASURED: name})
        return ids.get(self.attribute_source, ids[MEASURED])

    def attribute(self, name: str) -> Floats:
        """An attribute of the architectures in their order; NotTestable where one is unknown."""
        column = self.attribute_id(name)
        known = attributes_of(self.frames).get(column)
        if known is None:
            raise NotTestable(f"the attribute {column} is not there")
        unknown = [each for each in self.architectures if not np.isfinite(known.get(each, np.nan))]
        if unknown:
            raise NotTestable(f"the attribute {column} is unknown for {', '.join(unknown)}")
        return np.array([known[each] for each in self.architectures])

    def knows(self, name: str) -> bool:
        """Whether an attribute is known for all architectures."""
        try:
            self.attribute(name)
        except NotTestable:
            return False
        return True

    def layer_attribute(self, name: str) -> Floats:
        """An attribute of the loss networks (architectures, layers); NotTestable where unknown."""
        table = self.frames.loss_networks
        if name not in table:
            raise NotTestable(f"the attribute {name} is not there")
        known = table.pivot_table(index="architecture", columns="layer", values=name)
        known = known.reindex(index=list(self.architectures), columns=list(LAYERS))
        if known.isna().to_numpy().any():
            raise NotTestable(f"the attribute {name} is not known at every layer")
        return known.to_numpy(dtype=float)

    def dataset(self, score: str) -> str:
        """Data set of a score, empty if the catalog does not say."""
        return str(catalog_of(self.frames).get(score, {}).get("dataset") or "")


def places_of(means: Floats) -> NDArray[np.intp]:
    """1 + how many are lower, along the last axis.

    >>> places_of(np.array([2.5, 1.0, 2.5])).tolist()
    [2, 1, 2]
    """
    lower = means[..., None, :] < means[..., :, None] - 1e-9
    return np.asarray(1 + lower.sum(axis=-1))
