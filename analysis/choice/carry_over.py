"""How much of what a benchmark shows carries over to a new one: one model of all scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.choice.places import Places, all_places, missing_note
from lossnets.analysis.frames.cube import Floats, Row, join_notes, not_computable, result
from lossnets.analysis.frames.families import without_none
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.statistics.normal_scores import normal_scores
from lossnets.analysis.statistics.random_effects import Draws, gibbs, spread_of_chains

NETWORKS, BEST = "loss networks", "best layer"  # the views
STEPS, BURN, CHAINS = 160, 100, 64
CELLS = 250_000  # values × chains at most: bounds time and memory

COLUMNS = {
    "view": "loss networks: architectures at each layer; best layer: architectures at their best",
    "component": "what varies; a product is what depends on both; carried over: the sum of "
    "what carries over",
    "carries_over": "whether it is the same on a new benchmark",
    "levels": "number of its levels, empty for the sum",
    "variance": "posterior median of its variance, in normal scores (variance 1 in all)",
    "low": "lower end of the 95 % interval",
    "high": "upper end",
    "share": "posterior median of its share of the sum of the variances",
    "share_low": "lower end of the 95 % interval",
    "share_high": "upper end",
    "draws": "draws from the posterior",
    "r_hat": "spread of the chains (Gelman and Rubin), 1 where they agree",
    "note": "what is missing, and why",
}

NEW_COLUMNS = {
    "of": "architecture or family (at the best layer; those that belong to none are architectures "
    "alone), or loss network",
    "architecture": "torchvision name, empty for a family",
    "family": "family of the architecture",
    "layer": "extraction layer, empty but for a loss network",
    "members": "number of its architectures, or 1",
    "p_best": "probability to have the best true value on a new benchmark",
    "p_first": "probability to come first in one training on it",
    "by_chance": "the same if none was better: members / number of all",
    "draws": "draws from the posterior",
    "note": "what is missing, and why",
}


@dataclass(frozen=True, kw_only=True)
class Component:
    """A factor of the model.

    with_: what it is a product with: benchmark, training, or nothing, then it carries over; own:
    its level of each row, without that; codes: its level of each value (rows, units).
    """

    name: str
    with_: str | None
    own: NDArray[np.intp]
    codes: NDArray[np.intp]

    @property
    def carries_over(self) -> bool:
        """Whether it is the same on a new benchmark."""
        return self.with_ is None


@dataclass(frozen=True, kw_only=True)
class Model:
    """A view's values and components, and draws from their posterior.

    of: the row of each value; rows: what is compared; components: the first ones carry over.
    """

    view: str
    rows: pd.DataFrame
    components: Sequence[Component]
    draws: Draws


def of_trainings(scores: Floats, units: Sequence[NDArray[np.intp]]) -> Floats:
    """Normal scores by trained model, from normal scores (rows, scores): (rows, units)."""
    return normal_scores(np.stack([scores[:, own].mean(axis=1) for own in units], axis=1))


def model_of_networks(found: Places, rng: np.random.Generator) -> Model:
    """Architecture, layer, benchmark and their products, over loss networks."""
    architecture, layer = (pd.factorize(found.networks[c])[0] for c in ("architecture", "layer"))
    network = np.arange(len(layer))
    values = of_trainings(normal_scores(found.values), found.units)
    cell = {"architecture": architecture, "layer": layer, "architecture × layer": network}
    return _fitted(NETWORKS, found, found.networks, values, cell, rng)


def model_of_architectures(found: Places, rng: np.random.Generator) -> Model:
    """Architecture and benchmark, over architectures at their best layer of each score."""
    scores = pd.DataFrame(normal_scores(found.values))
    best = scores.groupby(found.networks["architecture"].to_numpy()).max()
    rows = found.networks.drop_duplicates("architecture").set_index("architecture")
    rows = rows.loc[best.index, ["family"]].reset_index()
    values = of_trainings(best.to_numpy(), found.units)
    return _fitted(BEST, found, rows, values, {"architecture": np.arange(len(rows))}, rng)


def _fitted(
    view: str,
    found: Places,
    rows: pd.DataFrame,
    values: Floats,
    cell: dict[str, NDArray[np.intp]],
    rng: np.random.Generator,
) -> Model:
    """The model of values (rows, units): each component of a cell, × benchmark, × training.

    Of components with the same levels the first stands: with one training a benchmark there is
    none × training.
    """
    units = values.shape[1]
    benchmark = np.array([found.of[own[0]] for own in found.units])
    parts: dict[str | None, NDArray[np.intp]] = {None: np.zeros(units, dtype=np.intp)}
    parts |= {"benchmark": benchmark, "training": np.arange(units)}
    components: list[Component] = []
    for with_, of in parts.items():
        for name, own in cell.items():
            codes = _numbered((own[:, None] * units + of[None]).ravel())
            alike = any(np.array_equal(codes, each.codes) for each in components)
            if not alike and codes.max() + 1 < values.size:  # a level a value is the residual
                named = f"{name} × {with_}" if with_ else name
                components.append(Component(name=named, with_=with_, own=own, codes=codes))
    chains = int(np.clip(CELLS // max(values.size, 1), 4, CHAINS))
    factors = [component.codes for component in components]
    draws = gibbs(values.ravel(), factors, rng, chains=chains, burn=BURN, kept=STEPS)
    return Model(view=view, rows=rows, components=components, draws=draws)


def _numbered(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same groups, as numbers from 0 in the order of their first appearance."""
    return np.asarray(pd.factorize(codes)[0], dtype=np.intp)


def carry_over(models: Sequence[Model], note: str) -> pd.DataFrame:
    """Shares of the variance, and which of them carry over. Columns: COLUMNS."""
    rows: list[Row] = []
    for model in models:
        variances = model.draws.variances
        total = variances.sum(axis=0)
        kept = [c.carries_over for c in model.components]
        listed = [(c.name, c.carries_over, int(c.codes.max()) + 1) for c in model.components]
        listed.append(("residual", False, len(model.components[0].codes)))
        for (name, carries, levels), drawn in zip(listed, variances, strict=True):
            about = {"component": name, "carries_over": carries, "levels": levels}
            rows.append(about | _summary(model, drawn, total))
        carried = variances[:-1][kept].sum(axis=0)
        about = {"component": "carried over", "carries_over": True}
        rows.append(about | _summary(model, carried, total))
    return result(COLUMNS, [row | {"note": note} for row in rows])


def _summary(model: Model, drawn: Floats, total: Floats) -> Row:
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    share_low, share, share_high = np.quantile(drawn / total, [0.025, 0.5, 0.975])
    return {
        "view": model.view,
        "variance": middle,
        "low": low,
        "high": high,
        "share": share,
        "share_low": share_low,
        "share_high": share_high,
        "draws": len(drawn),
        "r_hat": spread_of_chains(np.log(drawn), model.draws.chains),
    }


def on_a_new_benchmark(
    model: Model, rng: np.random.Generator, *, training: bool
) -> NDArray[np.intp]:
    """Which row comes first on a new benchmark, in each draw.

    What carries over stays; what does not is drawn anew. training: with what one training adds.
    """
    draws = model.draws.variances.shape[1]
    values = np.zeros((len(model.rows), draws))
    for f, component in enumerate(model.components):
        if component.carries_over:
            values += model.draws.effects[f][_numbered(component.own)]
        elif component.with_ == "benchmark" or training:
            fresh = rng.standard_normal((int(component.own.max()) + 1, draws))
            values += (fresh * np.sqrt(model.draws.variances[f]))[component.own]
    if training:
        values += rng.standard_normal(values.shape) * np.sqrt(model.draws.variances[-1])
    return np.asarray(values.argmax(axis=0))


def new_benchmark(models: Sequence[Model], rng: np.random.Generator, note: str) -> pd.DataFrame:
    """How probable each is the best on a new benchmark. Columns: NEW_COLUMNS, best first."""
    parts = []
    for model in models:
        rows = model.rows
        count = len(rows)
        table = rows.assign(members=1, by_chance=1 / count, note=note)
        table["draws"] = model.draws.variances.shape[1]
        for column, training in (("p_best", False), ("p_first", True)):
            first = on_a_new_benchmark(model, rng, training=training)
            table[column] = np.bincount(first, minlength=count) / len(first)
        best = model.view == BEST
        parts.append(_ordered(table.assign(of="architecture" if best else "loss network")))
        known = table.assign(family=without_none(table["family"])).dropna(subset="family")
        if best and len(known):
            sums = {"members": "sum", "by_chance": "sum", "p_best": "sum", "p_first": "sum"}
            families = known.groupby("family", as_index=False).agg(sums)
            families = families.assign(of="family", note=note, draws=table["draws"].iloc[0])
            parts.append(_ordered(families))
    return pd.concat(parts, ignore_index=True)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    whole = table.reindex(columns=list(NEW_COLUMNS))
    keys = ["p_best", "architecture", "family", "layer"]
    return whole.sort_values(keys, ascending=[False, True, True, True], kind="stable")


@once
def models(frames: Frames) -> tuple[list[Model], str]:
    """The models of both views, none where nothing can be told, and a note."""
    found = all_places(frames)
    few = len(found.benchmarks) < 2
    if few or found.networks["architecture"].nunique() < 2:
        what = "benchmarks" if few else "architectures"
        return [], not_computable(f"there are not two {what} with all scores")["note"]
    rng = np.random.default_rng(SEED)
    made = [model_of_architectures(found, rng), model_of_networks(found, rng)]
    return made, join_notes(missing_note(found))


def _carry_over(frames: Frames) -> pd.DataFrame:
    made, note = models(frames)
    return carry_over(made, note) if made else result(COLUMNS, [{"note": note}])


def _new_benchmark(frames: Frames) -> pd.DataFrame:
    made, note = models(frames)
    if not made:
        return result(NEW_COLUMNS, [{"note": note}])
    return new_benchmark(made, np.random.default_rng(SEED), note)


STUDIES = (
    Study(
        name="carry_over",
        title="How much of the variance carries over to a new benchmark",
        columns=COLUMNS,
        compute=_carry_over,
    ),
    Study(
        name="new_benchmark",
        title="How probable each network is the best on a new benchmark",
        columns=NEW_COLUMNS,
        compute=_new_benchmark,
    ),
)
