"""From the files in run folders to rows of the tables, each file whole or not at all.

A run keeps its values per item, its learning curves and a note in `runs/<run_id>/`, beside its
record. They are loaded once the record is; a folder without one belongs to a run that goes on.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
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
BATCH_BYTES = 1 << 20  # of files that are loaded at once


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
    for batch in _batches(found.fresh):
        _load(connection, home, batch)


def _batches(entries: tuple[Entry, ...]) -> Iterator[list[Entry]]:
    """Small files together: a commit takes longer than they do."""
    batch: list[Entry] = []
    for entry in entries:
        if batch and sum(size for _, size, _ in batch) + entry[1] > BATCH_BYTES:
            yield batch
            batch = []
        batch.append(entry)
    if batch:
        yield batch


def _load(connection: DuckDBPyConnection, home: Path, batch: list[Entry]) -> None:
    """All files of a batch, but those that are damaged, which are noted."""
    import duckdb

    try:
        with transaction(connection):
            for entry in batch:
                connection.execute("insert into store.files values (?, ?, ?, ?)", [*entry, None])
                connection.execute("set variable run_id = $1", [_run_id(entry[0])])
                LOADERS[_name(entry[0])](connection, home / entry[0])
    except (UserError, OSError, duckdb.Error) as error:
        if len(batch) == 1:
            note(connection, batch[0], _fault(error, _name(batch[0][0])))
            return
        for entry in batch:  # one of them is to blame: the others go in
            _load(connection, home, [entry])


def _fault(error: Exception, name: str) -> str:
    """What is wrong with a file; raises what is wrong with the database instead."""
    import duckdb

    if isinstance(error, UserError):
        return error.message
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    foreign = isinstance(error, duckdb.IOException) and name not in str(error)
    if foreign or isinstance(error, duckdb.OutOfMemoryException):
        raise error
    message = first_line(error)
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line:
        return f"line {line[1]} is not as it should be"
    return message.removeprefix("Invalid Input Error: ")  # ours, from schema/


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
