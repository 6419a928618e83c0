"""Which runs a home has recorded, and recording one more: with DuckDB or without."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from warehouse.records import RunRecord, write_entry


class Recorded:
    """The ids of the runs that a home has recorded; `in` sees what others recorded meanwhile."""

    def __init__(self, home: Path) -> None:
        self._log = home / "records"
        self._read: set[str] = set()
        self._ids: set[str] = set()
        if find_spec("duckdb"):
            files = self._entries()
            self._ids = _ids_in_warehouse(home)
            self._read = files

    def __contains__(self, run_id: object) -> bool:
        for name in self._entries() - self._read:
            self._ids |= _ids_in(self._log / name)
            self._read.add(name)
        return run_id in self._ids

    def _entries(self) -> set[str]:
        return {path.name for path in self._log.glob("*.jsonl")}


def _ids_in_warehouse(home: Path) -> set[str]:
    from warehouse.store import Warehouse

    _, rows = Warehouse.open(home).rows("select run_id from runs")
    return {run_id for (run_id,) in rows}


def _ids_in(entry: Path) -> set[str]:
    """The run ids in an entry of the log; a line that is no record has none."""
    found = set()
    for line in entry.read_bytes().splitlines():
        try:
            found.add(json.loads(line)["run_id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def record(home: Path, run: RunRecord) -> Path:
    """Add a run to the log, durably, and to the database where there is DuckDB for it."""
    if find_spec("duckdb"):
        from warehouse.store import Warehouse

        return Warehouse(home).append(run)
    return write_entry(home, [run])
