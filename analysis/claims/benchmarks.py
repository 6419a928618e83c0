"""Claims about how benchmarks relate (sections VI-A, VI-C and VI-D)."""

from __future__ import annotations

from functools import partial

import numpy as np

from lossnets.analysis.between import benchmarks
from lossnets.analysis.claims.claim import Bound, Claim, Numbers
from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.claims.layer_numbers import critical_rho, rank_correlations
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS

TOPIC = "between benchmarks"
SR = BENCHMARKS[1]


def _mean_ranks(e: Evidence, without: str = "") -> Floats:
    """Mean rank per benchmark (…, architectures, benchmarks), a family left out before ranking."""
    pool = e.without_family(without) if without else e
    means = np.stack([pool.mean_ranks(b) for b in BENCHMARKS], axis=-1)
    return np.asarray(np.round(means, 9), dtype=float)


def benchmarks_correlate(e: Evidence) -> Numbers:
    """Spearman correlations of mean ranks between benchmarks, without the VGG family."""
    means = _mean_ranks(e, "VGG")
    rho = rank_correlations(means)
    critical = critical_rho(means.shape[-2], rho.shape[-1])
    return {"mean_rho": rho.mean(axis=-1), "significant": np.sum(rho > critical, axis=-1)}


def others_predict(e: Evidence, without: str) -> Numbers:
    """Mean Spearman correlation of a benchmark's mean ranks with the mean of the other three."""
    means = _mean_ranks(e, without)
    rho = []
    for b in range(len(BENCHMARKS)):
        others = np.delete(means, b, axis=-1).mean(axis=-1)
        pair = np.stack([means[..., b], np.round(others, 9)], axis=-1)
        rho.append(rank_correlations(pair)[..., 0])
    return {"rho": np.mean(rho, axis=0), "greatest": np.max(rho, axis=0)}


def agreement_of_benchmarks(e: Evidence) -> Numbers:
    """Kendall's W of the four benchmarks over all architectures, and its permutation p."""
    table = e.study(benchmarks.STUDIES, "benchmark_agreement")
    row = table[table["pool"] == "all"]
    if row["kendall_w"].isna().all() or row["benchmarks"].iloc[0] != len(BENCHMARKS):
        raise NotTestable("the four benchmarks do not share enough architectures")
    return {"w": float(row["kendall_w"].iloc[0]), "p": float(row["p_permutation"].iloc[0])}


def bapps_super_resolution(e: Evidence) -> Numbers:
    """Correlation of 2AFC on the super-resolution patches with super-resolution scores."""
    subset = [s for s, name in enumerate(e.scores) if name.startswith("bapps_2afc_superres")]
    if not subset:
        raise NotTestable(
            "only scores over all of BAPPS are published, none of its super-resolution part"
        )
    columns = [*subset[:1], *e.columns(benchmark=SR)]
    first = rank_correlations(e.best[..., columns])[..., : len(columns) - 1]
    return {"strongest": np.abs(first).max(axis=-1)}


CLAIMS = (
    Claim(
        id="benchmarks_do_not_predict",
        section="VI-A",
        topic=TOPIC,
        statement="VGGs apart, how a network does on one benchmark does not predict how it does on "
        "another.",
        labels={
            "mean_rho": "mean Spearman correlation of mean ranks between benchmarks",
            "significant": "of six pairs, those significantly positive (5 % ÷ 6)",
        },
        unit="correlation",
        measure=benchmarks_correlate,
        supported=(Bound("significant", "==", 0), Bound("mean_rho", "<", 0.3)),
        partly=(Bound("significant", "==", 0),),
        why="No pair stands out and the mean is weak (below 0.3). The VGG family is left out and "
        "the others ranked anew.",
        evidence="benchmark_correlations",
        caution="With 10 architectures a single pair shows only from about 0.8 on.",
    ),
    Claim(
        id="others_do_not_predict",
        section="VI-A",
        topic=TOPIC,
        statement="VGGs apart, doing well on three benchmarks does not predict the fourth.",
        labels={
            "rho": "mean Spearman correlation with the mean rank over the other three",
            "greatest": "the greatest of the four",
        },
        unit="correlation",
        measure=partial(others_predict, without="VGG"),
        supported=(Bound("rho", "<", 0.3), Bound("greatest", "<", 0.7)),
        partly=(Bound("rho", "<", 0.5),),
        why="Below 0.3 is weak, above 0.5 would be of use; 0.7 is strong.",
        evidence="benchmark_prediction",
        caution="10 architectures.",
    ),
    Claim(
        id="others_do_not_predict_with_vggs",
        section="VI-A, VI-D",
        topic=TOPIC,
        statement="The same with the VGGs: which architectures do well is not consistent between "
        "tasks.",
        labels={
            "rho": "mean Spearman correlation with the mean rank over the other three",
            "greatest": "the greatest of the four",
        },
        unit="correlation",
        measure=partial(others_predict, without=""),
        supported=(Bound("rho", "<", 0.3), Bound("greatest", "<", 0.7)),
        partly=(Bound("rho", "<", 0.5),),
        why="Below 0.3 is weak, above 0.5 would be of use; 0.7 is strong.",
        evidence="benchmark_prediction",
        caution="14 architectures.",
        printed_ranks=True,
    ),
    Claim(
        id="benchmarks_disagree",
        section="VI-D",
        topic=TOPIC,
        statement="The four benchmarks do not agree on which architectures are good.",
        labels={
            "w": "Kendall's W of the four benchmarks' mean ranks",
            "p": "permutation p of no agreement",
        },
        unit="W, 0 to 1",
        measure=agreement_of_benchmarks,
        supported=(Bound("p", ">=", 0.05),),
        partly=(Bound("w", "<", 0.5),),
        why="Agreement beyond chance refutes it where it is at least midway to full; weaker "
        "agreement leaves a part.",
        evidence="benchmark_agreement",
        caution="Four benchmarks: agreement shows only when it is considerable.",
        cells=False,
    ),
    Claim(
        id="bapps_super_resolution",
        section="VI-C",
        topic=TOPIC,
        statement="Perceptual similarity on BAPPS's super-resolution part does not correlate with "
        "the super-resolution scores (which the paper there calls Experiment 3; they are its "
        "Benchmark 2).",
        labels={"strongest": "strongest |Spearman correlation| with a super-resolution score"},
        unit="correlation",
        measure=bapps_super_resolution,
        supported=(Bound("strongest", "<", 0.3),),
        partly=(Bound("strongest", "<", 0.53),),
        why="Weak is below 0.3; 0.53 is significant with 14 architectures.",
        evidence="score_correlations",
        benchmarks=BENCHMARKS[:2],
    ),
)
