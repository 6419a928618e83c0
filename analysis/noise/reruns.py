"""What a rerun of every training would give: the noise per training, and whether winners stay."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.frames.cube import Floats, Row, join_notes, not_computable, result, units_of
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.noise.conclusions import Rerun, Singles, Standardised
from lossnets.analysis.noise.tolerance import CELLS, NOTHING_VARIES
from lossnets.analysis.noise.training_noise import Noise, noises, training_noise

DRAWS = 2_000  # reruns: a chance of a half is then known to 1 percentage point
CONFIDENCE, ALPHA, POWER = 0.95, 0.05, 0.80
MOST_RUNS = 1_000

COLUMNS = {
    "trained_model": "training whose noise it is; where nothing is trained, the score",
    "benchmark": "benchmark id",
    "scores": "number of scores that share the training",
    "method": "structural twins: networks of the same graph up to their layer, whose pretrained "
    "weights and seed differ, an upper bound; repeated runs: seeds of one network",
    "sd_ratio": "standard deviation of the noise over the one between architectures at their best "
    "layer (root of the mean ratio of variances over the scores)",
    "low": "lower end of its 95 % interval (F distribution, normal noise)",
    "high": "upper end",
    "df": "degrees of freedom of the noise",
    "networks": "loss networks that tell it",
    "groups": "groups of twins, or networks that were run again",
    "without_low": "least sd_ratio when one architecture is left out",
    "without_high": "greatest sd_ratio when one architecture is left out",
    "most_influential": "architecture without which sd_ratio changes most",
    "winner": "architecture with the best mean rank over the scores",
    "p_same_winner": "chance that a rerun has the same winner (all of several, where they tie)",
    "runs_needed": "runs per network that tell two networks apart that differ by one standard "
    "deviation between architectures (t test, 80 % power, two-sided 5 %; 1,000 at most)",
    "draws": "simulated reruns",
    "note": "what is missing, and why",
}

WINNER_COLUMNS = {
    "scope": "benchmark id, or overall (benchmarks weighted equally)",
    "winner": "architecture with the best mean rank",
    "p_same_winner": "chance that a rerun of every training has the same winner",
    "next_architecture": "architecture that wins most often otherwise",
    "p_next": "its chance to win a rerun",
    "draws": "simulated reruns",
    "note": "what is missing, and why",
}

UNKNOWN = "no two networks are twins, and none was run again"
UNTRAINED = "nothing is trained for its scores: a rerun gives the same"


def rerun(data: Standardised, noise: Floats, rng: np.random.Generator, draws: int = DRAWS) -> Rerun:
    """Reruns of every training, as far as the noise lets the published values tell the truth.

    `noise`: variance by score, in those between architectures. A value is a true one and noise, so
    the truth lies nearer to the mean of its layer than the value does: it is drawn given the value
    (normal, with the variance of the layer less the noise), and a rerun adds noise anew. The noise
    of a training reaches all scores of a network alike.
    """
    draws = int(np.clip(CELLS // max(data.cells.size, 1), 100, draws))
    known = np.isfinite(data.cells)
    count = known.sum(axis=1, keepdims=True)
    cells = np.where(known, data.cells, 0.0)
    centre = cells.sum(axis=1, keepdims=True) / np.maximum(count, 1)
    deviation = np.where(known, data.cells - centre, 0.0)
    freedom = np.maximum((count - 1).clip(0).sum(axis=(0, 1)), 1)
    total = (deviation**2).sum(axis=(0, 1)) / freedom  # variance within layers, by score
    noise = np.minimum(noise, total)
    kept = 1 - noise / np.where(total > 0, total, 1.0)
    units = units_of(data.trained_models)
    unit_of = np.zeros(len(data.scores), dtype=np.intp)
    for number, unit in enumerate(units):
        unit_of[unit] = number
    drawn = rng.standard_normal((*data.cells.shape[:2], len(units), draws), dtype=np.float32)
    spread = np.sqrt(noise * (1 + kept))
    middle = np.where(known, centre + kept * deviation, np.nan)[..., None]
    return Rerun(_singles(middle) + _singles(spread)[:, None] * drawn[:, :, unit_of])


def _singles(values: Floats) -> Singles:
    return np.asarray(values, dtype=np.float32)


@cache
def runs_needed(ratio: float) -> float:
    """Runs per network for a t test to tell a difference of one standard deviation apart.

    `ratio`: standard deviation of the noise over the one that the difference is. Two-sided 5 %,
    80 % power; MOST_RUNS where that many are not enough.

    >>> runs_needed(1.0), runs_needed(0.1)
    (17.0, 2.0)
    """
    n = np.arange(2, MOST_RUNS + 1)
    df, shift = 2 * n - 2, np.sqrt(n / 2) / max(ratio, 1e-3)
    critical = stats.t.isf(ALPHA / 2, df)
    enough = np.flatnonzero(stats.nct.sf(critical, df, np.minimum(shift, 30)) >= POWER)
    return float(n[enough[0]] if enough.size else MOST_RUNS)


def noise_table(frames: Frames, rng: np.random.Generator) -> pd.DataFrame:
    """How large the noise of each training is, and what it means for its winner.

    Columns: COLUMNS. A row a trained model and method; scores of which nothing is trained have
    rows of their own, of what pretrained weights alone change.
    """
    data, by_unit = noises(frames)
    rows: list[Row] = []
    for unit, own in zip(units_of(data.trained_models), by_unit, strict=True):
        about: Row = {
            "trained_model": data.trained_models[unit[0]] or data.scores[unit[0]],
            "benchmark": data.benchmarks[unit[0]],
            "scores": len(unit),
        }
        missing = not_computable(UNKNOWN)
        rows += [about | _noise_row(data, noise, rng) for noise in own] or [about | missing]
    return result(COLUMNS, rows or [not_computable(NOTHING_VARIES)])


def ratio_interval(noise: Noise, architectures: int) -> tuple[float, float]:
    """95 % interval of the ratio of standard deviations, from the F distribution."""
    tails = np.array([(1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2])
    low, high = np.sqrt(noise.ratio / stats.f.ppf(tails, noise.freedom, architectures - 1))
    return float(low), float(high)


def _noise_row(data: Standardised, noise: Noise, rng: np.random.Generator) -> Row:
    """What one method says of one training."""
    ratio = float(np.sqrt(noise.ratio))
    low, high = ratio_interval(noise, len(data.architectures))
    row: Row = {
        "method": noise.method,
        "sd_ratio": ratio,
        "low": low,
        "high": high,
        "df": noise.freedom,
        "networks": noise.networks,
        "groups": noise.groups,
    }
    without = np.sqrt(noise.without)
    note = "without one architecture there are no two to compare"
    if np.isfinite(without).any():
        changes = int(np.nanargmax(np.abs(without - ratio)))
        row |= {"without_low": np.nanmin(without), "without_high": np.nanmax(without)}
        row |= {"most_influential": data.architectures[changes]}
        note = ""
    if data.trained_models[noise.scores[0]] is None:
        return row | {"note": join_notes(not_computable(UNTRAINED)["note"], note)}
    return row | _rerun_row(only(data, noise.scores), noise, rng) | {"note": note}


def _rerun_row(data: Standardised, noise: Noise, rng: np.random.Generator) -> Row:
    """What the noise means for the winner of one training, and for whoever compares two."""
    members = [np.arange(len(data.scores))]
    again = rerun(data, np.full(len(data.scores), noise.ratio), rng)
    first, chances = winners(again, members, data)
    return {
        "winner": ", ".join(data.architectures[a] for a in first),
        "p_same_winner": float(chances[first].sum()),
        "runs_needed": runs_needed(round(float(np.sqrt(noise.ratio)), 6)),
        "draws": again.cells.shape[-1],
    }


def only(data: Standardised, scores: NDArray[np.intp]) -> Standardised:
    """The data of some scores."""
    return replace(
        data,
        cells=data.cells[..., scores],
        spread=data.spread[scores],
        error=data.error[..., scores],
        measured_sd=data.measured_sd[scores],
        scores=tuple(data.scores[s] for s in scores),
        benchmarks=tuple(data.benchmarks[s] for s in scores),
        trained_models=tuple(data.trained_models[s] for s in scores),
    )


def winners(
    again: Rerun, members: list[NDArray[np.intp]], data: Standardised
) -> tuple[NDArray[np.intp], Floats]:
    """The architectures that lead as published, and each one's chance to lead a rerun.

    `members`: groups of scores that weigh equally. A shared lead is split.
    """
    published = Rerun(_singles(data.cells)[..., None]).mean_ranks(members)
    means = np.round(again.mean_ranks(members), 5)  # (architectures, draws)
    leads = means == means.min(axis=0)
    first = np.flatnonzero(np.round(published[:, 0], 5) == np.round(published.min(), 5))
    return first, np.asarray((leads / leads.sum(axis=0)).mean(axis=1))


def rerun_winners(frames: Frames, rng: np.random.Generator) -> pd.DataFrame:
    """How probable it is that a rerun of every training has the same winners.

    Columns: WINNER_COLUMNS; a row a benchmark, and one overall. The noise is `training_noise`.
    """
    data, _ = noises(frames)
    if not data.scores:
        return result(WINNER_COLUMNS, [not_computable(NOTHING_VARIES)])
    sizes = training_noise(frames)
    noise = np.array([sizes[name] for name in data.scores]) ** 2
    again = rerun(data, np.nan_to_num(noise), rng)
    scopes = {name: [own] for name, own in data.members.items()}
    scopes["overall"] = list(data.members.values())
    rows = [
        {"scope": scope}
        | (
            not_computable(UNKNOWN)
            if np.isnan(noise[np.concatenate(members)]).any()
            else _winner_row(data, again, members)
        )
        for scope, members in scopes.items()
    ]
    return result(WINNER_COLUMNS, rows)


def _winner_row(data: Standardised, again: Rerun, members: list[NDArray[np.intp]]) -> Row:
    """Who leads as published, and how often in reruns."""
    first, chances = winners(again, members, data)
    others = chances.copy()
    others[first] = 0.0
    following = int(others.argmax())
    trained = any(data.trained_models[s] for own in members for s in own)
    alone = "no other architecture leads a rerun" if trained else UNTRAINED
    found = others[following] > 0
    return {
        "winner": ", ".join(data.architectures[a] for a in first),
        "p_same_winner": float(chances[first].sum()),
        "next_architecture": data.architectures[following] if found else None,
        "p_next": float(others[following]),
        "draws": again.cells.shape[-1],
        "note": "" if found else alone,
    }


STUDIES = (
    Study(
        name="noise",
        title="How large the noise of a training is, beside what sets architectures apart",
        columns=COLUMNS,
        compute=lambda frames: noise_table(frames, np.random.default_rng(SEED)),
    ),
    Study(
        name="rerun_winners",
        title="How probable it is that a rerun has the same winners",
        columns=WINNER_COLUMNS,
        compute=lambda frames: rerun_winners(frames, np.random.default_rng(SEED)),
    ),
)
