"""All studies by name."""

from __future__ import annotations

import pandas as pd

from analysis import audit, correlation, differences, groups, pairs, ranks, rounding
from analysis.frames import Frames, Study

MODULES = (ranks, rounding, differences, pairs, correlation, groups, audit)

STUDIES: dict[str, Study] = {study.name: study for module in MODULES for study in module.STUDIES}


def run(frames: Frames) -> dict[str, pd.DataFrame]:
    """Compute every study of one source: {study name: its frame}."""
    return {name: study.compute(frames) for name, study in STUDIES.items()}
