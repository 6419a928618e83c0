"""Whether attributes predict the scores of an architecture that is not here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.attributes.copies import same_as
from lossnets.analysis.attributes.views import ordered_attributes
from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    ScoreCube,
    complete_block,
    not_computable,
    result,
    score_cube,
    units_of,
)
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.statistics.left_out import line_errors, plane_errors
from lossnets.analysis.statistics.normal_scores import normal_scores
from lossnets.analysis.statistics.permutations import PERMUTATIONS, permutation_p, permutations
from lossnets.analysis.statistics.westfall_young import holm

LAYER, ATTRIBUTE, BY_LAYER = "layer", "layer + attribute", "layer × attribute"
ALL = "all"
TESTED = "whether layers differ is tested by layer_agreement"
LEAST = 4  # architectures to fit a line and leave one out
NUMBERS = 20_000_000  # permuted at once at most: bounds time and memory

COLUMNS = {
    "scope": "training whose scores are predicted (where nothing is trained, the score), or all: "
    "the mean over these",
    "scores": "number of scores",
    "model": "layer: the mean over the other architectures at the layer; layer + attribute: a line "
    "in the attribute in addition; layer × attribute: a line for each layer",
    "attribute": "attribute id; missing for the layer alone",
    "q2": "share of the squared error of predicting everything by one mean that is avoided, for "
    "architectures left out one at a time; below 0: worse than that mean",
    "gain": "share of the squared error that the layer alone leaves which the attribute avoids; "
    "below 0: predictions are worse with it",
    "p": "p of the gain from permuted architectures",
    "p_holm": "the same after Holm's adjustment over the attributes and models of the scope",
    "family_size": "number of attributes and models in the adjustment",
    "permutations": "number of permutations",
    "n": "number of architectures",
    "note": "what is missing, and why",
}


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Normal scores (architectures, layers, scores) over all cells of a score.

    architectures, scores: which of the cube's they are; layers: their names.
    """

    cells: Floats
    architectures: NDArray[np.intp]
    layers: tuple[str, ...]
    scores: NDArray[np.intp]


def predicted_cells(cube: ScoreCube) -> Predicted:
    """The cells to predict.

    Layers without any value, architectures and scores that lack another one, and scores that do
    not vary are left out.
    """
    cells = cube.oriented[:, cube.extraction]
    known = ~np.isnan(cells).all(axis=(0, 2)) if cells.size else np.zeros(cells.shape[1], bool)
    cells = cells[:, known]
    rows, columns = complete_block(np.where(np.isnan(cells).any(axis=1), np.nan, 0.0))
    block = cells[rows][..., columns]
    varies = [bool(np.any(one != one.ravel()[:1])) for one in np.moveaxis(block, 2, 0)]
    block, columns = block[..., varies], columns[varies]
    stacked = block.reshape(block.shape[0] * block.shape[1], len(columns))
    return Predicted(
        cells=normal_scores(stacked).reshape(block.shape) if block.size else block,
        architectures=rows if block.size else rows[:0],
        layers=tuple(cube.layers[i] for i in cube.extraction[known]),
        scores=columns,
    )


def prediction(frames: Frames, rng: np.random.Generator) -> pd.DataFrame:
    """Do the layer and attributes tell the scores of an architecture that was left out?

    Columns: COLUMNS. Scores are normal scores, attributes normal scores over architectures, so
    that only orders count. Attributes that say the same as another are left out.
    """
    cube = score_cube(frames.scores)
    found = predicted_cells(cube)
    y, rows, columns = found.cells, found.architectures, found.scores
    if len(rows) < LEAST or not y.size:
        reason = f"it takes {LEAST} architectures with every layer" if cube.scores else NO_SCORES
        return result(COLUMNS, [not_computable(reason)])
    models = [cube.trained_models[s] for s in columns]
    units = units_of(models)
    names = [models[unit[0]] or cube.scores[columns[unit[0]]] for unit in units]
    scopes = Scopes(units=units, names=[str(name) for name in names])
    attributes = ordered_attributes(frames)
    copies = same_as(attributes)
    values = {
        one.attribute: np.broadcast_to(one.at_layers(found.layers)[rows], y.shape[:2])
        for one in attributes
        if one.attribute not in copies
    }
    about = {"model": LAYER, "n": len(y), "note": TESTED}
    table = scopes.rows(about, q2=_avoided(_by_layer(y), _by_mean(y)))
    for known, names in _alike(values).items():
        of = np.frombuffer(known, dtype=bool)
        x = np.array([values[name][of] for name in names])
        table += _attribute_rows(names, x, y[of], scopes, rng)
    return result(COLUMNS, _adjusted(table))


@dataclass(frozen=True, kw_only=True)
class Scopes:
    """The trained models whose scores are predicted: their names, and positions of scores."""

    units: list[NDArray[np.intp]]
    names: list[str]

    def means(self, by_score: Floats) -> Floats:
        """Means over the scores of each trained model, and the mean of these, on the last axis."""
        of_units = np.stack([by_score[..., unit].mean(axis=-1) for unit in self.units], axis=-1)
        return np.concatenate([of_units, of_units.mean(axis=-1, keepdims=True)], axis=-1)

    def rows(self, about: Row, **by_score: Floats) -> list[Row]:
        """A row a trained model, and one for all, with means of what is known by score."""
        sizes = [len(unit) for unit in self.units]
        means = {name: self.means(values) for name, values in by_score.items()}
        return [
            {"scope": name, "scores": size} | about | {key: m[s] for key, m in means.items()}
            for s, (name, size) in enumerate(
                zip([*self.names, ALL], [*sizes, sum(sizes)], strict=True)
            )
        ]


def _alike(values: dict[str, Floats]) -> dict[bytes, list[str]]:
    """Attributes by the architectures at which they are known at every layer."""
    found = defaultdict(list)
    for name, x in values.items():
        found[np.isfinite(x).all(axis=1).tobytes()].append(name)
    return found


def _attribute_rows(
    names: Sequence[str], x: Floats, y: Floats, scopes: Scopes, rng: np.random.Generator
) -> list[Row]:
    """Rows of attributes x (attributes, n, layers), in addition to the layer and by layer."""
    n = y.shape[0]
    varies = [n >= LEAST and bool(np.ptp(one, axis=0).any()) for one in x]
    reason = f"the attribute is constant, or known for fewer than {LEAST} architectures"
    rows: list[Row] = []
    for name in (name for name, does in zip(names, varies, strict=True) if not does):
        for model in (ATTRIBUTE, BY_LAYER):
            about = {"model": model, "attribute": name, "n": n} | not_computable(reason)
            rows += scopes.rows(about)
    if not any(varies):
        return rows
    names = [name for name, does in zip(names, varies, strict=True) if does]
    x = np.array([normal_scores(one) for one in x[varies]])
    for model, errors in _permuted_errors(x - x.mean(axis=1, keepdims=True), y, rng).items():
        for name, squares in zip(names, errors, strict=True):  # (permutations, scores)
            gain = _avoided(squares, _by_layer(y))
            null = scopes.means(gain)
            about = {"model": model, "attribute": name, "n": n, "permutations": len(gain) - 1}
            own = scopes.rows(about, q2=_avoided(squares[0], _by_mean(y)), gain=gain[0])
            rows += [row | _tested(null[:, s]) for s, row in enumerate(own)]
    return rows


def _permuted_errors(x: Floats, y: Floats, rng: np.random.Generator) -> dict[str, Floats]:
    """By model the squared errors (attributes, permutations, scores), the first as observed.

    `x`: (attributes, n, layers), centred; all attributes meet the same permutations. An attribute
    of architectures needs the mean over layers alone for its one slope.
    """
    n, layers, scores = y.shape
    count = int(np.clip(NUMBERS // y.size, 1_000, PERMUTATIONS))
    orders = np.vstack([np.arange(n), permutations(rng, count, n)]).T
    centred = (y - y.mean(axis=0)).astype(np.float32)
    permuted = [centred[orders, i].reshape(n, -1) for i in range(layers)]
    by_layer = np.sum([line_errors(x[..., i], permuted[i]) for i in range(layers)], axis=0)
    whole = ~np.ptp(x, axis=2).any(axis=1)
    one_slope = np.empty_like(by_layer)
    root = np.sqrt(layers)
    one_slope[whole] = line_errors(
        x[whole, :, 0] * root, np.sum(permuted, axis=0) / np.float32(root)
    )
    for a in np.flatnonzero(~whole):
        one_slope[a] = plane_errors(x[a].T, permuted)
    total = np.sum(centred.astype(float) ** 2, axis=(0, 1))
    found = {ATTRIBUTE: one_slope, BY_LAYER: by_layer}
    return {
        model: (n / (n - 1)) ** 2 * (total + form.reshape(len(x), count + 1, scores))
        for model, form in found.items()
    }


def _by_mean(y: Floats) -> Floats:
    """Squared errors by score of predicting an architecture by the mean of all others' cells."""
    n = len(y)
    mean = y.mean(axis=1)
    others = (mean.sum(axis=0) - mean) / (n - 1)
    return np.asarray(np.sum((y - others[:, None]) ** 2, axis=(0, 1)))


def _by_layer(y: Floats) -> Floats:
    """Squared errors by score of predicting by the mean of the others at the layer."""
    n = len(y)
    return np.asarray((n / (n - 1)) ** 2 * np.sum((y - y.mean(axis=0)) ** 2, axis=(0, 1)))


def _avoided(errors: Floats, others: Floats) -> Floats:
    """Share of other squared errors that is avoided, NaN where there is none to avoid."""
    some = others > 1e-9
    return np.asarray(np.where(some, 1 - errors / np.where(some, others, 1), np.nan))


def _tested(gains: Floats) -> Row:
    """The p of the first of permuted gains, or why there is none."""
    if np.isnan(gains[0]):
        return not_computable("architectures do not differ on a score at the same layer")
    return {"p": permutation_p(gains[0], gains[1:])}


def _adjusted(rows: list[Row]) -> list[Row]:
    """The rows with p values adjusted within each scope."""
    for scope in dict.fromkeys(row["scope"] for row in rows):
        own = [row for row in rows if row["scope"] == scope and "p" in row]
        for row, p in zip(own, holm(np.array([row["p"] for row in own])), strict=True):
            row |= {"p_holm": p, "family_size": len(own)}
    return rows


STUDIES = (
    Study(
        name="prediction",
        title="Can the scores of an architecture that is not here be predicted?",
        columns=COLUMNS,
        compute=lambda frames: prediction(frames, np.random.default_rng(SEED)),
    ),
)
