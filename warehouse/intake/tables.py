"""Tables of scores: checked whole, in SQL, then one entry of the log or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.durable import make_folder, publish
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import checks, relations
from lossnets.warehouse.intake.relations import Relation
from lossnets.warehouse.intake.replacing import Replaced
from lossnets.warehouse.intake.staging import COLUMNS, REQUIRED, compare, scratch, stage
from lossnets.warehouse.intake.table import open_table
from lossnets.warehouse.intake.tidy import Words, tidied
from lossnets.warehouse.sources import checksums
from lossnets.warehouse.sources.records import new_entry

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse


def import_tables(
    warehouse: Warehouse,
    tables: Sequence[Path | str | pd.DataFrame],
    new_architectures: bool,
    source: str | None = None,
    replaced: Replaced | None = None,
) -> list[tuple[int, int]]:
    """Write what is new of tables to the log, all or nothing; (new, known) of each.

    source: the one that rows belong to which name none. replaced: notes what these stand for.

    The database reads what is tidy and in its own words. What it refuses is read once more by
    `open_table`, which knows names as people write them, and lines.
    """
    for as_written in (True, False):
        try:
            with scratch(warehouse, source) as (connection, folder):
                given = [
                    _relation(connection, warehouse, table, folder / str(number), as_written)
                    for number, table in enumerate(tables)
                ]
                return _imported(connection, warehouse, given, folder, new_architectures, replaced)
        except UserError:
            if not as_written:
                raise
    raise AssertionError("the second turn returns or raises")


def _relation(
    connection: DuckDBPyConnection,
    warehouse: Warehouse,
    source: Path | str | pd.DataFrame,
    folder: Path,
    as_written: bool,
) -> Relation:
    """What the database reads of a source: as it is written, or by `open_table`."""
    folder.mkdir()
    if isinstance(source, Path | str) and Path(source).suffix.lower() not in relations.PARQUET:
        path = Path(source)
        table = open_table(path)
        if as_written and relations.is_plain(table, path):
            return _known_columns(relations.of_plain(table, path))
    else:
        found = (
            relations.of_parquet(connection, Path(source))
            if isinstance(source, Path | str)
            else relations.of_frame(connection, source, folder.name)
        )
        if as_written:
            return _known_columns(found)
        table = relations.as_table(connection, found)
    return relations.of_table(tidied(table, Words.of(warehouse)), folder)


def _known_columns(relation: Relation) -> Relation:
    """The relation where its columns are those of a tidy table; else the second turn reads it."""
    missing = set(REQUIRED) - set(relation.columns)
    if missing or set(relation.columns) - set(COLUMNS):
        raise UserError(f"{relation.named} is no tidy table as it is written")
    return relation


def _imported(
    connection: DuckDBPyConnection,
    warehouse: Warehouse,
    given: list[Relation],
    folder: Path,
    new_architectures: bool,
    replaced: Replaced | None,
) -> list[tuple[int, int]]:
    targets = [folder / str(number) / "staged.parquet" for number in range(len(given))]
    for relation, target in zip(given, targets, strict=True):
        stage(connection, relation, target)
    compare(connection, targets)
    checks.check_rows(connection, given)
    if not new_architectures:
        checks.check_networks(connection, warehouse, given)
    checks.check_families(connection, given)
    checks.check_printed(connection, given)
    checks.check_duplicates(connection, given)
    if replaced is not None:
        replaced.restage(connection)
    checks.check_stored(connection, given)
    counts = _counts(connection, len(given))
    if any(new for new, _ in counts):
        as_staged = not any(known for _, known in counts) and not (replaced and replaced.ids)
        _write(connection, warehouse.home, targets, as_staged)
    return counts


def _counts(connection: DuckDBPyConnection, files: int) -> list[tuple[int, int]]:
    """How many rows of each file are new and known; leaves a view `fresh` of the new ones."""
    connection.execute(
        "create or replace temp view fresh as from staged anti join known "
        "on staged.run_id = known.run_id and staged.score = known.score "
        "and staged.architecture is not distinct from known.architecture "
        "and staged.layer is not distinct from known.layer"
    )
    counted = {
        file: (new, rows - new)
        for file, rows, new in connection.execute(
            "select file, any_value(rows), count(fresh.file) from "
            "(select file, count(*) as rows from everything group by file) "
            "left join fresh using (file) group by file"
        ).fetchall()
    }
    return [counted[number] for number in range(1, files + 1)]


def _write(
    connection: DuckDBPyConnection, home: Path, targets: list[Path], as_staged: bool
) -> None:
    """Make what is new an entry of the log: the file as it is where that is all of it."""
    ready = targets[0]
    if not as_staged or len(targets) > 1:
        ready = ready.with_name("fresh.parquet")
        target = str(ready).replace("'", "''")
        connection.execute(
            f"copy (select * exclude (file, row) from fresh order by file, row) to '{target}' "
            "(format parquet, compression zstd, compression_level 1)"
        )
    path = checksums.named(new_entry(home, ".parquet"), ready)
    make_folder(path.parent)
    publish(ready, path)
