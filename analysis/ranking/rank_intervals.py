"""How the overall ranking depends on which scores and benchmarks were chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    complete_block,
    join_notes,
    left_out,
    not_computable,
    result,
    score_cube,
    units_of,
)
from lossnets.analysis.frames.frames import SEED, Study
from lossnets.analysis.ranking.ranks import ranks_of

DRAWS = 10_000

INTERVAL_COLUMNS = {
    "method": "what is drawn anew, or left out",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "mean_rank": "overall mean rank, benchmarks weighted equally",
    "mean_rank_low": "2.5 % quantile over the draws (least when leaving out)",
    "mean_rank_high": "97.5 % quantile over the draws (greatest when leaving out)",
    "place": "place by overall mean rank, 1 = best",
    "place_low": "2.5 % quantile of the place (least when leaving out)",
    "place_high": "97.5 % quantile of the place (greatest when leaving out)",
    "p_best": "share of the draws in which the architecture is first, a shared place split",
    "draws": "draws, or benchmarks left out in turn",
    "benchmarks": "number of benchmarks",
    "scores": "number of scores",
    "note": "what is missing, and why",
}


WITHIN, TWO_STAGE = "scores within benchmark", "benchmarks, then scores"
LEFT_OUT = "leave one benchmark out"

Members = list[list[NDArray[np.intp]]]  # of each benchmark the scores of each trained model


def rank_intervals(
    scores: pd.DataFrame, rng: np.random.Generator, draws: int = DRAWS
) -> pd.DataFrame:
    """How the overall mean rank and place depend on which scores and benchmarks were chosen.

    `scores`: rows of `score_means`. Columns: INTERVAL_COLUMNS. Three methods: scores drawn with
    replacement within each benchmark, those of a trained model together; benchmarks drawn first,
    then scores within each; one benchmark left out at a time. They answer how these benchmarks
    could have been weighted otherwise, no more: ranks within a score stay as they are (run-to-run
    noise is in `noise_tolerance`), and a further benchmark is in none of them (see `carry_over`).
    """
    cube = score_cube(scores)
    kept, columns = complete_block(cube.best)
    if len(kept) < 2:
        reason = NO_SCORES if not cube.scores else "fewer than two architectures share a score"
        return result(INTERVAL_COLUMNS, [not_computable(reason)])
    members = _members(cube, columns)
    ranks = ranks_of(cube.best[np.ix_(kept, columns)])
    shared: Row = {
        "benchmarks": len(members),
        "scores": len(columns),
        "note": join_notes(
            left_out("architectures", np.delete(cube.architectures, kept)),
            left_out("scores", np.delete(cube.scores, columns)),
        ),
    }
    weights = {
        WITHIN: _within_weights(members, rng, draws),
        TWO_STAGE: _two_stage_weights(members, rng, draws),
        LEFT_OUT: _leave_one_out_weights(members),
    }
    rows = []
    for method, weight in weights.items():
        rows += _rows(method, weight, ranks, ranks @ _equal_weights(members))
    names = [
        {"architecture": cube.architectures[a], "family": cube.families[a]} for a in kept
    ] * len(weights)
    return result(
        INTERVAL_COLUMNS, [shared | name | row for name, row in zip(names, rows, strict=True)]
    )


def _members(cube: ScoreCube, columns: NDArray[np.intp]) -> Members:
    """The scores of each trained model of each benchmark, as positions among `columns`."""
    of = np.array(cube.benchmarks)[columns]
    units = units_of([cube.trained_models[s] for s in columns])
    return [
        [unit for unit in units if of[unit[0]] == benchmark]
        for benchmark in cube.benchmark_names
        if benchmark in of
    ]


def _rows(method: str, weight: Floats, ranks: Floats, point: Floats) -> list[Row]:
    """A row an architecture for one way to weight the scores."""
    quantiles = (0.0, 1.0) if method == LEFT_OUT else (0.025, 0.975)
    summary = _summaries(weight, ranks, quantiles)
    places = rankdata(np.round(point, 9))
    missing = {} if len(weight) else not_computable("there is only one benchmark")
    return [
        {
            "method": method,
            "mean_rank": point[a],
            "place": places[a],
            "draws": len(weight),
            **{name: values[a] for name, values in summary.items()},
            **missing,
        }
        for a in range(len(ranks))
    ]


def _size(members: Members) -> int:
    return sum(len(unit) for units in members for unit in units)


def _equal_weights(members: Members) -> Floats:
    """Weight of each score when benchmarks weigh the same and scores within one too."""
    weights = np.zeros(_size(members))
    for units in members:
        scores = np.concatenate(units)
        weights[scores] = 1 / len(members) / len(scores)
    return weights


def _drawn(units: list[NDArray[np.intp]], rng: np.random.Generator, draws: int) -> Floats:
    """Shares of a benchmark's scores (draws, scores of `units`) when trained models are drawn."""
    size = np.array([len(unit) for unit in units], dtype=float)
    counts = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), size=draws)
    weights = np.repeat(counts.astype(float), size.astype(int), axis=1)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _within_weights(members: Members, rng: np.random.Generator, draws: int) -> Floats:
    """Weights (draws, scores) when the trained models of each benchmark are drawn anew."""
    weights = np.zeros((draws, _size(members)))
    for units in members:
        weights[:, np.concatenate(units)] = _drawn(units, rng, draws) / len(members)
    return weights


def _two_stage_weights(members: Members, rng: np.random.Generator, draws: int) -> Floats:
    """Weights (draws, scores): benchmarks with replacement, then trained models of each drawn."""
    weights = np.zeros((draws, _size(members)))
    for _ in members:
        drawn = rng.integers(len(members), size=draws)
        for b, units in enumerate(members):
            of_b = np.flatnonzero(drawn == b)
            shares = _drawn(units, rng, len(of_b)) / len(members)
            weights[np.ix_(of_b, np.concatenate(units))] += shares
    return weights


def _leave_one_out_weights(members: Members) -> Floats:
    """Weights (benchmarks, scores) when each benchmark in turn counts for nothing."""
    full = np.tile(_equal_weights(members), (len(members), 1))
    if len(members) == 1:
        return full[:0]
    for b, units in enumerate(members):
        full[b, np.concatenate(units)] = 0
    return full * len(members) / (len(members) - 1)


def _summaries(weights: Floats, ranks: Floats, quantiles: tuple[float, float]) -> dict[str, Floats]:
    """Quantiles of mean rank and place over the draws, and the share of first places."""
    architectures = len(ranks)
    if not len(weights):
        nothing = np.full(architectures, np.nan)
        names = ("mean_rank_low", "mean_rank_high", "place_low", "place_high", "p_best")
        return dict.fromkeys(names, nothing)
    means = np.round(weights @ ranks.T, 9)  # (draws, architectures)
    places = places_of(means)
    first = means == means.min(axis=1, keepdims=True)
    low, high = np.quantile(means, quantiles, axis=0)
    place_low, place_high = np.quantile(places, quantiles, axis=0)
    return {
        "mean_rank_low": low,
        "mean_rank_high": high,
        "place_low": place_low,
        "place_high": place_high,
        "p_best": (first / first.sum(axis=1, keepdims=True)).mean(axis=0),
    }


def places_of(means: Floats) -> Floats:
    """Place of each mean within its row, 1 = least, average place under ties."""
    return np.asarray(rankdata(means, axis=1))


STUDIES = (
    Study(
        name="rank_intervals",
        title="How the overall ranking depends on the choice of scores and benchmarks",
        columns=INTERVAL_COLUMNS,
        compute=lambda frames: frames.with_whose(
            rank_intervals(frames.scores, np.random.default_rng(SEED))
        ),
        more=lambda frames: frames.whose_column(),
    ),
)
