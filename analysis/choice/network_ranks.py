"""All loss networks ranked as such, on each benchmark and over all, beside their costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lossnets.analysis.choice.cost import COSTS
from lossnets.analysis.choice.places import (
    Places,
    all_places,
    beaten,
    costs_of,
    missing_note,
    places,
)
from lossnets.analysis.choice.truth import UNKNOWN, all_truth, chance_of_best, true_ranks
from lossnets.analysis.frames.cube import NO_SCORES, benchmark_order, not_computable, result
from lossnets.analysis.frames.frames import Frames, Study

OVERALL = "overall"

COLUMNS = {
    "benchmark": "benchmark id, or overall: the mean over the benchmarks, each alike",
    "architecture": "torchvision name",
    "family": "family of the architecture",
    "layer": "extraction layer",
    "mean_rank": "mean rank among all loss networks over the benchmark's scores, 1 = best",
    "place": "place by mean rank, 1 = best, ties averaged",
    "networks": "number of loss networks ranked",
    "beaten": "share of the others that beat it, ties counted half",
    "p_best": "chance that its true values have the best mean rank, as far as the noise of a "
    "training (see noise) leaves that open",
    "standard": "mean of its standard scores: standard deviations above the mean loss network",
    "behind": "standard deviations behind the best loss network",
    "macs_to_layer": "multiply-accumulates of one forward pass to the layer",
    "params_to_layer": "parameters up to the layer",
    "scores": "number of scores",
    "note": "what is missing, and why",
}


def network_ranks(frames: Frames) -> pd.DataFrame:
    """Every loss network's place on each benchmark and overall. Columns: COLUMNS."""
    names = sorted(frames.scores["benchmark"].dropna().unique(), key=benchmark_order)
    parts = [_ranked(frames, name, places(frames.scores, name)) for name in names]
    parts.append(_ranked(frames, OVERALL, all_places(frames)))
    known = [part for part in parts if len(part)]
    if not known:
        return result(COLUMNS, [not_computable(NO_SCORES)])
    return pd.concat(known, ignore_index=True)


def _ranked(frames: Frames, name: str, found: Places) -> pd.DataFrame:
    if not len(found.networks):
        return pd.DataFrame(columns=list(COLUMNS))
    means = found.own_ranks.mean(axis=1).round(9)
    standard = found.standard.mean(axis=1)
    truth = all_truth(frames) if name == OVERALL else true_ranks(frames, found)
    unknown = UNKNOWN if truth is None else ""
    costs = {cost: costs_of(frames, found.networks, cost) for cost in COSTS}
    lacking = [f"{cost} is not known" for cost in COSTS if np.isnan(costs[cost]).any()]
    ranked = found.networks.assign(
        benchmark=name,
        mean_rank=means,
        place=rankdata(means),
        networks=len(means),
        beaten=beaten(means) if len(means) > 1 else np.nan,
        p_best=np.nan if truth is None else chance_of_best(truth.mean(axis=2).round(9)),
        standard=standard,
        behind=standard.max() - standard,
        scores=len(found.scores),
        note="; ".join(note for note in (missing_note(found), unknown, *lacking) if note),
        **costs,
    )
    if len(means) == 1:
        ranked["note"] = "beaten is not computable, because there is one loss network"
    ordered = ranked.sort_values(["place", "architecture", "layer"])
    return ordered[list(COLUMNS)].reset_index(drop=True)


STUDIES = (
    Study(
        name="network_ranks",
        title="All loss networks ranked as such, per benchmark and overall, beside their costs",
        columns=COLUMNS,
        compute=network_ranks,
    ),
)
