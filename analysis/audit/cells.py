"""Rules for single cells of Tables V to XI: range and outliers."""

from __future__ import annotations

import numpy as np

from lossnets.analysis.audit.findings import (
    CERTAIN,
    FAR,
    OUTLYING,
    STRONG,
    SUGGESTIVE,
    Findings,
    as_printed,
    robust_z,
)
from lossnets.analysis.audit.table import Table, fallen
from lossnets.analysis.frames.frames import Frames


def outside_range(frames: Frames) -> Findings:
    """Values below the minimum or above the maximum of their score."""
    table = Table.of(frames)
    rows = []
    for score in table.cube.scores:
        limits = [table.about(score, "minimum"), table.about(score, "maximum")]
        low, high = (np.nan if limit is None else float(str(limit)) for limit in limits)
        values = table.values(score)
        for a, layer in np.argwhere((values < low) | (values > high)):
            rows.append(
                table.finding(
                    a,
                    layer,
                    score,
                    expected=f"{low:g} to {high:g}".replace("nan", "any"),
                    evidence="the score cannot take this value",
                    measure=max(low - values[a, layer], values[a, layer] - high),
                    measure_label="distance from the range, in the score's unit",
                    strength=CERTAIN,
                )
            )
    return rows, int(np.sum(~np.isnan(table.cube.values)))


def outliers(frames: Frames) -> Findings:
    """Values far from the others of their score; strong if far from their layer's as well.

    Networks that fail together at a layer are `patterns.failing_groups`' matter.
    """
    table = Table.of(frames)
    rows = []
    in_groups = {
        score: together[..., s]
        for scores in table.trained_models()
        for together in [fallen(table, scores)]
        for s, score in enumerate(scores)
    }
    for score in table.cube.scores:
        values = table.values(score)
        within_score = robust_z(values)
        within_layer = np.column_stack([robust_z(column) for column in values.T])
        alike = np.abs(np.nan_to_num(within_layer)) >= OUTLYING
        far = np.abs(np.nan_to_num(within_score)) >= OUTLYING
        for a, layer in np.argwhere(far & ~in_groups[score]):
            z = within_score[a, layer]
            typical = as_printed(float(np.nanmedian(values[:, layer])), table.decimals(score))
            rows.append(
                table.finding(
                    a,
                    layer,
                    score,
                    expected=f"near {typical}, the layer's median",
                    evidence=_outlier_words(z, within_layer[a, layer], alike[a, layer]),
                    measure=z,
                    measure_label="robust z within the score",
                    strength=STRONG if alike[a, layer] and abs(z) >= FAR else SUGGESTIVE,
                )
            )
    return rows, int(np.sum(~np.isnan(table.cube.values)))


def _outlier_words(z: float, z_layer: float, alike: bool) -> str:
    side = "low" if z < 0 else "high"
    among = f"among the same layer's values z is {z_layer:.1f}" if np.isfinite(z_layer) else ""
    if alike:
        return f"unusually {side} for the score and for its layer ({among})"
    return f"unusually {side} for the score, as others of its layer are ({among})"
