"""How much of a score's variance goes with the architecture, and how much with the layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.regression.linear_model import OLS, RegressionResults
from statsmodels.stats.anova import anova_lm

from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    complete_block,
    join_notes,
    left_out,
    not_computable,
    result,
    score_cube,
)
from lossnets.analysis.frames.frames import Study
from lossnets.analysis.layers.best_layers import extraction_cells

CONFIDENCE = 0.95

COLUMNS = {
    "benchmark": "benchmark id",
    "score": "score id",
    "trained_model": "training that the score is of: scores of one are one witness; missing where "
    "nothing is trained",
    "scale": "'values', or 'ranks' of all cells of the score (mutes collapsed runs)",
    "architectures": "number of architectures",
    "layers": "number of layers",
    "eta2_architecture": "sum of squares of the architecture / total",
    "eta2_layer": "sum of squares of the layer / total",
    "omega2_architecture": "ω² of the architecture: η² corrected for its degrees of freedom",
    "omega2_layer": "ω² of the layer",
    "difference": "ω² of the layer − ω² of the architecture",
    "standard_error": "of the difference, jackknife over architectures",
    "low": "lower end of its 95 % interval (t, architectures − 1 degrees of freedom)",
    "high": "upper end",
    "variance_architecture": "variance component, in the squared unit of the scale",
    "variance_layer": "variance component, in the squared unit of the scale",
    "variance_residual": "residual mean square: interaction and run-to-run noise",
    "f_architecture": "F of the architecture",
    "p_architecture": "its p value",
    "f_layer": "F of the layer",
    "p_layer": "its p value",
    "f_nonadditivity": "Tukey's one-degree-of-freedom F for non-additivity",
    "p_nonadditivity": "its p value",
    "note": "what is missing, and why",
}


@dataclass(frozen=True, kw_only=True)
class Anova:
    """Additive two-way analyses of variance without replication, one per leading index.

    Sums of squares of rows, columns and residual, and their degrees of freedom.
    """

    rows: Floats
    columns: Floats
    residual: Floats
    df_rows: int
    df_columns: int

    @property
    def df_residual(self) -> int:
        """(rows − 1)(columns − 1)."""
        return self.df_rows * self.df_columns

    @property
    def total(self) -> Floats:
        """Total sum of squares."""
        return self.rows + self.columns + self.residual

    @property
    def mean_square(self) -> Floats:
        """Residual mean square."""
        return self.residual / self.df_residual

    @property
    def omega2(self) -> tuple[Floats, Floats]:
        """ω² of rows and of columns: (SS − df·MS residual) / (SS total + MS residual).

        Negative where the effect is smaller than chance would make it.
        """
        scale = self.total + self.mean_square
        return (
            (self.rows - self.df_rows * self.mean_square) / scale,
            (self.columns - self.df_columns * self.mean_square) / scale,
        )


def two_way(cells: Floats) -> Anova:
    """Analyse (…, rows, columns) cells, each table on its own.

    >>> analysis = two_way(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> float(analysis.rows), float(analysis.columns), float(analysis.residual)
    (4.0, 1.0, 0.0)
    """
    a, b = cells.shape[-2:]
    centred = cells - cells.mean(axis=(-2, -1), keepdims=True)
    row_effects, column_effects = centred.mean(axis=-1), centred.mean(axis=-2)
    left = centred - row_effects[..., :, None] - column_effects[..., None, :]
    return Anova(
        rows=b * np.sum(row_effects**2, axis=-1),
        columns=a * np.sum(column_effects**2, axis=-1),
        residual=np.sum(left**2, axis=(-2, -1)),
        df_rows=a - 1,
        df_columns=b - 1,
    )


def nonadditivity(cells: Floats, additive: RegressionResults) -> tuple[float, float]:
    """Tukey's (1949) one-degree-of-freedom test of non-additivity of a table: F and p.

    It asks whether the squares of what the additive model fits explain more (statsmodels).
    NaN where an effect is nil, or where nothing is left to test against.
    """
    analysis = two_way(cells)
    if additive.df_resid < 2 or analysis.rows * analysis.columns <= 1e-24 * analysis.total**2:
        return np.nan, np.nan
    wider = OLS(
        additive.model.endog, np.column_stack([additive.model.exog, additive.fittedvalues**2])
    ).fit()
    if wider.ssr <= 1e-12 * analysis.total:
        return np.nan, np.nan
    f, p, _ = wider.compare_f_test(additive)
    return float(f), float(p)


def additive_model(cells: Floats) -> RegressionResults:
    """Fit value = architecture + layer to (architectures, layers) cells, by statsmodels."""
    architecture, layer = np.indices(cells.shape).reshape(2, -1)
    table = {"value": cells.ravel(), "architecture": architecture, "layer": layer}
    return ols("value ~ C(architecture) + C(layer)", pd.DataFrame(table)).fit()


def jackknife_difference(cells: Floats) -> tuple[float, float, float]:
    """Standard error and 95 % interval of ω² of columns − ω² of rows, leaving rows out in turn.

    Pseudo-values with Student's t on rows − 1 degrees of freedom (Tukey 1958); `cells`:
    (rows, columns), at least three rows.
    """
    n = len(cells)
    others = np.stack([np.delete(cells, row, axis=0) for row in range(n)])
    rows, columns = two_way(cells).omega2
    rows_without, columns_without = two_way(others).omega2
    pseudo = n * (columns - rows) - (n - 1) * (columns_without - rows_without)
    standard_error = float(np.std(pseudo, ddof=1) / np.sqrt(n))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)) * standard_error
    return standard_error, float(pseudo.mean()) - half, float(pseudo.mean()) + half


def layer_variance(scores: pd.DataFrame) -> pd.DataFrame:
    """Split each score's variance between architecture and layer (additive two-way ANOVA).

    `scores`: rows of `score_means`. Columns: COLUMNS; two rows per score, of the values and of
    their ranks among all cells. ω² is the one to compare, as there are more degrees of freedom
    between architectures than between layers. With each model trained once the residual holds
    interaction and noise together. Only architectures with every layer take part.
    """
    cube = score_cube(scores)
    cells = extraction_cells(cube)
    rows = []
    for s in range(len(cube.scores)):
        kept, layers = complete_block(cells[..., s])
        block = cells[..., s][np.ix_(kept, layers)] * cube.signs[s]
        note = join_notes(
            left_out("architectures", np.delete(cube.architectures, kept)),
            left_out("layers", np.delete(np.array(cube.layers)[cube.extraction], layers)),
        )
        for scale in ("values", "ranks"):
            rows.append(_row(cube, s, scale, block) | {"scale": scale})
            rows[-1]["note"] = join_notes(rows[-1].get("note", ""), note)
    return result(COLUMNS, rows or [not_computable(NO_SCORES)])


def _row(cube: ScoreCube, s: int, scale: str, block: Floats) -> Row:
    """One row of `layer_variance`; `block`: (architectures, layers), complete."""
    a, b = block.shape
    row: Row = {"benchmark": cube.benchmarks[s], "score": cube.scores[s]}
    row |= {"trained_model": cube.trained_models[s], "architectures": a, "layers": b}
    if a < 2 or b < 2:
        return row | not_computable(f"it takes two architectures and two layers, not {a} and {b}")
    if scale == "ranks":
        block = stats.rankdata(block).reshape(block.shape)
    if not np.isfinite(block).all():
        return row | not_computable("some values are infinite")
    size = float(np.abs(block).max()) or 1.0
    scaled = block / size
    if np.ptp(scaled) <= 1e-13:
        return row | not_computable("all values are equal")
    return row | _effects(scaled, size)


def _effects(cells: Floats, size: float) -> Row:
    """Effect sizes, tests and components of a table whose values were divided by `size`."""
    analysis, additive = two_way(cells), additive_model(cells)
    omega_rows, omega_columns = (float(value) for value in analysis.omega2)
    mean_square = float(analysis.mean_square)
    exact = mean_square <= 1e-24
    tests = anova_lm(additive)
    if exact:
        tests[["F", "PR(>F)"]] = np.nan
    ms_rows, ms_columns = tests["mean_sq"].iloc[:2]
    notes = ["F is not computable, because nothing is left of the residual"] if exact else []
    interval = (np.nan, np.nan, np.nan)
    fault = _jackknife_fault(cells)
    if fault:
        notes.append(f"the interval is not computable, because {fault}")
    else:
        interval = jackknife_difference(cells)
    f_tukey, p_tukey = nonadditivity(cells, additive)
    if np.isnan(f_tukey):
        notes.append("non-additivity is not computable, because too little varies")
    squared = size**2 if size < 1e150 else np.inf
    return {
        "eta2_architecture": float(analysis.rows / analysis.total),
        "eta2_layer": float(analysis.columns / analysis.total),
        "omega2_architecture": omega_rows,
        "omega2_layer": omega_columns,
        "difference": omega_columns - omega_rows,
        "standard_error": interval[0],
        "low": interval[1],
        "high": interval[2],
        "variance_architecture": (ms_rows - mean_square) / cells.shape[1] * squared,
        "variance_layer": (ms_columns - mean_square) / cells.shape[0] * squared,
        "variance_residual": mean_square * squared,
        "f_architecture": tests["F"].iloc[0],
        "p_architecture": tests["PR(>F)"].iloc[0],
        "f_layer": tests["F"].iloc[1],
        "p_layer": tests["PR(>F)"].iloc[1],
        "f_nonadditivity": f_tukey,
        "p_nonadditivity": p_tukey,
        "note": join_notes(*notes),
    }


def _jackknife_fault(cells: Floats) -> str:
    """Why no interval can be had by leaving out rows, empty if it can."""
    if len(cells) < 3:
        return "it takes three architectures"
    without = [np.ptp(np.delete(cells, row, axis=0)) for row in range(len(cells))]
    return "all variance hangs on one architecture" if min(without) <= 1e-13 else ""


STUDIES = (
    Study(
        name="layer_variance",
        title="Layer against architecture: what the variance of each score goes with",
        columns=COLUMNS,
        compute=lambda frames: layer_variance(frames.scores),
    ),
)
