"""What a score costs: loss networks that no cheaper one matches."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.choice.places import INFINITE, standardised
from lossnets.analysis.frames.cube import NO_SCORES, Floats, benchmark_order, not_computable, result
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import once

COSTS = ("macs_to_layer", "params_to_layer")

FRONT_COLUMNS = {
    "cost": "attribute that measures the cost of a loss network, less is better",
    "benchmark": "benchmark id",
    "score": "score id",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "layer": "extraction layer",
    "value": "the score, in its unit",
    "cost_value": "the cost, in the attribute's unit",
    "on_front": "whether no loss network is at least as good and as cheap, and better in one",
    "least_cost": "cost of the cheapest loss network that is at least as good",
    "ratio": "cost / least cost: what a cheaper choice without loss would save",
    "rivals": "number of other loss networks that cost no more: those that could have beaten it",
    "chance": "chance to be on the front if scores were dealt at random: 1 / (1 + rivals)",
    "lost": "score lost against the best, in standard deviations between loss networks",
    "note": "what is missing, and why",
}

SHARE_COLUMNS = {
    "cost": "attribute that measures the cost of a loss network, less is better",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "layer": "extraction layer",
    "fronts": "number of scores on whose front the loss network lies",
    "scores": "number of scores it has",
    "share": "fronts / scores",
    "expected": "fronts it would lie on if scores were dealt at random: sum of the chances",
    "lost": "mean over the scores of what it loses against the best, in standard deviations",
    "benchmarks": "number of benchmarks with a front it lies on",
    "note": "what is missing, and why",
}


def on_front(value: Floats, cost: Floats) -> NDArray[np.bool_]:
    """Whether no other point is at least as good and as cheap, and better in one of the two.

    Equal points are on the front together.

    >>> on_front(np.array([0.7, 0.7, 0.8, 0.6]), np.array([1.0, 2.0, 3.0, 1.0])).tolist()
    [True, False, True, False]
    """
    order = np.lexsort((-value, cost))
    value, cost = value[order], cost[order]
    place = np.arange(len(order))
    starts = np.r_[True, cost[1:] != cost[:-1]][: len(order)]
    start = np.maximum.accumulate(np.where(starts, place, 0))  # of the points of the same cost
    before = np.r_[-np.inf, np.maximum.accumulate(value)][start]  # best of the cheaper points
    front = np.empty(len(order), dtype=bool)
    front[order] = (value == value[start]) & ((value > before) | (start == 0))
    return front


def least_cost(value: Floats, cost: Floats) -> Floats:
    """Least cost of the points at least as good as each.

    >>> least_cost(np.array([0.7, 0.8]), np.array([5.0, 2.0])).tolist()
    [2.0, 2.0]
    """
    order = np.argsort(-value, kind="stable")
    cheapest = np.minimum.accumulate(cost[order])
    last = np.searchsorted(-value[order], -value, side="right") - 1
    return np.asarray(cheapest[last])


def rivals(cost: Floats) -> NDArray[np.intp]:
    """How many other points cost no more than each.

    >>> rivals(np.array([5.0, 2.0, 5.0])).tolist()
    [2, 0, 2]
    """
    return np.searchsorted(np.sort(cost), cost, side="right") - 1


def pareto_fronts(scores: pd.DataFrame, loss_networks: pd.DataFrame) -> pd.DataFrame:
    """Pareto fronts of each score against the MACs, and the parameters, up to the layer.

    `scores`: rows of `score_means`; `loss_networks`: architecture, layer and the attributes.
    Columns: FRONT_COLUMNS, a row per loss network, score and cost.
    """
    frames = [_fronts(scores, loss_networks, cost) for cost in COSTS]
    known = [frame for frame in frames if len(frame)]
    if not known:
        return result(FRONT_COLUMNS, [not_computable(NO_SCORES)])
    return pd.concat(known, ignore_index=True)


def _fronts(scores: pd.DataFrame, loss_networks: pd.DataFrame, cost: str) -> pd.DataFrame:
    """Rows of `pareto_fronts` for one cost, by benchmark, score, architecture and layer."""
    keys = ["architecture", "layer"]
    frame = scores.dropna(subset="value").assign(cost=cost)
    if cost in loss_networks:
        costs = loss_networks[keys].assign(cost_value=loss_networks[cost].astype(float))
        frame = frame.merge(costs.drop_duplicates(keys), on=keys, how="left")
        reason = f"the loss network has no {cost}"
    else:
        frame["cost_value"] = np.nan
        reason = f"there is no attribute {cost}"
    frame["order"] = frame["benchmark"].map(lambda name: f"{benchmark_order(name)}")
    frame = frame.sort_values(["order", "score", "architecture", "layer_position", "layer"])
    frame = frame.reset_index(drop=True)
    frame["note"] = np.where(frame["cost_value"].isna(), not_computable(reason)["note"], "")
    front = np.full(len(frame), None, dtype=object)
    least, against, lost = (np.full(len(frame), np.nan) for _ in range(3))
    sign = np.where(frame["higher_is_better"].astype(bool), 1.0, -1.0)
    value = sign * frame["value"].to_numpy(float)
    paid = frame["cost_value"].to_numpy(float)
    for all_of_them in frame.groupby("score").indices.values():
        standard = standardised(value[all_of_them, None])[:, 0]
        lost[all_of_them] = standard.max(initial=-np.inf) - standard
        own = all_of_them[~np.isnan(paid[all_of_them])]
        front[own] = on_front(value[own], paid[own])
        least[own] = least_cost(value[own], paid[own])
        against[own] = rivals(paid[own])
    frame = frame.assign(on_front=front, least_cost=least, ratio=np.nan)
    frame = frame.assign(rivals=against, chance=1 / (1 + against), lost=lost)
    positive = (frame["least_cost"] > 0) & np.isfinite(frame["least_cost"])
    frame.loc[positive, "ratio"] = frame["cost_value"][positive] / frame["least_cost"][positive]
    frame.loc[frame["lost"].isna(), "note"] = INFINITE
    nil = "the ratio is not computable, because the least cost is zero, negative or infinite"
    frame.loc[frame["least_cost"].notna() & ~positive, "note"] = nil
    return frame[list(FRONT_COLUMNS)]


def pareto_shares(scores: pd.DataFrame, loss_networks: pd.DataFrame) -> pd.DataFrame:
    """How many scores each loss network is an unbeaten choice for, by cost.

    Arguments as for `pareto_fronts`. Columns: SHARE_COLUMNS, most fronts first. The
    cheapest of all lies on every front, whatever its score: `expected` says as much of each.
    """
    return _shares(pareto_fronts(scores, loss_networks))


def _shares(fronts: pd.DataFrame) -> pd.DataFrame:
    """`pareto_shares` of the fronts that `pareto_fronts` found."""
    if fronts["score"].isna().all():
        return result(SHARE_COLUMNS, [{"note": note} for note in fronts["note"]])
    known = fronts["on_front"].notna()
    lies_on = fronts["on_front"].where(known, False).astype(bool)
    fronts = fronts.assign(
        scores=known, fronts=lies_on, benchmarks=fronts["benchmark"].where(lies_on)
    )
    keys = ["cost", "architecture", "layer"]
    shares = fronts.groupby(keys, as_index=False, sort=True).agg(
        family=("family", "first"),
        fronts=("fronts", "sum"),
        scores=("scores", "sum"),
        benchmarks=("benchmarks", "nunique"),
        expected=("chance", "sum"),
        lost=("lost", "mean"),
        note=("note", "max"),
    )
    shares["share"] = shares["fronts"] / shares["scores"].where(shares["scores"] > 0)
    shares = shares.sort_values(["cost", "fronts"], ascending=[True, False], kind="stable")
    return shares[list(SHARE_COLUMNS)].reset_index(drop=True)


@once
def _all_fronts(frames: Frames) -> pd.DataFrame:
    return pareto_fronts(frames.scores, frames.loss_networks)


STUDIES = (
    Study(
        name="pareto_fronts",
        title="Loss networks that no cheaper one matches, for each score",
        columns=FRONT_COLUMNS,
        compute=lambda frames: _all_fronts(frames).copy(),
    ),
    Study(
        name="pareto_shares",
        title="For how many scores a loss network is an unbeaten choice",
        columns=SHARE_COLUMNS,
        compute=lambda frames: _shares(_all_fronts(frames)),
    ),
)
