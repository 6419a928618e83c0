"""Events of runs in the database: views say which are removed, and which tags they have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.loading.database import insert
from lossnets.warehouse.loading.entries import transaction
from lossnets.warehouse.sources import events, fingerprint

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = {
    "number": "integer", "run_id": "varchar", "kind": "varchar", "tag": "varchar",
    "by": "varchar", "at": "timestamp", "why": "varchar",
}  # fmt: skip


def load(connection: DuckDBPyConnection, home: Path) -> None:
    """All events of a home, in place of those that are there."""
    made_from = fingerprint.events(home)
    found, faults = events.read(home)
    rows = [
        {"number": number, "run_id": run_id, "kind": event.kind, "tag": event.tag or None,
         "by": event.by, "at": event.at.removesuffix("+00:00"), "why": event.why}
        for number, event in enumerate(found, 1)
        for run_id in event.runs
    ]  # fmt: skip
    with transaction(connection):
        connection.execute("delete from store.events")
        connection.execute("delete from store.files where starts_with(file, 'events/')")
        insert(connection, "store.events", COLUMNS, rows)
        for file, fault in faults.items():
            connection.execute("insert into store.files values (?, -1, 0, ?)", [file, fault])
        connection.execute("update store.meta set events = ?", [made_from])
