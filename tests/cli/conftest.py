"""The command line in this process: fast, and with the same errors as the real one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def shipped_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the database of what is shipped."""
    from lossnets.warehouse.store import Warehouse

    return Warehouse.open(tmp_path_factory.mktemp("shipped") / "data").home


@pytest.fixture
def home(shipped_home: Path, tmp_path: Path) -> Path:
    """A data folder of its own, to change at will."""
    return Path(shutil.copytree(shipped_home, tmp_path / "data"))


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run `lossnets --home …` with arguments on a home of its own."""
    from lossnets.cli import terminal
    from lossnets.cli.main import cli

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = terminal.run(cli, ["--home", str(home), *map(str, arguments)])
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def without_torch(home):
    """Run a command in a process where torch cannot be imported."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from lossnets.cli.main import main; main(sys.argv[1:])"
    )

    def run(*arguments):
        command = [sys.executable, "-c", code, "--home", str(home), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run
