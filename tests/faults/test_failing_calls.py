"""A call of the system that fails once: nothing acknowledged is lost, nothing blamed for it."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import acts
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

MEASURED = "select count(*) from scores where source = 'measured'"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose database has nothing yet of what its files hold."""
    folder = tmp_path / "home"
    Warehouse.open(folder)
    for seed in range(3):
        write_entry(folder, [acts.record(seed)])
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
    return (runs, years, warehouse.skipped()) == (3, 1, [])


@pytest.mark.parametrize("name", ["read_bytes", "read_text", "open"])
def test_a_read_that_fails_once_keeps_nothing_out(home, monkeypatch, name):
    for nth in range(1, 60):
        (home / "warehouse.duckdb").unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            calls = failing(patch, name, home, nth)
            with suppress(UserError):
                Warehouse.open(home)
        assert complete(home)
        if len(calls) < nth:
            return
    pytest.fail("a command needs no 60 calls for 3 records and an attribute")
