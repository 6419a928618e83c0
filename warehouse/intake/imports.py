"""Scores from elsewhere: checked whole, then one entry of the log, or nothing at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import BusyError, UserError
from lossnets.warehouse.intake.networks import REGISTER, layers_of, unknown_network
from lossnets.warehouse.intake.replacing import Replaced
from lossnets.warehouse.sources import catalog
from lossnets.warehouse.sources.records import MEASURED, RunRecord, read_entry, write_entry

if TYPE_CHECKING:
    import pandas as pd

    from lossnets.warehouse.store import Warehouse

JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came of one source: how many measurements were new, how many known already."""

    named: str
    new: int
    known: int


def import_scores(
    warehouse: Warehouse,
    tables: Sequence[Path | str | pd.DataFrame],
    *,
    new_architectures: bool = False,
    new_scores: bool = False,
    replace: bool = False,
    source: str | None = None,
) -> list[Imported]:
    """Import measurements from files and frames: all of them, or nothing.

    Each is a table (CSV, JSON, JSON lines, Parquet or DataFrame), tidy with the columns
    architecture, layer, score and value and perhaps those of `staging.OPTIONAL`, or wide with a
    column per score; or records of runs as JSON lines. Names may be written as people see them.
    What `scores` gives can come back: rows of the paper are known. Rows without run_id belong to
    one run per architecture, benchmark, seed, weights, config, data and preset. source: the
    registered study that rows and records belong to which name none. new_scores: register scores
    that are not there yet from the columns of tidy tables (see `new_scores`). replace: remove
    runs that are there with other values, and have these in their place (see `replacing`). Raises
    `UserError` with the first row that is wrong, that says something else than the catalog, the
    paper or the store, or that is not understood.
    """
    if source == "paper":
        raise UserError("the paper's scores are shipped, and none is added to them")
    if source is not None:
        catalog.read(warehouse.home).check_source(source)
    replaced = Replaced() if replace else None
    with _scores_of(warehouse, tables) if new_scores else nullcontext():
        imported = _import(warehouse, tables, new_architectures, source, replaced)
        if replaced is not None:
            named = ", ".join(one.named for one in imported)
            _load(lambda: replaced.settle(warehouse, f"replaced by {named}"))
        elif any(one.new for one in imported):
            _load(warehouse.refresh)
    return imported


def _scores_of(
    warehouse: Warehouse, tables: Sequence[Path | str | pd.DataFrame]
) -> AbstractContextManager[object]:
    from lossnets.warehouse.intake.new_scores import registered

    return registered(warehouse, [table for table in tables if not _is_records(table)])


def _import(
    warehouse: Warehouse,
    tables: Sequence[Path | str | pd.DataFrame],
    new_architectures: bool,
    source: str | None,
    replaced: Replaced | None,
) -> list[Imported]:
    """Write what is new to the log."""
    paths = {place: table for place, table in enumerate(tables) if _is_records(table)}
    records = {
        place: _records(warehouse, Path(str(table)), new_architectures, source)
        for place, table in paths.items()
    }
    if replaced is not None:
        records = {place: replaced.renamed(warehouse, group) for place, group in records.items()}
    fresh, known = _split(warehouse, [one for group in records.values() for one in group])
    others = [table for place, table in enumerate(tables) if place not in paths]
    counts = iter(_import_tables(warehouse, others, new_architectures, source, replaced))
    if fresh:
        write_entry(warehouse.home, fresh)
    found = []
    for place, table in enumerate(tables):
        if place in records:
            rows = sum(len(record.measurements) for record in records[place])
            here = sum(known[id(record)] for record in records[place])
            new = rows - here
        else:
            new, here = next(counts)
        named = str(table) if isinstance(table, Path | str) else "the table"
        found.append(Imported(named=named, new=new, known=here))
    return found


def import_records(
    warehouse: Warehouse,
    table: Path | str | pd.DataFrame,
    **how: Any,
) -> tuple[int, int]:
    """Import one table like `import_scores`: (how many were new, how many were known)."""
    (one,) = import_scores(warehouse, [table], **how)
    return one.new, one.known


def _import_tables(
    warehouse: Warehouse,
    tables: list[Path | str | pd.DataFrame],
    new_architectures: bool,
    source: str | None,
    replaced: Replaced | None,
) -> list[tuple[int, int]]:
    from lossnets.warehouse.intake.tables import import_tables

    return import_tables(warehouse, tables, new_architectures, source, replaced) if tables else []


def _load(load: Callable[[], object]) -> None:
    """Load what is durable now; where the database is busy, the next command does."""
    try:
        load()
    except BusyError as error:
        raise BusyError(
            f"{error.message}; what was imported is kept, and the next command loads it",
            hint=error.hint,
        ) from None


def _is_records(table: Path | str | pd.DataFrame) -> bool:
    """Whether a file is of records as runs write them, each with its measurements."""
    if not isinstance(table, Path | str) or Path(table).suffix.lower() not in JSON_LINES:
        return False
    try:
        with Path(table).open("rb") as file:
            first = next((line for line in file if line.strip()), b"")
        content = json.loads(first)
    except (OSError, ValueError, RecursionError):
        return True  # what is wrong is told where it is read
    return not isinstance(content, dict) or not {"score", "value"} <= {
        str(name).lower() for name in content
    }


def _records(
    warehouse: Warehouse, path: Path, new_architectures: bool, source: str | None
) -> list[RunRecord]:
    records = read_entry(path, catalog.read(warehouse.home))
    if source is not None:
        records = [_from(record, source, path, line) for line, record in enumerate(records, 1)]
    known_layers = layers_of(warehouse)
    for number, record in enumerate(records, 1):
        for item in record.measurements if not new_architectures else ():
            if item.architecture is not None and item.layer is not None:
                fault = unknown_network(known_layers, item.architecture, item.layer)
                if fault:
                    raise UserError(f"{path}, record {number} {fault}", hint=REGISTER)
    return records


def _from(record: RunRecord, source: str, path: Path, number: int) -> RunRecord:
    """The record as one of a source, unless it says another one."""
    if record.source not in (MEASURED, source):
        raise UserError(
            f"{path}, record {number} names the source {record.source!r}, "
            f"where --source says {source!r}"
        )
    return dataclasses.replace(record, source=source, run_id="")


def _split(
    warehouse: Warehouse, records: list[RunRecord]
) -> tuple[list[RunRecord], dict[int, int]]:
    """The records with something new, and how much is known of each, by its id()."""
    if not records:
        return [], {}
    _, rows = warehouse.rows(
        "with ids as (select distinct unnest($1) as run_id) "
        "select run_id, architecture, layer, score from scores semi join ids using (run_id) "
        "union all "
        "select run_id, null, null, null from runs semi join ids using (run_id) "
        "where preset is not null",
        [[record.run_id for record in records]],
    )
    stored, presets = set(rows), {row[0] for row in rows if row[3] is None}
    fresh, known = [], {}
    for record in records:
        keys = {
            (record.run_id, item.architecture, item.layer, item.score)
            for item in record.measurements
        }
        known[id(record)] = len(keys) if record.run_id in presets else len(keys & stored)
        if known[id(record)] < len(keys):
            fresh.append(record)
        stored |= keys
    return fresh, known
