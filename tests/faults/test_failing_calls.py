"""A call of the system that fails once: nothing acknowledged is lost, nothing blamed for it."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

import acts
import failing as preloaded
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import registration
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry
from lossnets.warehouse.store import Warehouse

CALLS = {
    "append": "EIO",
    "import": "ENOSPC",
    "load": "EIO",
    "rebuild": "EDQUOT",
    "attribute": "ENOLCK",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose database, kept beside it too, has nothing yet of what its files hold."""
    folder = tmp_path / "home"
    warehouse = Warehouse.open(folder)
    registration.add_benchmark(warehouse, "colours")
    score = registration.score("colour_error", benchmark="colours", unit="")
    registration.add_score(warehouse, score)
    shutil.copy(warehouse.path, tmp_path)
    item = Measurement(architecture="vgg11", layer="late", score="colour_error", value=1.0)
    write_entry(folder, [RunRecord(benchmark="colours", measurements=(item,))])
    write_entry(folder, [acts.record(0)])
    attribute = attribute_files.Attribute(
        attribute="year",
        label="Year",
        level="architecture",
        kind="numeric",
        values=(("vgg11", None, 2014.0),),
    )
    attribute_files.write(folder, [attribute])
    return folder


def failing(patch, name: str, home: Path, nth: int) -> list[Path]:
    """Have the n-th call of a method of paths fail where it is of a home; the calls there were."""
    method, calls = getattr(Path, name), []

    def call(path: Path, *arguments, **options):
        if path.is_relative_to(home):
            calls.append(path)
            if len(calls) == nth:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return method(path, *arguments, **options)

    patch.setattr(Path, name, call)
    return calls


def complete(home: Path) -> bool:
    """Whether a command, with nothing failing, finds every record and attribute."""
    warehouse = Warehouse.open(home)
    (runs,) = warehouse.rows("select count(*) from runs where source = 'measured'")[1][0]
    (years,) = warehouse.rows("select count(year) from architectures")[1][0]
    return (runs, years, warehouse.skipped()) == (2, 1, [])


def test_a_read_that_fails_once_keeps_nothing_out(home, monkeypatch):
    for nth in range(1, 60):
        shutil.copy(home.parent / "warehouse.duckdb", home)
        with monkeypatch.context() as patch:
            calls = failing(patch, "open", home, nth)
            with suppress(UserError):
                Warehouse.open(home)
        assert complete(home)
        if len(calls) < nth:
            return
    pytest.fail("a command needs no 60 calls for two records and an attribute")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A folder with a home for commands of which calls fail."""
    folder = tmp_path_factory.mktemp("failing")
    if preloaded.library(folder) is None:
        pytest.skip("no C compiler here")
    preloaded.prepare(folder)
    return folder


@pytest.mark.parametrize(
    ("command", "error", "calls"),
    [
        ("append", "EIO", "4:17:3"), ("append", "ENOLCK", "1:1:2"), ("import", "ENOSPC", "2:13:2"),
        ("load", "EDQUOT", "3:11:2"), ("rebuild", "EIO", "9:37:2"), ("study", "EDQUOT", "2:9:2"),
        ("attribute", "ENOSPC", "2:7:2"), ("report", "EIO", "15:60:1"),
    ],
)  # fmt: skip
def test_a_call_of_the_system_that_fails_once_loses_nothing(prepared, command, error, calls):
    """Some calls of each command; `make soak` goes through all."""
    done = preloaded.started(prepared, command, error, calls)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
