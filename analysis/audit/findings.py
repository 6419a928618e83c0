"""What a finding of the audit is, and the scale on which its strength is stated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import Frames

FINDING_COLUMNS = {
    "rule": "which rule found it (see the rules' own table)",
    "kind": "contradiction (two facts exclude each other), departure (of a cell from what nearly "
    "all others keep), collapse (a model that failed) or pattern (of a whole score)",
    "table": "the paper's table, or 'measured' for measured runs",
    "architecture": "row of the table, empty where a whole column is meant",
    "layer": "extraction layer, empty where the table has none",
    "column": "score, attribute or benchmark id",
    "printed": "what the cell says",
    "expected": "what contradicts it: a recomputed, measured or predicted value",
    "evidence": "why, in words",
    "measure": "how far from expected, in the unit that measure_label names",
    "measure_label": "what the measure is",
    "strength": "certain, strong or suggestive: the rule's stated scale",
    "note": "what is missing, and why",
}

CONTRADICTION, DEPARTURE = "contradiction", "departure"
COLLAPSE, PATTERN = "collapse", "pattern"
KINDS = (CONTRADICTION, DEPARTURE, COLLAPSE, PATTERN)

CERTAIN, STRONG, SUGGESTIVE = "certain", "strong", "suggestive"
STRENGTHS = (CERTAIN, STRONG, SUGGESTIVE)

OUTLYING = 3.5  # |robust z| from which a value counts as an outlier (Iglewicz and Hoaglin 1993)
FAR = 7.0  # twice that: too far for the heavy tails of real scores
Z_SCALE = f"suggestive from a robust |z| of {OUTLYING}, strong from {FAR:g}"


Finding = dict[str, Any]
Findings = tuple[list[Finding], int]


class NotApplicable(Exception):  # noqa: N818  (it ends a rule, it is no fault)
    """A rule has nothing to work on; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One check of the published tables that finds its own cases.

    `find` returns its findings and how many cells, or pairs of cells, it looked at.
    """

    name: str
    kind: str
    title: str
    scale: str
    find: Callable[[Frames], Findings]


def findings_frame(rows: Sequence[Finding]) -> pd.DataFrame:
    """Findings as a frame with FINDING_COLUMNS, strongest first."""
    words = dict.fromkeys(FINDING_COLUMNS, "")
    order = sorted(({**words, "measure": np.nan} | row for row in rows), key=_strongest_first)
    frame = pd.DataFrame(order, columns=list(FINDING_COLUMNS))
    return frame.astype({column: object if column != "measure" else float for column in frame})


def _strongest_first(row: Finding) -> tuple[object, ...]:
    names = ("rule", "table", "column", "architecture", "layer", "printed")
    return (
        STRENGTHS.index(row["strength"]),
        -abs(row["measure"]) if row["measure"] == row["measure"] else 0.0,
        *(str(row[name]) for name in names),
    )


def robust_scale(values: Floats) -> float:
    """Median absolute deviation × 1.4826, an estimate of sd that few outliers cannot move.

    NaN values are skipped; NaN without any.

    >>> round(robust_scale(np.array([1.0, 2.0, 3.0, 4.0, 100.0])), 4)
    1.4826
    """
    values = values[~np.isnan(values)]
    if not values.size:
        return float("nan")
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def robust_z(values: Floats) -> Floats:
    """Distance from the median in units of `robust_scale`; NaN where that is zero.

    >>> robust_z(np.array([1.0, 2.0, 3.0, 4.0, 100.0])).round(2).tolist()
    [-1.35, -0.67, 0.0, 0.67, 65.43]
    """
    scale = robust_scale(values)
    if not scale > 0:
        return np.full(values.shape, np.nan)
    return np.asarray((values - np.nanmedian(values)) / scale)


def strength_of_z(z: float) -> str | None:
    """Strength of a robust z on Z_SCALE, None below it.

    >>> strength_of_z(-8), strength_of_z(4), strength_of_z(1)
    ('strong', 'suggestive', None)
    """
    if abs(z) >= FAR:
        return STRONG
    return SUGGESTIVE if abs(z) >= OUTLYING else None


def as_printed(value: float, decimals: float | None) -> str:
    """A value with the decimals of its table, or 4 significant digits without any.

    >>> as_printed(34.0, 1), as_printed(0.123456, None)
    ('34.0', '0.1235')
    """
    if decimals is None or not np.isfinite(decimals):
        return f"{value:.4g}"
    return f"{value:.{int(decimals)}f}"
