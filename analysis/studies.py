"""All studies by name."""

from __future__ import annotations

import pandas as pd

from analysis import (
    agreement,
    audit,
    benchmarks,
    claims,
    corrections,
    correlation,
    correlation_summary,
    cost,
    differences,
    groups,
    layer_correlation,
    layers,
    mixed,
    noise,
    pairs,
    partial,
    ranks,
    rounding,
    score_correlations,
    score_intervals,
    swap,
    variance,
)
from analysis.frames import Frames, Study
from analysis.once import shared

MODULES = (
    ranks,
    rounding,
    differences,
    pairs,
    noise,
    layers,
    agreement,
    variance,
    swap,
    score_correlations,
    benchmarks,
    cost,
    correlation,
    correlation_summary,
    corrections,
    groups,
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
