"""All studies by name: whatever the modules of the rooms hold under `STUDIES`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pandas as pd

from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import shared


def _found() -> Iterator[Study]:
    rooms = Path(__file__).parent
    for path in sorted(rooms.glob("*/**/*.py")):
        if path.stem != "__main__":
            place = path.parent if path.stem == "__init__" else path.with_suffix("")
            module = import_module(".".join(("lossnets.analysis", *place.relative_to(rooms).parts)))
            yield from vars(module).get("STUDIES", ())


STUDIES: dict[str, Study] = {study.name: shared(study) for study in _found()}


def run(frames: Frames) -> dict[str, pd.DataFrame]:
    """Compute every study of one source but those of single runs: {study name: its frame}."""
    return {name: study.compute(frames) for name, study in STUDIES.items() if not study.of_runs}
