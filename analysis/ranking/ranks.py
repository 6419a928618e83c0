"""Ranks of the architectures by their best extraction layer, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

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
)
from lossnets.analysis.frames.frames import BENCHMARKS, SEED, Frames, Study

DRAWS = 10_000

Ties = Literal["average", "min", "max"]
TIES: tuple[tuple[str, Ties], ...] = (("", "average"), ("_least", "min"), ("_greatest", "max"))

RANK_COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "value": "best value over the layers, in the score's unit",
    "rank": "1 = best, average rank under ties",
    "least_rank": "best rank that some order of the tied architectures gives",
    "greatest_rank": "worst rank that some order of the tied architectures gives",
    "architectures": "number of architectures ranked",
    "note": "what is missing, and why",
}


def _bounded(scopes: Iterable[str]) -> dict[str, str]:
    """The columns of a mean rank and its bounds."""
    return {
        f"{scope}{bound}": f"{text} of the mean rank, {scope.replace('_', ' ')}"
        for scope in scopes
        for bound, text in (("", "value"), ("_least", "least"), ("_greatest", "greatest value"))
    }


AVERAGE_COLUMNS = {
    "architecture": "torchvision name",
    "family": "family of the architecture",
    **_bounded((*BENCHMARKS, "overall")),
    "note": "what is missing, and why",
}

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


def ranks_of(oriented: Floats, method: Ties = "average") -> Floats:
    """Rank each column, 1 = highest, NaN where the value is missing.

    >>> ranks_of(np.array([[0.9], [0.7], [0.9]])).ravel().tolist()
    [1.5, 3.0, 1.5]
    """
    if 0 in oriented.shape:
        return np.full(oriented.shape, np.nan)
    ranks = rankdata(-oriented, method=method, axis=0, nan_policy="omit")
    return np.asarray(ranks, dtype=float)


def rank_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Rank the architectures on each score by their best extraction layer (Table III).

    `scores`: rows of `score_means`. Columns: RANK_COLUMNS. Only equal published values can
    stand in another true order, so the bounds are exact: they are the ranks of an
    architecture that comes first, or last, among those it ties with.
    """
    cube = score_cube(scores)
    best = cube.best
    ranks, least, greatest = (ranks_of(best, method) for _, method in TIES)
    ranked = np.sum(~np.isnan(best), axis=0)
    rows = []
    for s, score in enumerate(cube.scores):
        for a, architecture in enumerate(cube.architectures):
            row = {
                "benchmark": cube.benchmarks[s],
                "score": score,
                "architecture": architecture,
                "family": cube.families[a],
                "value": cube.signs[s] * best[a, s],
                "rank": ranks[a, s],
                "least_rank": least[a, s],
                "greatest_rank": greatest[a, s],
                "architectures": ranked[s],
            }
            if np.isnan(best[a, s]):
                row |= not_computable("the architecture has no value of this score")
            rows.append(row)
    return result(RANK_COLUMNS, rows or [not_computable(NO_SCORES)])


def average_ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the ranks per benchmark and overall, each benchmark weighted equally (Table III).

    `scores`: rows of `score_means`. Columns: AVERAGE_COLUMNS; X_least and X_greatest bound X
    over every order of tied architectures. `overall` needs all four benchmarks of the paper.
    Where there are others: columns of them and `all_benchmarks`, which needs all that occur.
    """
    cube = score_cube(scores)
    beyond = beyond_the_paper(scores)
    means = {suffix: _benchmark_means(cube, ranks_of(cube.best, method)) for suffix, method in TIES}
    rows = []
    for a, architecture in enumerate(cube.architectures):
        row: Row = {"architecture": architecture, "family": cube.families[a]}
        for suffix, by_benchmark in means.items():
            for benchmark in (*BENCHMARKS, *beyond):
                row[benchmark + suffix] = by_benchmark[benchmark][a]
            row[f"overall{suffix}"] = np.mean([by_benchmark[name][a] for name in BENCHMARKS])
            if beyond:
                every = [by_benchmark[name][a] for name in cube.benchmark_names]
                row[f"all_benchmarks{suffix}"] = np.mean(every)
        rows.append(row | {"note": _coverage_note(cube, a)})
    columns = AVERAGE_COLUMNS | _columns_beyond(beyond)
    return result(columns, rows or [not_computable(NO_SCORES)])


def beyond_the_paper(scores: pd.DataFrame) -> list[str]:
    """The benchmarks that occur and are not the paper's, by name."""
    return sorted(set(scores["benchmark"]) - set(BENCHMARKS))


def _columns_beyond(benchmarks: list[str]) -> dict[str, str]:
    return _bounded((*benchmarks, "all_benchmarks")) if benchmarks else {}


def _benchmark_means(cube: ScoreCube, ranks: Floats) -> dict[str, Floats]:
    """Mean rank of each architecture in each benchmark, over the scores it has."""
    of = np.array(cube.benchmarks)
    means = {}
    for benchmark in dict.fromkeys((*BENCHMARKS, *cube.benchmark_names)):
        chosen = ranks[:, of == benchmark]
        count = np.sum(~np.isnan(chosen), axis=1)
        total = np.nansum(chosen, axis=1)
        means[benchmark] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means


def _coverage_note(cube: ScoreCube, a: int) -> str:
    """Say which benchmarks an architecture lacks, wholly or in part."""
    has = ~np.isnan(cube.best[a])
    of = np.array(cube.benchmarks)
    partly = [
        f"{benchmark} averages {has[of == benchmark].sum()} of {np.sum(of == benchmark)} scores"
        for benchmark in BENCHMARKS
        if 0 < has[of == benchmark].sum() < np.sum(of == benchmark)
    ]
    none = [benchmark for benchmark in BENCHMARKS if not has[of == benchmark].any()]
    missing = not_computable(f"there is no score of {', '.join(none)}")["note"] if none else ""
    return join_notes(missing, *partly)


def rank_intervals(
    scores: pd.DataFrame, rng: np.random.Generator, draws: int = DRAWS
) -> pd.DataFrame:
    """How the overall mean rank and place depend on which scores and benchmarks were chosen.

    `scores`: rows of `score_means`. Columns: INTERVAL_COLUMNS. Three methods: scores drawn
    with replacement within each benchmark; benchmarks drawn first, then scores within each;
    one benchmark left out at a time. The ranks within a score stay as they are: run-to-run
    noise is not part of these intervals (see `noise_tolerance`). With four benchmarks and as
    few as two scores in one, they are narrow for lack of units to draw, not for certainty.
    """
    cube = score_cube(scores)
    kept, columns = complete_block(cube.best)
    of = np.array(cube.benchmarks)[columns]
    benchmarks = sorted(set(of), key=cube.benchmark_names.index)
    if len(kept) < 2:
        reason = NO_SCORES if not cube.scores else "fewer than two architectures share a score"
        return result(INTERVAL_COLUMNS, [not_computable(reason)])
    ranks = ranks_of(cube.best[np.ix_(kept, columns)])
    members = [np.flatnonzero(of == benchmark) for benchmark in benchmarks]
    weights: dict[str, Floats] = {
        "scores within benchmark": _score_weights(members, rng, draws),
        "benchmarks, then scores": _two_stage_weights(members, rng, draws),
        "leave one benchmark out": _leave_one_out_weights(members),
    }
    point = ranks @ _equal_weights(members)
    note = join_notes(
        left_out("architectures", np.delete(cube.architectures, kept)),
        left_out("scores", np.delete(cube.scores, columns)),
    )
    shared = {"benchmarks": len(benchmarks), "scores": len(columns)}
    rows = []
    for method, weight in weights.items():
        quantiles = (0.0, 1.0) if method.startswith("leave") else (0.025, 0.975)
        summary = _summaries(weight, ranks, quantiles)
        for i, a in enumerate(kept):
            row = {
                "method": method,
                "architecture": cube.architectures[a],
                "family": cube.families[a],
                "mean_rank": point[i],
                "place": rankdata(np.round(point, 9))[i],
                "draws": len(weight),
                "note": note,
            }
            rows.append(row | shared | {name: values[i] for name, values in summary.items()})
            if not len(weight):
                rows[-1] |= not_computable("there is only one benchmark")
    return result(INTERVAL_COLUMNS, rows)


def _equal_weights(members: list[NDArray[np.intp]]) -> Floats:
    """Weight of each score when benchmarks weigh the same and scores within one too."""
    weights = np.zeros(sum(map(len, members)))
    for scores in members:
        weights[scores] = 1 / len(members) / len(scores)
    return weights


def _score_weights(members: list[NDArray[np.intp]], rng: np.random.Generator, draws: int) -> Floats:
    """Weights (draws, scores) when the scores of each benchmark are drawn with replacement."""
    weights = np.zeros((draws, sum(map(len, members))))
    for scores in members:
        n = len(scores)
        weights[:, scores] = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n / len(members)
    return weights


def _two_stage_weights(
    members: list[NDArray[np.intp]], rng: np.random.Generator, draws: int
) -> Floats:
    """Weights (draws, scores): benchmarks with replacement, then scores for each one drawn."""
    weights = np.zeros((draws, sum(map(len, members))))
    for _ in members:
        drawn = rng.integers(len(members), size=draws)
        for b, scores in enumerate(members):
            n = len(scores)
            of_b = np.flatnonzero(drawn == b)
            counts = rng.multinomial(n, np.full(n, 1 / n), size=len(of_b))
            weights[np.ix_(of_b, scores)] += counts / n / len(members)
    return weights


def _leave_one_out_weights(members: list[NDArray[np.intp]]) -> Floats:
    """Weights (benchmarks, scores) when each benchmark in turn counts for nothing."""
    full = np.tile(_equal_weights(members), (len(members), 1))
    if len(members) == 1:
        return full[:0]
    for b, scores in enumerate(members):
        full[b, scores] = 0
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


def _seeded(function: Callable[..., pd.DataFrame]) -> Callable[[Frames], pd.DataFrame]:
    return lambda frames: function(frames.scores, np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="ranks",
        title="Rank of each architecture on each score, by its best extraction layer",
        columns=RANK_COLUMNS,
        compute=lambda frames: rank_table(frames.scores),
    ),
    Study(
        name="average_ranks",
        title="Mean ranks per benchmark and overall (Table III), with bounds from ties",
        columns=AVERAGE_COLUMNS,
        compute=lambda frames: average_ranks(frames.scores),
        more=lambda frames: _columns_beyond(beyond_the_paper(frames.scores)),
    ),
    Study(
        name="rank_intervals",
        title="How the overall ranking depends on the choice of scores and benchmarks",
        columns=INTERVAL_COLUMNS,
        compute=_seeded(rank_intervals),
    ),
)
