"""What each way to choose a loss network is worth on a benchmark that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lossnets.analysis.choice import strategies
from lossnets.analysis.choice.cost import COSTS
from lossnets.analysis.choice.places import Places, all_places, beaten, costs_of, missing_note
from lossnets.analysis.choice.strategies import Pool, Way
from lossnets.analysis.choice.truth import UNKNOWN, all_truth, beaten_in_truth
from lossnets.analysis.frames.cube import Floats, Row, join_notes, not_computable, result
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import once

MEAN = "mean"  # the row over the benchmarks left out
SHARES = (0.25, 0.5, 0.75)  # budgets that as many of the networks keep to

COLUMNS = {
    "strategy": "random: any network; best_on_others: least mean rank on the other benchmarks; "
    "paper_advice: a VGG without batch norm at the layers that the paper advises for the task; "
    "fixed: the best over all benchmarks, this one among them; try_layers: the best on the task "
    "of an architecture's layers; try_layers_of_best: of some layers of the architecture whose "
    "best layers are best on the others; try_random: the best on the task of some random networks",
    "tried": "number of networks tried on the task, 0 where none is",
    "architecture": "torchvision name of what the strategy names, empty where it names none",
    "layer": "extraction layer that it names, empty where it names none",
    "cost": "attribute that the budget bounds, empty without a budget",
    "budget": "greatest cost that was allowed, in the attribute's unit",
    "benchmark": "benchmark id that was left out, or mean: over the benchmarks",
    "networks": "number of loss networks within the budget",
    "regret": "share of the others within the budget that beat the chosen one, ties counted half",
    "regret_of_all": "share of all loss networks that beat it, ties counted half",
    "regret_true": "the first regret on the true values: expected, since the noise of a training "
    "(see noise) leaves them open; what is tried is chosen by the values given",
    "survives": "share of the gain over a random choice that is left of it: (1/2 - regret_true) / "
    "(1/2 - regret), empty where there is no gain",
    "lost": "score lost against the best within the budget, in sd between loss networks",
    "note": "what is missing, and why",
}
MEASURES = ("regret", "regret_of_all", "regret_true", "lost")
KEYS = ["strategy", "tried", "architecture", "layer", "cost", "budget"]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a choice from a pool is judged by, (networks, benchmarks) each.

    regret: share of the pool that beats a network; of_all: of all networks; true: expected share
    of the pool on the true values; lost: sd behind the best of the pool.
    """

    regret: Floats
    of_all: Floats
    true: Floats
    lost: Floats


def choice(frames: Frames) -> pd.DataFrame:
    """Regret of each strategy on each benchmark left out, under budgets. Columns: COLUMNS."""
    found = all_places(frames)
    if len(found.networks) < 2:
        return result(COLUMNS, [not_computable("there are not two loss networks with all scores")])
    truth = all_truth(frames)
    rows = [row for limit in _budgets(frames, found) for row in _rows(found, truth, *limit)]
    table = result(COLUMNS, rows)
    gain = 0.5 - table["regret"].to_numpy(float)
    left = 0.5 - table["regret_true"].to_numpy(float)
    table["survives"] = np.where(gain > 1e-9, left / np.where(gain > 1e-9, gain, 1.0), np.nan)
    unknown = UNKNOWN if truth is None else ""
    note = join_notes(missing_note(found), _few(found), unknown)
    return table.assign(note=[join_notes(own, note) for own in table["note"]])


def _few(found: Places) -> str:
    few = len(found.benchmarks) < 2
    return "there is one benchmark, so nothing is chosen on others" if few else ""


def _budgets(frames: Frames, found: Places) -> Iterator[tuple[str | None, float, np.ndarray]]:
    """Cost, budget, and the networks that keep to it; first all of them, without a budget."""
    yield None, np.nan, np.arange(len(found.networks))
    for cost in COSTS:
        paid = costs_of(frames, found.networks, cost)
        known = np.sort(paid[~np.isnan(paid)])
        budgets = {float(known[int(np.ceil(s * len(known))) - 1]) for s in SHARES if len(known)}
        for budget in sorted(budgets):
            within = np.flatnonzero(paid <= budget)
            if 1 < len(within) < len(paid):
                yield cost, budget, within


def _rows(
    found: Places, truth: Floats | None, cost: str | None, budget: float, within: np.ndarray
) -> list[Row]:
    """The rows of one budget: each strategy on each benchmark, and its mean over them."""
    pool = pool_of(found).take(within)
    judged = judge(found, truth, within)
    rows: list[Row] = []
    for b, benchmark in enumerate(found.benchmarks):
        for way in strategies.ways(pool, b):
            about: Row = {
                "strategy": way.strategy,
                "tried": way.tried,
                "architecture": way.architecture,
                "layer": way.layer,
                "cost": cost,
                "budget": budget,
                "benchmark": benchmark,
                "networks": len(within),
            }
            rows.append(about | _worth(way, judged, b))
    return rows + _means(rows)


def worth(frames: Frames, within: np.ndarray) -> dict[tuple[str, int], tuple[float, float]]:
    """Mean regret of each strategy within a pool, as given and on the true values.

    By the strategy's name and how many networks it tries.
    """
    rows = _rows(all_places(frames), all_truth(frames), None, np.nan, within)
    means = [row for row in rows if row["benchmark"] == MEAN]
    return {(r["strategy"], r["tried"]): (r["regret"], r["regret_true"]) for r in means}


def pool_of(found: Places) -> Pool:
    """All networks as a pool, by their places."""
    return Pool(
        places=found.own_ranks,
        benchmarks=found.benchmarks,
        architectures=found.networks["architecture"].to_numpy(object),
        layers=found.networks["layer"].to_numpy(object),
    )


def judge(found: Places, truth: Floats | None, within: np.ndarray) -> Judged:
    """How the networks of a pool stand on each benchmark."""
    means = found.own_ranks
    standard = found.standard[within]
    unknown = np.full((len(within), means.shape[1]), np.nan)
    return Judged(
        true=unknown if truth is None else beaten_in_truth(truth[:, within]),
        regret=beaten(means[within]),
        of_all=beaten(means)[within],
        lost=standard.max(axis=0) - standard,
    )


def _worth(way: Way, judged: Judged, benchmark: int) -> Row:
    measures = (judged.regret, judged.of_all, judged.true, judged.lost)
    return {
        name: float(way.weights @ values[way.chosen, benchmark])
        for name, values in zip(MEASURES, measures, strict=True)
    }


def _means(rows: list[Row]) -> list[Row]:
    """Means over the benchmarks; what a strategy names stays where it is the same for all."""
    frame = pd.DataFrame(rows)
    named = frame["strategy"].eq(strategies.LAYERS)
    frame["of"] = frame["architecture"].where(named)
    means = []
    for _, own in frame.groupby(["strategy", "tried", "of"], sort=False, dropna=False):
        first = own.iloc[0]
        pairs = own[KEYS[2:4]].nunique()
        one = pairs["architecture"] == 1
        same = {
            "architecture": first["architecture"] if one else None,
            "layer": first["layer"] if one and pairs["layer"] == 1 else None,
        }
        few = len(own) < frame["benchmark"].nunique()
        means.append(
            {key: first[key] for key in (*KEYS, "networks")}
            | same
            | {"benchmark": MEAN}
            | {key: float(own[key].mean()) for key in MEASURES}
            | {"note": f"over {len(own)} of the benchmarks" if few else ""}
        )
    return means


@once
def all_choices(frames: Frames) -> pd.DataFrame:
    """The study's frame, computed once."""
    return choice(frames)


STUDIES = (
    Study(
        name="choice",
        title="What each way to choose a loss network is worth on a benchmark left out",
        columns=COLUMNS,
        compute=lambda frames: all_choices(frames).copy(),
    ),
)
