"""Rules for whole scores: what depends on nothing, on nothing else, or on another score alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy import special, stats

from lossnets.analysis.audit.findings import (
    OUTLYING,
    STRONG,
    SUGGESTIVE,
    Finding,
    Findings,
    robust_scale,
    robust_z,
)
from lossnets.analysis.audit.table import FEWEST, TOGETHER, Table, fall, fallen
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import Frames

DETERMINED = 0.02  # residual scale ÷ scale up to which others give a metric (R² of 0.9996)
SLIGHT = 0.1  # share of variance below which the 95 % limit of an effect is called none
INDEPENDENT = 0.5  # rank correlation that is excluded where two scores rank independently
ALPHA = 0.05
WILD = 1e3  # robust z beyond which a value enters no fit as it is


def determined_metrics(frames: Frames) -> Findings:
    """Metrics that two others of the same data set give, by a smooth function of them."""
    table = Table.of(frames)
    rows: list[Finding] = []
    looked_at = 0
    for three in combinations(table.cube.scores, 3):
        if not all(table.same(three[0], s, "benchmark", "dataset", "scale") for s in three):
            continue
        if len({table.about(score, "metric") for score in three}) < 3:
            continue
        looked_at += 1
        left = {s: _left_over(table, s, [o for o in three if o != s]) for s in three}
        score = min(left, key=lambda name: left[name])
        if left[score] <= DETERMINED:
            others = " and ".join(name for name in three if name != score)
            rows.append(
                {
                    "table": table.number(score),
                    "column": score,
                    "expected": "something that the other two do not tell",
                    "evidence": f"a smooth function of {others} gives it, but in a few cells",
                    "measure": left[score],
                    "measure_label": "scale of what is left ÷ scale of the score",
                    "strength": SUGGESTIVE,
                }
            )
    return rows, looked_at


def _left_over(table: Table, score: str, others: list[str]) -> float:
    """Robust scale of what a quadratic in two others leaves of a score, in its own scale."""
    columns = [table.values(name).ravel() for name in (score, *others)]
    there = np.all([np.isfinite(column) for column in columns], axis=0)
    if there.sum() < FEWEST:
        return np.inf
    y, a, b = (np.clip(robust_z(column[there]), -WILD, WILD) for column in columns)
    if not all(np.isfinite(column).all() for column in (y, a, b)):
        return np.inf
    design = np.column_stack([np.ones_like(a), a, b, a * a, a * b, b * b])
    residual = robust_residual(design, y)
    rounding = table.rounding(score) / robust_scale(columns[0][there])
    return max(robust_scale(residual), rounding)


def robust_residual(design: Floats, y: Floats, steps: int = 20) -> Floats:
    """Residuals of a fit by Tukey's biweight, which a few wild values do not turn.

    >>> design = np.column_stack([np.ones(6), np.arange(6.0)])
    >>> bool(np.allclose(robust_residual(design, np.array([0.0, 1, 2, 3, 4, 50]))[:5], 0))
    True
    """
    weight = np.ones(len(y))
    residual = y
    for _ in range(steps):
        root = np.sqrt(weight)
        fit = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        residual = y - design @ fit
        scale = max(float(1.4826 * np.median(np.abs(residual))), 1e-12)
        weight = np.clip(1 - (residual / (4.685 * scale)) ** 2, 0, None) ** 2
    return np.asarray(residual)


def factors_without_effect(frames: Frames) -> Findings:
    """Scores that do not depend on architecture or layer, and models that depend on neither.

    By analysis of variance of normal scores; a factor has no effect where the one-sided 95 %
    limit of its share of the variance is below a tenth; of a trained model nothing is told
    where neither factor is beyond chance on any of its scores.
    """
    table = Table.of(frames)
    rows: list[Finding] = []
    looked_at = 0
    for scores in table.trained_models():
        effects = {score: _effects(table, score) for score in scores}
        known = {score: each for score, each in effects.items() if each}
        looked_at += len(known)
        rows += [row for score, each in known.items() for row in _slight(table, score, each)]
        p = [p for each in known.values() for p, _ in each.values()]
        if p and min(p) > ALPHA:
            rows.append(
                {
                    "table": table.number(scores[0]),
                    "column": ", ".join(known),
                    "expected": "some effect of the architecture or of the layer",
                    "evidence": "neither exceeds chance on any score of the trained model",
                    "measure": min(p),
                    "measure_label": "least p value",
                    "strength": SUGGESTIVE,
                }
            )
    return rows, looked_at


def _effects(table: Table, score: str) -> dict[str, tuple[float, float]]:
    """p and the limit of the share of variance of each factor; empty where it takes more cells."""
    values = table.values(score)
    values = values[np.isfinite(values).all(axis=1)]
    n, k = values.shape
    if values.size < FEWEST or k < 2 or np.ptp(values) == 0:
        return {}
    normal = special.ndtri((stats.rankdata(values) - 0.5) / values.size).reshape(n, k)
    normal -= normal.mean()
    of_row, of_column = normal.mean(axis=1), normal.mean(axis=0)
    rest = ((normal - of_row[:, None] - of_column) ** 2).sum() / ((n - 1) * (k - 1))
    sizes = {
        "architecture": (k * (of_row**2).sum() / (n - 1), n - 1),
        "layer": (n * (of_column**2).sum() / (k - 1), k - 1),
    }
    freedom = (n - 1) * (k - 1)
    return {
        factor: (
            float(stats.f.sf(size / rest, df, freedom)),
            share_limit(size / rest, df, freedom, values.size),
        )
        for factor, (size, df) in sizes.items()
        if rest > 0
    }


def share_limit(f: float, df: int, freedom: int, cells: int) -> float:
    """Greatest share of variance for which an F as small comes out in 5 % at least.

    >>> round(share_limit(1.0, 13, 39, 56), 2)
    0.2
    """
    grid = np.linspace(0, 0.99, 100)
    chance = stats.ncf.cdf(f, df, freedom, np.maximum(cells * grid / (1 - grid), 1e-9))
    return float(grid[np.flatnonzero(chance >= ALPHA)].max(initial=0.0))


def _slight(table: Table, score: str, effects: dict[str, tuple[float, float]]) -> Iterator[Finding]:
    for factor, (p, limit) in effects.items():
        if limit < SLIGHT:
            yield {
                "table": table.number(score),
                "column": score,
                "expected": f"an effect of the {factor}",
                "evidence": f"it explains at most {limit:.0%} of the variance (p {p:.2f})",
                "measure": limit,
                "measure_label": "one-sided 95 % limit of the share of variance",
                "strength": SUGGESTIVE,
            }


def independent_scores(frames: Frames) -> Findings:
    """Scores of one benchmark that rank the loss networks independently of each other."""
    table = Table.of(frames)
    rows: list[Finding] = []
    looked_at = 0
    for one, other in table.pairs("benchmark"):
        x, y = (table.cube.oriented[..., table.cube.scores.index(s)].ravel() for s in (one, other))
        there = np.isfinite(x) & np.isfinite(y)
        n = int(there.sum())
        if n < FEWEST or min(np.ptp(x[there]), np.ptp(y[there])) == 0:
            continue
        looked_at += 1
        rho = float(np.corrcoef(stats.rankdata(x[there]), stats.rankdata(y[there])).flat[1])
        half = stats.norm.isf(ALPHA) * np.sqrt((1 + rho**2 / 2) / (n - 3))
        limit = float(np.tanh(np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12)) + half))
        if limit < INDEPENDENT:
            rows.append(
                {
                    "table": table.number(one),
                    "column": f"{one}, {other}",
                    "expected": "that one benchmark ranks alike",
                    "evidence": f"Spearman {rho:.2f} over {n} loss networks, {INDEPENDENT:g} is "
                    "excluded: their mean says little of either",
                    "measure": rho,
                    "measure_label": "Spearman correlation",
                    "strength": SUGGESTIVE,
                }
            )
    return rows, looked_at


def failing_groups(frames: Frames) -> Findings:
    """Networks that fall far below their score at the same layer, three or more together."""
    table = Table.of(frames)
    rows: list[Finding] = []
    for scores in table.trained_models():
        low = fallen(table, scores)
        for layer in np.flatnonzero(low.any(axis=-1).sum(axis=0) >= TOGETHER):
            members = np.flatnonzero(low[:, layer].any(axis=-1))
            names = [table.cube.architectures[a] for a in members]
            fell = [score for s, score in enumerate(scores) if low[members, layer, s].any()]
            depth = [float(np.median(fall(table, score)[members, layer])) for score in fell]
            rows.append(
                {
                    "table": table.number(scores[0]),
                    "architecture": "",
                    "layer": table.cube.layers[layer],
                    "column": ", ".join(fell),
                    "printed": f"{len(names)} of {len(low)} networks",
                    "expected": "single failures, if any",
                    "evidence": f"fail together: {', '.join(names)}{_shared(frames, table, names)}",
                    "measure": min(depth),
                    "measure_label": "median robust z within the score",
                    "strength": STRONG if min(depth) <= -2 * OUTLYING else SUGGESTIVE,
                }
            )
    return rows, int(np.sum(~np.isnan(table.cube.values)))


def _shared(frames: Frames, table: Table, names: list[str]) -> str:
    """Yes/no attributes that all of a group have, or have not, and none of the others."""
    catalog = frames.attribute_catalog
    if "kind" not in catalog:
        return ""
    own = frames.architectures.set_index("architecture")
    binary = catalog["attribute"][(catalog["kind"] == "binary")]
    others = [name for name in table.cube.architectures if name not in names]
    words = []
    for name in binary[binary.isin(own.columns)]:
        inside, outside = own[name].reindex(names), own[name].reindex(others)
        if inside.isna().any() or inside.nunique() != 1:
            continue
        value = inside.iloc[0]
        alike = int((outside == value).sum())
        if alike <= len(others) / 4:
            words.append(f"all {'with' if value else 'without'} {name}, of the others {alike}")
    return f" ({'; '.join(words)})" if words else ""
