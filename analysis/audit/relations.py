"""Rules for pairs of scores in Tables V to XI: relations that nearly all cells obey."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from lossnets.analysis.audit.findings import (
    FAR,
    OUTLYING,
    STRONG,
    SUGGESTIVE,
    Finding,
    Findings,
    as_printed,
    robust_scale,
    robust_z,
    strength_of_z,
)
from lossnets.analysis.audit.table import FEWEST, Table
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import Frames

NEARLY_ALL = 0.9  # share of cells in which an order must hold to be called one
MOST_POINTS = 400  # points whose pairwise slopes are taken, evenly over all of them
IDENTITY = 0.15  # residual scale ÷ scale up to which two scores are one relation (R² 0.98)
FAR_APART = 0.25  # rank difference ÷ cells from which two ranks are called far apart
AGREEMENT = 0.5  # Spearman correlation from which two metrics rank alike


def near_identities(frames: Frames) -> Findings:
    """Cells where two scores of one run leave a relation that nearly all cells obey.

    The relation of two scores of the same benchmark, scale and data set or metric is fitted
    by Theil and Sen's line (median of the pairwise slopes), which outliers cannot turn. Where
    several relations of a row break, the cell named is the one whose omission mends the most.
    """
    table = Table.of(frames)
    broken: dict[tuple[int, int], list[Break]] = {}
    looked_at = 0
    for one, other in _runs_of(table):
        off_line = _breaks(table, one, other)
        looked_at += off_line.cells
        for item in off_line.breaks:
            broken.setdefault((item.a, item.layer), []).append(item)
    rows = [row for breaks in broken.values() for row in _suspects(table, breaks)]
    return rows, looked_at


@dataclass(frozen=True)
class Break:
    """A cell off the line of two scores: what each score predicts for the other."""

    a: int
    layer: int
    scores: tuple[str, str]
    predicted: tuple[float, float]
    z: float


@dataclass(frozen=True)
class Breaks:
    cells: int
    breaks: list[Break]


def _runs_of(table: Table) -> Iterator[tuple[str, str]]:
    """Pairs of scores that share benchmark and scale and a data set or a metric."""
    for one, other in table.pairs("benchmark", "scale"):
        if table.same(one, other, "dataset") or table.same(one, other, "metric"):
            yield one, other


def theil_sen(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and intercept of the median line through points: robust to outliers in either.

    >>> theil_sen(np.array([0.0, 1, 2, 3, 4]), np.array([1.0, 3, 5, 7, 99]))
    (2.0, 1.0)
    """
    chosen = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(int))
    i, j = (chosen[side] for side in np.triu_indices(len(chosen), 1))
    run = x[j] - x[i]
    slope = float(np.median((y[j] - y[i])[run != 0] / run[run != 0]))
    return slope, float(np.median(y - slope * x))


def _breaks(table: Table, one: str, other: str) -> Breaks:
    x, y = table.values(one), table.values(other)
    there = np.isfinite(x) & np.isfinite(y)
    if there.sum() < FEWEST or min(np.ptp(x[there]), np.ptp(y[there])) == 0:
        return Breaks(0, [])
    slope, intercept = theil_sen(x[there], y[there])
    residual = np.where(there, y - slope * x - intercept, np.nan)
    scale = max(robust_scale(residual), table.rounding(other))
    if slope == 0 or scale > IDENTITY * robust_scale(y[there]):
        return Breaks(0, [])
    z = residual / scale
    breaks = [
        Break(
            int(a),
            int(layer),
            (one, other),
            ((y[a, layer] - intercept) / slope, slope * x[a, layer] + intercept),
            float(z[a, layer]),
        )
        for a, layer in np.argwhere(np.abs(np.nan_to_num(z)) >= OUTLYING)
    ]
    return Breaks(int(there.sum()), breaks)


def _suspects(table: Table, breaks: list[Break]) -> Iterator[Finding]:
    """The cells of a row whose omission mends most of its broken relations."""
    size = {
        score: sum(min(abs(item.z), 1e6) ** 2 for item in breaks if score in item.scores)
        for score in dict.fromkeys(name for item in breaks for name in item.scores)
    }
    largest = max(size.values())
    named = [score for score in size if size[score] >= 0.99 * largest]
    score = named[0]
    mine = [item for item in breaks if score in item.scores]
    worst = max(mine, key=lambda item: abs(item.z))
    expected = as_printed(worst.predicted[worst.scores.index(score)], table.decimals(score))
    others = " and ".join(dict.fromkeys(_partner(item, score) for item in mine))
    either = f"; as well it may be {' or '.join(named[1:])} that is off" if named[1:] else ""
    yield table.finding(
        worst.a,
        worst.layer,
        score,
        expected=f"about {expected}",
        evidence=f"nearly all cells put it on a line with {others}, this one is off it"
        + either
        + _stands_elsewhere(table, worst.a, worst.layer, score),
        measure=abs(worst.z),
        measure_label="robust |z| of the residual",
        strength=strength_of_z(worst.z),
    )


def _partner(item: Break, score: str) -> str:
    return next(name for name in item.scores if name != score)


def _stands_elsewhere(table: Table, a: int, layer: int, score: str) -> str:
    row = table.values(score)[a]
    same = [table.cube.layers[i] for i in np.flatnonzero(row == row[layer]) if i != layer]
    return f"; the same value stands in the row's {' and '.join(same)} cell" if same else ""


def reversals(frames: Frames) -> Findings:
    """Cells that reverse an order of two scores which nearly all other cells keep."""
    table = Table.of(frames)
    rows: list[Finding] = []
    looked_at = 0
    for one, other in dict.fromkeys(
        [*table.pairs("benchmark", "unit", "scale"), *table.pairs("benchmark", "dataset", "metric")]
    ):
        difference = table.values(one) - table.values(other)
        decided = np.abs(np.nan_to_num(difference)) > 1e-9
        holds = int(max(np.sum(difference[decided] > 0), np.sum(difference[decided] < 0)))
        count = int(decided.sum())
        if count < FEWEST or holds < NEARLY_ALL * count:
            continue
        looked_at += count
        usual = np.sign(np.nanmedian(difference))
        z = robust_z(difference)
        for a, layer in np.argwhere(decided & (np.sign(difference) == -usual)):
            rows.append(
                table.finding(
                    a,
                    layer,
                    one,
                    expected=f"{'above' if usual > 0 else 'below'} {other} "
                    f"({as_printed(table.values(other)[a, layer], table.decimals(other))})",
                    evidence=f"the order holds in {holds} of {count} cells",
                    measure=abs(z[a, layer]),
                    measure_label="robust |z| of the difference",
                    strength=STRONG if abs(z[a, layer]) >= FAR else SUGGESTIVE,
                )
            )
    return rows, looked_at


def rank_disagreements(frames: Frames) -> Findings:
    """Cells that two metrics of the same data set rank far apart, where they else agree.

    Ranks are compared as normal scores, the quantiles of a normal distribution at their place,
    so that a difference weighs the same wherever it stands; it must also span a quarter of
    all cells, which spares metrics that differ by next to nothing.
    """
    table = Table.of(frames)
    rows: list[Finding] = []
    looked_at = 0
    for one, other in table.pairs("benchmark", "dataset", "scale", apart="metric"):
        x, y = (table.cube.oriented[..., table.cube.scores.index(s)] for s in (one, other))
        there = np.isfinite(x) & np.isfinite(y)
        if there.sum() < FEWEST or min(np.ptp(x[there]), np.ptp(y[there])) == 0:
            continue
        ranks = [stats.rankdata(-v[there]) for v in (x, y)]
        rho = float(np.corrcoef(ranks[0], ranks[1]).flat[1])
        normal = [special.ndtri((r - 0.5) / len(r)) for r in ranks]
        if rho < AGREEMENT:
            continue
        looked_at += int(there.sum())
        z = robust_z(normal[0] - normal[1])
        for (a, layer), first, second, far in zip(np.argwhere(there), *ranks, z, strict=True):
            strength = strength_of_z(far)
            if strength is None or abs(first - second) < FAR_APART * there.sum():
                continue
            rows.append(
                table.finding(
                    a,
                    layer,
                    one,
                    expected=f"rank near {second:g}, as by {other}",
                    evidence=f"rank {first:g} of {there.sum()}, though the two metrics else "
                    f"agree (Spearman {rho:.2f})",
                    measure=abs(far),
                    measure_label="robust |z| of the difference in normal scores",
                    strength=strength,
                )
            )
    return rows, looked_at
