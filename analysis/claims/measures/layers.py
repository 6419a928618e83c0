"""The numbers that claims about extraction layers are decided by."""

from __future__ import annotations

import numpy as np
from scipy import stats

from lossnets.analysis.claims.claim import Numbers, share_of
from lossnets.analysis.claims.evidence import FEWEST, Evidence, NotTestable
from lossnets.analysis.claims.measures.architectures import PLAIN_VGGS
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS, LAYERS
from lossnets.analysis.layers import agreement, variance
from lossnets.analysis.layers.swap import swap_statistic

EARLY, LATE = 0, 3
ALPHA = 0.05


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
    """Scores, and benchmarks on average, where ω² of the layer is at least the architecture's."""
    difference = _omega_difference(e)
    of = np.array(e.benchmarks)
    means = np.stack([difference[..., of == b].mean(axis=-1) for b in BENCHMARKS], axis=-1)
    return share_of(difference >= 0) | {"benchmarks": np.sum(means >= 0, axis=-1)}


def _omega_difference(e: Evidence) -> Floats:
    """ω² of layer − ω² of architecture (…, scores)."""
    if not np.isnan(e.cells).any():
        architecture, layer = variance.two_way(np.moveaxis(e.cells, -1, -3)).omega2
        return np.asarray(layer - architecture)
    both = [variance.two_way(table).omega2 for table in complete_tables(e)]
    return np.array([layer - architecture for architecture, layer in both])


def cells_where_layer_matters(e: Evidence) -> Numbers:
    """Networks × scores whose layers spread as wide as networks do at their best layers."""
    spread = np.nanmax(e.cells, axis=-2) - np.nanmin(e.cells, axis=-2)
    between = np.nanstd(e.best, axis=-2, ddof=1)
    return {"share": np.mean(spread >= between[..., None, :], axis=(-2, -1))}


def scores_with_agreement(e: Evidence) -> Numbers:
    """Scores on which networks agree on the order of the layers: W ≥ 0.5, Holm p < 5 %."""
    table = e.study(agreement.STUDIES, "layer_agreement")
    table = table[table["score"].isin(e.scores)]
    agree = (table["kendall_w"] >= 0.5) & (table["p_holm"] < ALPHA)
    if not table["kendall_w"].notna().any():
        raise NotTestable("no score has networks with every layer")
    return share_of(agree.to_numpy()) | {"detail": f"median W {table['kendall_w'].median():.2f}"}


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
    """Share of the scores on which earlier layers win more often than later ones."""
    return share_of(e.later_is_better.mean(axis=-2) < 0)


def share_best_at(e: Evidence, prefix: str, layers: str) -> Numbers:
    """Share of the networks whose best layer on a score is one of these, named with spaces."""
    column = e.columns(prefix=prefix)[0]
    positions = [LAYERS.index(layer) for layer in layers.split()]
    return share_of(e.best_shares[..., positions, column].sum(axis=-1))


def scores_better_later(e: Evidence) -> Numbers:
    """Scores on which later layers win more often than earlier ones, on average of networks."""
    return share_of(e.later_is_better.mean(axis=-2) > 0)


def svhn_earlier_than_stl10(e: Evidence) -> Numbers:
    """Networks whose best layer is earlier on SVHN than on STL-10, and a sign test."""
    svhn, stl10 = e.columns(prefix="svhn")[0], e.columns(prefix="stl10")[0]
    difference = e.best_positions[..., svhn] - e.best_positions[..., stl10]
    earlier, later = np.sum(difference < 0, axis=-1), np.sum(difference > 0, axis=-1)
    return {
        "excess": earlier - later,
        "p": stats.binom.sf(earlier - 1, np.maximum(earlier + later, 1), 0.5),
    }


def share_late_best(e: Evidence) -> Numbers:
    """Share of networks × scores, benchmarks weighted equally, where the last layer is best."""
    share = e.best_shares[..., LATE, :].mean(axis=-2)
    of = np.array(e.benchmarks)
    return {"share": np.mean([share[..., of == b].mean(axis=-1) for b in BENCHMARKS], axis=0)}


def share_late_over_early(e: Evidence) -> Numbers:
    """Share of networks, benchmarks weighted equally, with the last layer above the first."""
    wins = (np.sign(e.cells[..., LATE, :] - e.cells[..., EARLY, :]) + 1) / 2
    there = np.sum(~np.isnan(wins), axis=-2)
    share = np.where(there > 0, np.nansum(wins, axis=-2) / np.maximum(there, 1), np.nan)
    of = np.array(e.benchmarks)
    return {"share": np.mean([share[..., of == b].mean(axis=-1) for b in BENCHMARKS], axis=0)}


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


def critical_rho(n: int, comparisons: int) -> float:
    """|Spearman's ρ| that is significant at two-sided 5 % ÷ comparisons, by Student's t.

    >>> round(critical_rho(14, 1), 3)
    0.532
    """
    t = float(stats.t.isf(ALPHA / 2 / comparisons, n - 2))
    return float(t / np.sqrt(n - 2 + t**2))


def rank_correlations(values: Floats) -> Floats:
    """Spearman's ρ of every two columns of (…, architectures, columns): (…, pairs).

    A column that is constant correlates 0 with the others.
    """
    ranks = stats.rankdata(values, axis=-2)
    centred = ranks - ranks.mean(axis=-2, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=-2))
    product = np.swapaxes(centred, -1, -2) @ centred
    scale = length[..., :, None] * length[..., None, :]
    rho = np.where(scale > 0, product / np.where(scale > 0, scale, 1), 0.0)
    first, second = np.triu_indices(values.shape[-1], 1)
    return np.asarray(rho[..., first, second])


def depth_between_benchmarks(e: Evidence) -> Numbers:
    """Correlation between benchmarks of the position of the networks' best layers."""
    of = np.array(e.benchmarks)
    positions = [e.best_positions[..., of == b].mean(axis=-1) for b in BENCHMARKS]
    rho = rank_correlations(np.round(np.stack(positions, axis=-1), 9))
    critical = critical_rho(len(e.architectures), rho.shape[-1])
    return {"mean_rho": rho.mean(axis=-1), "significant": np.sum(rho > critical, axis=-1)}


def depth_between_sets(e: Evidence) -> Numbers:
    """Correlation of the position of the networks' best layers on SVHN and STL-10."""
    columns = [e.columns(prefix=name)[0] for name in ("svhn", "stl10")]
    rho = rank_correlations(e.best_positions[..., columns])[..., 0]
    return {"rho": rho, "share": np.abs(rho) / critical_rho(len(e.architectures), 1)}


def delineation_better_later(e: Evidence) -> Numbers:
    """Mean over networks of how often the later layer wins, and a one-sided t test."""
    wins = e.later_is_better.mean(axis=-1)
    n = wins.shape[-1]
    error = wins.std(axis=-1, ddof=1) / np.sqrt(n)
    mean = wins.mean(axis=-1)
    t = mean / np.where(error > 0, error, np.nan)
    return {"excess": mean, "p": stats.t.sf(t, n - 1)}


def operations_saved(e: Evidence) -> Numbers:
    """Median over networks of operations up to the last ÷ up to the first extraction layer."""
    table = e.frames.loss_networks
    if "macs_to_layer" not in table:
        raise NotTestable("the attribute macs_to_layer is not there")
    cost = table[table["architecture"].isin(e.architectures)].pivot_table(
        index="architecture", columns="layer", values="macs_to_layer"
    )
    if not {LAYERS[EARLY], LAYERS[LATE]} <= set(cost) or cost.isna().to_numpy().any():
        raise NotTestable("the attribute macs_to_layer is not known at every layer")
    ratio = cost[LAYERS[LATE]] / cost[LAYERS[EARLY]]
    return {
        "median": float(ratio.median()),
        "detail": f"from {ratio.min():.0f} ({ratio.idxmin()}) to {ratio.max():.0f} "
        f"({ratio.idxmax()})",
    }


def training_cost(e: Evidence) -> Numbers:
    """Operations of the trained model beside those of its loss network: not recorded."""
    raise NotTestable("the operations of the trained models are not part of the data")
