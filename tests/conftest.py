"""What tests share: a fresh home, and the paper's warehouse and frames."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"


@pytest.fixture
def warehouse(home: Path):
    """A warehouse that holds what is shipped, to change at will."""
    from warehouse.store import Warehouse

    return Warehouse.open(home)


@pytest.fixture(scope="session")
def paper_warehouse(tmp_path_factory: pytest.TempPathFactory):
    """A warehouse that holds what is shipped, shared: read only."""
    from warehouse.store import Warehouse

    return Warehouse.open(tmp_path_factory.mktemp("paper") / "data")


@pytest.fixture(scope="session")
def frames(paper_warehouse):
    """The frames of the published scores."""
    from analysis.frames import Frames

    return Frames.read(paper_warehouse)
