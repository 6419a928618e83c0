"""The numbers that claims about architectures are decided by."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import stats

from lossnets.analysis.attributes.groups import Splits
from lossnets.analysis.claims.claim import Numbers
from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.frames.frames import BENCHMARKS, SEED
from lossnets.analysis.statistics.permutations import PERMUTATIONS, permutation_p, permutations

PLAIN_VGGS = ("vgg11", "vgg16", "vgg19")
TEMPLATES = (
    PLAIN_VGGS,
    ("resnet18", "resnet50", "resnext50_32x4d"),
    ("efficientnet_b0", "efficientnet_b7"),
)
TEMPLATED = tuple(name for template in TEMPLATES for name in template)
SQUEEZENET = "squeezenet1_1"


def plain_vggs_in_top_three(e: Evidence) -> Numbers:
    """Benchmarks where at least two of the plain VGGs place third or better."""
    vggs = e.index(*PLAIN_VGGS)
    in_top = [np.sum(e.places(b)[..., vggs] <= 3, axis=-1) >= 2 for b in BENCHMARKS]
    return {"benchmarks": np.sum(in_top, axis=0)}


def vgg16_bn_in_bottom_four(e: Evidence) -> Numbers:
    """Of the three training benchmarks, those where vgg16_bn is among the last four."""
    (a,) = e.index("vgg16_bn")
    worse = [
        np.sum(e.mean_ranks(b) > e.mean_ranks(b)[..., [a]] + 1e-9, axis=-1) for b in BENCHMARKS[1:]
    ]
    return {"benchmarks": np.sum(np.array(worse) < 4, axis=0)}


def relative_mean_rank(e: Evidence, architecture: str, benchmark: str) -> Numbers:
    """Mean rank from 0 (best possible) to 1 (worst)."""
    (a,) = e.index(architecture)
    return {"level": (e.mean_ranks(benchmark)[..., a] - 1) / (len(e.architectures) - 1)}


def place(e: Evidence, architecture: str, benchmark: str) -> Numbers:
    """Place of one architecture by mean rank."""
    (a,) = e.index(architecture)
    return {"place": e.places(benchmark)[..., a]}


def overall_place(e: Evidence, architecture: str) -> Numbers:
    """Overall mean rank and place of one architecture."""
    (a,) = e.index(architecture)
    return {"mean_rank": e.mean_ranks("overall")[..., a], "place": e.places("overall")[..., a]}


def others_without_batch_norm(e: Evidence) -> Numbers:
    """Architectures outside the VGG family, AlexNet apart, that have no batch norm."""
    has = e.attribute("batch_norm")
    others = [
        name
        for name, value in zip(e.architectures, has, strict=True)
        if value == 0 and e.family(name) != "VGG" and name != "alexnet"
    ]
    return {"others": len(others), "detail": f"without: {', '.join(others) or 'none'}"}


def rivals_as_cheap(e: Evidence) -> Numbers:
    """Benchmarks where nothing of at most twice SqueezeNet's cost places better."""
    cost = e.attribute("operations")
    (a,) = e.index(SQUEEZENET)
    rivals = np.flatnonzero(cost <= 2 * cost[a])
    unbeaten = [
        np.all(e.mean_ranks(b)[..., rivals] >= e.mean_ranks(b)[..., [a]] - 1e-9, axis=-1)
        for b in BENCHMARKS
    ]
    names = ", ".join(e.architectures[i] for i in rivals if i != a)
    return {
        "benchmarks": np.sum(unbeaten, axis=0),
        "detail": f"as cheap: {names or 'none'}",
    }


def template_distances(e: Evidence) -> Numbers:
    """Distance of mean-rank profiles within templates ÷ between, and its permutation p."""
    profiles = np.stack([e.mean_ranks(b) for b in BENCHMARKS], axis=-1)
    distance = np.abs(profiles[:, None] - profiles[None]).mean(axis=-1)
    pairs = np.array([pair for template in TEMPLATES for pair in combinations(template, 2)])
    within = np.array([e.index(*pair) for pair in pairs])
    n = len(e.architectures)
    total, number = distance.sum() / 2, n * (n - 1) / 2
    if total == 0:
        raise NotTestable("all architectures have the same mean ranks")

    def ratio(inside: np.ndarray) -> np.ndarray:
        left = (total - inside) / (number - len(pairs))
        return np.asarray(inside / len(pairs) / np.where(left > 0, left, np.nan))

    orders = permutations(np.random.default_rng(SEED), PERMUTATIONS, n)
    null = distance[orders[:, within[:, 0]], orders[:, within[:, 1]]].sum(axis=1)
    observed = distance[within[:, 0], within[:, 1]].sum()
    return {"ratio": ratio(observed), "p": permutation_p(-observed, -null)}


def decided_within_templates(e: Evidence) -> Numbers:
    """Pairs of one template in which a sign test over the scores prefers one, Bonferroni."""
    pairs = [e.index(*pair) for template in TEMPLATES for pair in combinations(template, 2)]
    first, second = np.array(pairs).T
    difference = e.best[..., first, :] - e.best[..., second, :]
    wins, losses = np.sum(difference > 0, axis=-1), np.sum(difference < 0, axis=-1)
    p = 2 * stats.binom.sf(np.maximum(wins, losses) - 1, wins + losses, 0.5)
    return {"pairs": np.sum(p < 0.05 / len(pairs), axis=-1)}


def plain_vggs_in_upper_half(e: Evidence) -> Numbers:
    """Mean ranks of the plain VGGs in the upper half, of three networks × four benchmarks."""
    vggs = e.index(*PLAIN_VGGS)
    middle = (len(e.architectures) + 1) / 2
    upper = [np.sum(e.mean_ranks(b)[..., vggs] <= middle, axis=-1) for b in BENCHMARKS]
    return {"cells": np.sum(upper, axis=0)}


def best_on_average(e: Evidence, architecture: str) -> Numbers:
    """Overall place, and how often it stays first when a benchmark is left out."""
    (a,) = e.index(architecture)
    means = np.stack([e.mean_ranks(b) for b in BENCHMARKS])
    without = [np.delete(means, b, axis=0).mean(axis=0) for b in range(len(means))]
    first = [m[..., a] <= m.min(axis=-1) + 1e-9 for m in without]
    return {"place": e.places("overall")[..., a], "stays": np.sum(first, axis=0)}


def outperform_other_vggs(e: Evidence) -> Numbers:
    """Of VGG-16 and VGG-19, those that beat the other plain VGGs on some benchmark."""
    means = np.stack([e.mean_ranks(b)[..., e.index(*PLAIN_VGGS)] for b in BENCHMARKS])
    leads = [
        np.any(means[..., i] < np.delete(means, i, axis=-1).min(axis=-1) - 1e-9, axis=0)
        for i in (1, 2)
    ]
    return {"networks": np.sum(leads, axis=0)}


def plain_vggs_overall(e: Evidence) -> Numbers:
    """Plain VGGs among the three best overall."""
    return {"vggs": np.sum(e.places("overall")[..., e.index(*PLAIN_VGGS)] <= 3, axis=-1)}


def good_for_most(e: Evidence) -> Numbers:
    """Of the plain VGGs and SqueezeNet, those in the upper half on three benchmarks or more."""
    chosen = e.index(*PLAIN_VGGS, SQUEEZENET)
    middle = (len(e.architectures) + 1) / 2
    upper = np.sum([e.mean_ranks(b)[..., chosen] <= middle for b in BENCHMARKS], axis=0)
    return {"networks": np.sum(upper >= 3, axis=-1)}


def wins_without_batch_norm(e: Evidence) -> Numbers:
    """Share of the scores on which VGG-16 beats itself with batch norm."""
    plain, normalised = e.index("vgg16", "vgg16_bn")
    better = np.sign(e.best[..., plain, :] - e.best[..., normalised, :])
    return {"share": np.mean((better + 1) / 2, axis=-1)}


def batch_norm_beyond_vggs(e: Evidence) -> Numbers:
    """Permutation p of overall mean ranks with and without batch norm, VGGs apart."""
    others = np.array([e.family(name) != "VGG" for name in e.architectures])
    without = (e.attribute("batch_norm") == 0)[others]
    ranks = e.mean_ranks("overall")[..., others]
    if not 0 < without.sum() < len(without):
        raise NotTestable("all architectures but the VGGs are alike in batch norm")
    splits, _ = Splits(len(without), np.random.default_rng(SEED)).of(
        np.arange(len(without)), without
    )
    far = np.abs(ranks @ splits.T / without.sum() - ranks.mean(axis=-1, keepdims=True))
    return {"p": np.mean(far >= far[..., :1] - 1e-9, axis=-1)}  # the first split is as observed
