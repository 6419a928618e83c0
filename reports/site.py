"""The report as a static host takes it: the page, its data files, nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from lossnets.reports.staleness import DATA, PAGE

AS_IT_IS = ".nojekyll"  # hosts that build pages serve the folder as it stands


def publish(report: Path, folder: Path) -> Path:
    """Copy the report in one folder to another, which then holds its page; returns the page.

    Data files of an earlier report that this one has not any more go, other files stay.
    """
    data = folder / DATA
    data.mkdir(parents=True, exist_ok=True)
    kept = {path.name for path in (report / DATA).glob("*.csv")}
    for path in data.glob("*.csv"):
        if path.name not in kept:
            path.unlink()
    for name in sorted(kept):
        shutil.copyfile(report / DATA / name, data / name)
    (folder / AS_IT_IS).touch()
    return Path(shutil.copyfile(report / PAGE, folder / PAGE))
