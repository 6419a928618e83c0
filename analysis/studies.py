"""All studies by name."""

from __future__ import annotations

import pandas as pd

from analysis.frames import Frames, Study

STUDIES: dict[str, Study] = {}


def run(frames: Frames) -> dict[str, pd.DataFrame]:
    """Compute every study of one source: {study name: its frame}."""
    return {name: study.compute(frames) for name, study in STUDIES.items()}
