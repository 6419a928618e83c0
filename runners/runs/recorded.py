"""Which runs a home has recorded, and recording one more: with DuckDB or without."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import compacted
from lossnets.warehouse.sources.records import RunRecord, read_entry, write_entry

ENTRIES = (".jsonl", ".parquet")


class Recorded:
    """The ids of the runs that a home has recorded; `in` sees what others recorded meanwhile.

    database: use DuckDB where it is installed; else, as in the workers of a sweep, the log alone.
    """

    def __init__(self, home: Path, *, database: bool = True) -> None:
        self._home = home
        self._log = home / "records"
        self._database = database and find_spec("duckdb") is not None
        self._read: set[str] = set()
        self._ids: set[str] = set()
        if self._database:
            names = self._names()
            self._ids = _ids_in_warehouse(home)
            self._read = names

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._ids or run_id in self.ids()

    def ids(self) -> set[str]:
        """All of them, as of now."""
        whole = False
        while not whole:
            there, whole = self._names(), True
            self._read &= there
            for name in there - self._read:
                try:
                    self._ids |= _ids_in(self._log / name)
                except FileNotFoundError:  # compacted meanwhile: another entry has its runs
                    whole = False
                self._read.add(name)
        return self._ids

    def add(self, run: RunRecord) -> Path:
        """Add a run to the log, durably, and to the database where that is used."""
        if self._database:
            from lossnets.warehouse.store import Warehouse

            return Warehouse(self._home).append(run)
        return write_entry(self._home, [run])

    def _names(self) -> set[str]:
        try:
            return set(os.listdir(self._log))  # noqa: PTH208, asked twice a run
        except (FileNotFoundError, NotADirectoryError):
            return set()


def _ids_in_warehouse(home: Path) -> set[str]:
    from lossnets.warehouse.store import Warehouse

    _, rows = Warehouse.open(home).rows("select run_id from runs")
    return {run_id for (run_id,) in rows}


def _ids_in(entry: Path) -> set[str]:
    """The run ids in an entry of the log: none where it is torn or foreign, as in the database.

    Of Parquet those that compaction has made, which is told without DuckDB.
    """
    if entry.name.startswith(".") or entry.suffix not in ENTRIES:
        return set()
    if entry.suffix == ".parquet":
        what = compacted.read(entry)
        return set(what.runs) if what else set()
    try:
        return {run.run_id for run in read_entry(entry)}
    except UserError:
        entry.lstat()  # gone: FileNotFoundError
        return set()
