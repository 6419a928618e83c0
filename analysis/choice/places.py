"""Every loss network as such: its place and its standard score on each benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import (
    Floats,
    benchmark_order,
    complete_block,
    join_notes,
    units_of,
)
from lossnets.analysis.frames.digits import to_digits
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.once import once

NETWORK = ["architecture", "layer"]


@dataclass(frozen=True, kw_only=True)
class Places:
    """The loss networks that have every score of some benchmarks, and where each stands.

    networks: architecture, family and layer, a row each; values: (networks, scores), higher is
    better; benchmarks: those there are, in the paper's order; of: the benchmark of each score, as
    an index; units: the scores of one trained model; left_out: networks without all scores.
    """

    networks: pd.DataFrame
    values: Floats
    scores: tuple[str, ...]
    benchmarks: tuple[str, ...]
    of: NDArray[np.intp]
    units: list[NDArray[np.intp]]
    models: tuple[str | None, ...]
    left_out: int

    def mean_ranks(self, values: Floats) -> Floats:
        """Mean rank on each benchmark, 1 = best, ties averaged: (…, networks, benchmarks)."""
        ranks = np.asarray(rankdata(-values, axis=-2))
        means = [ranks[..., self.of == b].mean(axis=-1) for b in range(len(self.benchmarks))]
        return to_digits(np.stack(means, axis=-1))

    @cached_property
    def own_ranks(self) -> Floats:
        """The mean ranks of its own values."""
        return self.mean_ranks(self.values)

    @cached_property
    def standard(self) -> Floats:
        """Mean standard score on each benchmark, in sd between networks: (networks, benchmarks).

        A score that does not vary counts as nought.
        """
        scaled = standardised(self.values)
        means = [scaled[:, self.of == b].mean(axis=1) for b in range(len(self.benchmarks))]
        return np.stack(means, axis=1)


def standardised(values: Floats) -> Floats:
    """Columns in standard deviations from their mean; nought where a column does not vary.

    NaN in a column with infinite values.

    >>> standardised(np.array([[1.0, 5.0], [3.0, 5.0]])).round(3).tolist()
    [[-0.707, 0.0], [0.707, 0.0]]
    """
    size = np.abs(values).max(axis=0, initial=0.0)
    finite = np.isfinite(size)
    scaled = np.where(finite, values, 0.0) / np.where(finite & (size > 0), size, 1.0)
    centred = scaled - scaled.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0) / max(len(values) - 1, 1))
    varies = spread > 1e-12
    found = np.where(varies, centred / np.where(varies, spread, 1.0), 0.0)
    return np.where(finite, found, np.nan)


def beaten(means: Floats) -> Floats:
    """Share of the others that beat each, ties counted half; ranks run along the first axis.

    >>> beaten(np.array([2.0, 1.0, 2.0])).tolist()
    [0.75, 0.0, 0.75]
    """
    return np.asarray((rankdata(means, axis=0) - 1) / max(len(means) - 1, 1))


def places(scores: pd.DataFrame, benchmark: str | None = None) -> Places:
    """The networks with all scores, of one benchmark or of all; rows of `score_means`.

    Where some are missing, the emptiest scores and networks go until none is.
    """
    given = scores.dropna(subset="value")
    if benchmark is not None:
        given = given[given["benchmark"] == benchmark]
    sign = np.where(given["higher_is_better"].astype(bool), 1.0, -1.0)
    wide = given.assign(value=given["value"].to_numpy(float) * sign).pivot_table(
        index=NETWORK, columns="score", values="value"
    )
    about = given.drop_duplicates("score").set_index("score")
    benchmark_of = {str(score): str(name) for score, name in about["benchmark"].items()}
    order = sorted(benchmark_of, key=lambda s: (benchmark_order(benchmark_of[s]), s))
    wide = wide[order].sort_index()
    rows, columns = complete_block(wide.to_numpy(float))
    kept = [order[i] for i in columns]
    of = [benchmark_of[score] for score in kept]
    names = tuple(dict.fromkeys(of))
    models = tuple(_model(about, score) for score in kept)
    families = given.drop_duplicates("architecture").set_index("architecture")["family"]
    networks = wide.index[rows].to_frame(index=False)
    return Places(
        networks=networks.assign(family=networks["architecture"].map(families)),
        values=to_digits(wide.to_numpy(float)[np.ix_(rows, columns)]),
        scores=tuple(kept),
        benchmarks=names,
        of=np.array([names.index(name) for name in of], dtype=np.intp),
        units=units_of(models),
        models=models,
        left_out=len(wide) - len(rows),
    )


def _model(about: pd.DataFrame, score: str) -> str | None:
    model = about.at[score, "trained_model"] if "trained_model" in about else None
    return model if isinstance(model, str) and model else None


def costs_of(frames: Frames, networks: pd.DataFrame, cost: str) -> Floats:
    """A cost of each network, NaN where it is not known."""
    if cost not in frames.loss_networks:
        return np.full(len(networks), np.nan)
    known = frames.loss_networks.drop_duplicates(NETWORK).set_index(NETWORK)[cost]
    wanted = pd.MultiIndex.from_frame(networks[NETWORK])
    return np.asarray(known.reindex(wanted), dtype=np.float64)


@once
def all_places(frames: Frames) -> Places:
    """The places on all benchmarks, computed once."""
    return places(frames.scores)


INFINITE = "standard deviations are not computable, because a score is infinite"


def missing_note(found: Places) -> str:
    """How many networks are left out, and whether scores are infinite; empty if neither."""
    left = f"left out for missing scores: {found.left_out} networks" if found.left_out else ""
    return join_notes(left, "" if np.isfinite(found.values).all() else INFINITE)
