"""The content of the database: all of it for a new one, what is new for one that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.loading import (
    attribute_columns,
    catalogs,
    compaction,
    entries,
    events,
    run_files,
    saved_studies,
    shipped,
)
from lossnets.warehouse.loading.lacking import FORMAT, Lacking
from lossnets.warehouse.sources import catalog, compacted, fingerprint

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VIEWS = (
    "removed", "scores", "configuration_means", "score_means", "best_layers", "ranks",
    "source_catalog", "benchmark_catalog", "score_catalog", "attribute_catalog", "runs",
    "run_events", "item_values", "learning_curves", "paper_table_01", "paper_table_02",
    "paper_table_03", "paper_table_04",
)  # fmt: skip


def fill(connection: DuckDBPyConnection, home: Path) -> None:
    """Tables, data and views of a new database."""
    made_from = [
        fingerprint.shipped(),
        fingerprint.registered(home),
        fingerprint.measured(home),
        fingerprint.attributes(home),
    ]
    known = catalog.read(home)
    with entries.transaction(connection):
        shipped.run_sql(connection, "tables/tables")
        shipped.load_networks(connection)
        catalogs.load(connection, known)
        shipped.load_paper(connection)
        attribute_columns.register_networks(connection, home)
    entries.load(connection, home, compacted.standing(home))
    run_files.load(connection, home)
    with entries.transaction(connection):
        if not attribute_columns.load_attributes(connection, home):
            made_from[-1] = ""
        for view in VIEWS:
            shipped.run_sql(connection, f"views/{view}")
        catalogs.create_views(connection, known)
        connection.execute(
            "insert into store.meta values (?, ?, ?, ?, ?, '', '')", [FORMAT, *made_from]
        )
    load_studies(connection, home)
    events.load(connection, home)
    compaction.tidy(connection, home)


def catch_up(connection: DuckDBPyConnection, home: Path, lacking: Lacking) -> None:
    """Load what is new: each log entry whole or not at all, so that a crash loses nothing."""
    if lacking.retried:
        connection.execute(
            "delete from store.files where list_contains($1, file)", [list(lacking.retried)]
        )
    for entry, what in lacking.compacted:
        compaction.adopt(connection, entry, what)
    networks = count_networks(connection)
    entries.load(connection, home, lacking.entries)
    run_files.load(connection, home)
    if lacking.attributes or count_networks(connection) != networks:
        with entries.transaction(connection):
            made_from = fingerprint.attributes(home)
            if not attribute_columns.load_attributes(connection, home):
                made_from = ""
            connection.execute("update store.meta set attributes = ?", [made_from])
    if lacking.studies:
        load_studies(connection, home)
    if lacking.events:
        events.load(connection, home)
    compaction.tidy(connection, home)


def load_studies(connection: DuckDBPyConnection, home: Path) -> None:
    """The saved results of studies, as tables."""
    made_from = fingerprint.studies(home)
    saved = connection.execute(
        "select table_name from duckdb_tables() "
        "where schema_name = 'main' and starts_with(table_name, 'study_')"
    ).fetchall()
    for (name,) in saved:
        connection.execute(f'drop table main."{name}"')
    saved_studies.load(connection, home)
    connection.execute("update store.meta set studies = ?", [made_from])


def count_networks(connection: DuckDBPyConnection) -> int:
    """How many loss networks are known."""
    (count,) = connection.execute("select count(*) from store.loss_networks").fetchall()[0]
    return count
