"""Which loss network for which task: every loss network ranked as such, and what a choice costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.frames.frames import BENCHMARKS, Frames

NETWORK = ["architecture", "layer"]
Network = tuple[str, str]
COST = "macs_to_layer"
CHEAPER = 10  # a cheaper choice needs at most this share of the multiply-adds: 1/10
NEW = "new"  # the task that is none of the benchmarks


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A loss network as an answer to one task.

    place: its mean rank among all loss networks, 1 = best; standing: how many have a better one,
    plus 1; first: scores on which it is the first or shares that place; macs: multiply-adds of
    one forward pass to its layer, NaN where not known.
    """

    architecture: str
    layer: str
    place: float
    standing: int
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


def task_places(ranks: pd.DataFrame, benchmark_of: dict[str, str]) -> pd.DataFrame:
    """Mean rank of every loss network on each benchmark, and NEW: over benchmarks, each alike.

    ranks: as `score_ranks` gives it; NaN where a score of the benchmark is missing.
    """
    places = pd.DataFrame(
        {
            benchmark: ranks[scores].mean(axis=1, skipna=False)
            for benchmark in BENCHMARKS
            if (scores := [s for s in ranks.columns if benchmark_of[s] == benchmark])
        }
    )
    return places.assign(**{NEW: places.mean(axis=1, skipna=False)})


def answers(frames: Frames) -> list[Answer]:
    """The answer to every benchmark, in the paper's order, and to a new task."""
    if frames.scores.empty:
        return []
    catalog = frames.score_catalog.sort_values("position")
    benchmark_of = dict(zip(catalog["score"], catalog["benchmark"], strict=True))
    ranks = score_ranks(frames.scores)
    ranks = ranks[[score for score in catalog["score"] if score in ranks.columns]]
    places = task_places(ranks, benchmark_of)
    costs = _costs(frames, places.index)
    return [
        _answer(task, places[task].dropna(), _of_task(ranks, task, benchmark_of), costs)
        for task in places.columns
        if places[task].notna().any()
    ]


def _of_task(ranks: pd.DataFrame, task: str, benchmark_of: dict[str, str]) -> pd.DataFrame:
    return ranks[[score for score in ranks.columns if task in (NEW, benchmark_of[score])]]


def _costs(frames: Frames, networks: pd.Index) -> pd.Series:
    if COST not in frames.loss_networks:
        return pd.Series(np.nan, index=networks)
    known: pd.Series = frames.loss_networks.set_index(NETWORK)[COST]
    return known.astype(float).reindex(networks)


def _answer(task: str, places: pd.Series, ranks: pd.DataFrame, costs: pd.Series) -> Answer:
    ordered: list[Network] = places.sort_index().sort_values(kind="stable").index.tolist()

    def choice(network: Network) -> Choice:
        return _choice(network, places, ranks, costs)

    best = choice(ordered[0])
    cheap = [network for network in ordered if costs[[network]].iloc[0] * CHEAPER <= best.macs]
    leading: dict[str, Network] = {str(s): _least(ranks[s]) for s in ranks.columns}
    return Answer(
        task=task,
        best=best,
        second=choice(ordered[1]) if len(ordered) > 1 else None,
        others={s: choice(network) for s, network in leading.items() if s not in best.first},
        cheaper=choice(cheap[0]) if cheap else None,
        networks=len(places),
        scores=tuple(ranks.columns),
    )


def _least(values: pd.Series) -> Any:
    """Where the least value stands, the first of several."""
    return values.idxmin()


def _choice(network: Network, places: pd.Series, ranks: pd.DataFrame, costs: pd.Series) -> Choice:
    place = float(places.reindex([network]).iloc[0])
    own = ranks.loc[[network]].iloc[0]
    return Choice(
        architecture=network[0],
        layer=network[1],
        place=place,
        standing=1 + int((places < place).sum()),
        first=tuple(str(score) for score in ranks.columns[own == ranks.min()]),
        macs=float(costs.reindex([network]).iloc[0]),
    )


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What a way to choose is worth on a benchmark that it has not seen.

    chosen: share of the loss networks that beat the best network of the other benchmarks, on the
    benchmark left out; tried: that beat the best layer there of the architecture whose best
    layers are best on the others. Means over the benchmarks; at random half of the networks beat
    one, a fifth the best of four. architecture: the one to try, by all benchmarks.
    """

    chosen: float
    tried: float
    architecture: str
    benchmarks: int


def left_out(frames: Frames) -> LeftOut | None:
    """Choose on all benchmarks but one, look at that one: None with fewer than three."""
    if frames.scores.empty:
        return None
    catalog = frames.score_catalog
    benchmark_of = dict(zip(catalog["score"], catalog["benchmark"], strict=True))
    places = task_places(score_ranks(frames.scores), benchmark_of).drop(columns=NEW).dropna()
    if len(places.columns) < 3 or len(places) < 2:
        return None
    chosen, tried = [], []
    for benchmark in places.columns:
        seen = places.drop(columns=benchmark)
        beaten = (places[benchmark].rank(method="min") - 1) / (len(places) - 1)
        chosen.append(float(beaten[_least(seen.mean(axis=1))]))
        tried.append(float(beaten.xs(_best_architecture(seen), level="architecture").min()))
    return LeftOut(
        chosen=float(np.mean(chosen)),
        tried=float(np.mean(tried)),
        architecture=_best_architecture(places),
        benchmarks=len(places.columns),
    )


def _best_architecture(places: pd.DataFrame) -> str:
    """Whose best layers, one a benchmark, have the least mean place."""
    return str(_least(places.groupby("architecture").min().mean(axis=1)))


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
