"""How much run-to-run noise each headline conclusion would bear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats, Row, not_computable, result, units_of
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.noise.conclusions import (
    Conclusion,
    Rerun,
    Singles,
    Standardised,
    conclusions,
    medians,
    standardise,
)

DRAWS = 1_000  # a share of 5 % is then known to 0.7 percentage points
CELLS = 2_000_000  # drawn at once at most: bounds time and memory
FRACTIONS = np.geomspace(0.01, 3.0, 12)  # of the standard deviation between architectures

COLUMNS = {
    "conclusion": "id of the conclusion",
    "statement": "what the scores say",
    "fraction_5": "seed-to-seed standard deviation, as a fraction of the one between "
    "architectures, at which 5 % of the draws change the conclusion",
    "fraction_50": "the same for half of the draws",
    "changed_at_measured": "share of draws that change it at the measured standard deviation",
    "draws": "draws of the noise at each of its sizes",
    "note": "what is missing, and why",
}

UNIT_COLUMNS = {
    "conclusion": "id of the conclusion",
    "benchmark": "benchmark id",
    "score": "score id",
    "between_sd": "standard deviation of the architectures' best values, in the score's unit",
    "sd_5": "seed-to-seed standard deviation at which 5 % of the draws change the conclusion, "
    "in the score's unit",
    "sd_50": "the same for half of the draws",
    "measured_sd": "median standard deviation between runs, in the score's unit",
    "note": "what is missing, and why",
}

NOTHING_VARIES = "no score differs between two architectures that have it"


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Shares of draws that change each conclusion: (conclusions, FRACTIONS), and at `error`."""

    data: Standardised
    conclusions: list[Conclusion]
    shares: Floats
    at_measured: Floats
    draws: int

    def fraction(self, c: int, share: float) -> float:
        """Noise at which a share of draws changes conclusion c, NaN beyond FRACTIONS."""
        shares = np.maximum.accumulate(self.shares[c])
        if shares[-1] < share:
            return np.nan
        above = int(np.argmax(shares >= share))
        if above == 0:
            return float(FRACTIONS[0])
        x, y = np.log(FRACTIONS[above - 1 : above + 1]), shares[above - 1 : above + 1]
        return float(np.exp(np.interp(share, y, x)))


def tolerance(scores: pd.DataFrame, rng: np.random.Generator, draws: int = DRAWS) -> Tolerance:
    """Add normal noise of growing size to every trained model, and see what changes.

    The published values stand for the truth; one draw is one repetition of all trainings. Noise
    is drawn for each trained model of each loss network and reaches all of its scores alike;
    scores of which nothing is trained have none. The same noise serves at every size. At most
    CELLS are drawn at once, so large tables get fewer draws.
    """
    data = standardise(scores)
    concluded = conclusions(data) if data.scores else []
    draws = int(np.clip(CELLS // max(data.cells.size, 1), 100, draws))
    noise, trained = _noise(data, rng, draws)
    cells = data.cells.astype(np.float32)[..., None]
    shares = np.zeros((len(concluded), len(FRACTIONS)))
    for f, fraction in enumerate(FRACTIONS if concluded else ()):
        rerun = Rerun(cells + np.float32(fraction) * trained[:, None] * noise)
        shares[:, f] = [conclusion.changed(rerun).mean() for conclusion in concluded]
    measured = np.full(len(concluded), np.nan)
    if concluded and not np.isnan(data.error).all():
        rerun = Rerun(cells + _errors(data)[..., None] * noise)
        measured = np.array([conclusion.changed(rerun).mean() for conclusion in concluded])
    return Tolerance(
        data=data, conclusions=concluded, shares=shares, at_measured=measured, draws=draws
    )


def _noise(data: Standardised, rng: np.random.Generator, draws: int) -> tuple[Singles, Singles]:
    """Standard normal noise (layers, architectures, scores, draws), and 1 or 0 by score."""
    units = units_of(data.trained_models)
    unit_of = np.zeros(len(data.scores), dtype=np.intp)
    for number, unit in enumerate(units):
        unit_of[unit] = number
    shape = (*data.cells.shape[:2], len(units), draws)
    drawn = rng.standard_normal(shape, dtype=np.float32)
    trained = [model is not None for model in data.trained_models]
    return drawn[:, :, unit_of], np.array(trained, dtype=np.float32)


def _errors(data: Standardised) -> Singles:
    """Measured standard errors of the cells; unknown ones are the score's, or all scores'."""
    typical = medians(data.error)
    typical = np.where(np.isnan(typical), np.nanmedian(data.error), typical)
    return np.where(np.isnan(data.error), typical, data.error).astype(np.float32)


def noise_tolerance(tolerated: Tolerance) -> pd.DataFrame:
    """How large the seed-to-seed standard deviation has to be to overturn each conclusion.

    Columns: COLUMNS. The paper has one training per cell, so its own noise is not printed (see
    `noise` for what its twins tell); where runs were repeated, `changed_at_measured` takes the
    measured spread instead.
    """
    rows = []
    for c, conclusion in enumerate(tolerated.conclusions):
        five, fifty = tolerated.fraction(c, 0.05), tolerated.fraction(c, 0.50)
        row: Row = {
            "conclusion": conclusion.name,
            "statement": conclusion.statement,
            "fraction_5": five,
            "fraction_50": fifty,
            "changed_at_measured": tolerated.at_measured[c],
            "draws": tolerated.draws,
        }
        rows.append(row | {"note": _note(tolerated, conclusion, five, fifty)})
    return result(COLUMNS, rows or [not_computable(NOTHING_VARIES)])


def _note(tolerated: Tolerance, conclusion: Conclusion, five: float, fifty: float) -> str:
    """Say why a tolerance is missing."""
    trained = [tolerated.data.trained_models[s] for s in conclusion.scores]
    if not any(trained):
        return not_computable("nothing is trained for its scores")["note"]
    return _bound_note(five, fifty)


def _bound_note(five: float, fifty: float) -> str:
    """Say where a tolerance lies outside the sizes tried."""
    if np.isnan(five):
        return f"not computable, because it bears more than {FRACTIONS[-1]:g} standard deviations"
    if np.isnan(fifty):
        return (
            "fraction_50 is not computable, because fewer than half of the draws change it even "
            f"at {FRACTIONS[-1]:g} standard deviations"
        )
    return "at most: the least size tried changes it" if five <= FRACTIONS[0] else ""


def noise_units(tolerated: Tolerance) -> pd.DataFrame:
    """The tolerances of `noise_tolerance` in the unit of each score that a conclusion rests on.

    Columns: UNIT_COLUMNS. All trained models get their noise at once.
    """
    rows = []
    for c, conclusion in enumerate(tolerated.conclusions):
        five, fifty = tolerated.fraction(c, 0.05), tolerated.fraction(c, 0.50)
        for s in np.sort(conclusion.scores):
            spread = tolerated.data.spread[s]
            row: Row = {
                "conclusion": conclusion.name,
                "benchmark": tolerated.data.benchmarks[s],
                "score": tolerated.data.scores[s],
                "between_sd": spread,
                "sd_5": five * spread,
                "sd_50": fifty * spread,
                "measured_sd": tolerated.data.measured_sd[s],
            }
            rows.append(row | {"note": _note(tolerated, conclusion, five, fifty)})
    return result(UNIT_COLUMNS, rows or [not_computable(NOTHING_VARIES)])


@once
def _tolerance(frames: Frames) -> Tolerance:
    return tolerance(frames.scores, np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="noise_tolerance",
        title="How large run-to-run noise would have to be to overturn each conclusion",
        columns=COLUMNS,
        compute=lambda frames: noise_tolerance(_tolerance(frames)),
    ),
    Study(
        name="noise_units",
        title="The same in the unit of each score",
        columns=UNIT_COLUMNS,
        compute=lambda frames: noise_units(_tolerance(frames)),
    ),
)
