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
)

STUDIES: dict[str, Study] = {
    study.name: shared(study) for module in MODULES for study in module.STUDIES
}


def run(frames: Frames) -> dict[str, pd.DataFrame]:
    """Compute every study of one source: {study name: its frame}."""
    return {name: study.compute(frames) for name, study in STUDIES.items()}
