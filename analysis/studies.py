"""All studies by name."""

from __future__ import annotations

import pandas as pd

from lossnets.analysis import audit, claims
from lossnets.analysis.attributes import (
    categories,
    corrections,
    correlation,
    correlation_summary,
    groups,
    layer_correlation,
    mixed,
    partial,
)
from lossnets.analysis.between import benchmarks, score_correlations, source_agreement
from lossnets.analysis.choice import carry_over, cost, network_ranks, regret
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import shared
from lossnets.analysis.layers import agreement, best_layers, swap, variance
from lossnets.analysis.noise import reruns, score_intervals, tolerance
from lossnets.analysis.ranking import differences, pairs, rank_intervals, ranks, rounding

MODULES = (
    ranks,
    rank_intervals,
    rounding,
    differences,
    pairs,
    tolerance,
    reruns,
    best_layers,
    agreement,
    variance,
    swap,
    score_correlations,
    benchmarks,
    source_agreement,
    cost,
    network_ranks,
    regret,
    carry_over,
    correlation,
    correlation_summary,
    corrections,
    groups,
    categories,
    layer_correlation,
    mixed,
    partial,
    audit,
    claims,
    score_intervals,
)

STUDIES: dict[str, Study] = {
    study.name: shared(study) for module in MODULES for study in module.STUDIES
}


def run(frames: Frames) -> dict[str, pd.DataFrame]:
    """Compute every study of one source but those of single runs: {study name: its frame}."""
    return {name: study.compute(frames) for name, study in STUDIES.items() if not study.of_runs}
