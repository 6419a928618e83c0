"""The numbers that claims about extraction layers are decided by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lossnets.analysis.claims.evidence import FEWEST, Evidence, NotTestable
from lossnets.analysis.claims.measures.architectures import PLAIN_VGGS
from lossnets.analysis.claims.rules import Numbers, share_of
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS, LAYERS
from lossnets.analysis.layers import variance
from lossnets.analysis.layers.swap import swap_statistic

EARLY, LATE = 0, 3
ALPHA = 0.05
LEAST = 1e-9  # a standard error that is none


def swaps_that_balance(e: Evidence) -> Numbers:
    """Scores where worst network at its best layer ≈ best network at its worst layer."""
    if np.isnan(e.cells).any():
        return share_of(np.array([_swap_gap(table) for table in complete_tables(e)]) <= 0.1)
    cells = np.moveaxis(e.cells, (-3, -2), (0, 1))  # (architectures, layers, …, scores)
    return share_of(_swap_gap(cells) <= 0.1)


def _swap_gap(cells: Floats) -> Floats:
    """|Swap statistic| ÷ range of all cells; `cells`: (architectures, layers, …)."""
    spread = np.ptp(cells, axis=(0, 1))
    return np.asarray(np.abs(swap_statistic(cells)) / np.where(spread > 0, spread, np.nan))


def complete_tables(e: Evidence) -> list[Floats]:
    """Per score, the cells of the architectures that have every layer."""
    tables = [e.cells[..., s] for s in range(len(e.scores))]
    complete = [table[~np.isnan(table).any(axis=1)] for table in tables]
    fewest = min(map(len, complete))
    if fewest < FEWEST:
        raise NotTestable(f"{fewest} architectures have every layer of a score, of {FEWEST} needed")
    return complete


def layer_over_architecture(e: Evidence) -> Numbers:
    """ω² of the layer − ω² of the architecture, by trained model, and where it is positive.

    p: one-sided t test over trained models.
    """
    difference = e.unit_means(_omega_difference(e))
    n = difference.shape[-1]
    mean, error = difference.mean(axis=-1), difference.std(axis=-1, ddof=1) / np.sqrt(n)
    p = np.maximum(stats.t.sf(mean / np.maximum(error, LEAST), n - 1), 0.5**n)
    return share_of(difference >= 0) | {"difference": mean, "p": p}


def _omega_difference(e: Evidence) -> Floats:
    """ω² of layer − ω² of architecture (…, scores)."""
    if not np.isnan(e.cells).any():
        architecture, layer = variance.two_way(np.moveaxis(e.cells, -1, -3)).omega2
        return np.asarray(layer - architecture)
    both = [variance.two_way(table).omega2 for table in complete_tables(e)]
    return np.array([layer - architecture for architecture, layer in both])


def scores_where_layer_matters(e: Evidence) -> Numbers:
    """Scores on which the layers differ beyond chance.

    Friedman's test of the layers, architectures as blocks, by Iman and Davenport's F, Holm over
    the scores.
    """
    return share_of(holm_rejects(_concordance(e)[1]))


def _concordance(e: Evidence) -> tuple[Floats, Floats]:
    """Kendall's W of the layers' order over architectures, and its p (…, scores)."""
    if np.isnan(e.cells).any():
        raise NotTestable("some networks have not every layer")
    n, k = len(e.architectures), len(LAYERS)
    ranks = stats.rankdata(e.cells, axis=-2)
    means = ranks.mean(axis=-3)
    total = ((ranks - (k + 1) / 2) ** 2).sum(axis=-2).mean(axis=-2)
    w = ((means - (k + 1) / 2) ** 2).sum(axis=-2) / np.where(total > 0, total, np.nan)
    w = np.nan_to_num(w)
    f = (n - 1) * w / np.maximum(1 - w, 1e-12)
    return w, stats.f.sf(f, k - 1, (k - 1) * (n - 1))


def holm_rejects(p: Floats) -> NDArray[np.bool_]:
    """Which tests along the last axis Holm's procedure rejects at 5 %.

    >>> holm_rejects(np.array([0.04, 0.01, 0.02])).tolist()
    [True, True, True]
    """
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, axis=-1) <= ALPHA / np.arange(p.shape[-1], 0, -1)
    kept = np.logical_and.accumulate(steps, axis=-1)
    return np.asarray(np.take_along_axis(kept, np.argsort(order, axis=-1), axis=-1))


def one_sided(values: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which columns of (…, n, columns) are above, and below, 0 on average: t tests, Holm.

    Two-sided at 5 %, so that one in forty columns without any effect is found on either side.
    """
    n = values.shape[-2]
    error = values.std(axis=-2, ddof=1) / np.sqrt(n)
    t = values.mean(axis=-2) / np.maximum(error, LEAST)
    p = np.maximum(2 * stats.t.sf(np.abs(t), n - 1), 2.0 ** (1 - n))  # all signs alike, by chance
    found = holm_rejects(p)
    return found & (t > 0), found & (t < 0)


def scores_with_agreement(e: Evidence) -> Numbers:
    """Scores on which networks agree on the order of the layers: W ≥ 0.5, Holm p < 5 %."""
    w, p = _concordance(e)
    return share_of((w >= 0.5) & holm_rejects(p))


def _counts(e: Evidence) -> Floats:
    """Architectures whose best layer it is (…, layers, scores)."""
    return np.asarray(e.best_shares.sum(axis=-3))


def scores_with_majority_layer(e: Evidence) -> Numbers:
    """Scores on which one layer is the best for more than half of the networks."""
    most = _counts(e).max(axis=-2)
    return share_of(most > len(e.architectures) / 2)


def scores_with_early_majority(e: Evidence) -> Numbers:
    """Super-resolution scores on which the earliest layer is best for most networks."""
    return share_of(_counts(e)[..., EARLY, :] > len(e.architectures) / 2)


def sets_with_early_mode(e: Evidence) -> Numbers:
    """Super-resolution test sets on all of whose scores the earliest layer is the mode."""
    counts = _counts(e)
    modal = counts[..., EARLY, :] >= counts.max(axis=-2) - 1e-9
    sets = np.array([e.dataset(score) for score in e.scores])
    return share_of(
        np.stack([modal[..., sets == s].all(axis=-1) for s in np.unique(sets)], axis=-1)
    )


def scores_better_earlier(e: Evidence) -> Numbers:
    """Share of the scores on which earlier layers beat later ones beyond chance."""
    later, earlier = one_sided(e.later_is_better)
    return share_of(earlier) | {"counter": later.sum(axis=-1)}


def share_best_at(e: Evidence, prefix: str, layers: str) -> Numbers:
    """Share of the networks whose best layer on a score is one of these, named with spaces."""
    column = e.columns(prefix=prefix)[0]
    positions = [LAYERS.index(layer) for layer in layers.split()]
    return share_of(e.best_shares[..., positions, column].sum(axis=-1))


def scores_better_later(e: Evidence) -> Numbers:
    """Scores on which later layers beat earlier ones beyond chance, or the reverse."""
    later, earlier = one_sided(e.later_is_better)
    return share_of(later) | {
        "open": np.sum(~later, axis=-1),
        "counter": earlier.sum(axis=-1),
    }


def svhn_earlier_than_stl10(e: Evidence) -> Numbers:
    """Networks whose best layer is earlier on SVHN than on STL-10, and a sign test."""
    svhn, stl10 = e.columns(prefix="svhn")[0], e.columns(prefix="stl10")[0]
    difference = e.best_positions[..., svhn] - e.best_positions[..., stl10]
    earlier, later = np.sum(difference < 0, axis=-1), np.sum(difference > 0, axis=-1)
    return {
        "excess": earlier - later,
        "p": stats.binom.sf(earlier - 1, np.maximum(earlier + later, 1), 0.5),
    }


def benchmarks_beating_last(e: Evidence) -> Numbers:
    """Benchmarks with a trained model on which the other layers beat the last beyond chance.

    How many of the other three beat it − are beaten, averaged over the model's scores; t tests
    over the architectures, Holm over the models.
    """
    last = e.cells[..., LATE : LATE + 1, :]
    wins = np.sign(e.cells[..., :LATE, :] - last).mean(axis=-2)
    ahead, _ = one_sided(e.unit_means(wins))
    of = np.array([e.benchmarks[unit[0]] for unit in e.units])
    by = np.stack([np.any(ahead[..., of == b], axis=-1) for b in BENCHMARKS], axis=-1)
    return {"benchmarks": by.sum(axis=-1)}


def majority_layers(e: Evidence) -> Numbers:
    """How many layers are the best for most networks on some score."""
    most = _counts(e) > len(e.architectures) / 2
    return {"layers": most.any(axis=-1).sum(axis=-1)}


def one_layer_for_delineation(e: Evidence) -> Numbers:
    """Share of the networks with one layer that is best on every delineation score."""
    at = e.is_best | np.isnan(e.cells)  # a cell that was left out excludes no layer
    return share_of(at.all(axis=-1).any(axis=-1))


def hits_of_the_others_layer(e: Evidence) -> Numbers:
    """How often the layer that is best for most other networks is best for the one left out."""
    others = _counts(e)[..., None, :, :] - e.best_shares
    modal = others >= others.max(axis=-2, keepdims=True) - 1e-9
    return {"share": _hits(modal, e.is_best).mean(axis=(-2, -1))}


def hits_of_the_vggs_layer(e: Evidence) -> Numbers:
    """How often the layer that is best for most plain VGGs is best for another network."""
    vggs = e.index(*PLAIN_VGGS)
    rest = [a for a in range(len(e.architectures)) if a not in vggs]
    votes = e.best_shares[..., vggs, :, :].sum(axis=-3, keepdims=True)
    modal = votes >= votes.max(axis=-2, keepdims=True) - 1e-9
    return {"share": _hits(modal, e.is_best[..., rest, :, :]).mean(axis=(-2, -1))}


def _hits(predicted: np.ndarray, best: np.ndarray) -> Floats:
    """Share of the predicted layers that are best (…, architectures, scores)."""
    return np.asarray((predicted & best).sum(axis=-2) / predicted.sum(axis=-2))


def delineation_better_later(e: Evidence) -> Numbers:
    """Mean over networks of how often the later layer wins, and a one-sided t test."""
    wins = e.later_is_better.mean(axis=-1)
    n = wins.shape[-1]
    error = wins.std(axis=-1, ddof=1) / np.sqrt(n)
    mean = wins.mean(axis=-1)
    return {
        "excess": mean,
        "p": np.maximum(stats.t.sf(mean / np.maximum(error, LEAST), n - 1), 0.5**n),
    }


def operations_saved(e: Evidence) -> Numbers:
    """Greatest ratio of operations up to the last ÷ up to the first extraction layer."""
    cost = e.layer_attribute("macs_to_layer")
    ratio = cost[:, LATE] / cost[:, EARLY]
    return {
        "greatest": float(ratio.max()),
        "detail": f"{e.architectures[int(ratio.argmax())]}; median {np.median(ratio):.0f}, "
        f"least {ratio.min():.0f} ({e.architectures[int(ratio.argmin())]})",
    }


def training_cost(e: Evidence) -> Numbers:
    """Operations of the trained model beside those of its loss network: not recorded."""
    raise NotTestable("the operations of the trained models are not part of the data")
