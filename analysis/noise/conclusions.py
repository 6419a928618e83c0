"""The headline conclusions, in a form that can be asked again of other scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import Floats, benchmark_order, score_cube

Singles = NDArray[np.float32]
Changes = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Standardised:
    """Scores that noise can be added to, in standard deviations between architectures.

    cells: (layers, architectures, scores), centred, higher is better, NaN where missing;
    spread: standard deviation of each score's best values, in its unit; error: like cells,
    the standard error of a cell from several runs, NaN if unknown; measured_sd: per score;
    trained_models: the training that each score is of, None where nothing is trained.
    """

    cells: Floats
    spread: Floats
    error: Floats
    measured_sd: Floats
    architectures: tuple[str, ...]
    layers: tuple[str, ...]
    scores: tuple[str, ...]
    benchmarks: tuple[str, ...]
    trained_models: tuple[str | None, ...]

    @property
    def members(self) -> dict[str, NDArray[np.intp]]:
        """Indices of the scores of each benchmark, in the paper's order."""
        of = np.array(self.benchmarks)
        names = sorted(set(self.benchmarks), key=benchmark_order)
        return {name: np.flatnonzero(of == name) for name in names}


class Rerun:
    """What follows from cells (layers, architectures, scores, draws), each computed once."""

    def __init__(self, cells: Singles) -> None:
        missing = np.isnan(cells)
        self.cells = np.where(missing, np.float32(-np.inf), cells) if missing.any() else cells

    @cached_property
    def ranks(self) -> Singles:
        """Ranks by best layer (architectures, scores, draws), ties shared where draws agree."""
        best = self.cells.max(axis=0)
        order = np.argsort(-best, axis=0)
        places = np.arange(1, len(best) + 1, dtype=np.float32)[:, None, None]
        ranks = np.empty(best.shape, dtype=np.float32)
        np.put_along_axis(ranks, order, np.broadcast_to(places, best.shape), axis=0)
        still = (best == best[..., :1]).all(axis=(0, 2))  # scores without noise
        ranks[:, still] = rankdata(-best[:, still, 0], axis=0)[..., None]
        return ranks

    @cached_property
    def layer_weights(self) -> Singles:
        """Share of each architecture's best layers (layers, architectures, scores, draws)."""
        at = (self.cells == self.cells.max(axis=0)).astype(np.float32)
        return np.asarray(at / at.sum(axis=0))

    def mean_ranks(self, members: list[NDArray[np.intp]]) -> Singles:
        """Mean rank (architectures, draws), groups of scores weighted equally."""
        means = [self.ranks[:, own].mean(axis=1) for own in members]
        return np.asarray(np.mean(means, axis=0))

    def layer_counts(self, own: NDArray[np.intp]) -> Singles:
        """How often each layer is the best over the given scores (layers, draws)."""
        return np.asarray(self.layer_weights[:, :, own].sum(axis=(1, 2)))

    @cached_property
    def layer_lead(self) -> Singles:
        """ω² of the layer − ω² of the architecture, mean over the scores (draws,)."""
        x = self.cells
        n_layers, n_architectures = x.shape[:2]
        by_architecture, by_layer = x.mean(axis=0), x.mean(axis=1)
        grand = by_layer.mean(axis=0)
        total = np.einsum("lasd,lasd->sd", x, x) - n_layers * n_architectures * grand**2
        rows = n_layers * np.sum((by_architecture - grand) ** 2, axis=0)
        columns = n_architectures * np.sum((by_layer - grand) ** 2, axis=0)
        df_rows, df_columns = n_architectures - 1, n_layers - 1
        mean_square = (total - rows - columns) / (df_rows * df_columns)
        lead = columns - rows + (df_rows - df_columns) * mean_square
        return np.asarray((lead / (total + mean_square)).mean(axis=0))


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """A headline conclusion: its statement, the scores it rests on, and what changes it.

    changed: a `Rerun` → truth value per draw.
    """

    name: str
    statement: str
    scores: NDArray[np.intp]
    changed: Callable[[Rerun], Changes]


def standardise(scores: pd.DataFrame) -> Standardised:
    """Divide each score by its standard deviation between architectures at their best layer.

    Left out: scores that do not vary or are not finite, architectures without one of the rest.
    """
    cube = score_cube(scores)
    sd = scores["sd"].astype(float)
    runs = scores["runs"].astype(float).clip(lower=1)
    spreads = [score_cube(scores.assign(value=x)).values for x in (sd, sd / np.sqrt(runs))]
    chosen = cube.extraction
    cells = cube.oriented[:, chosen]  # (architectures, layers, scores)
    size = np.fmax.reduce(np.abs(cells), axis=(0, 1), initial=0.0)
    columns = np.flatnonzero(np.isfinite(size) & (size > 0))
    scaled = cells[..., columns] / size[columns]
    best = np.fmax.reduce(scaled, axis=1, initial=-np.inf)
    rows = np.flatnonzero(np.isfinite(best).all(axis=1))
    if len(rows) < 2:
        rows, columns = rows[:0], columns[:0]
    best = best[np.ix_(rows, np.arange(len(columns)))]
    spread = best.std(axis=0, ddof=1) if len(columns) else np.empty(0)
    varies = np.flatnonzero(spread > 1e-13)
    columns, spread, centre = columns[varies], spread[varies], best[:, varies].sum(axis=0)
    scale = size[columns]
    index = np.ix_(rows, chosen, columns)
    values = (cube.oriented[index] / scale - centre / max(len(rows), 1)) / spread
    measured, errors = (each[index] for each in spreads)
    return Standardised(
        cells=values.transpose(1, 0, 2),
        spread=spread * scale,
        error=(errors / scale / spread).transpose(1, 0, 2),
        measured_sd=medians(measured),
        architectures=tuple(cube.architectures[a] for a in rows),
        layers=tuple(cube.layers[i] for i in chosen),
        scores=tuple(cube.scores[s] for s in columns),
        benchmarks=tuple(cube.benchmarks[s] for s in columns),
        trained_models=tuple(cube.trained_models[s] for s in columns),
    )


def medians(values: Floats) -> Floats:
    """Median over all but the last axis, of what is known; NaN where nothing is."""
    columns = [values[..., s] for s in range(values.shape[-1])]
    known = [column[~np.isnan(column)] for column in columns]
    return np.array([np.median(column) if column.size else np.nan for column in known])


def conclusions(data: Standardised) -> list[Conclusion]:
    """The headline conclusions, as these very scores give them."""
    observed = Rerun(data.cells.astype(np.float32)[..., None])
    every, members = np.arange(len(data.scores)), data.members
    groups = list(members.values())
    found = [_best(data, observed, "best_architecture", "overall", 1, groups)]
    if len(data.architectures) > 3:
        found.append(_best(data, observed, "best_three_architectures", "overall", 3, groups))
    for name, own in members.items():
        found.append(_best(data, observed, f"best_architecture_{name}", name, 1, [own]))
    if len(data.layers) < 2:
        return found
    found += [_best_layer(data, observed, name, own) for name, own in members.items()]
    if not np.isnan(data.cells).any():
        found.append(_layer_lead(float(observed.layer_lead[0]), every))
    return found


def _best(
    data: Standardised,
    observed: Rerun,
    name: str,
    scope: str,
    size: int,
    groups: list[NDArray[np.intp]],
) -> Conclusion:
    """The `size` architectures with the best mean ranks, with those that tie for the last place."""
    means = observed.mean_ranks(groups)[:, 0]
    winners = np.flatnonzero(means <= np.sort(means)[size - 1] + 1e-6)

    def changed(rerun: Rerun) -> Changes:
        first = np.argpartition(rerun.mean_ranks(groups), size - 1, axis=0)[:size]
        return np.asarray(~np.isin(first, winners).all(axis=0))

    listed = ", ".join(data.architectures[a] for a in winners[np.argsort(means[winners])])
    what = "the best mean rank" if size == 1 else f"the {size} best mean ranks"
    return Conclusion(
        name=name,
        statement=f"{what}, {scope.replace('_', ' ')}: {listed}",
        scores=np.concatenate(groups),
        changed=changed,
    )


def _best_layer(
    data: Standardised, observed: Rerun, name: str, own: NDArray[np.intp]
) -> Conclusion:
    """The layer that is best most often over a benchmark's scores and all architectures."""
    counts = observed.layer_counts(own)[:, 0]
    winners = np.flatnonzero(counts >= counts.max() - 1e-6)
    listed = ", ".join(data.layers[i] for i in winners)
    return Conclusion(
        name=f"best_layer_{name}",
        statement=f"the layer that is best most often, {name.replace('_', ' ')}: {listed}",
        scores=own,
        changed=lambda rerun: ~np.isin(rerun.layer_counts(own).argmax(axis=0), winners),
    )


def _layer_lead(lead: float, every: NDArray[np.intp]) -> Conclusion:
    """Whether the layer or the architecture explains more variance, mean ω² over the scores."""
    more, less = ("layer", "architecture") if lead > 0 else ("architecture", "layer")
    return Conclusion(
        name="layer_or_architecture",
        statement=f"the {more} explains more variance than the {less} (mean ω²)",
        scores=every,
        changed=lambda rerun: (rerun.layer_lead > 0) != (lead > 0),
    )
