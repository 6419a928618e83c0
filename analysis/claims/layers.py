"""Claims about extraction layers (abstract, sections V-B, VI-A, VI-B and VII)."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import stats

from analysis import agreement, variance
from analysis.claims.architectures import DELINEATION, ONE_RUN, PLAIN_VGGS, SR
from analysis.claims.claim import Bound, Claim, Numbers, share_of
from analysis.claims.evidence import FEWEST, Evidence, NotTestable
from analysis.cube import Floats
from analysis.frames import BENCHMARKS, LAYERS
from analysis.swap import swap_statistic

TOPIC = "extraction layers"
EARLY, LATE = 0, 3
AUTOENCODING = BENCHMARKS[3]
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


def share_best_at(e: Evidence, prefix: str, layers: tuple[int, ...]) -> Numbers:
    """Share of the networks whose best layer on a score is one of these."""
    column = e.columns(prefix=prefix)[0]
    return share_of(e.best_shares[..., list(layers), column].sum(axis=-1))


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
    return t / np.sqrt(n - 2 + t**2)


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


CLAIMS = (
    Claim(
        id="swap_balances",
        section="V-B",
        topic=TOPIC,
        statement="On every score the worst architecture at its best layer does about as well as "
        "the best architecture at its worst layer.",
        labels={"share": "scores where the two differ by at most a tenth of all cells' range"},
        unit="share of the scores",
        measure=swaps_that_balance,
        supported=(Bound("share", "==", 1),),
        partly=(Bound("share", ">", 0.5),),
        why="The statement is about every score; more than half is a part.",
        evidence="layer_swap",
        caution="Under shuffled cells the difference is of this size as well: see its null.",
    ),
    Claim(
        id="layer_matters_as_much",
        section="Abstract, V-B, VI-A, VII",
        topic=TOPIC,
        statement="The choice of the extraction layer matters at least as much as the choice of "
        "the architecture.",
        labels={
            "share": "scores with ω² of the layer at least that of the architecture",
            "benchmarks": "benchmarks where that holds on average",
        },
        unit="share of the scores",
        measure=layer_over_architecture,
        supported=(Bound("share", ">=", 2 / 3), Bound("benchmarks", "==", 4)),
        partly=(Bound("share", ">=", 1 / 3),),
        why="At least as much, in general, is two thirds of the scores and no benchmark against; "
        "a third of the scores is a part.",
        evidence="layer_variance",
        caution=ONE_RUN + " Jackknife intervals of the difference stand in the layer study.",
    ),
    Claim(
        id="layer_matters_everywhere",
        section="V-B",
        topic=TOPIC,
        statement="Where features are extracted makes a large difference for all scores and "
        "architectures.",
        labels={
            "share": "share of networks × scores whose layers span at least the standard "
            "deviation between networks at their best layers"
        },
        unit="share of networks × scores",
        measure=cells_where_layer_matters,
        supported=(Bound("share", ">=", 0.9),),
        partly=(Bound("share", ">=", 0.5),),
        why="Large is as much as networks differ among each other; all is nine of ten.",
        evidence="layer_variance",
        caution="With one run per cell a part of any span is noise.",
    ),
    Claim(
        id="networks_agree_on_layers",
        section="V-B, VI-A",
        topic=TOPIC,
        statement="On most scores the order of the extraction layers is alike across "
        "architectures.",
        labels={"share": "scores with Kendall's W of at least 0.5 and Holm p < 0.05"},
        unit="share of the scores",
        measure=scores_with_agreement,
        supported=(Bound("share", ">", 0.5),),
        partly=(Bound("share", ">=", 0.25),),
        why="Most is more than half, a quarter is a part; W of 0.5 is midway between no and full "
        "agreement.",
        evidence="layer_agreement",
        cells=False,
    ),
    Claim(
        id="networks_share_best_layer",
        section="V-B",
        topic=TOPIC,
        statement="On most scores the best extraction layer is alike across architectures.",
        labels={"share": "scores with one layer that is best for more than half of the networks"},
        unit="share of the scores",
        measure=scores_with_majority_layer,
        supported=(Bound("share", ">", 0.5),),
        partly=(Bound("share", ">=", 0.25),),
        why="Most is more than half, a quarter is a part.",
        evidence="layer_modes",
        caution=ONE_RUN,
    ),
    Claim(
        id="super_resolution_earliest",
        section="V-B",
        topic=TOPIC,
        statement="On every super-resolution score the earliest layer is the best for a majority "
        "of the architectures.",
        labels={"share": "scores where it is the best for more than half"},
        unit="share of the scores",
        measure=scores_with_early_majority,
        supported=(Bound("share", "==", 1),),
        partly=(Bound("share", ">=", 0.5),),
        why="The statement is about every score; half is a part.",
        evidence="layer_modes",
        caution=ONE_RUN,
        benchmarks=(SR,),
    ),
    Claim(
        id="super_resolution_sets",
        section="V-B",
        topic=TOPIC,
        statement="The best layer is the earliest on all three test sets of super-resolution.",
        labels={"share": "test sets on all of whose scores it is the most frequent best layer"},
        unit="share of the test sets",
        measure=sets_with_early_mode,
        supported=(Bound("share", "==", 1),),
        partly=(Bound("share", ">", 0),),
        why="Most frequent among architectures, for both metrics and both scales.",
        evidence="layer_modes",
        caution=ONE_RUN,
        benchmarks=(SR,),
    ),
    Claim(
        id="super_resolution_improves_earlier",
        section="VI-A",
        topic=TOPIC,
        statement="Most super-resolution scores are better at earlier layers.",
        labels={"share": "share of the scores where earlier layers win more often than later"},
        unit="share of the scores",
        measure=scores_better_earlier,
        supported=(Bound("share", ">=", 0.75),),
        partly=(Bound("share", ">=", 0.5),),
        why="Most is three quarters; half is a part. All six pairs of layers count.",
        evidence="layer_agreement",
        caution=ONE_RUN,
        benchmarks=(SR,),
    ),
    Claim(
        id="stl10_latest",
        section="V-B",
        topic=TOPIC,
        statement="For a majority of architectures the last layer gives the best accuracy on "
        "STL-10.",
        labels={"share": "share of the architectures"},
        unit="share",
        measure=partial(share_best_at, prefix="stl10", layers=(LATE,)),
        supported=(Bound("share", ">", 0.5),),
        partly=(Bound("share", ">", 0.25),),
        why="A majority is more than half; more than its equal share of a quarter is a part.",
        evidence="layer_modes",
        caution=ONE_RUN,
        benchmarks=(AUTOENCODING,),
    ),
    Claim(
        id="svhn_middle",
        section="V-B",
        topic=TOPIC,
        statement="For most architectures the middle layer gives the best accuracy on SVHN.",
        labels={"share": "share of the architectures"},
        unit="share",
        measure=partial(share_best_at, prefix="svhn", layers=(2,)),
        supported=(Bound("share", ">", 0.5),),
        partly=(Bound("share", ">", 0.25),),
        why="Most is more than half; more than its equal share of a quarter is a part.",
        evidence="layer_modes",
        caution=ONE_RUN,
        benchmarks=(AUTOENCODING,),
    ),
    Claim(
        id="autoencoding_later",
        section="V-B",
        topic=TOPIC,
        statement="Later layers are better for training autoencoders.",
        labels={"share": "scores where later layers win more often than earlier ones"},
        unit="share of the scores",
        measure=scores_better_later,
        supported=(Bound("share", "==", 1),),
        partly=(Bound("share", ">=", 0.5),),
        why="All six pairs of layers count, averaged over architectures; one score is a part.",
        evidence="layer_agreement",
        caution=ONE_RUN,
        benchmarks=(AUTOENCODING,),
    ),
    Claim(
        id="svhn_earlier_than_stl10",
        section="V-B, VI-A",
        topic=TOPIC,
        statement="The best layers on SVHN are earlier than those on STL-10.",
        labels={
            "excess": "architectures for which that holds − for which the reverse does",
            "p": "one-sided sign test",
        },
        unit="architectures",
        measure=svhn_earlier_than_stl10,
        supported=(Bound("excess", ">", 0), Bound("p", "<", ALPHA)),
        partly=(Bound("excess", ">", 0),),
        why="More architectures than chance gives at 5 %.",
        evidence="best_layers",
        caution="Two data sets: that pretraining data are the reason cannot be tested.",
        benchmarks=(AUTOENCODING,),
    ),
    Claim(
        id="stl10_later_half",
        section="VI-A",
        topic=TOPIC,
        statement="The later extraction layers in general do well on STL-10.",
        labels={"share": "share of architectures whose best layer is the middle or the last"},
        unit="share",
        measure=partial(share_best_at, prefix="stl10", layers=(2, LATE)),
        supported=(Bound("share", ">=", 0.75),),
        partly=(Bound("share", ">", 0.5),),
        why="In general is three quarters; more than the equal share of a half is a part.",
        evidence="layer_shares",
        caution=ONE_RUN,
        benchmarks=(AUTOENCODING,),
    ),
    Claim(
        id="last_layer_no_rule",
        section="V-B, VI-B, VII",
        topic=TOPIC,
        statement="The best layer is spread so widely that using the last one is no good rule.",
        labels={"share": "share of architectures × scores with the last layer as the best"},
        unit="share, benchmarks weighted equally",
        measure=share_late_best,
        supported=(Bound("share", "<", 0.5),),
        partly=(Bound("share", "<", 2 / 3),),
        why="A rule that fails more often than not is none; in two of three it would be one.",
        evidence="layer_shares",
        caution=ONE_RUN,
    ),
    Claim(
        id="later_not_better",
        section="Abstract, VI-B",
        topic=TOPIC,
        statement="Later layers are not necessarily better for extraction.",
        labels={"share": "share of architectures × scores with the last layer above the first"},
        unit="share, benchmarks weighted equally",
        measure=share_late_over_early,
        supported=(Bound("share", "<=", 0.6),),
        partly=(Bound("share", "<=", 0.8),),
        why="Above 0.8 later would mostly be better; up to 0.6 it is hardly more than a toss-up.",
        evidence="layer_agreement",
        caution=ONE_RUN,
    ),
    Claim(
        id="layer_depends_on_task",
        section="V-B, VI-B",
        topic=TOPIC,
        statement="Which layer is best depends on the task and the data set.",
        labels={"layers": "layers that are best for most architectures on some score"},
        unit="of 4 layers",
        measure=majority_layers,
        supported=(Bound("layers", ">=", 3),),
        partly=(Bound("layers", "==", 2),),
        why="If it did not depend on the task, one layer would have all the majorities.",
        evidence="layer_modes",
        caution=ONE_RUN,
    ),
    Claim(
        id="delineation_one_layer",
        section="V-B",
        topic=TOPIC,
        statement="Each architecture has one layer that is best on all delineation scores "
        "(Table IV has one column for them).",
        labels={"share": "share of architectures with such a layer"},
        unit="share",
        measure=one_layer_for_delineation,
        supported=(Bound("share", "==", 1),),
        partly=(Bound("share", ">=", 0.75),),
        why="One column holds for all architectures or it does not.",
        evidence="best_layers",
        benchmarks=(DELINEATION,),
    ),
    Claim(
        id="layer_carries_over",
        section="VI-A",
        topic=TOPIC,
        statement="A layer that is good for one architecture on a task is likely good for others "
        "at a like depth.",
        labels={"share": "how often the others' most frequent best layer is the best"},
        unit="share (0.25 by chance)",
        measure=hits_of_the_others_layer,
        supported=(Bound("share", ">=", 0.5),),
        partly=(Bound("share", ">=", 0.35),),
        why="Likely is half the time; chance is a quarter, and 0.35 is clearly above it.",
        evidence="layer_agreement",
        caution=ONE_RUN,
    ),
    Claim(
        id="vggs_show_the_layer",
        section="VI-A",
        topic=TOPIC,
        statement="To choose a layer for other architectures, it serves to try the layers on VGG "
        "networks.",
        labels={"share": "how often the plain VGGs' most frequent best layer is another's best"},
        unit="share (0.25 by chance)",
        measure=hits_of_the_vggs_layer,
        supported=(Bound("share", ">=", 0.5),),
        partly=(Bound("share", ">=", 0.35),),
        why="To serve is to be right half the time; chance is a quarter.",
        evidence="best_layers",
        caution=ONE_RUN,
        architectures=PLAIN_VGGS,
    ),
    Claim(
        id="depth_differs_between_benchmarks",
        section="VI-A",
        topic=TOPIC,
        statement="An architecture's best depth on one benchmark says nothing about its best depth "
        "on another.",
        labels={
            "mean_rho": "mean Spearman correlation of best layers' positions between benchmarks",
            "significant": "of six pairs, those significantly positive (5 % ÷ 6)",
        },
        unit="correlation",
        measure=depth_between_benchmarks,
        supported=(Bound("significant", "==", 0), Bound("mean_rho", "<", 0.3)),
        partly=(Bound("significant", "==", 0),),
        why="No pair stands out and the mean is weak (below 0.3).",
        evidence="best_layers",
        caution="With 14 architectures a single pair shows only from about 0.7 on.",
    ),
    Claim(
        id="depth_differs_between_sets",
        section="VI-A",
        topic=TOPIC,
        statement="Nor does it between tasks of one benchmark that differ much (SVHN, STL-10).",
        labels={
            "rho": "Spearman correlation of best layers' positions",
            "share": "|correlation| ÷ the one significant at 5 %",
        },
        unit="correlation",
        measure=depth_between_sets,
        supported=(Bound("share", "<", 1), Bound("rho", "<", 0.3), Bound("rho", ">", -0.3)),
        partly=(Bound("share", "<", 1),),
        why="Weak is below 0.3; what is not significant may still be there.",
        evidence="best_layers",
        caution="With 14 architectures it shows only from about 0.53 on.",
        benchmarks=(AUTOENCODING,),
    ),
    Claim(
        id="delineation_later",
        section="VI-A",
        topic=TOPIC,
        statement="Where the structures sought are not in the input, as in segmentation, later "
        "layers are better.",
        labels={
            "excess": "pairs of layers the later wins − loses on delineation, as a share",
            "p": "one-sided t test over architectures",
        },
        unit="share, −1 to 1",
        measure=delineation_better_later,
        supported=(Bound("excess", ">", 0), Bound("p", "<", ALPHA)),
        partly=(Bound("excess", ">", 0),),
        why="Later wins more pairs than it loses, beyond what differs between architectures.",
        evidence="layer_agreement",
        caution=ONE_RUN,
        benchmarks=(DELINEATION,),
    ),
    Claim(
        id="earlier_saves_orders",
        section="V-B",
        topic=TOPIC,
        statement="An earlier layer can cut the loss network's computation by orders of magnitude.",
        labels={"median": "median over architectures of operations up to the last ÷ first layer"},
        unit="ratio",
        measure=operations_saved,
        supported=(Bound("median", ">=", 100),),
        partly=(Bound("median", ">=", 10),),
        why="Orders, in the plural, are two; one is a part.",
        evidence="pareto_fronts",
        cells=False,
        benchmarks=(),
    ),
    Claim(
        id="loss_network_costs_training",
        section="V-B",
        topic=TOPIC,
        statement="For small models the loss network can raise training's computation by an order "
        "of magnitude.",
        labels={"ratio": "operations with the loss network ÷ without"},
        unit="ratio",
        measure=training_cost,
        supported=(Bound("ratio", ">=", 10),),
        partly=(Bound("ratio", ">=", 3),),
        why="An order of magnitude is ten.",
        evidence="pareto_fronts",
        cells=False,
        benchmarks=(),
    ),
)
