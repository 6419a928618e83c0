"""Blocks for tests over ranks: scores, or benchmarks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    complete_block,
    join_notes,
    left_out,
    score_cube,
    units_of,
)
from lossnets.analysis.ranking.ranks import ranks_of


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """What a test over blocks reads, each (blocks, architectures).

    ranks: within each block, 1 = best; strength: on a scale that blocks share, higher is better;
    units: blocks that come from one trained model, and are one witness.
    """

    kind: str
    units: list[NDArray[np.intp]]
    ranks: Floats
    strength: Floats
    architectures: tuple[str, ...]
    families: tuple[str | None, ...]
    note: str

    @property
    def fault(self) -> str:
        """Why nothing can be tested, empty if it can."""
        if not self.ranks.size:
            return NO_SCORES
        n, k = self.ranks.shape
        if n < 2 or k < 2:
            return f"it takes two blocks and two architectures, and there are {n} and {k}"
        tied = np.ptp(self.ranks, axis=1).max() == 0
        return "all architectures tie in every block" if tied else ""

    @property
    def independent(self) -> bool:
        """Whether every block is a unit of its own."""
        return len(self.units) == len(self.ranks)

    @property
    def mean_ranks(self) -> Floats:
        """Mean rank of each architecture over the blocks."""
        return np.asarray(self.ranks.mean(axis=0))


def blocks_of(scores: pd.DataFrame) -> tuple[Blocks, Blocks]:
    """Scores as blocks, and benchmarks as blocks, of the architectures that have them all.

    `scores`: rows of `score_means`. A score's strength is the best layer's value in standard
    deviations of the score; a benchmark's is minus the mean rank over its scores.
    """
    cube = score_cube(scores)
    rows, columns = complete_block(cube.best)
    best = cube.best[np.ix_(rows, columns)]
    ranks = ranks_of(best).T
    of = np.array(cube.benchmarks)[columns]
    names = [name for name in cube.benchmark_names if name in of]
    means = [np.round(ranks[of == name].mean(axis=0), 9) for name in names]
    strength = -np.array(means).reshape(len(names), len(rows))
    missing = join_notes(
        left_out("architectures", np.delete(cube.architectures, rows)),
        left_out("scores", np.delete(cube.scores, columns)),
    )
    units = units_of([cube.trained_models[s] for s in columns])
    together = f"scores of one trained model count as one witness, and there are {len(units)}"
    by_score = Blocks(
        kind="scores",
        units=units,
        ranks=ranks,
        strength=_standardised(best).T,
        architectures=tuple(cube.architectures[a] for a in rows),
        families=tuple(cube.families[a] for a in rows),
        note=join_notes(together if len(units) < len(columns) else "", missing),
    )
    few = f"with {len(names)} blocks the power to tell architectures apart is small"
    by_benchmark = replace(
        by_score,
        kind="benchmarks",
        units=[np.array([block]) for block in range(len(names))],
        ranks=ranks_of(strength.T).T,
        strength=strength,
        note=join_notes(few, missing),
    )
    return by_score, by_benchmark


def _standardised(best: Floats) -> Floats:
    """Columns in units of their standard deviation over finite values."""
    if 0 in best.shape:
        return best
    columns = []
    for column in best.T:
        finite = column[np.isfinite(column)]
        scaled = column / (np.abs(finite).max(initial=0) or 1.0)
        varies = finite.size and np.ptp(scaled[np.isfinite(scaled)]) > 0
        columns.append(scaled / (np.std(scaled[np.isfinite(scaled)]) if varies else 1.0))
    return np.transpose(columns)
