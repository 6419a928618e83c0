"""What a database lacks of the files that it is derived from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import fingerprint, run_folders
from warehouse.database import first_line, reading
from warehouse.errors import UserError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMAT = 3  # of the database; a change of tables or of how they are filled counts it up
KEPT = "move it away, or: lossnets rebuild (it keeps the file under another name)"


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What the database lacks: everything, log entries, or others of its files as they are now."""

    everything: bool = False
    entries: tuple[tuple[str, int, int], ...] = ()
    retried: tuple[str, ...] = ()
    folders: bool = False
    attributes: bool = False
    studies: bool = False

    def __bool__(self) -> bool:
        return self != Lacking()


def lacking(home: Path, path: Path, patience_s: float | None = None) -> Lacking:
    """What the database lacks; `UserError` where the file is none of ours."""
    import duckdb

    try:
        if path.stat().st_size == 0:
            return Lacking(everything=True)
    except (FileNotFoundError, NotADirectoryError):
        return Lacking(everything=True)
    try:
        with reading(path, patience_s) as connection:
            return compare(connection, home, path)
    except duckdb.Error as error:
        raise _unreadable(path, error) from None


def compare(connection: DuckDBPyConnection, home: Path, path: Path) -> Lacking:
    """The same, of a database that is open."""
    import duckdb

    try:
        row = connection.execute("select format from store.meta").fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        row = None
    if row is None:
        raise UserError(f"{path} is a database, but not one that lossnets made", hint=KEPT)
    if row[0] > FORMAT:
        raise _newer(path)
    if row[0] < FORMAT:
        return Lacking(everything=True)
    (meta,) = connection.execute(
        "select shipped, measured, attributes, studies from store.meta"
    ).fetchall()
    if meta[:2] != (fingerprint.shipped(), fingerprint.measured(home)):
        return Lacking(everything=True)
    known = {
        file: (size, modified, fault)
        for file, size, modified, fault in connection.execute(
            "from store.files where starts_with(file, 'records/')"
        ).fetchall()
    }
    found = _lacking_entries(home, known)
    return replace(
        found,
        folders=bool(run_folders.changes(connection, home)),
        attributes=meta[2] != fingerprint.attributes(home),
        studies=meta[3] != fingerprint.studies(home),
    )


def _lacking_entries(home: Path, known: dict[str, tuple[int, int, str | None]]) -> Lacking:
    there = {entry[0]: entry for entry in fingerprint.records(home)}
    changed = [file for file, state in known.items() if there.get(file, (file,))[1:] != state[:2]]
    if any(known[file][2] is None for file in changed):
        return Lacking(everything=True)
    return Lacking(
        entries=tuple(
            entry for file, entry in there.items() if file not in known or file in changed
        ),
        retried=tuple(changed),
    )


def _unreadable(path: Path, error: Exception) -> UserError:
    if "version number" in str(error):
        return _newer(path)
    if "not a valid DuckDB database" in str(error):
        found = f"{path} is not a database"
    else:
        found = f"{path} cannot be read ({first_line(error)})"
    return UserError(found, hint=KEPT)


def _newer(path: Path) -> UserError:
    return UserError(
        f"{path} was made by a newer lossnets than this one",
        hint="update lossnets, or: lossnets rebuild (it keeps the file under another name)",
    )
