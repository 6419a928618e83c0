"""How much run-to-run noise each headline conclusion would bear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats, Row, not_computable, result
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.noise.conclusions import (
    Conclusion,
    Rerun,
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
    """Add independent normal noise to every cell, at growing size, and see what changes.

    The published values stand for the truth; one draw is one repetition of all runs. The same
    noise serves at every size. At most CELLS are drawn at once, so large tables get fewer draws.
    """
    data = standardise(scores)
    found = conclusions(data) if data.scores else []
    draws = int(np.clip(CELLS // max(data.cells.size, 1), 100, draws))
    noise = rng.standard_normal((*data.cells.shape, draws), dtype=np.float32)
    cells = data.cells.astype(np.float32)[..., None]
    shares = np.zeros((len(found), len(FRACTIONS)))
    for f, fraction in enumerate(FRACTIONS if found else ()):
        rerun = Rerun(cells + np.float32(fraction) * noise)
        shares[:, f] = [conclusion.changed(rerun).mean() for conclusion in found]
    measured = np.full(len(found), np.nan)
    if found and not np.isnan(data.error).all():
        typical = medians(data.error)
        typical = np.where(np.isnan(typical), np.nanmedian(data.error), typical)
        error = np.where(np.isnan(data.error), typical, data.error).astype(np.float32)
        rerun = Rerun(cells + error[..., None] * noise)
        measured = np.array([conclusion.changed(rerun).mean() for conclusion in found])
    return Tolerance(data=data, conclusions=found, shares=shares, at_measured=measured, draws=draws)


def noise_tolerance(found: Tolerance) -> pd.DataFrame:
    """How large the seed-to-seed standard deviation has to be to overturn each conclusion.

    Columns: COLUMNS. The paper has one run per cell, so its own noise is unknown; where runs
    were repeated, `changed_at_measured` takes the measured spread instead. The noise is
    independent between cells: noise shared by the scores of one run would change more at once.
    """
    rows = []
    for c, conclusion in enumerate(found.conclusions):
        five, fifty = found.fraction(c, 0.05), found.fraction(c, 0.50)
        row: Row = {
            "conclusion": conclusion.name,
            "statement": conclusion.statement,
            "fraction_5": five,
            "fraction_50": fifty,
            "changed_at_measured": found.at_measured[c],
            "draws": found.draws,
        }
        rows.append(row | {"note": _bound_note(five, fifty)})
    return result(COLUMNS, rows or [not_computable(NOTHING_VARIES)])


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


def noise_units(found: Tolerance) -> pd.DataFrame:
    """The tolerances of `noise_tolerance` in the unit of each score that a conclusion rests on.

    Columns: UNIT_COLUMNS. All scores get their noise at once.
    """
    rows = []
    for c, conclusion in enumerate(found.conclusions):
        five, fifty = found.fraction(c, 0.05), found.fraction(c, 0.50)
        for s in np.sort(conclusion.scores):
            spread = found.data.spread[s]
            row: Row = {
                "conclusion": conclusion.name,
                "benchmark": found.data.benchmarks[s],
                "score": found.data.scores[s],
                "between_sd": spread,
                "sd_5": five * spread,
                "sd_50": fifty * spread,
                "measured_sd": found.data.measured_sd[s],
            }
            rows.append(row | {"note": _bound_note(five, fifty)})
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
