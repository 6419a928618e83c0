"""From the files in run folders to rows of the tables, each file whole or not at all.

A run keeps its values per item, its learning curves and a note in `runs/<run_id>/`, beside its
record. They are loaded once the record is; a folder without one belongs to a run that goes on.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import fingerprint
from warehouse.database import first_line
from warehouse.errors import UserError
from warehouse.loading import Entry, note, transaction
from warehouse.shipped import run_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ITEMS = {
    "layer": "varchar", "dataset": "varchar", "item": "varchar", "quantity": "varchar",
    "value": "double",
}  # fmt: skip
CURVES = {"epoch": "integer", "split": "varchar", "quantity": "varchar", "value": "double"}
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Files whose rows are to go, and files to load: one that has changed is both."""

    gone: tuple[str, ...] = ()
    fresh: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        return self != Changes()


def changes(connection: DuckDBPyConnection, home: Path) -> Changes:
    """What the tables hold of the folders of recorded runs, against what is there."""
    there = {entry[0]: entry for entry in fingerprint.runs(home)}
    known = {
        file: (size, modified)
        for file, size, modified in connection.execute(
            "select file, size, modified_ns from store.files where starts_with(file, 'runs/')"
        ).fetchall()
    }
    gone = [file for file, state in known.items() if there.get(file, (file,))[1:] != state]
    fresh = [entry for file, entry in there.items() if known.get(file) != entry[1:]]
    if fresh:
        recorded = set(connection.execute("select run_id from store.runs").fetchall())
        fresh = [entry for entry in fresh if (_run_id(entry[0]),) in recorded]
    return Changes(gone=tuple(gone), fresh=tuple(fresh))


def load(connection: DuckDBPyConnection, home: Path) -> None:
    """Make the tables hold what the folders of recorded runs do; what is damaged is noted."""
    found = changes(connection, home)
    for file in found.gone:
        with transaction(connection):
            connection.execute("set variable run_id = $1", [_run_id(file)])
            for rows in ROWS[_name(file)]:
                connection.execute(f"delete from store.{rows}")
            connection.execute("delete from store.files where file = $1", [file])
    for entry in found.fresh:
        _load(connection, home, entry)


def _load(connection: DuckDBPyConnection, home: Path, entry: Entry) -> None:
    import duckdb

    path = home / entry[0]
    try:
        with transaction(connection):
            connection.execute("insert into store.files values (?, ?, ?, ?)", [*entry, None])
            connection.execute("set variable run_id = $1", [_run_id(entry[0])])
            LOADERS[path.name](connection, path)
    except UserError as error:
        note(connection, entry, error.message)
    except OSError as error:
        note(connection, entry, f"cannot be read: {error.strerror or error}")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException) and path.name not in str(error):
            raise  # the database, not the file
        note(connection, entry, _fault(error))


def _load_items(connection: DuckDBPyConnection, path: Path) -> None:
    _check_gzip(path)
    _read_csv(connection, path, ITEMS, "gzip")
    run_sql(connection, "load_items")


def _load_curves(connection: DuckDBPyConnection, path: Path) -> None:
    with path.open("rb") as file:
        _check_header(file.readline(), CURVES)
    _read_csv(connection, path, CURVES, "none")
    run_sql(connection, "load_curves")


def _load_note(connection: DuckDBPyConnection, path: Path) -> None:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise UserError("is not JSON") from None
    collapsed = content.get("collapsed") if isinstance(content, dict) else 0
    if not isinstance(collapsed, str | None):
        raise UserError('is no note: an object with "collapsed", a reason')
    connection.execute(
        "insert into store.notes select run, $1 from store.runs "
        "where run_id = getvariable('run_id')",
        [collapsed],
    )


def _check_gzip(path: Path) -> None:
    """Read it to its end: DuckDB does not look at the checksum."""
    try:
        with gzip.open(path) as file:
            _check_header(file.readline(), ITEMS)
            while file.read(CHUNK):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UserError("is torn or damaged") from None


def _check_header(line: bytes, columns: dict[str, str]) -> None:
    if line.rstrip(b"\r\n") != ",".join(columns).encode():
        raise UserError(f"does not start with the line {','.join(columns)}")


def _read_csv(
    connection: DuckDBPyConnection, path: Path, columns: dict[str, str], compression: str
) -> None:
    connection.execute(
        "create or replace temp table incoming as from read_csv($path, auto_detect = false, "
        "header = true, delim = ',', quote = '\"', escape = '\"', compression = $compression, "
        f"columns = {columns})",
        {"path": str(path), "compression": compression},
    )


def _fault(error: Exception) -> str:
    """What the database says of a file, without what only its programmer can do about it."""
    message = first_line(error)
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line:
        return f"line {line[1]} is not as it should be"
    return message.removeprefix("Invalid Input Error: ")  # ours, from schema/


def _run_id(file: str) -> str:
    return file.split("/")[1]


def _name(file: str) -> str:
    return file.split("/")[2]


OF_RUN = "run = (select run from store.runs where run_id = getvariable('run_id'))"
ROWS = {
    "items.csv.gz": (
        f"item_values where series in (select series from store.series where {OF_RUN})",
        f"series where {OF_RUN}",
    ),
    "curves.csv": (f"curves where {OF_RUN}",),
    "note.json": (f"notes where {OF_RUN}",),
}
LOADERS: dict[str, Callable[[DuckDBPyConnection, Path], None]] = {
    "items.csv.gz": _load_items,
    "curves.csv": _load_curves,
    "note.json": _load_note,
}
