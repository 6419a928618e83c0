"""A random intercept per architecture, fitted by REML in closed form but for one number.

With one predictor and one random intercept, everything but the ratio θ of the variances
(between architectures / residual) has a closed form in sums of squares within and between
architectures, so that θ is found by a search on a grid for all pairs of attribute and score
at once. statsmodels' MixedLM, one pair at a time by an iterative optimiser, gives the same numbers
where it converges (the tests compare), takes 50 ms a pair, of which there are a thousand, and often
warns that it does not, since θ = 0 is a common answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from lossnets.analysis.attributes.correlate import Table, constant, too_few
from lossnets.analysis.attributes.correlation import attribute_labels, nothing, with_infinite
from lossnets.analysis.attributes.layer_correlation import NO_LAYER
from lossnets.analysis.attributes.views import Attribute, Cells, ordered_attributes, score_cells
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.statistics.coefficients import complete_rows, unit_columns
from lossnets.analysis.statistics.intervals import CONFIDENCE
from lossnets.analysis.statistics.westfall_young import holm

LEAST_ARCHITECTURES = 3
GRID, ROUNDS = 33, 6  # points of a grid over log θ, and how often it closes in
LARGEST = 1e6  # ratio θ of the variances; beyond it only the architectures' means count

MIXED_COLUMNS = {
    "attribute": "attribute id",
    "level": "architecture or loss_network",
    "benchmark": "benchmark id",
    "score": "score id",
    "n": "architectures",
    "cells": "loss networks",
    "slope": "score's change per standard deviation of the attribute, in the score's standard"
    " deviations (over all cells); positive: more of the attribute, better score",
    "slope_low": "lower end of its 95 % interval (Student's t, architectures - 2)",
    "slope_high": "upper end of its 95 % interval",
    "standard_error": "standard error of the slope",
    "p": "two-sided p of the slope, the same t",
    "p_holm": "the same, Holm-adjusted within the family",
    "intraclass": "share of the remaining variance that lies between architectures",
    "boundary": "whether the best share is 0, as if cells were independent",
    "family": "what p values are adjusted over",
    "family_size": "number of scores in the family",
    "note": "what is missing, and why",
}
_NUMBERS = ("slope", "slope_low", "slope_high", "standard_error", "p", "p_holm", "intraclass")


@dataclass(frozen=True, kw_only=True)
class RandomIntercept:
    """REML fits of score = a + slope · attribute + architecture + residual, arrays (scores,).

    ratio: variance between architectures / residual variance.
    """

    slope: Floats
    standard_error: Floats
    ratio: Floats


def random_intercept(x: Floats, y: Floats, groups: np.ndarray) -> RandomIntercept:
    """Fit a random intercept per group by REML, for each column of y.

    `x`: (cells,); `y`: (cells, scores); `groups`: (cells,) numbers from 0. All values known.
    NaN where x or a score does not vary.
    """
    if np.ptp(x) == 0:
        missing = np.full(y.shape[1], np.nan)
        return RandomIntercept(slope=missing, standard_error=missing, ratio=missing)
    size = np.bincount(groups).astype(float)  # (groups,)
    mean_x, mean_y = _group_means(x[:, None], groups)[:, 0], _group_means(y, groups)
    inner_x, inner_y = x - mean_x[groups], y - mean_y[groups]
    within = ((inner_x**2).sum(), inner_x @ inner_y, (inner_y**2).sum(axis=0))

    def fit(log_ratio: Floats) -> tuple[Floats, Floats, Floats]:
        """Criterion, slope and its variance for log θ (points, scores)."""
        ratio = np.exp(log_ratio)[..., None]  # (points, scores, groups)
        weight = size / (1 + size * ratio)
        whole = weight.sum(axis=-1)
        off_x = mean_x - (weight @ mean_x / whole)[..., None]
        off_y = mean_y.T - ((weight * mean_y.T).sum(axis=-1) / whole)[..., None]
        sxx = within[0] + (weight * off_x**2).sum(axis=-1)
        sxy = within[1] + (weight * off_x * off_y).sum(axis=-1)
        syy = within[2] + (weight * off_y**2).sum(axis=-1)
        slope = sxy / sxx
        rest = np.maximum(syy - slope * sxy, 1e-300)
        freedom = len(x) - 2
        criterion = freedom * np.log(rest) + np.log1p(size * ratio).sum(axis=-1)
        return criterion + np.log(whole) + np.log(sxx), slope, rest / freedom / sxx

    log_ratio = _least(lambda points: fit(points)[0], y.shape[1])
    zero = np.full((1, y.shape[1]), -np.inf)
    at_zero = fit(zero)[0][0] <= fit(log_ratio[None])[0][0] + 1e-9
    log_ratio = np.where(at_zero, -np.inf, log_ratio)
    _, slope, variance = fit(log_ratio[None])
    varies = np.ptp(y, axis=0) > 0
    return RandomIntercept(
        slope=np.where(varies, slope[0], np.nan),
        standard_error=np.where(varies, np.sqrt(variance[0]), np.nan),
        ratio=np.where(varies, np.exp(log_ratio), np.nan),
    )


def _group_means(values: Floats, groups: np.ndarray) -> Floats:
    member = groups == np.arange(groups.max() + 1)[:, None]  # (groups, cells)
    return (member @ values) / member.sum(axis=1, keepdims=True)


def _least(criterion: Callable[[Floats], Floats], columns: int) -> Floats:
    """Where a criterion of log θ (points, columns) is least, per column: a grid that closes in."""
    low, high = np.full((2, columns), np.log(LARGEST))
    low = -low
    steps = np.linspace(0, 1, GRID)[:, None]
    for _ in range(ROUNDS):
        points = low + steps * (high - low)
        best = criterion(points).argmin(axis=0)
        column = np.arange(columns)
        low = points[np.maximum(best - 1, 0), column]
        high = points[np.minimum(best + 1, GRID - 1), column]
    return (low + high) / 2


def mixed_table(attributes: Sequence[Attribute], cells: Cells) -> pd.DataFrame:
    """Fit a random intercept for every attribute and score over all layers: MIXED_COLUMNS."""
    width = len(cells.scores)
    parts: list[Table] = []
    for attribute in attributes:
        x = attribute.at_layers(cells.layers)
        part = _fits(np.broadcast_to(x, cells.values.shape[:2]), cells)
        part["p_holm"] = holm(part["p"])
        part["family_size"] = np.full(width, np.isfinite(part["p"]).sum())
        part |= attribute_labels(attribute, width)
        part["benchmark"] = np.array(cells.benchmarks, dtype=object)
        parts.append(part | {"score": np.array(cells.scores, dtype=object)})
    if not sum(len(part["note"]) for part in parts):
        return nothing(MIXED_COLUMNS, attributes)
    table = pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})
    size = table["family_size"].astype(str)
    table["family"] = table["attribute"] + ", random intercept, " + size + " scores"
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[list(MIXED_COLUMNS)]


def _fits(x: Floats, cells: Cells) -> Table:
    """Fits of one attribute (architectures, layers) with every score, as arrays."""
    width = len(cells.scores)
    part: Table = {name: np.full(width, np.nan) for name in _NUMBERS}
    part |= {"boundary": np.full(width, None), "note": np.full(width, "", dtype=object)}
    part |= {"n": np.zeros(width, dtype=int), "cells": np.zeros(width, dtype=int)}
    if not width or not len(cells.layers):
        part["note"][:] = NO_LAYER
        return part
    flat = cells.values.reshape(-1, width)
    architecture = np.repeat(np.arange(x.shape[0]), x.shape[1])
    for rows, columns in complete_rows(x.ravel(), flat):
        names, groups = np.unique(architecture[rows], return_inverse=True)
        part["n"][columns], part["cells"][columns] = len(names), len(rows)
        values, scores = x.ravel()[rows], flat[np.ix_(rows, columns)]
        fault = _fault(values, len(names))
        part["note"][columns] = fault
        if not fault:
            for name, found in _fit(values, scores, groups).items():
                part[name][columns] = found
    return part


def _fit(x: Floats, y: Floats, groups: np.ndarray) -> Table:
    architectures = int(groups.max()) + 1
    fitted = random_intercept(_standard(x[:, None])[:, 0], _standard(y), groups)
    t = stdtrit(architectures - 2, (1 + CONFIDENCE) / 2)
    tied = "not computable, because the score is the same for all loss networks"
    known = np.isfinite(fitted.slope)
    boundary = np.full(y.shape[1], None)
    boundary[known] = fitted.ratio[known] == 0
    size = np.abs(fitted.slope / np.where(known, fitted.standard_error, 1))
    return {
        "slope": fitted.slope,
        "standard_error": fitted.standard_error,
        "slope_low": fitted.slope - t * fitted.standard_error,
        "slope_high": fitted.slope + t * fitted.standard_error,
        "p": 2 * stdtr(architectures - 2, -size),
        "intraclass": fitted.ratio / (1 + fitted.ratio),
        "boundary": boundary,
        "note": np.where(known, "", tied),
    }


def _standard(values: Floats) -> Floats:
    """Columns with mean 0 and standard deviation 1; 0 where a column does not vary."""
    return np.nan_to_num(unit_columns(values)) * np.sqrt(max(1, len(values) - 1))


def _fault(x: Floats, architectures: int) -> str:
    """Why no model can be fitted to an attribute's known cells, or ''."""
    if architectures < LEAST_ARCHITECTURES:
        return too_few(architectures)
    if len(x) == architectures:
        return "not computable, because no architecture has two layers"
    return constant("attribute", architectures) if not _standard(x[:, None]).any() else ""


def _correlation_mixed(frames: Frames) -> pd.DataFrame:
    cells = score_cells(frames.scores)
    return mixed_table(ordered_attributes(frames), cells)


STUDIES = (
    Study(
        name="correlation_mixed",
        title="Numeric attributes against scores, with a random intercept per architecture",
        columns=MIXED_COLUMNS,
        compute=_correlation_mixed,
    ),
)
