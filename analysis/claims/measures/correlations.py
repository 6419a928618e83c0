"""Correlations of attributes with every view of the scores, and what chance gives for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import LAYERS, SEED
from lossnets.analysis.statistics.coefficients import Singles, narrow_product
from lossnets.analysis.statistics.permutations import PERMUTATIONS, permutations

ALPHA = 0.05
IN_DRAWS = 199  # permutations for each of many draws
AT_ONCE = 1_000  # permutations whose correlations are held in memory
NUMERIC = ("accuracy", "depth", "operations", "parameters")
PROPERTIES = ("skip_connections", "branching", "conv_1x1", "batch_norm")
VIEWS = ("best layer", *(layer.replace("_", "-") + " layer" for layer in LAYERS), "mean of layers")


def views(e: Evidence) -> Floats:
    """Every score in every view: best, each layer, mean (…, architectures, scores × views)."""
    layers = [e.cells[..., layer, :] for layer in range(len(LAYERS))]
    return np.concatenate([e.best, *layers, np.round(e.cells.mean(axis=-2), 9)], axis=-1)


def column_name(e: Evidence, column: int) -> str:
    """What a column of `views` holds, in words."""
    view, score = divmod(column, len(e.scores))
    return f"{e.scores[score]}, {VIEWS[view]}"


def unit_length(values: Floats) -> Floats:
    """Centred columns of length 1 along the last axis but one; constant ones become 0."""
    centred = values - values.mean(axis=-2, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=-2, keepdims=True))
    return np.asarray(centred / np.where(length > 1e-12, length, np.inf))


def ranked(values: Floats) -> Floats:
    """Ranks along the last axis but one, ties share theirs."""
    return np.asarray(rankdata(values, axis=-2))


@dataclass(frozen=True)
class Correlations:
    """Correlations (…, attributes, columns) of n architectures, and the largest by chance.

    largest, lowest: of each attribute over all columns, for each permutation of the
    architectures (…, attributes, permutations). A family's test is Westfall and Young's single
    step over all its attributes and columns.
    """

    r: Floats
    largest: Singles
    lowest: Singles
    n: int

    def of(self, attributes: Sequence[int]) -> Correlations:
        """Those of some attributes alone."""
        chosen = list(attributes)
        largest, lowest = self.largest[..., chosen, :], self.lowest[..., chosen, :]
        return replace(self, r=self.r[..., chosen, :], largest=largest, lowest=lowest)

    def beyond(self, sign: int = 0) -> NDArray[np.bool_]:
        """Which exceed chance at 5 % within the family; sign: 1 or −1 for one direction only."""
        high, low = self.largest.max(axis=-2), -self.lowest.min(axis=-2)
        null = {0: np.maximum(high, low), 1: high, -1: low}[sign]
        allowed = int(ALPHA * (null.shape[-1] + 1)) - 1
        critical = np.partition(null, -1 - allowed, axis=-1)[..., -1 - allowed]
        size = sign * self.r if sign else np.abs(self.r)
        return np.asarray(size > critical[..., None, None] + 1e-7)

    def limit(self, sign: int = 0) -> Floats:
        """Greatest |correlation| that any one-sided 95 % limit allows (…)."""
        r = np.clip(self.r, -1 + 1e-12, 1 - 1e-12)
        half = -ndtri(ALPHA) * np.sqrt((1 + r**2 / 2) / (self.n - 3))
        ends = np.arctanh(sign * r if sign else np.abs(r)) + half
        return np.asarray(np.tanh(ends.max(axis=(-2, -1))))

    def strongest(self, sign: int = 0) -> tuple[int, int]:
        """Position of the strongest: attribute and column, of a single draw."""
        size = sign * self.r if sign else np.abs(self.r)
        attribute, column = np.unravel_index(int(size.argmax()), size.shape)
        return int(attribute), int(column)


def correlations(attributes: Floats, columns: Floats) -> Correlations:
    """Pearson correlations of attributes (n, attributes) with columns (…, n, columns).

    Give ranks for Spearman's. The architectures are permuted as wholes, all attributes and
    columns together.
    """
    return products(unit_length(attributes)[:, None], unit_length(columns)[..., None, :])


def products(x: Floats, y: Floats) -> Correlations:
    """Products of attributes (n, parts, attributes) with columns (…, n, parts, columns).

    Both have length 1 over n and parts; the n are permuted, their parts stay together.
    """
    ends = [(each.max(axis=-3), each.min(axis=-3)) for each in _permuted(x, y)]
    n, parts, attributes = x.shape
    flat = y.reshape(*y.shape[:-3], n * parts, -1)
    return _with_ends(x.reshape(n * parts, attributes).T @ flat, ends, n)


def partial_correlations(attribute: Floats, columns: Floats, control: Floats) -> Correlations:
    """Correlations of an attribute (n,) with columns (…, n, columns), a control (n,) held fixed.

    Attribute and control are permuted together, which keeps how they go together.
    """
    both = unit_length(np.stack([attribute, control], axis=-1))
    both[:, :1] = unit_length(both[:, :1] - both[:, 1:] * (both[:, :1] * both[:, 1:]).sum())
    y = unit_length(columns)
    ends = []
    for each in _permuted(both[:, None], y[..., None, :]):
        partial = _partial(each)
        ends.append((partial.max(axis=-2)[..., None, :], partial.min(axis=-2)[..., None, :]))
    r = _partial(both.T @ y)[..., None, :]
    return _with_ends(r, ends, len(attribute))


def _partial(products: Any) -> Any:
    """Partial correlation from those with what is left of the attribute and with the control,
    the last axis but one."""
    rest = np.sqrt(np.maximum(1 - products[..., 1, :] ** 2, 1e-9))
    return products[..., 0, :] / rest


def _permuted(x: Floats, y: Floats) -> Iterator[Singles]:
    """Products with permuted attributes (…, columns, attributes, permutations), in portions."""
    n, parts, attributes = x.shape
    flat = np.swapaxes(y.reshape(*y.shape[:-3], n * parts, -1), -1, -2).astype(np.float32)
    count = PERMUTATIONS - 1 if y.ndim == 3 else IN_DRAWS
    orders = permutations(np.random.default_rng(SEED), count, n).T
    by_row = x.astype(np.float32)
    for start in range(0, count, AT_ONCE):
        taken = np.take(by_row, orders[:, start : start + AT_ONCE], axis=0)
        arranged = np.moveaxis(taken, 1, -1)  # (n, parts, attributes, permutations)
        rows = arranged.reshape(n * parts, -1).T
        product: Singles = narrow_product(flat, rows) if flat.ndim == 2 else flat @ rows.T
        yield product.reshape(*product.shape[:-1], attributes, -1)


def _with_ends(r: Floats, ends: Sequence[tuple[Singles, Singles]], n: int) -> Correlations:
    largest, lowest = (np.concatenate(side, axis=-1) for side in zip(*ends, strict=True))
    return Correlations(r=r, largest=largest, lowest=lowest, n=n)


def rank_correlations_of(e: Evidence, names: Sequence[str]) -> Correlations:
    """Spearman correlations of attributes with every view of every score."""
    for name in names:
        if np.ptp(e.attribute(name)) == 0:
            raise NotTestable(f"the attribute {e.attribute_id(name)} is the same for all")
    known, all_of_them = _of_every_attribute(e)
    return all_of_them.of([known.index(name) for name in names])


def _of_every_attribute(e: Evidence) -> tuple[list[str], Correlations]:
    """Those of all attributes of the architectures that are known, computed at once."""
    if "of every attribute" not in e.results:
        known = [name for name in (*NUMERIC, *PROPERTIES) if e.knows(name)]
        attributes = np.stack([e.attribute(name) for name in known], axis=-1)
        e.results["of every attribute"] = (
            known,
            correlations(ranked(attributes), ranked_views(e)),
        )
    return cast(tuple[list[str], Correlations], e.results["of every attribute"])


def ranked_views(e: Evidence) -> Floats:
    """Ranks within each view of each score (…, architectures, scores × views)."""
    if "ranked views" not in e.results:
        e.results["ranked views"] = ranked(views(e))
    return cast(Floats, e.results["ranked views"])
