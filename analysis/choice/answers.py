"""Which loss network for which task: every loss network ranked as such, and what a choice costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.choice.network_ranks import OVERALL
from lossnets.analysis.choice.network_ranks import STUDIES as RANKED
from lossnets.analysis.frames.frames import BENCHMARKS, Frames
from lossnets.analysis.frames.once import computed

(RANKS,) = RANKED

NETWORK = ["architecture", "layer"]
Network = tuple[str, str]
COST = "macs_to_layer"
CHEAPER = 10  # a cheaper choice needs at most this share of the multiply-adds: 1/10
NEW = "new"  # the task that is none of the benchmarks


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A loss network as an answer to one task.

    place: its mean rank among all loss networks, 1 = best; standing: how many have a better one,
    plus 1; p_best: chance to be truly the best, NaN where the noise is not known; first: scores on
    which it is the first or shares that place; macs: multiply-adds of one forward pass to its
    layer, NaN where not known.
    """

    architecture: str
    layer: str
    place: float
    standing: int
    p_best: float
    first: tuple[str, ...]
    macs: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The best loss network of a task, and what stands beside it.

    task: a benchmark, or NEW; best: by mean rank; second: the next one, or None; others: for the
    scores on which `best` is not the first, who is, as {score: choice}; cheaper: the best at most
    1/10 as costly, or None; networks, scores: how many were ranked, on how many.
    """

    task: str
    best: Choice
    second: Choice | None
    others: dict[str, Choice]
    cheaper: Choice | None
    networks: int
    scores: tuple[str, ...]


def score_ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Rank of every loss network on every score, 1 = best, ties averaged.

    scores: rows of `score_means`. A row a loss network, a column a score; columns in the order of
    the rows' first appearance. NaN where a network has no value.

    >>> rows = [("a", "late", "x", True, 3.0), ("b", "late", "x", True, 5.0)]
    >>> names = ["architecture", "layer", "score", "higher_is_better", "value"]
    >>> score_ranks(pd.DataFrame(rows, columns=names))["x"].tolist()
    [2.0, 1.0]
    """
    signed = scores["value"].where(~scores["higher_is_better"].astype(bool), -scores["value"])
    wide = scores.assign(signed=signed.round(12)).pivot(
        index=NETWORK, columns="score", values="signed"
    )
    return wide.rank()[scores["score"].drop_duplicates().tolist()]


def answers(frames: Frames) -> list[Answer]:
    """The answer to every benchmark of the paper, in its order, and to a new task.

    The places are those of `network_ranks`.
    """
    if frames.scores.empty:
        return []
    catalog = frames.score_catalog.sort_values("position")
    benchmark_of = dict(zip(catalog["score"], catalog["benchmark"], strict=True))
    ranks = score_ranks(frames.scores)
    ranks = ranks[[score for score in catalog["score"] if score in ranks.columns]]
    table = computed(frames, RANKS).replace({"benchmark": {OVERALL: NEW}})
    by_task = {str(task): own for task, own in table.groupby("benchmark")}
    return [
        _answer(task, by_task[task].set_index(NETWORK), _of_task(ranks, task, benchmark_of))
        for task in (*BENCHMARKS, NEW)
        if task in by_task
    ]


def _of_task(ranks: pd.DataFrame, task: str, benchmark_of: dict[str, str]) -> pd.DataFrame:
    return ranks[[score for score in ranks.columns if task in (NEW, benchmark_of[score])]]


def _answer(task: str, ranked: pd.DataFrame, ranks: pd.DataFrame) -> Answer:
    """ranked: rows of `network_ranks` by network, the best first; ranks: of the task's scores."""
    ordered: list[Network] = ranked.index.tolist()

    def choice(network: Network) -> Choice:
        return _choice(network, ranked, ranks)

    best = choice(ordered[0])
    costs = ranked[COST].to_numpy(float)
    cheap = np.flatnonzero(costs * CHEAPER <= best.macs)
    leading: dict[str, Network] = {str(s): _least(ranks[s]) for s in ranks.columns}
    return Answer(
        task=task,
        best=best,
        second=choice(ordered[1]) if len(ordered) > 1 else None,
        others={
            s: choice(network)
            for s, network in leading.items()
            if s not in best.first and network in ranked.index
        },
        cheaper=choice(ordered[cheap[0]]) if len(cheap) else None,
        networks=len(ranked),
        scores=tuple(ranks.columns),
    )


def _least(values: pd.Series) -> Any:
    """Where the least value stands, the first of several."""
    return values.idxmin()


def _choice(network: Network, ranked: pd.DataFrame, ranks: pd.DataFrame) -> Choice:
    row = ranked.loc[[network]].iloc[0]
    own = ranks.loc[[network]].iloc[0]
    return Choice(
        architecture=network[0],
        layer=network[1],
        place=float(row["mean_rank"]),
        standing=1 + int((ranked["mean_rank"] < row["mean_rank"]).sum()),
        p_best=float(row["p_best"]),
        first=tuple(str(score) for score in ranks.columns[own == ranks.min()]),
        macs=float(row[COST]),
    )


def favourite_layers(frames: Frames) -> dict[str, tuple[str, float] | None]:
    """Benchmark → the layer that is most often an architecture's best, and its share.

    Ties share a place. None where no layer is the best in more than half of the cells.
    """
    ranks = score_ranks(frames.scores)
    best = ranks.eq(ranks.groupby("architecture").transform("min"))
    shares = best.div(best.groupby("architecture").transform("sum")).groupby("layer").sum()
    counted = shares.div(shares.sum())
    benchmark_of = frames.score_catalog.set_index("score")["benchmark"]
    by_benchmark = counted.T.groupby(benchmark_of).mean()
    found: dict[str, tuple[str, float] | None] = {}
    for benchmark in (name for name in BENCHMARKS if name in by_benchmark.index):
        of_layers = by_benchmark.loc[[benchmark]].iloc[0]
        layer, share = str(_least(-of_layers)), float(of_layers.max())
        found[benchmark] = (layer, share) if share > 0.5 else None
    return found
