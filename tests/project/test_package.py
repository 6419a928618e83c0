"""What is installed: one importable name, whole, whatever lies beside the user's notebook."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = {".sql", ".csv", ".j2", ".js", ".css", ".typed"}
BUILD = "import sys, hatchling.build as build; print(getattr(build, sys.argv[1])(sys.argv[2]))"


def build(what: str, source: Path, folder: Path) -> Path:
    """A wheel or an sdist of a folder's project, without the network."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{what}", str(folder)],
        cwd=source, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages with the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def names(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_one_name_is_installed_and_all_that_belongs_to_it(wheel):
    rooms = [ROOT / room for room in ("lossnets", "analysis", "reports", "runners", "warehouse")]
    sources = {
        str(path.relative_to(ROOT)).removeprefix("lossnets/")
        for room in rooms
        for path in room.rglob("*")
        if path.suffix in DATA | {".py"} and path.is_file()
    }
    assert names(wheel) == {f"lossnets/{name}" for name in sources}
    assert {Path(name).suffix for name in sources} == DATA | {".py"}


def test_an_sdist_gives_the_same_wheel(wheel, tmp_path):
    sdist = build("sdist", ROOT, tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    assert names(build("wheel", unpacked, tmp_path)) == names(wheel)


def test_files_beside_a_notebook_disturb_nothing(installed, tmp_path):
    for name in ("analysis", "reports", "runners", "warehouse", "terminal", "cli", "face"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n", "utf-8")
    code = "import lossnets; print(lossnets.__file__, lossnets.open('h').sql('select 42 as a'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{installed}/lossnets/__init__.py     a\n0  42\n"
