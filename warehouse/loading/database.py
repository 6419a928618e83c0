"""Connections to the database file: locked down for reading, one writer at a time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.durable import PAUSE_S, busy, deadline_of, locked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "3GiB"  # what stays of a laptop's 4 GiB when Python and its libraries have theirs
BUSY = ("Could not set lock on file", "different configuration", "Conflicting lock")

WRITING = {
    "storage_compatibility_version": "v1.5.0",  # readable by the command-line client on PyPI
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": MEMORY,
}
READING = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": MEMORY,
}


@contextmanager
def reading(path: Path, patience_s: float | None = None) -> Iterator[DuckDBPyConnection]:
    """A connection that can reach no file but those of the database; `BusyError` if a writer stays.

    What people bring goes through `statements.run`, so that it writes to none of these either.
    """
    settings = READING | {"temp_directory": str(path.parent / ".spill")}
    connection = _connect(path, patience_s, read_only=True, config=settings)
    try:
        if not _is_locked(connection):
            connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


@contextmanager
def exporting(
    path: Path, folder: Path, patience_s: float | None = None
) -> Iterator[DuckDBPyConnection]:
    """A read-only connection that reaches one folder beside the database, to write files there."""
    settings = WRITING | {"temp_directory": str(path.parent / ".spill")}
    connection = _connect(path, patience_s, read_only=True, config=settings)
    try:
        connection.execute("set allowed_directories = [$1]", [str(folder)])
        connection.execute("set enable_external_access = false; set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def beside(path: Path) -> DuckDBPyConnection:
    """A database in memory that reaches no file but `path`, for `read_only` to open at times."""
    import duckdb

    settings: dict[str, Any] = READING | {"temp_directory": str(path.parent / ".spill")}
    del settings["enable_external_access"]
    connection = _in_utc(duckdb.connect(config=settings))
    connection.execute("set allowed_paths = [$1, $1 || '.wal']", [str(path)])
    connection.execute("set enable_external_access = false; set lock_configuration = true")
    return connection


@contextmanager
def writing(path: Path, patience_s: float | None = None) -> Iterator[DuckDBPyConnection]:
    """A connection that may change everything; closing it leaves one file, without a log."""
    settings = WRITING | {"temp_directory": str(path.parent / ".spill")}
    connection = _connect(path, patience_s, read_only=False, config=settings)
    try:
        yield connection
    finally:
        connection.close()


def check_whole(path: Path) -> None:
    """Raise duckdb.Error unless a closed database is one file and has its content."""
    import duckdb

    if wal_of(path).exists():
        raise duckdb.OperationalError(f"{path.name} was not written to its end: no space, perhaps")
    with reading(path, 0) as connection:
        connection.execute("from store.meta").fetchall()


def wal_of(path: Path) -> Path:
    """DuckDB's log beside a database: what is committed and not in the file yet."""
    return path.with_name(f"{path.name}.wal")


@contextmanager
def read_only(
    connection: DuckDBPyConnection, path: Path, name: str, patience_s: float | None = None
) -> Iterator[None]:
    """See the database of another file under a name as long as the block runs."""
    import duckdb

    quoted = str(path).replace("'", "''")
    deadline = deadline_of(patience_s)
    while True:
        try:
            connection.execute(f"attach '{quoted}' as {name} (read_only)")
            break
        except duckdb.IOException as error:
            if not any(sign in str(error) for sign in BUSY):
                raise
            if time.monotonic() >= deadline:
                raise busy(path) from None
        time.sleep(PAUSE_S)
    try:
        yield
    finally:
        connection.execute(f"use memory; detach {name}")


def _connect(path: Path, patience_s: float | None, **options: Any) -> DuckDBPyConnection:
    import duckdb

    deadline = deadline_of(patience_s)
    while True:
        try:
            return _in_utc(duckdb.connect(str(path), **options))
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            if not any(sign in str(error) for sign in BUSY):
                raise
            if time.monotonic() >= deadline:
                raise busy(path) from None
        time.sleep(PAUSE_S)


def _in_utc(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    """The connection, to which a time without a zone is UTC, whatever this computer's zone is."""
    if not _is_locked(connection):  # by another connection to the same file, which did this
        connection.execute("set global timezone = 'UTC'")
    return connection


def _is_locked(connection: DuckDBPyConnection) -> bool:
    row = connection.execute("select current_setting('lock_configuration')").fetchone()
    return bool(row and row[0])


@contextmanager
def only_writer(home: Path, patience_s: float | None = None) -> Iterator[None]:
    """Hold the lock that makes this the only process to change the database of a home.

    DuckDB's own lock is on the file, which a rebuild replaces: it cannot serve for this.
    """
    with locked(home / ".lock", patience_s):
        yield


def insert(
    connection: DuckDBPyConnection, table: str, columns: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    """Insert rows in one statement: columns maps names to SQL types, what a row lacks is NULL."""
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        f"insert into {table} ({names}) select {names} from "
        "(select unnest(from_json($rows, $types), recursive := true))",
        {"rows": json.dumps(rows, allow_nan=False), "types": json.dumps([columns])},
    )


def first_line(error: Exception) -> str:
    """What a database error says, without its excerpt of the statement."""
    line = str(error).split("\n", 1)[0].strip()
    nested = re.search(r'"exception_message":("(?:[^"\\]|\\.)*")', line)
    told = json.loads(nested[1]) if nested else line
    return "".join(letter for letter in told if letter.isprintable())


def is_refusal(error: Exception, path: Path | None = None) -> bool:
    """Whether the database failed (no room, no memory), and not what was given to it.

    path: a file that was being read. What names it is its own fault.
    """
    import duckdb

    if not isinstance(error, duckdb.Error):
        return False
    if isinstance(error, duckdb.IOException):
        return path is None or path.name not in str(error)
    kinds = (duckdb.OperationalError, duckdb.FatalException, duckdb.InternalError)
    return isinstance(error, kinds)
