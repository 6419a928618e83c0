"""Studies' results that are computed when they are asked for: some take long for many networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.studies import STUDIES


@dataclass(frozen=True)
class Results(Mapping[str, pd.DataFrame]):
    """Study name → its result on these frames."""

    frames: Frames

    def __getitem__(self, name: str) -> pd.DataFrame:
        return STUDIES[name].compute(self.frames)

    def __iter__(self) -> Iterator[str]:
        return (name for name, study in STUDIES.items() if not study.of_runs)

    def __len__(self) -> int:
        return sum(1 for _ in self)
