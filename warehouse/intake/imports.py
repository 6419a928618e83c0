"""Scores from elsewhere: checked whole, then one entry of the log, or nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.intake.networks import layers_of, unknown_network, wrong
from lossnets.warehouse.sources import catalog
from lossnets.warehouse.sources.records import RunRecord, read_entry, write_entry

if TYPE_CHECKING:
    import pandas as pd

    from lossnets.warehouse.store import Warehouse

JSON_LINES = (".jsonl", ".ndjson")


def import_records(
    warehouse: Warehouse, source: Path | str | pd.DataFrame, *, new_architectures: bool = False
) -> tuple[int, int]:
    """Import measurements and return (how many were new, how many were known already).

    source: a tidy table (CSV, Parquet or DataFrame) with the columns architecture, layer, score
    and value, and perhaps those of `tidy_tables.OPTIONAL`; or records as JSON lines. Rows
    without run_id belong to one run per architecture, benchmark, seed, weights, config, data
    and preset. What `scores` gives can come back: rows of the source paper are known. Raises
    `UserError` with the first row that is wrong; then nothing is written.
    """
    if isinstance(source, Path | str) and Path(source).suffix.lower() in JSON_LINES:
        counts = _import_json(warehouse, Path(source), new_architectures)
    else:
        from lossnets.warehouse.intake.tables import import_table

        counts = import_table(warehouse, source, new_architectures)
    if counts[0]:
        warehouse.refresh()
    return counts


def _import_json(warehouse: Warehouse, path: Path, new_architectures: bool) -> tuple[int, int]:
    records = read_entry(path, catalog.read(warehouse.home))
    known_layers = layers_of(warehouse)
    for number, record in enumerate(records, 1):
        for item in record.measurements if not new_architectures else ():
            if item.architecture is not None and item.layer is not None:
                fault = unknown_network(known_layers, item.architecture, item.layer)
                if fault:
                    raise wrong(str(path), f"record {number}", fault)
    fresh, known = _split(warehouse, records)
    if fresh:
        write_entry(warehouse.home, fresh)
    return sum(len(record.measurements) for record in fresh) - known[0], known[1]


def _split(
    warehouse: Warehouse, records: list[RunRecord]
) -> tuple[list[RunRecord], tuple[int, int]]:
    """The records with something new, and how much is known (in those, in all)."""
    _, rows = warehouse.rows(
        "with ids as (select distinct unnest($1) as run_id) "
        "select run_id, architecture, layer, score from scores semi join ids using (run_id) "
        "union all "
        "select run_id, null, null, null from runs semi join ids using (run_id) "
        "where preset is not null",
        [[record.run_id for record in records]],
    )
    stored, presets = set(rows), {row[0] for row in rows if row[3] is None}
    fresh, known_in_fresh, known_in_all = [], 0, 0
    for record in records:
        keys = {
            (record.run_id, item.architecture, item.layer, item.score)
            for item in record.measurements
        }
        known = len(keys) if record.run_id in presets else len(keys & stored)
        known_in_all += known
        if known < len(keys):
            fresh.append(record)
            known_in_fresh += known
        stored |= keys
    return fresh, (known_in_fresh, known_in_all)
