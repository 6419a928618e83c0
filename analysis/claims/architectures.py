"""Claims about architectures (sections V-A, VI-A, VI-D and VII)."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
from scipy import stats

from analysis.claims.claim import Bound, Claim, Numbers
from analysis.claims.evidence import Evidence, NotTestable
from analysis.frames import BENCHMARKS, SEED
from analysis.permutations import PERMUTATIONS, permutation_p, permutations

TOPIC = "architectures"
PLAIN_VGGS = ("vgg11", "vgg16", "vgg19")
TEMPLATES = (
    PLAIN_VGGS,
    ("resnet18", "resnet50", "resnext50_32x4d"),
    ("efficientnet_b0", "efficientnet_b7"),
)
TEMPLATED = tuple(name for template in TEMPLATES for name in template)
SQUEEZENET = "squeezenet1_1"
PS, SR, DELINEATION, AUTOENCODING = BENCHMARKS


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
    vgg = dict(
        zip(e.frames.architectures["architecture"], e.frames.architectures["family"], strict=True)
    )
    found = [
        name
        for name, value in zip(e.architectures, has, strict=True)
        if value == 0 and vgg.get(name) != "VGG" and name != "alexnet"
    ]
    return {"others": len(found), "detail": f"without: {', '.join(found) or 'none'}"}


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
    """Exact permutation p of overall mean ranks with and without batch norm, VGGs apart."""
    family = dict(
        zip(e.frames.architectures["architecture"], e.frames.architectures["family"], strict=True)
    )
    others = np.array([family.get(name) != "VGG" for name in e.architectures])
    without = (e.attribute("batch_norm") == 0)[others]
    ranks = e.mean_ranks("overall")[..., others]
    if not 0 < without.sum() < len(without):
        raise NotTestable("all architectures but the VGGs are alike in batch norm")
    choices = np.array(list(combinations(range(len(without)), int(without.sum()))))
    means = ranks[..., choices].mean(axis=-1)
    far = np.abs(means - ranks.mean(axis=-1, keepdims=True))
    own = np.abs(ranks[..., without].mean(axis=-1) - ranks.mean(axis=-1))
    return {"p": np.mean(far >= own[..., None] - 1e-9, axis=-1)}


ONE_RUN = "One run per cell and, in some benchmarks, only two scores: places are uncertain."

CLAIMS = (
    Claim(
        id="plain_vggs_in_top_three",
        section="V-A",
        topic=TOPIC,
        statement="On each of the four benchmarks at least two of the VGG networks without batch "
        "norm have one of the three best mean ranks.",
        labels={"benchmarks": "benchmarks where it holds"},
        unit="of 4 benchmarks",
        measure=plain_vggs_in_top_three,
        supported=(Bound("benchmarks", "==", 4),),
        partly=(Bound("benchmarks", ">=", 2),),
        why="The statement is about all benchmarks; half of them is a part.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=PLAIN_VGGS,
        printed_ranks=True,
    ),
    Claim(
        id="vgg16_bn_in_bottom_four",
        section="V-A",
        topic=TOPIC,
        statement="VGG-16 with batch norm is among the last four on every benchmark but "
        "perceptual similarity.",
        labels={"benchmarks": "of the other three benchmarks, those where it holds"},
        unit="of 3 benchmarks",
        measure=vgg16_bn_in_bottom_four,
        supported=(Bound("benchmarks", "==", 3),),
        partly=(Bound("benchmarks", ">=", 2),),
        why="The statement is about all three; two of them is a part.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=("vgg16_bn",),
        printed_ranks=True,
    ),
    Claim(
        id="vgg16_bn_perceptual_similarity",
        section="V-A",
        topic=TOPIC,
        statement="On perceptual similarity VGG-16 with batch norm is not among the weak ones.",
        labels={"level": "mean rank from 0 (best) to 1 (worst)"},
        unit="share of the range of ranks",
        measure=partial(relative_mean_rank, architecture="vgg16_bn", benchmark=PS),
        supported=(Bound("level", "<=", 0.5),),
        partly=(Bound("level", "<=", 0.7),),
        why="The upper half is not weak; the last four of 14 begin at 0.7.",
        evidence="average_ranks",
        caution=ONE_RUN,
        benchmarks=(PS,),
        architectures=("vgg16_bn",),
        printed_ranks=True,
    ),
    Claim(
        id="only_alexnet_without_batch_norm",
        section="V-A",
        topic=TOPIC,
        statement="Outside the VGG family AlexNet is the only network that has no batch norm.",
        labels={"others": "other such networks"},
        unit="architectures",
        measure=others_without_batch_norm,
        supported=(Bound("others", "==", 0),),
        why="One other network refutes it.",
        evidence="audit",
        architectures=("alexnet",),
        cells=False,
        benchmarks=(),
    ),
    Claim(
        id="alexnet_averages_eighth",
        section="V-A",
        topic=TOPIC,
        statement="AlexNet's ranks average about 8 over the four benchmarks.",
        labels={"mean_rank": "overall mean rank", "place": "its place among all"},
        unit="rank",
        measure=partial(overall_place, architecture="alexnet"),
        supported=(Bound("mean_rank", ">=", 7.5), Bound("mean_rank", "<", 8.5)),
        partly=(Bound("mean_rank", ">=", 6.5), Bound("mean_rank", "<", 9.5)),
        why="A mean rank that rounds to 8 is meant; one rank off is a part.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=("alexnet",),
        printed_ranks=True,
    ),
    *(
        Claim(
            id=f"squeezenet_{benchmark}",
            section="V-A",
            topic=TOPIC,
            statement=f"SqueezeNet is {word} on {benchmark.replace('_', '-')}.",
            labels={"place": "its place by mean rank"},
            unit="place",
            measure=partial(place, architecture=SQUEEZENET, benchmark=benchmark),
            supported=(Bound("place", "==", rank),),
            partly=(Bound("place", "<=", 3),),
            why="The statement names the place; among the best three is a part.",
            evidence="average_ranks",
            caution=ONE_RUN,
            benchmarks=(benchmark,),
            architectures=(SQUEEZENET,),
            printed_ranks=True,
        )
        for benchmark, word, rank in ((PS, "second best", 2), (SR, "the best", 1))
    ),
    *(
        Claim(
            id=f"squeezenet_{benchmark}",
            section="V-A, VI-A",
            topic=TOPIC,
            statement=f"SqueezeNet is average on {benchmark.replace('_', '-')}.",
            labels={"level": "mean rank from 0 (best) to 1 (worst)"},
            unit="share of the range of ranks",
            measure=partial(relative_mean_rank, architecture=SQUEEZENET, benchmark=benchmark),
            supported=(Bound("level", ">=", 1 / 3), Bound("level", "<=", 2 / 3)),
            partly=(Bound("level", ">=", 0.25), Bound("level", "<=", 0.75)),
            why="The middle third is average; the middle half is a part.",
            evidence="average_ranks",
            caution=ONE_RUN,
            benchmarks=(benchmark,),
            architectures=(SQUEEZENET,),
            printed_ranks=True,
        )
        for benchmark in (DELINEATION, AUTOENCODING)
    ),
    Claim(
        id="squeezenet_good_for_its_cost",
        section="V-A",
        topic=TOPIC,
        statement="SqueezeNet is a good choice on every benchmark where computation is scarce.",
        labels={"benchmarks": "benchmarks where nothing as cheap has a better mean rank"},
        unit="of 4 benchmarks",
        measure=rivals_as_cheap,
        supported=(Bound("benchmarks", "==", 4),),
        partly=(Bound("benchmarks", ">=", 2),),
        why="As cheap: at most twice its operations in a forward pass, since being the cheapest of "
        "all alone would put it on any Pareto front.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=(SQUEEZENET,),
        printed_ranks=True,
        attributes=True,
    ),
    Claim(
        id="templates_perform_alike",
        section="V-A",
        topic=TOPIC,
        statement="Networks of one template (VGGs without batch norm, ResNets, EfficientNets) "
        "perform alike.",
        labels={
            "ratio": "distance of mean ranks within templates ÷ between networks of different ones",
            "p": "permutation p of a distance as small",
        },
        unit="ratio",
        measure=template_distances,
        supported=(Bound("ratio", "<=", 0.75), Bound("p", "<", 0.05)),
        partly=(Bound("ratio", "<", 1),),
        why="Alike means nearer than other pairs by a quarter and beyond chance. Distance: mean "
        "absolute difference over the four benchmarks.",
        evidence="average_ranks",
        caution="Seven pairs of eight networks.",
        architectures=TEMPLATED,
        cells=False,
        printed_ranks=True,
    ),
    Claim(
        id="templates_undecided",
        section="V-A",
        topic=TOPIC,
        statement="Within a template little says which network is the better one.",
        labels={"pairs": "of seven pairs, those that a sign test over the scores decides"},
        unit="of 7 pairs",
        measure=decided_within_templates,
        supported=(Bound("pairs", "==", 0),),
        partly=(Bound("pairs", "<=", 2),),
        why="p < 0.05 ÷ 7 by best layer counts as decided; two of seven leave most open.",
        evidence="rank_pairs",
        caution="Scores of one benchmark depend on each other, which makes decisions too easy.",
        architectures=TEMPLATED,
    ),
    Claim(
        id="plain_vggs_good_everywhere",
        section="VI-A, VII",
        topic=TOPIC,
        statement="The VGG networks without batch norm perform well on all four benchmarks.",
        labels={"cells": "mean ranks in the upper half, of three networks × four benchmarks"},
        unit="of 12 mean ranks",
        measure=plain_vggs_in_upper_half,
        supported=(Bound("cells", "==", 12),),
        partly=(Bound("cells", ">=", 9),),
        why="Well is at least the upper half, every time; three quarters is a part.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=PLAIN_VGGS,
        printed_ranks=True,
    ),
    Claim(
        id="vgg11_best_on_average",
        section="VI-A",
        topic=TOPIC,
        statement="VGG-11 is the best architecture on average.",
        labels={
            "place": "its overall place",
            "stays": "of four benchmarks left out in turn, those without which it is first",
        },
        unit="place",
        measure=partial(best_on_average, architecture="vgg11"),
        supported=(Bound("place", "==", 1), Bound("stays", "==", 4)),
        partly=(Bound("place", "==", 1),),
        why="An average that one benchmark can turn is only partly a finding.",
        evidence="rank_intervals",
        caution=ONE_RUN,
        architectures=("vgg11",),
        printed_ranks=True,
    ),
    Claim(
        id="vgg16_and_vgg19_lead_somewhere",
        section="VI-A",
        topic=TOPIC,
        statement="VGG-16 and VGG-19 each beat the other VGGs without batch norm on some "
        "benchmark.",
        labels={"networks": "of the two, those that do"},
        unit="of 2 networks",
        measure=outperform_other_vggs,
        supported=(Bound("networks", "==", 2),),
        partly=(Bound("networks", "==", 1),),
        why="To beat is to have a strictly better mean rank; a tie is none.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=PLAIN_VGGS,
        printed_ranks=True,
    ),
    Claim(
        id="plain_vggs_best_overall",
        section="Abstract, V",
        topic=TOPIC,
        statement="The VGG networks without batch norm perform best.",
        labels={"vggs": "of the three, those among the three best overall"},
        unit="of 3 networks",
        measure=plain_vggs_overall,
        supported=(Bound("vggs", "==", 3),),
        partly=(Bound("vggs", "==", 2),),
        why="Three networks can fill the first three places.",
        evidence="rank_intervals",
        caution=ONE_RUN + " Whether the differences exceed chance: see the rank study.",
        architectures=PLAIN_VGGS,
        printed_ranks=True,
    ),
    Claim(
        id="vggs_and_squeezenet_for_most_tasks",
        section="V",
        topic=TOPIC,
        statement="VGGs without batch norm and SqueezeNet perform well for most tasks.",
        labels={"networks": "of the four, those in the upper half on three benchmarks or more"},
        unit="of 4 networks",
        measure=good_for_most,
        supported=(Bound("networks", "==", 4),),
        partly=(Bound("networks", ">=", 2),),
        why="Most of four benchmarks is three; well is at least the upper half.",
        evidence="average_ranks",
        caution=ONE_RUN,
        architectures=(*PLAIN_VGGS, SQUEEZENET),
        printed_ranks=True,
    ),
    Claim(
        id="batch_norm_hurts_vgg16",
        section="V-A, VI-A",
        topic=TOPIC,
        statement="Batch norm makes VGG-16 a worse loss network.",
        labels={"share": "share of the scores on which VGG-16 without it is better"},
        unit="share of the scores",
        measure=wins_without_batch_norm,
        supported=(Bound("share", ">=", 0.75),),
        partly=(Bound("share", ">", 0.5),),
        why="Three of four scores is clear; a bare majority is a part.",
        evidence="ranks",
        caution="One pair of networks, and their pretraining differs too.",
        architectures=("vgg16", "vgg16_bn"),
    ),
    Claim(
        id="batch_norm_beyond_vggs_open",
        section="VI-A",
        topic=TOPIC,
        statement="Whether batch norm is harmful beyond the VGGs cannot be told from these data.",
        labels={"p": "exact permutation p of overall mean ranks with and without, VGGs apart"},
        unit="p value",
        measure=batch_norm_beyond_vggs,
        supported=(Bound("p", ">=", 0.05),),
        why="A difference at 5 % would tell; its absence leaves the question open.",
        evidence="correlation_groups",
        caution="Two networks without it: the least p that they could reach is about 0.02.",
        printed_ranks=True,
    ),
)
