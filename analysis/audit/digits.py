"""Rules for how the cells of Tables V to XI are printed: repeats and digits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy import stats

from lossnets.analysis.audit.findings import (
    CERTAIN,
    STRONG,
    SUGGESTIVE,
    Finding,
    Findings,
    NotApplicable,
)
from lossnets.analysis.audit.table import FEWEST, Table
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import Frames

NEAR = 10  # units of the last digit within which a difference is a near miss
UNLIKELY, VERY_UNLIKELY = 0.01, 0.001


def _published(frames: Frames) -> Table:
    table = Table.of(frames)
    if not table.published:
        raise NotApplicable("measured values are not rounded")
    return table


def more_decimals(frames: Frames) -> Findings:
    """Values printed with more decimals than the rest of their table."""
    table = _published(frames)
    rows = []
    for score in table.cube.scores:
        decimals = table.decimals(score)
        if decimals is None:
            continue
        values = table.values(score)
        shifted = values * 10**decimals
        for a, layer in np.argwhere(np.abs(shifted - np.round(shifted)) > 1e-6):
            rows.append(
                table.finding(
                    a,
                    layer,
                    score,
                    printed=f"{values[a, layer]:.10g}",
                    expected=f"{decimals:g} decimals",
                    evidence="the table prints every other value of the score so",
                    measure=abs(shifted[a, layer] - np.round(shifted[a, layer])),
                    measure_label="units of the last digit",
                    strength=CERTAIN,
                )
            )
    return rows, int(np.sum(~np.isnan(table.cube.values)))


def terminal_digits(frames: Frames) -> Findings:
    """Scores whose last digits heap: a χ² test against all ten being equally common."""
    table = _published(frames)
    rows: list[Finding] = []
    for score in table.cube.scores:
        values, decimals = table.values(score), table.decimals(score)
        values = values[np.isfinite(values)]
        if decimals is None or len(values) < 5 * 10 or np.ptp(values) * 10**decimals < 20:
            continue
        digits = np.mod(np.round(values * 10**decimals), 10).astype(np.intp)
        counts = np.bincount(digits, minlength=10)
        p = float(stats.chi2.sf(np.sum((counts - counts.mean()) ** 2) / counts.mean(), 9))
        if p < VERY_UNLIKELY:
            rows.append(
                {
                    "table": table.number(score),
                    "column": score,
                    "printed": f"last digit {counts.argmax()} in {counts.max()} cells",
                    "expected": f"about {counts.mean():.1f} cells for each digit",
                    "evidence": f"χ² over the ten digits has p = {p:.2g}",
                    "measure": p,
                    "measure_label": "p value",
                    "strength": SUGGESTIVE,
                }
            )
    return rows, len(table.cube.scores)


def repeats(frames: Frames) -> Findings:
    """Values that stand twice in a row more often than rounding explains.

    How often two layers of a row round to the same value by chance is read off the near
    misses: differences of 1 to 10 units of the last digit are about as common, unit by unit,
    as a difference of none. The scores of a table are not independent: how much more often
    several coincide at once is read off pairs of different architectures.
    """
    table = _published(frames)
    rows: list[Finding] = []
    looked_at = 0
    for number in dict.fromkeys(table.number(score) for score in table.cube.scores):
        scores = [s for s in table.cube.scores if table.number(s) == number]
        scores = [s for s in scores if table.decimals(s) is not None]
        if not scores:
            continue
        units = np.stack([table.values(s) * 10.0 ** (table.decimals(s) or 0) for s in scores])
        differences = row_differences(np.round(units))
        if min(np.sum(np.isfinite(differences), axis=(1, 2))) < FEWEST:
            continue
        looked_at += int(np.sum(np.isfinite(differences)))
        rows += _repeated(table, scores, differences, coincidences(np.round(units)))
    return rows, looked_at


def row_differences(units: Floats) -> Floats:
    """Differences between the layers of each row: (scores, architectures, layer pairs)."""
    first, second = np.triu_indices(units.shape[2], 1)
    return np.asarray(units[..., first] - units[..., second])


def coincidences(units: Floats) -> Floats:
    """Between architectures: how much more often k scores coincide than if independent, by k.

    `units`: (scores, architectures, layers) in last digits. At least 1.
    """
    first, second = np.triu_indices(units.shape[2], 1)
    equal = units[:, :, None, first] == units[:, None, :, second]
    equal = equal[:, ~np.eye(units.shape[1], dtype=bool)].reshape(len(units), -1)
    times = equal.sum(axis=0)
    observed = [np.mean(times >= k) for k in range(len(units) + 1)]
    independent = _at_least(equal.mean(axis=1))
    return np.maximum(1, observed / np.where(independent > 0, independent, np.inf))


def _at_least(chances: Floats) -> Floats:
    """Probability of at least k of several independent events, by k."""
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return np.asarray(np.cumsum(distribution[::-1])[::-1])


def _repeated(
    table: Table, scores: list[str], differences: Floats, together: Floats
) -> Iterator[Finding]:
    layers = list(combinations(table.cube.layers, 2))
    near = np.sum((np.abs(differences) >= 1) & (np.abs(differences) <= NEAR), axis=(1, 2))
    there = np.sum(np.isfinite(differences), axis=(1, 2))
    expected = _at_least((near + 0.5) / (2 * NEAR) / there) * together * differences[0].size
    times = np.sum(differences == 0, axis=0)
    for a, pair in np.argwhere(times > 0):
        k = times[a, pair]
        like_it = int(np.sum(times >= k))
        p = float(stats.poisson.sf(like_it - 1, expected[k]))
        if p >= UNLIKELY:
            continue
        first, second = layers[pair]
        for s in np.flatnonzero(differences[:, a, pair] == 0):
            yield table.finding(
                a,
                table.cube.layers.index(second),
                scores[s],
                expected=f"another value than in {first}",
                evidence=f"{k} score(s) of the table repeat between {first} and {second}; rows "
                f"like it: {like_it}, by chance {expected[k]:.2g}",
                measure=p,
                measure_label="p value",
                strength=STRONG if p < VERY_UNLIKELY else SUGGESTIVE,
            )
