"""What tests share: a fresh home, and the paper's warehouse and frames."""

from __future__ import annotations

import os
import runpy
import shutil
from pathlib import Path

import pytest

LEFT_OUT = pytest.StashKey[int]()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"


@pytest.fixture
def warehouse(home: Path, paper_warehouse):
    """A warehouse that holds what is shipped, to change at will."""
    import shutil

    from lossnets.warehouse.store import Warehouse

    home.mkdir()
    shutil.copy(paper_warehouse.path, home)  # as good as one that is built, and faster
    return Warehouse.open(home)


@pytest.fixture(scope="session")
def paper_warehouse(tmp_path_factory: pytest.TempPathFactory):
    """A warehouse that holds what is shipped, shared: read only."""
    from lossnets.warehouse.store import Warehouse

    return Warehouse.open(tmp_path_factory.mktemp("paper") / "data")


@pytest.fixture(scope="session")
def frames(paper_warehouse):
    """The frames of the published scores."""
    from lossnets.analysis.frames.frames import Frames

    return Frames.read(paper_warehouse)


def chromium() -> str | None:
    """Return the browser that page tests use: $CHROMIUM, else the first on the PATH."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave page tests out, aloud, where there is no browser; CI insists on one."""
    page_tests = [item for item in items if item.get_closest_marker("browser")]
    if not page_tests or chromium():
        return
    if os.environ.get("LOSSNETS_REQUIRE_BROWSER"):
        pytest.exit("LOSSNETS_REQUIRE_BROWSER is set and no Chromium was found", returncode=1)
    config.hook.pytest_deselected(items=page_tests)
    items[:] = [item for item in items if item not in page_tests]
    config.stash[LEFT_OUT] = len(page_tests)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Say what was left out and how to have it run."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{left_out} page tests were left out: no Chromium found; "
            "install chromium or set CHROMIUM to its path."
        )


@pytest.fixture(scope="session")
def measure():
    """Write measured runs, with records and folders, into a warehouse: `measure(warehouse)`."""
    return runpy.run_path(str(Path(__file__).with_name("made_runs.py")))["measure"]


@pytest.fixture(scope="session")
def measured_warehouse(paper_warehouse, measure, tmp_path_factory: pytest.TempPathFactory):
    """A warehouse with measured runs of all benchmarks, shared: read only."""
    from lossnets.warehouse.store import Warehouse

    home = tmp_path_factory.mktemp("measured") / "data"
    home.mkdir()
    shutil.copy(paper_warehouse.path, home)
    warehouse = Warehouse.open(home)
    measure(warehouse)
    return warehouse
