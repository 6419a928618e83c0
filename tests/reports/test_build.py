"""The report as files: what is written, and that the same inputs give the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lossnets.reports.provenance.section import PACKAGES

ROOT = Path(__file__).parents[2]
BUILD = """
import sys
from lossnets.reports.build import build_report
from lossnets.warehouse.store import Warehouse
build_report(Warehouse.open(sys.argv[1]), sys.argv[2])
assert set(sys.argv[3:]) <= set(sys.modules), set(sys.argv[3:]) - set(sys.modules)
"""


def built_elsewhere(folder: Path, hash_seed: str) -> dict[str, bytes]:
    """The files of a report built in a fresh process, started in `folder`."""
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", BUILD, "home", "out", *PACKAGES.values()],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    out = folder / "out"
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_the_same_inputs_give_the_same_bytes_wherever_they_are_built(tmp_path: Path):
    first = built_elsewhere(tmp_path / "here", "1")
    second = built_elsewhere(tmp_path / "there", "2")
    assert first == second
    packages = [row.partition(",")[0] for row in first["data/versions.csv"].decode().splitlines()]
    assert packages == ["package", "Python", *PACKAGES]  # all were loaded: the process says so


def test_every_exhibit_has_its_anchor_and_its_csv(report: Path):
    page = (report / "index.html").read_text()
    names = [f"table_{n:02d}" for n in range(1, 12)] + [f"figure_{n:02d}" for n in range(1, 6)]
    for name in names:
        assert f'id="{name}"' in page
        assert (report / "data" / f"{name}.csv").stat().st_size > 100
