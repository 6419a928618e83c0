"""What docs/extending.md says can be added is added, by the page."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"`([\w./]+)`:\n\n```(?:python|html)\n(.*?)```\n", re.DOTALL)


def section(title: str) -> str:
    """A part of the page."""
    page = (ROOT / "docs" / "extending.md").read_text("utf-8")
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def write_files(text: str, folder: Path) -> None:
    """The files that a part of the page shows."""
    for name, content in FILE.findall(text):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")


def lossnets(arguments: list[str], folder: Path, package: Path = ROOT) -> str:
    """What a command prints, run in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "lossnets", "--home", "home", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(package)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.torch
def test_a_benchmark_is_added_run_and_asked_for(tmp_path):
    text = section("A benchmark")
    write_files(text, tmp_path)
    commands = re.findall(r"^\$ lossnets (.*)$", text, re.MULTILINE)
    *_, rows = [lossnets(shlex.split(command), tmp_path) for command in commands]
    header, row = rows.splitlines()
    assert header == "architecture,layer,value"
    assert row.startswith("alexnet,early+late,")
    assert 0 <= float(row.rpartition(",")[2]) <= 1


def test_a_study_and_a_section_are_added_to_a_clone(tmp_path):
    clone = tmp_path / "clone"
    for room in ("lossnets", "warehouse", "runners", "analysis", "reports"):
        shutil.copytree(
            ROOT / room, clone / room, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    write_files(section("A study with a figure") + section("A section of the report"), clone)
    (clone / "reports" / "spread" / "__init__.py").touch()
    printed = lossnets(["study", "layer_spread"], tmp_path, clone)
    assert printed.startswith("score,architecture,spread\nbapps_2afc,")
    lossnets(["report", "-o", "page"], tmp_path, clone)
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert 'id="layer_spread"' in page
    assert page.index('id="layer_study"') < page.index('id="layer_spread"')
    drawn = pd.read_csv(tmp_path / "page" / "data" / "layer_spread.csv")
    assert len(drawn) == len(printed.splitlines()) - 1
