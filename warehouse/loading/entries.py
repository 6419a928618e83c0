"""From the log's entries to rows of the tables, each entry whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import NOT_GIVEN, CannotReadError, UserError
from lossnets.warehouse.loading.database import first_line, insert, is_refusal
from lossnets.warehouse.loading.shipped import run_sql
from lossnets.warehouse.sources import catalog, checksums
from lossnets.warehouse.sources.catalog import Catalog
from lossnets.warehouse.sources.listing import Entry
from lossnets.warehouse.sources.records import MEASURED, RunRecord, read_entry

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 50_000  # measurements of JSON entries that are loaded at once
PART = 10_000  # rows that go to DuckDB in one piece of text, which takes many times its size

RUN = {
    "run_id": "varchar", "benchmark": "varchar", "preset": "varchar", "seed": "bigint",
    "weights": "varchar", "config": "json", "data": "varchar", "versions": "json",
    "device": "varchar", "recorded_at": "timestamp", "duration_s": "double",
    "peak_memory_bytes": "bigint", "source": "varchar",
}  # fmt: skip
MEASUREMENT = {
    "run_id": "varchar", "architecture": "varchar", "layer": "varchar", "node": "varchar",
    "score": "varchar", "value": "double", "n": "bigint",
}  # fmt: skip


OF_NETWORK = {"family": "varchar"}  # what a table may say of an architecture


class OutOfOrderError(Exception):
    """An entry repeats a run that a later entry brought: only a rebuild gives the first again."""


def load(connection: DuckDBPyConnection, home: Path, entries: Iterable[Entry]) -> None:
    """Load entries in the order of their names; what cannot be read is noted and left out."""
    for batch in _batches(home, sorted(entries)):
        if isinstance(batch, Json):
            _load_json(connection, batch)
        else:
            _load_parquet(connection, home, batch)


class Json:
    """Entries of JSON lines that were read: their records, or why there are none."""

    def __init__(self, known: Catalog | None = None) -> None:
        self.known = known
        self.entries: list[tuple[Entry, list[RunRecord] | str]] = []
        self.measurements = 0

    def add(self, home: Path, entry: Entry) -> None:
        """Read one more entry."""
        try:
            records = read_entry(home / entry[0], self.known)
        except CannotReadError as error:
            self.entries.append((unread(entry[0]), error.message))
        except UserError as error:
            fault = error.message.removeprefix(str(home / entry[0])).lstrip(", ")
            self.entries.append((unread(entry[0]) if self._is_unsure() else entry, fault))
        else:
            self.entries.append((entry, records))
            self.measurements += sum(len(record.measurements) for record in records)

    def _is_unsure(self) -> bool:
        """Whether the system did not give a score: an entry may be sound that seems not to be."""
        faults = self.known.faults.values() if self.known else ()
        return any(fault.startswith(NOT_GIVEN) for fault in faults)


def _batches(home: Path, entries: list[Entry]) -> Iterator[Json | Entry]:
    """Neighbouring JSON entries together, a Parquet entry by itself."""
    known = catalog.read(home)
    batch = Json(known)
    for entry in entries:
        is_json = entry[0].endswith(".jsonl")
        if batch.entries and (not is_json or batch.measurements >= BATCH):
            yield batch
            batch = Json(known)
        if is_json:
            batch.add(home, entry)
        else:
            yield entry
    if batch.entries:
        yield batch


def _load_json(connection: DuckDBPyConnection, batch: Json) -> None:
    import duckdb

    try:
        with transaction(connection):
            _load_records(connection, batch.entries)
    except duckdb.Error as error:
        if is_refusal(error):
            raise
        if len(batch.entries) == 1:
            note(connection, batch.entries[0][0], first_line(error))
            return
        for entry in batch.entries:  # one of them is to blame: the others go in
            single = Json()
            single.entries.append(entry)
            _load_json(connection, single)


def _load_records(
    connection: DuckDBPyConnection, entries: list[tuple[Entry, list[RunRecord] | str]]
) -> None:
    insert_files(
        connection,
        [(*entry, records if isinstance(records, str) else None) for entry, records in entries],
    )
    if _stage(connection, [(e[0], r) for e, r in entries if not isinstance(r, str)]):
        _merge(connection)


def stage(connection: DuckDBPyConnection, home: Path, entries: Iterable[Entry]) -> None:
    """Put entries of JSON lines into the temporary tables incoming_runs and incoming.

    Of a run that stands twice the first stays. Raises `UserError` where one cannot be read.
    """
    _stage(connection, [(file, read_entry(home / file)) for file, _, _ in entries])


def _stage(connection: DuckDBPyConnection, entries: Iterable[tuple[str, list[RunRecord]]]) -> int:
    """The number of runs that are staged."""
    runs: dict[str, dict[str, Any]] = {}
    measurements: dict[tuple[str, str | None, str | None, str], dict[str, Any]] = {}
    for file, records in entries:
        for record in records:
            runs.setdefault(record.run_id, _run(record) | {"file": file})
            for row in _measurements(record):
                key = (row["run_id"], row["architecture"], row["layer"], row["score"])
                measurements.setdefault(key, row)
    if runs:
        _create(connection, "incoming_runs", RUN | {"file": "varchar"}, list(runs.values()))
        _create(connection, "incoming", MEASUREMENT | OF_NETWORK, list(measurements.values()))
    return len(runs)


def _run(record: RunRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in RUN} | {
        "recorded_at": record.recorded_at.removesuffix("+00:00")
    }


def _measurements(record: RunRecord) -> Iterator[dict[str, Any]]:
    for item in record.measurements:
        yield {
            "run_id": record.run_id,
            "architecture": item.architecture,
            "layer": item.layer,
            "node": record.nodes.get(item.layer or ""),
            "score": item.score,
            "value": item.value,
            "n": item.n,
            "family": None,
        }


def _load_parquet(connection: DuckDBPyConnection, home: Path, entry: Entry) -> None:
    import duckdb

    path = home / entry[0]
    if damage := _damage(path, entry):
        note(connection, *damage)
        return
    try:
        with transaction(connection):
            insert_files(connection, [(*entry, None)])
            quoted = str(path).replace("'", "''")
            columns = ", ".join(_measured(connection, quoted))
            connection.execute("drop table if exists incoming")  # of JSON lines before it
            connection.execute(
                f"create or replace temp view incoming as select {columns} "
                f"from read_parquet('{quoted}')"
            )
            columns = ", ".join(
                f"any_value({name})::{kind} as {name}"
                for name, kind in RUN.items()
                if name not in ("run_id", "source")
            )
            columns += f", {_source(connection, quoted)} as source"
            connection.execute(
                f"create or replace temp table incoming_runs as select run_id, {columns}, "
                f"$file as file from read_parquet('{quoted}') group by run_id",
                {"file": entry[0]},
            )
            run_sql(connection, "load/check_parquet")
            _merge(connection)
            connection.execute("drop view incoming; drop table incoming_runs")
    except duckdb.Error as error:
        if is_refusal(error, path):
            raise
        not_given = isinstance(error, duckdb.IOException)
        fault = first_line(error).removeprefix("Invalid Input Error: ")
        note(connection, unread(entry[0]) if not_given else entry, fault)


def _damage(path: Path, entry: Entry) -> tuple[Entry, str] | None:
    """What to note of a file that is not what its name says; None where it is."""
    try:
        checksums.check_named(path)
    except CannotReadError as error:
        return unread(entry[0]), error.message
    except UserError as error:
        return entry, error.message
    return None


def _measured(connection: DuckDBPyConnection, quoted: str) -> Iterator[str]:
    """The columns of measurements in a Parquet file; older ones lack some."""
    there = connection.execute(f"describe from read_parquet('{quoted}')").fetchall()
    names = {str(name) for name, *_ in there}
    for name, kind in (MEASUREMENT | OF_NETWORK).items():
        yield f"{name if name in names else 'null'}::{kind} as {name}"


def _source(connection: DuckDBPyConnection, quoted: str) -> str:
    """SQL of the source of a run in a Parquet file, which older ones do not tell."""
    described = connection.execute(f"describe from read_parquet('{quoted}')").fetchall()
    if "source" not in {name for name, *_ in described}:
        return f"'{MEASURED}'"
    return f"coalesce(any_value(source)::varchar, '{MEASURED}')"


def _merge(connection: DuckDBPyConnection) -> None:
    row = connection.execute(
        "select 1 from incoming_runs join store.runs using (run_id) "
        "where runs.file > incoming_runs.file limit 1"
    ).fetchone()
    if row:
        raise OutOfOrderError
    run_sql(connection, "load/load")


def _create(
    connection: DuckDBPyConnection, table: str, columns: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace temp table {table} ({declared})")
    for start in range(0, len(rows), PART):
        insert(connection, table, columns, rows[start : start + PART])


def note(connection: DuckDBPyConnection, entry: Entry, fault: str) -> None:
    """Remember why an entry is left out."""
    with transaction(connection):
        insert_files(connection, [(*entry, fault)])


def unread(file: str) -> Entry:
    """A file that the system did not give: of a state that none has, so that it is read again."""
    return file, -1, 0


def known_entries(connection: DuckDBPyConnection) -> dict[str, tuple[int, int, str | None]]:
    """The log's entries that the database has read: (size, time in ns, fault) by file."""
    rows = connection.execute(
        "select file, size, modified_ns, fault from store.files where starts_with(file, 'records/')"
    ).fetchall()
    return {file: (size, modified, fault) for file, size, modified, fault in rows}


def insert_files(
    connection: DuckDBPyConnection, rows: Sequence[tuple[str, int | None, int, str | None]]
) -> None:
    """Remember files: (path below home, size, time of the last change in ns, fault)."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(
        "insert into store.files select unnest($1), unnest($2::bigint[]), unnest($3::bigint[]), "
        "unnest($4::varchar[])",
        columns,
    )


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """All of the block or nothing of it."""
    import duckdb

    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # some errors have rolled it back themselves
            connection.execute("rollback")
        raise
