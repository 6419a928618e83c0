"""Attributes against the cells of all layers, with the architecture as the unit of evidence.

The 56 loss networks are 14 clusters of four, so whole architectures are shuffled (within a
layer) or each architecture's own layers (within an architecture): never loss networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import rankdata

from lossnets.analysis.attributes.correlate import LEAST, Table, constant, too_few
from lossnets.analysis.attributes.correlation import attribute_labels, nothing, with_infinite
from lossnets.analysis.attributes.views import Attribute, Cells, ordered_attributes, score_cells
from lossnets.analysis.frames.cube import Floats, join_notes
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.statistics.coefficients import (
    Singles,
    complete_rows,
    narrow_product,
    spearman,
    unit_columns,
    without_each,
)
from lossnets.analysis.statistics.intervals import CONFIDENCE
from lossnets.analysis.statistics.permutations import PERMUTATIONS
from lossnets.analysis.statistics.westfall_young import (
    Shuffles,
    holm,
    permuted_correlations,
    two_sided_p,
    westfall_young,
)

LAYER_COLUMNS = {
    "attribute": "attribute id",
    "level": "architecture or loss_network",
    "benchmark": "benchmark id",
    "score": "score id",
    "n": "architectures with the attribute at every layer",
    "layers": "layers the mean is taken over",
    "within_layer": "mean over layers of Spearman's correlation between architectures at one"
    " layer; positive: more of the attribute, better score",
    "within_layer_low": "lower end of its 95 % interval (jackknife over architectures, Fisher z)",
    "within_layer_high": "upper end of its 95 % interval",
    "within_layer_loo_low": "least value when one architecture is left out",
    "within_layer_loo_high": "greatest value when one architecture is left out",
    "within_layer_p": "two-sided p from shuffled whole architectures",
    "within_layer_p_holm": "the same, Holm-adjusted within the family",
    "within_layer_p_westfall_young": "step-down max-statistic p within the family",
    "within_architecture": "mean over architectures of Spearman's correlation between an"
    " architecture's own layers: does going up in the attribute help",
    "within_architecture_n": "architectures that this mean is taken over",
    "within_architecture_p": "two-sided p from layers shuffled inside each architecture",
    "within_architecture_p_holm": "the same, Holm-adjusted within the family",
    "within_architecture_p_westfall_young": "step-down max-statistic p within the family",
    "ordered_like_layers": "architectures whose layers the attribute orders as their position"
    " does: where all, every such attribute has the same value within architectures",
    "family": "what p values are adjusted over",
    "family_size": "number of scores in the family",
    "note": "what is missing, and why",
}
NO_LAYER = "not computable, because no score has a named extraction layer"
_LABELS = ("attribute", "level", "benchmark", "score", "family", "note")


def within_layers(x: Floats, cells: Cells, shuffles: Shuffles) -> Table:
    """Mean over layers of the rank correlation between architectures.

    `x`: (architectures, layers) or (architectures, 1) for a property of the architecture.
    Architectures that lack x at a layer are left out. Returns arrays over the scores.
    """
    x = np.where(np.isfinite(x).all(axis=1, keepdims=True), x, np.nan)
    layers = range(cells.values.shape[1])
    columns = [x[:, min(layer, x.shape[1] - 1)] for layer in layers]
    rho = np.array([_rho(columns[la], cells.values[:, la]) for la in layers])  # (layers, scores)
    statistics = [
        permuted_correlations(columns[la], cells.values[:, la], shuffles, ranked=True)
        for la in layers
    ]
    total = _sum_known(statistics)
    found: Table = {"n": np.isfinite(x[:, 0]).sum() + np.zeros(rho.shape[1])}
    found["layers"] = np.isfinite(rho).sum(axis=0).astype(float)
    found["within_layer"] = _mean_known(rho)
    without = np.array([_rho_without(columns[la], cells.values[:, la]) for la in layers])
    found |= _jackknife(found["within_layer"], _mean_known(without))
    return found | _adjusted("within_layer", total)


def within_architectures(x: Floats, cells: Cells, layer_orders: NDArray[np.intp]) -> Table:
    """Mean over architectures of the rank correlation between an architecture's layers.

    `x`: (architectures, layers); `layer_orders`: as `shuffled_layers` gives them. An
    architecture counts for a score where it has every layer and neither side is constant.
    Returns arrays over the scores.
    """
    architectures, layers, scores = cells.values.shape
    by_rank = unit_columns(rankdata(x, axis=1).T).T  # (architectures, layers)
    by_rank = np.where(np.isfinite(x).all(axis=1, keepdims=True), by_rank, np.nan)
    complete = np.isfinite(cells.values).all(axis=1, keepdims=True)
    filled = np.where(complete, cells.values, 0.0).transpose(1, 0, 2).reshape(layers, -1)
    units = unit_columns(rankdata(filled, axis=0)).reshape(layers, architectures, scores)
    counted = np.isfinite(units[0]) & np.isfinite(by_rank[:, :1])  # (architectures, scores)
    number = counted.sum(axis=0).astype(float)
    y = np.where(counted, units, 0.0).transpose(1, 0, 2).reshape(-1, scores)
    y = y / np.where(number > 0, number, np.nan)
    shuffled = np.nan_to_num(by_rank).ravel().astype(np.float32)[layer_orders]
    statistics = narrow_product(y.T.astype(np.float32), shuffled)  # (scores, shuffles)
    found: Table = {"within_architecture": statistics[:, 0].astype(float)}
    found["within_architecture_n"] = number
    position = unit_columns(np.arange(float(layers))[:, None])[:, 0]
    found["ordered_like_layers"] = np.full(
        scores, float(np.sum(np.nan_to_num(by_rank) @ position > 1 - 1e-9))
    )
    return found | _adjusted("within_architecture", statistics)


def layer_table(
    attributes: Sequence[Attribute], cells: Cells, rng: np.random.Generator
) -> pd.DataFrame:
    """Correlate attributes with scores over all layers: LAYER_COLUMNS.

    A property of an architecture is the same at all its layers: it has no correlation within
    architectures.
    """
    shuffles = Shuffles(len(cells.architectures), rng)
    orders = shuffled_layers(len(cells.architectures), len(cells.layers), rng)
    width = len(cells.scores)
    parts: list[Table] = []
    for attribute in attributes:
        x = attribute.at_layers(cells.layers)
        part: Table = {c: np.full(width, np.nan) for c in LAYER_COLUMNS if c not in _LABELS}
        part["note"] = np.full(width, _fault(x, len(cells.layers)), dtype=object)
        if len(cells.layers) and not part["note"].any():
            part |= within_layers(x, cells, shuffles)
            if x.shape[1] > 1:
                part |= within_architectures(x, cells, orders)
            part["note"] = _notes(part, attribute.level)
        part["family_size"] = np.full(width, np.isfinite(part["within_layer"]).sum())
        part |= attribute_labels(attribute, width)
        part["benchmark"] = np.array(cells.benchmarks, dtype=object)
        parts.append(part | {"score": np.array(cells.scores, dtype=object)})
    if not sum(len(part["note"]) for part in parts):
        return nothing(LAYER_COLUMNS, attributes)
    table = pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})
    size = table["family_size"].astype(str)
    table["family"] = table["attribute"] + ", all layers, " + size + " scores"
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[list(LAYER_COLUMNS)]


def shuffled_layers(
    architectures: int, layers: int, rng: np.random.Generator, count: int = PERMUTATIONS
) -> NDArray[np.intp]:
    """Orders of cells that shuffle each architecture's layers: (1 + count, cells), observed first.

    Cells are numbered by architecture, then layer.
    """
    drawn = rng.random((count, architectures, layers), dtype=np.float32).argsort(axis=2)
    drawn += layers * np.arange(architectures)[:, None]
    observed = np.arange(architectures * layers)
    return np.vstack([observed, drawn.reshape(count, -1)])


def _rho(x: Floats, y: Floats) -> Floats:
    rho = np.full(y.shape[1], np.nan)
    for rows, columns in complete_rows(x, y):
        if len(rows) >= LEAST:
            rho[columns] = spearman(x[rows], y[np.ix_(rows, columns)])
    return rho


def _rho_without(x: Floats, y: Floats) -> Floats:
    """Spearman's correlation without each architecture: (architectures, scores)."""
    rho = np.full(y.shape, np.nan)
    for rows, columns in complete_rows(x, y):
        if len(rows) > LEAST:
            without = without_each(x[rows], y[np.ix_(rows, columns)])["spearman"]
            rho[np.ix_(rows, columns)] = without
    return rho


def _mean_known(values: Floats) -> Floats:
    """Mean over the first axis of what is known, NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(known, values, 0).sum(axis=0) / np.where(count > 0, count, np.nan)


def _sum_known(statistics: Sequence[Singles]) -> Singles:
    """Sum of the layers' statistics (scores, shuffles), NaN where no layer has any."""
    total = np.zeros_like(statistics[0])
    known = np.zeros(len(total), dtype=bool)
    for layer in statistics:
        computed = ~np.isnan(layer[:, 0])
        total[computed] += layer[computed]
        known |= computed
    total[~known] = np.nan
    return total


def _jackknife(estimate: Floats, without: Floats) -> Table:
    """Interval of an estimate (scores,) from its values without each architecture."""
    inside = np.where(np.abs(without) < 1, without, np.nan)
    z = np.arctanh(inside)
    count = np.isfinite(z).sum(axis=0).astype(float)
    deviation = np.where(np.isfinite(z), z - _mean_known(z), 0)
    error = np.sqrt((count - 1) / np.where(count > 1, count, np.nan) * (deviation**2).sum(axis=0))
    centre = np.arctanh(np.where(np.abs(estimate) < 1, estimate, np.nan))
    half = stdtrit(np.where(count > 1, count - 1, np.nan), (1 + CONFIDENCE) / 2) * error
    return {
        "within_layer_low": np.tanh(centre - half),
        "within_layer_high": np.tanh(centre + half),
        "within_layer_loo_low": np.fmin.reduce(without, axis=0),
        "within_layer_loo_high": np.fmax.reduce(without, axis=0),
    }


def _adjusted(name: str, statistics: Singles) -> Table:
    p = two_sided_p(statistics)
    return {
        f"{name}_p": p,
        f"{name}_p_holm": holm(p),
        f"{name}_p_westfall_young": westfall_young(statistics),
    }


def _fault(x: Floats, layers: int) -> str:
    """Why nothing can be computed for an attribute (architectures, layers), or ''."""
    known = x[np.isfinite(x).all(axis=1)]
    if not layers:
        return NO_LAYER
    if len(known) < LEAST:
        return too_few(len(known))
    if (known == known[0]).all() and x.shape[1] == 1:
        return constant("attribute", len(known))
    return ""


def _notes(part: Table, level: str) -> np.ndarray:
    between = np.where(
        np.isnan(part["within_layer"]),
        "within_layer not computable, because the attribute or the score is the same for all"
        " architectures at every layer",
        "",
    )
    inside = np.where(
        np.isnan(part["within_architecture"]),
        "within_architecture not computable, because the attribute is the architecture's"
        if level == "architecture"
        else "within_architecture not computable, because no architecture has every layer"
        " with varying values",
        "",
    )
    interval = np.where(
        np.isfinite(part["within_layer"]) & np.isnan(part["within_layer_low"]),
        "interval not computable, because there are too few architectures or their orders"
        " agree wholly",
        "",
    )
    notes = [join_notes(*said) for said in zip(between, interval, inside, strict=True)]
    return np.array(notes, dtype=object)


def _correlation_layers(frames: Frames) -> pd.DataFrame:
    cells = score_cells(frames.scores)
    return layer_table(ordered_attributes(frames), cells, np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="correlation_layers",
        title="Numeric attributes against scores over all layers, by architectures",
        columns=LAYER_COLUMNS,
        compute=_correlation_layers,
    ),
)
