"""How scores go together, and how many independent ones there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    not_computable,
    result,
    score_cube,
)
from lossnets.analysis.frames.frames import Study
from lossnets.analysis.statistics.coefficients import t_test_p
from lossnets.analysis.statistics.westfall_young import holm

CORRELATION_COLUMNS = {
    "view": "'best_layer': a point is an architecture; 'all_cells': a loss network",
    "first_benchmark": "benchmark id",
    "first": "score id",
    "second_benchmark": "benchmark id",
    "second": "score id",
    "rho": "Spearman's rank correlation, higher is better on both sides",
    "n": "number of points that have both scores",
    "p_value": "two-sided p (t approximation); none for loss networks, which are not independent",
    "p_holm": "the same after Holm's adjustment over the family",
    "family_size": "number of pairs of scores in the adjustment",
    "note": "what is missing, and why",
}

DIMENSION_COLUMNS = {
    "view": "'best_layer': a point is an architecture; 'all_cells': a loss network",
    "scope": "'all' scores, or those of a benchmark",
    "scores": "number of scores",
    "architectures": "number of architectures",
    "points": "number of points a correlation rests on, at most",
    "participation_ratio": "effective number of independent scores, (Σλ)²/Σλ² of the "
    "eigenvalues of the correlation matrix",
    "low": "least value when one architecture is left out",
    "high": "greatest value when one architecture is left out",
    "largest_share": "share of the largest eigenvalue",
    "if_independent": "what as many independent scores would give with as many architectures",
    "corrected": "the ratio with each ρ² corrected for chance, at most the number of scores",
    "note": "what is missing, and why",
}

VIEWS = ("best_layer", "all_cells")


def spearman_matrix(values: Floats) -> Floats:
    """Spearman correlation of each pair of columns (points, columns), pairwise complete.

    NaN where fewer than three points have both or one side does not vary.
    """
    if len(values) < 3:
        return np.full((values.shape[1], values.shape[1]), np.nan)
    missing = np.isnan(values)
    ranks = np.where(missing, np.nan, rankdata(values, axis=0, nan_policy="omit"))
    if not missing.any():
        return _correlations(ranks)
    return pd.DataFrame(ranks).corr(method="spearman", min_periods=3).to_numpy()


def _correlations(ranks: Floats) -> Floats:
    """Pearson correlation of columns, NaN where one does not vary."""
    centred = ranks - ranks.mean(axis=0)
    length = np.sqrt(np.sum(centred**2, axis=0))
    unit = centred / np.where(length > 0, length, np.nan)
    return np.clip(unit.T @ unit, -1, 1)


def _points(cube: ScoreCube, view: str) -> Floats:
    """Points of a view (points, scores); loss networks by architecture, then layer."""
    if view == "best_layer":
        return cube.best
    return cube.oriented.reshape(-1, len(cube.scores))


def score_correlations(scores: pd.DataFrame) -> pd.DataFrame:
    """Spearman correlation of every score with every other, at the best layer and over all cells.

    `scores`: rows of `score_means`. Columns: CORRELATION_COLUMNS, the full matrix of each view.
    p values only where points are architectures.
    """
    cube = score_cube(scores)
    size = len(cube.scores)
    frames = []
    for view in VIEWS if size else ():
        values = _points(cube, view)
        rho = spearman_matrix(values)
        known = (~np.isnan(values)).astype(int)
        n = known.T @ known
        first, second = (index.ravel() for index in np.indices((size, size)))
        p, p_holm, family = _p_values(rho, n, view)
        reasons = np.where(n < 3, "fewer than three points have both", "a score does not vary")
        note = np.where(np.isnan(rho), np.char.add("not computable, because ", reasons), "")
        frames.append(
            {
                "view": view,
                "first_benchmark": np.array(cube.benchmarks)[first],
                "first": np.array(cube.scores)[first],
                "second_benchmark": np.array(cube.benchmarks)[second],
                "second": np.array(cube.scores)[second],
                "rho": rho.ravel(),
                "n": n.ravel(),
                "p_value": p.ravel(),
                "p_holm": p_holm.ravel(),
                "family_size": family,
                "note": note.ravel(),
            }
        )
    if not frames:
        return result(CORRELATION_COLUMNS, [not_computable(NO_SCORES)])
    return pd.concat([pd.DataFrame(frame) for frame in frames], ignore_index=True)


def _p_values(rho: Floats, n: Floats, view: str) -> tuple[Floats, Floats, int]:
    """p and Holm-adjusted p of each pair once, mirrored; NaN on the diagonal."""
    nothing = np.full(rho.shape, np.nan)
    if view != "best_layer":
        return nothing, nothing, 0
    upper = np.triu_indices(len(rho), 1)
    once = t_test_p(rho[upper], n[upper].astype(float))
    once = np.where(np.isnan(rho[upper]), np.nan, once)
    matrices = []
    for values in (once, holm(once)):
        matrix = nothing.copy()
        matrix[upper] = values
        matrices.append(np.fmax(matrix, matrix.T))
    return matrices[0], matrices[1], int(np.sum(~np.isnan(once)))


def participation_ratio(correlations: Floats) -> float:
    """Effective number of independent columns, (Σλ)²/Σλ² = p²/Σr².

    >>> participation_ratio(np.eye(3)), participation_ratio(np.ones((3, 3)))
    (3.0, 1.0)
    """
    return float(len(correlations) ** 2 / np.sum(correlations**2))


def score_dimensions(scores: pd.DataFrame) -> pd.DataFrame:
    """Effective number of independent scores, in all and in each benchmark.

    `scores`: rows of `score_means`. Columns: DIMENSION_COLUMNS. With few architectures even
    independent scores correlate by chance, so the plain ratio is too low: `if_independent` is
    its reference, p²/(p + p(p − 1)/(n − 1)), and `corrected` takes ρ² − (1 − ρ²)/(n − 2) for
    each ρ². Neither applies to loss networks, four of which share an architecture.
    """
    cube = score_cube(scores)
    of = np.array(cube.benchmarks)
    rows = []
    for view in VIEWS if cube.scores else ():
        for scope in ("all", *cube.benchmark_names):
            columns = np.flatnonzero((of == scope) | (scope == "all"))
            row: Row = {"view": view, "scope": scope, "scores": len(columns)}
            row["architectures"] = len(cube.architectures)
            rows.append(row | _dimensions(cube, view, columns))
    return result(DIMENSION_COLUMNS, rows or [not_computable(NO_SCORES)])


def _dimensions(cube: ScoreCube, view: str, columns: NDArray[np.intp]) -> Row:
    """What `score_dimensions` says of some columns in one view."""
    values = _points(cube, view)[:, columns]
    row: Row = {"points": int((~np.isnan(values)).sum(axis=0).max(initial=0))}
    rho = spearman_matrix(values)
    varying = np.flatnonzero(~np.isnan(np.diag(rho)))
    rho = rho[np.ix_(varying, varying)]
    if not varying.size or np.isnan(rho).any():
        return row | not_computable("too few points have all scores, or none varies")
    size, n = len(rho), len(cube.architectures)
    own = np.repeat(np.arange(n), len(values) // n)
    without = [spearman_matrix(values[own != a][:, varying]) for a in range(n)]
    ratios = [participation_ratio(each) for each in without if not np.isnan(each).any()]
    row |= {
        "participation_ratio": participation_ratio(rho),
        "low": min(ratios, default=np.nan),
        "high": max(ratios, default=np.nan),
        "largest_share": float(np.linalg.eigvalsh(rho)[-1] / size),
    }
    notes = [f"{len(columns) - size} scores do not vary and are left out"] * (size < len(columns))
    if not ratios:
        notes.append("low and high are not computable, because too few architectures are left")
    row["note"] = "; ".join(notes)
    if view == "best_layer" and n > 2:
        squares = rho[np.triu_indices(size, 1)] ** 2
        beyond_chance = 2 * np.sum(squares - (1 - squares) / (n - 2))
        row["if_independent"] = size**2 / (size + size * (size - 1) / (n - 1))
        row["corrected"] = min(float(size), size**2 / max(size + beyond_chance, 1.0))
    return row


STUDIES = (
    Study(
        name="score_correlations",
        title="Correlation of every score with every other",
        columns=CORRELATION_COLUMNS,
        compute=lambda frames: score_correlations(frames.scores),
    ),
    Study(
        name="score_dimensions",
        title="How many independent scores there are",
        columns=DIMENSION_COLUMNS,
        compute=lambda frames: score_dimensions(frames.scores),
    ),
)
