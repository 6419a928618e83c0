"""Ranks of the architectures by their best extraction layer, and their means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    not_computable,
    result,
    score_cube,
)
from lossnets.analysis.frames.frames import BENCHMARKS, Study

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
    over every order of tied architectures. A benchmark's mean needs all of its scores, `overall`
    all four benchmarks of the paper. Where there are others: columns of them and
    `all_benchmarks`, which needs all that occur.
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
    """Mean rank of each architecture in each benchmark, NaN where it lacks one of its scores."""
    of = np.array(cube.benchmarks)
    names = dict.fromkeys((*BENCHMARKS, *cube.benchmark_names))
    nothing = np.full(len(cube.architectures), np.nan)
    return {
        benchmark: ranks[:, of == benchmark].mean(axis=1) if benchmark in of else nothing
        for benchmark in names
    }


def _coverage_note(cube: ScoreCube, a: int) -> str:
    """Say which benchmarks an architecture lacks, wholly or in part."""
    has = ~np.isnan(cube.best[a])
    of = np.array(cube.benchmarks)
    lacking = [
        f"{benchmark} lacks {np.sum(~has[of == benchmark])} of {np.sum(of == benchmark)} scores"
        for benchmark in cube.benchmark_names
        if not has[of == benchmark].all()
    ]
    none = [name for name in BENCHMARKS if name not in of]
    lacking += [f"there is no score of {', '.join(none)}"] if none else []
    return not_computable(", ".join(lacking))["note"] if lacking else ""


STUDIES = (
    Study(
        name="ranks",
        title="Rank of each architecture on each score, by its best extraction layer",
        columns=RANK_COLUMNS,
        compute=lambda frames: frames.with_whose(rank_table(frames.scores)),
        more=lambda frames: frames.whose_column(),
    ),
    Study(
        name="average_ranks",
        title="Mean ranks per benchmark and overall (Table III), with bounds from ties",
        columns=AVERAGE_COLUMNS,
        compute=lambda frames: frames.with_whose(average_ranks(frames.scores)),
        more=lambda frames: (
            _columns_beyond(beyond_the_paper(frames.scores)) | frames.whose_column()
        ),
    ),
)
