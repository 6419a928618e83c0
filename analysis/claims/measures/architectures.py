"""The numbers that claims about architectures are decided by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.claims.measures.correlations import IN_DRAWS, correlations, ranked
from lossnets.analysis.claims.rules import Numbers
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS, SEED
from lossnets.analysis.statistics.permutations import PERMUTATIONS, permutations

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
    """Distance of mean-rank profiles within templates ÷ between, its p, and that without VGGs."""
    profiles = np.stack([e.mean_ranks(b) for b in BENCHMARKS], axis=-1)
    distance = np.abs(profiles[..., :, None, :] - profiles[..., None, :, :]).mean(axis=-1)
    if not distance.any():
        raise NotTestable("all architectures have the same mean ranks")
    ratio, p = _nearness(distance, [e.index(*pair) for pair in _pairs(TEMPLATES)])
    others = [a for a, name in enumerate(e.architectures) if name not in PLAIN_VGGS]
    left = [[others.index(a) for a in e.index(*pair)] for pair in _pairs(TEMPLATES[1:])]
    _, p_without = _nearness(distance[..., others, :][..., others], left)
    return {"ratio": ratio, "p": p, "p_without": p_without}


def _pairs(templates: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    return [pair for template in templates for pair in combinations(template, 2)]


def _nearness(distance: Floats, pairs: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    """Mean distance of some pairs ÷ of the others (…), and how often as small by permutation."""
    first, second = np.array(pairs).T
    n = distance.shape[-1]
    count = PERMUTATIONS if distance.ndim == 2 else IN_DRAWS
    orders = permutations(np.random.default_rng(SEED), count, n)
    null = distance[..., orders[:, first], orders[:, second]].sum(axis=-1)
    inside = distance[..., first, second].sum(axis=-1)
    between = (distance.sum(axis=(-2, -1)) / 2 - inside) / (n * (n - 1) / 2 - len(first))
    p = (1 + np.sum(null <= inside[..., None] + 1e-9, axis=-1)) / (count + 1)
    return inside / len(first) / np.where(between > 0, between, np.nan), p


def decided_within_templates(e: Evidence) -> Numbers:
    """Pairs of one template that differ, by paired t tests over trained models; what is left open.

    limit: the greatest difference, in sd between architectures, that a one-sided 95 % limit of
    any pair allows.
    """
    pairs = _pairs(TEMPLATES)
    tests = [
        _paired(e.standing[..., a, :] - e.standing[..., b, :])
        for a, b in (e.index(*pair) for pair in pairs)
    ]
    mean, error, freedom = (np.stack(part, axis=-1) for part in zip(*tests, strict=True))
    p = 2 * stats.t.sf(np.abs(mean) / error, freedom)
    limit = np.abs(mean) + stats.t.ppf(0.95, freedom) * error
    return {
        "significant": np.sum(p < 0.05 / len(pairs), axis=-1),
        "limit": limit.max(axis=-1),
    }


def _paired(differences: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean over the last axis, its standard error and degrees of freedom."""
    n = differences.shape[-1]
    mean = differences.mean(axis=-1)
    error = differences.std(axis=-1, ddof=1) / np.sqrt(n)
    return mean, np.where(error > 0, error, np.nan), np.full(mean.shape, n - 1.0)


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


def worse_with_batch_norm(e: Evidence) -> Numbers:
    """How much better VGG-16 is without batch norm, and a one-sided t test over trained models."""
    plain, normalised = e.index("vgg16", "vgg16_bn")
    mean, error, freedom = _paired(e.standing[..., plain, :] - e.standing[..., normalised, :])
    return {"difference": mean, "p": stats.t.sf(mean / error, freedom)}


def batch_norm_beyond_vggs(e: Evidence) -> Numbers:
    """Overall mean ranks with and without batch norm, VGGs apart: what chance gives and allows."""
    others = np.array([e.family(name) != "VGG" for name in e.architectures])
    without = e.attribute("batch_norm")[others] == 0
    if not 0 < without.sum() < len(without):
        raise NotTestable("all architectures but the VGGs are alike in batch norm")
    ranks = np.round(e.mean_ranks("overall")[..., others, None], 9)
    found = correlations(without[:, None].astype(float), ranked(ranks))
    return {"limit": found.limit(), "significant": found.beyond().sum(axis=(-2, -1))}


def beaten_by_other_networks(e: Evidence) -> Numbers:
    """Share of all loss networks that beat the best layer of a plain VGG, by trained model."""
    vggs = e.index(*PLAIN_VGGS)
    flat = e.cells.reshape(*e.cells.shape[:-3], -1, len(e.scores))
    better = flat[..., None, :, :] > e.best[..., vggs, None, :]
    return {"share": e.unit_means(better.mean(axis=-2)).mean(axis=(-2, -1))}


def different_leaders(e: Evidence) -> Numbers:
    """How many architectures place first on some benchmark."""
    first = [e.places(b) == 1 for b in BENCHMARKS]
    return {"leaders": np.any(first, axis=0).sum(axis=-1)}
