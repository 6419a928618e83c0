"""The numbers that claims about ImageNet accuracy and other attributes are decided by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.claims.measures.correlations import (
    NUMERIC,
    PROPERTIES,
    Correlations,
    column_name,
    correlations,
    partial_correlations,
    products,
    rank_correlations_of,
    ranked,
    ranked_views,
    unit_length,
    views,
)
from lossnets.analysis.claims.rules import Numbers
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS, LAYERS
from lossnets.analysis.statistics.intervals import fisher_interval, minimum_detectable

STRONG = 0.7  # |correlation| called strong: half of the variance
OF_LAYERS = (
    "depth_to_layer",
    "params_to_layer",
    "channels",
    "features",
    "depth_fraction",
    "params_fraction",
)


def _counted(
    e: Evidence, found: Correlations, flags: NDArray[np.bool_], names: tuple[str, ...]
) -> Numbers:
    """How many correlations are flagged, the limit of all, and the strongest in words."""
    numbers = {"significant": flags.sum(axis=(-2, -1)), "limit": found.limit()}
    if found.r.ndim > 2:
        return numbers
    attribute, column = found.strongest()
    return numbers | {
        "detail": f"strongest: {names[attribute]} with {column_name(e, column)}, "
        f"{found.r[attribute, column]:.2f}; family of {found.r.size}"
    }


def strong_correlations(e: Evidence, names: str = "", least: str = str(STRONG)) -> Numbers:
    """Rank correlations, in any view, of at least some size that exceed chance in their family."""
    chosen = tuple(names.split()) or NUMERIC
    found = rank_correlations_of(e, chosen)
    return _counted(e, found, found.beyond() & (np.abs(found.r) >= float(least)), chosen)


def strong_properties(e: Evidence) -> Numbers:
    """Yes/no attributes × scores with |Cliff's δ| of 0.7 that exceed chance in their family."""
    has = np.stack([e.attribute(name) for name in PROPERTIES], axis=-1)
    found = rank_correlations_of(e, PROPERTIES)
    n, k = len(has), has.sum(axis=0)
    spread = np.sqrt((n**2 - 1) / 12)  # of ranks; ρ = δ · n/2 · √(k(n−k))/n ÷ spread
    delta = found.r * (2 * spread / np.sqrt(k * (n - k)))[:, None]
    return _counted(e, found, found.beyond() & (np.abs(delta) >= STRONG), PROPERTIES)


def no_effect(e: Evidence, name: str, given: str) -> Numbers:
    """Rank correlations that exceed chance by themselves and with another attribute held fixed."""
    marginal = rank_correlations_of(e, (name,))
    x, control = (ranked(e.attribute(each)[:, None])[:, 0] for each in (name, given))
    partial = partial_correlations(x, ranked_views(e), control)
    both = marginal.beyond() & partial.beyond()
    numbers = dict(_counted(e, marginal, both, (name,)))
    if "detail" in numbers:
        _, column = marginal.strongest()
        numbers["detail"] += f", and {partial.r[0, column]:.2f} with {given} held fixed"
    return numbers


def positive_linear(e: Evidence) -> Numbers:
    """Pearson correlations with accuracy, in any view, that are positive beyond chance."""
    found = correlations(e.attribute("accuracy")[:, None], views(e))
    numbers = {
        "significant": found.beyond(1).sum(axis=(-2, -1)),
        "limit": found.limit(1),
    }
    if found.r.ndim > 2:
        return numbers
    _, column = found.strongest(1)
    detail = f"greatest: {column_name(e, column)}, {found.r[0, column]:.2f}"
    return numbers | {"detail": f"{detail}; family of {found.r.size}"}


def positive_by_benchmark(e: Evidence) -> Numbers:
    """Benchmarks, in any view, whose placing improves with accuracy beyond chance."""
    of = np.tile(e.benchmarks, 2 + len(LAYERS))
    view = np.repeat(np.arange(2 + len(LAYERS)), len(e.scores))
    ranks = ranked_views(e)
    means = [
        ranks[..., (of == benchmark) & (view == each)].mean(axis=-1)
        for each in range(2 + len(LAYERS))
        for benchmark in BENCHMARKS
    ]
    placing = ranked(np.round(np.stack(means, axis=-1), 9))
    found = correlations(ranked(e.attribute("accuracy")[:, None]), placing)
    numbers = {"significant": found.beyond(1).sum(axis=(-2, -1)), "limit": found.limit(1)}
    if found.r.ndim > 2:
        return numbers
    best = zip(BENCHMARKS, found.r[0, : len(BENCHMARKS)], strict=True)
    return numbers | {"detail": "best layers: " + ", ".join(f"{b} {r:.2f}" for b, r in best)}


def inverted_u(e: Evidence) -> Numbers:
    """Scores, in any view, that rise and fall with accuracy: a negative quadratic term.

    The term is a partial correlation, of the square with the score, both less their linear part.
    """
    x = unit_length(e.attribute("accuracy")[:, None])[:, 0]
    found = partial_correlations(x**2, views(e), x)
    numbers = {"significant": found.beyond(-1).sum(axis=(-2, -1)), "limit": found.limit(-1)}
    if found.r.ndim > 2:
        return numbers
    _, column = found.strongest(-1)
    return numbers | {"detail": f"most bent: {column_name(e, column)}, {found.r[0, column]:.2f}"}


def quality_with_accuracy(e: Evidence) -> Numbers:
    """Pearson correlation of accuracy with the best delineation quality (the paper's Figure 5)."""
    column = e.columns(prefix="mrd_quality")[:1]
    found = correlations(e.attribute("accuracy")[:, None], e.best[..., column])
    return {
        "limit": found.limit(1),
        "r": found.r[..., 0, 0],
        "significant": found.beyond(1).sum(axis=(-2, -1)),
    }


def strong_at_layers(e: Evidence) -> Numbers:
    """Attributes of the extraction layer × scores: mean correlation within layers.

    Between architectures at one layer, since the layer's position is another matter.
    """
    names = tuple(name for name in OF_LAYERS if name in e.frames.loss_networks)
    if not names:
        raise NotTestable("no attribute of the extraction layers is there")
    x = np.stack([e.layer_attribute(name) for name in names], axis=-1)  # (n, layers, attributes)
    found = products(_within_layers(x), _within_layers(e.cells))
    strong = found.beyond() & (np.abs(found.r) >= STRONG)
    numbers = {"significant": strong.sum(axis=(-2, -1)), "limit": found.limit()}
    if found.r.ndim > 2:
        return numbers
    attribute, score = found.strongest()
    strongest = f"{names[attribute]} with {e.scores[score]}, {found.r[attribute, score]:.2f}"
    return numbers | {"detail": f"strongest: {strongest}; family of {found.r.size}"}


def _within_layers(values: Floats) -> Floats:
    """Ranks within each layer, of length 1 over all: (…, architectures, layers, columns)."""
    ranks = np.swapaxes(stats.rankdata(values, axis=-3), -3, -2)
    return np.swapaxes(unit_length(ranks), -3, -2) / np.sqrt(values.shape[-2])


def accuracy_with_depth(e: Evidence) -> Numbers:
    """Spearman correlation of accuracy and depth, its interval, and how often chance gives it."""
    x, y = (ranked(e.attribute(name)[:, None]) for name in ("accuracy", "depth"))
    found = correlations(x, y)
    ends = (*found.r[0], *found.largest[0])
    low, _ = fisher_interval(np.array(ends), np.full(len(ends), float(found.n)), "spearman")
    met = (np.array(ends) >= 0.5) & (low > 0)
    return {
        "rho": float(found.r[0, 0]),
        "low": float(low[0]),
        "chance": float(met[1:].mean()),
        "detail": f"n = {found.n}",
    }


def least_detectable(e: Evidence) -> Numbers:
    """Least rank correlation found with 80 % power in the family that is reported."""
    n = np.array(float(len(e.architectures)))
    family = len(e.scores) or e.frames.score_catalog["score"].nunique()
    return {
        "r": float(minimum_detectable(n, "spearman", family)),
        "detail": f"n = {int(n)}, family of {family} scores at 5 %; a single test: "
        f"{float(minimum_detectable(n, 'spearman')):.2f}",
    }


def learning_rates(e: Evidence) -> Numbers:
    """The learning rates the networks were pretrained with: not recorded."""
    raise NotTestable("how the networks were pretrained is not part of the data")
