"""Which runs a home has recorded, and recording one more: with DuckDB or without."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import catalog, checksums, compacted
from lossnets.warehouse.sources.catalog import Catalog
from lossnets.warehouse.sources.records import (
    WHAT_IS_RUN,
    RunRecord,
    read_entry,
    run_id_of,
    write_entry,
)

ENTRIES = (".jsonl", ".parquet")
WHAT = ("benchmark", "weights", "data", "preset")
# Until 0.1 what a pass measured was one record: it stands for a run of each of its layers.
PASSES = """
select benchmark, weights, data, preset, config::varchar, architecture, layers
from runs where source = 'measured' and seed is null and architecture is not null
    and config is not null and len(layers) > 1  -- what was imported may have no config
"""


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
            known = catalog.read(self._home)
            for name in there - self._read:
                try:
                    self._ids |= _ids_in(self._log / name, known)
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

    warehouse = Warehouse.open(home)
    ids = {run_id for (run_id,) in warehouse.rows("select run_id from store.runs")[1]}
    for *what, config, architecture, layers in warehouse.rows(PASSES)[1]:
        known = dict(zip(WHAT, what, strict=True)) | {
            "config": json.loads(config or "{}"),
            "seed": None,
        }
        ids |= {run_id_of(known, [(architecture, layer)]) for layer in layers}
    return ids


def _ids_of(run: RunRecord) -> set[str]:
    """Its own id; and where it is a pass, of several layers in one record, those of its runs."""
    networks = {(item.architecture, item.layer) for item in run.measurements}
    if run.seed is not None or len(networks) < 2:
        return {run.run_id}
    what = {name: getattr(run, name) for name in WHAT_IS_RUN}
    return {run.run_id, *(run_id_of(what, [network]) for network in networks)}


def _ids_in(entry: Path, known: Catalog) -> set[str]:
    """The run ids in an entry of the log: none where it is torn or foreign, as in the database.

    Of Parquet those that compaction has made, which is told without DuckDB.
    """
    if entry.name.startswith(".") or entry.suffix not in ENTRIES:
        return set()
    try:
        if entry.suffix == ".parquet":
            checksums.check_named(entry)
            what = compacted.read(entry)
            return set(what.runs) if what else set()
        return {run_id for run in read_entry(entry, known) for run_id in _ids_of(run)}
    except UserError:
        entry.lstat()  # gone: FileNotFoundError
        return set()
