"""The studies on many more architectures than the paper's: no study enumerates what explodes."""

import resource
from dataclasses import replace

import pandas as pd

from lossnets.analysis import studies
from lossnets.analysis.frames.frames import Frames

COPIES = 5


def copied(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame and COPIES - 1 copies, whose architectures go by other names."""
    rest = [
        frame.assign(architecture=frame["architecture"] + f"_{copy}") for copy in range(1, COPIES)
    ]
    return pd.concat([frame, *rest], ignore_index=True)


def test_every_study_takes_many_more_architectures_in_a_laptops_memory(frames: Frames):
    many = replace(
        frames,
        scores=copied(frames.scores),
        loss_networks=copied(frames.loss_networks),
        architectures=copied(frames.architectures),
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tables = studies.run(many)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert tables["correlation"]["n"].max() == 14 * COPIES
    assert grown_kib < 2 * 1024 * 1024
    assert all(len(table) for table in tables.values())
