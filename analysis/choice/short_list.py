"""Which loss networks to take for a task, under limits: a short list with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.choice.network_ranks import OVERALL
from lossnets.analysis.choice.network_ranks import STUDIES as RANKED
from lossnets.analysis.choice.places import all_places, costs_of
from lossnets.analysis.choice.regret import pool_of, worth
from lossnets.analysis.choice.strategies import CHOSEN_LAYERS, OTHERS, best_architecture
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.once import computed, once
from lossnets.warehouse.errors import UserError

(RANKS,) = RANKED

COLUMNS = {
    "place": "place by mean rank among all loss networks, on the benchmark or overall; 1 = best",
    "architecture": "torchvision name",
    "layer": "extraction layer",
    "beaten": "share of the other loss networks that beat it, ties counted half",
    "behind": "standard deviations behind the best loss network",
    "macs_to_layer": "multiply-accumulates of one forward pass to the layer",
    "params_to_layer": "parameters up to the layer",
    "evidence": "why it is on the list",
    "python": "the line that builds the loss",
}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is best done for a task that is none of the benchmarks.

    architecture, layers: whose layers to try on the task, by their overall place; tried: share of
    the networks that beat such a choice on a benchmark left out; chosen: that beat the best on the
    other benchmarks; NaN where there is one benchmark alone. networks: how many are within.
    """

    architecture: str
    layers: tuple[str, ...]
    tried: float
    true: float
    chosen: float
    networks: int


def trial(frames: Frames, within: np.ndarray) -> Trial:
    """The trial for the networks of a pool, with what it is worth on benchmarks left out."""
    pool = pool_of(all_places(frames)).take(within)
    architecture = best_architecture(pool.architectures, pool.places)
    own = np.flatnonzero(pool.architectures == architecture)
    own = own[np.argsort(pool.places[own].mean(axis=1).round(9), kind="stable")]
    means = worth(frames, within)
    nothing = (np.nan, np.nan)
    tried, true = means.get((CHOSEN_LAYERS, len(own)), nothing)
    return Trial(
        architecture=architecture,
        layers=tuple(str(layer) for layer in pool.layers[own]),
        tried=tried,
        true=true,
        chosen=means.get((OTHERS, 0), nothing)[0],
        networks=len(within),
    )


@once
def new_task(frames: Frames) -> Trial | None:
    """The trial among all networks; None without two of them."""
    found = all_places(frames)
    return trial(frames, np.arange(len(found.networks))) if len(found.networks) > 1 else None


def short_list(
    frames: Frames, benchmark: str | None, limits: Mapping[str, float], most: int = 5
) -> tuple[pd.DataFrame, str]:
    """The loss networks to take for a benchmark, or (None) for a new task, and a sentence.

    limits: the greatest value of some attributes. Columns: COLUMNS, the best first. Raises
    `UserError` where there are no such scores, no such attribute, and nothing within the limits.
    """
    ranked = _ranked(frames, benchmark)
    fits = _within(frames, ranked, limits)
    table = ranked[fits]
    if benchmark is not None:
        listed = table.head(most)
        evidence = [_standing(row, benchmark) for row in listed.to_dict("records")]
        return _as_list(listed, evidence), f"{len(table)} of {len(ranked)} are within the limits"
    found = all_places(frames)
    keys = pd.MultiIndex.from_frame(table[["architecture", "layer"]])
    kept = pd.MultiIndex.from_frame(found.networks[["architecture", "layer"]]).isin(keys)
    one = trial(frames, np.flatnonzero(kept))
    to_try = (table["architecture"] == one.architecture) & table["layer"].isin(one.layers)
    listed = pd.concat([table[to_try], table[~to_try]]).head(max(most, len(one.layers)))
    told = [
        f"try it: {_standing(row, 'overall')}"
        if row["architecture"] == one.architecture
        else _standing(row, "overall")
        for row in listed.to_dict("records")
    ]
    return _as_list(listed, told), _advice(one)


def _ranked(frames: Frames, benchmark: str | None) -> pd.DataFrame:
    """All networks by their place on the benchmark, or overall."""
    table = computed(frames, RANKS)
    known = [name for name in table["benchmark"].dropna().unique() if name != OVERALL]
    if not known:
        raise UserError(f"there are no {frames.source} scores to choose by", hint="lossnets status")
    if benchmark is not None and benchmark not in known:
        raise UserError(
            f"there are no {frames.source} scores of {benchmark!r}, of: {', '.join(known)}",
            hint="without a benchmark the answer is for a new task",
        )
    ranked = table[table["benchmark"] == (benchmark or OVERALL)]
    if ranked.empty:
        raise UserError(
            f"no loss network has {frames.source} scores of all benchmarks",
            hint=f"lossnets choose --benchmark {known[0]} --source {frames.source}",
        )
    return ranked


def _within(frames: Frames, ranked: pd.DataFrame, limits: Mapping[str, float]) -> np.ndarray:
    """Which networks keep to all limits; one whose value is not known does not."""
    fits = np.ones(len(ranked), dtype=bool)
    catalog = frames.attribute_catalog
    numeric = catalog["attribute"][catalog["kind"] == "numeric"].tolist()
    for name, limit in limits.items():
        if name not in numeric:
            raise UserError(
                f"there is no numeric attribute {name!r}, there are: {', '.join(numeric)}",
                hint="lossnets attribute list",
            )
        paid = costs_of(frames, ranked, name)
        fits &= paid <= limit
        if not fits.any():
            least = _least(paid)
            raise UserError(
                f"no loss network has {name} of at most {limit:g}"
                + (" within the other limits" if (paid <= limit).any() else f"; {least}")
            )
    return fits


def _least(paid: Floats) -> str:
    known = paid[~np.isnan(paid)]
    return f"the least is {known.min():g}" if known.size else "it is known of none"


def _standing(row: Mapping[Any, Any], where: str) -> str:
    """A network's place as evidence."""
    p = row["p_best"]
    sure = "" if np.isnan(p) else f"; truly the best with probability {p:.2f}"
    what = "overall" if where == OVERALL else f"on {where}"
    return (
        f"place {row['place']:g} of {row['networks']} {what}, by {row['scores']} scores; "
        f"{row['behind']:.2f} sd behind the best{sure}"
    )


def _advice(one: Trial) -> str:
    """What to do for a new task, and how sure that is."""
    many = f"the {len(one.layers)} layers" if len(one.layers) > 1 else "the layer"
    told = f"try {many} of {one.architecture} on the task, and keep the best"
    if np.isnan(one.tried):
        return f"{told}; with one benchmark nothing tells what that is worth"
    noisy = "" if np.isnan(one.true) else f" ({one.true:.0%} with the noise of trainings)"
    return (
        f"{told}: on a benchmark left out, {one.tried:.0%} of {one.networks} loss networks beat "
        f"such a choice{noisy}, {one.chosen:.0%} the best on the other benchmarks, 50% a random one"
    )


def build_line(architecture: str, layer: str) -> str:
    """The line of Python that builds a loss.

    >>> build_line("vgg11", "early")
    'lossnets.PerceptualLoss("vgg11", "early")'
    """
    quoted = ", ".join('"' + part.replace('"', '\\"') + '"' for part in (architecture, layer))
    return f"lossnets.PerceptualLoss({quoted})"


def _as_list(listed: pd.DataFrame, evidence: list[str]) -> pd.DataFrame:
    pairs = zip(listed["architecture"], listed["layer"], strict=True)
    lines = [build_line(str(architecture), str(layer)) for architecture, layer in pairs]
    table = listed.assign(evidence=evidence, python=lines)
    return table[list(COLUMNS)].reset_index(drop=True)
