"""What a database lacks of the files that it is derived from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import compaction, run_files
from lossnets.warehouse.loading import entries as loading
from lossnets.warehouse.loading.database import first_line, reading
from lossnets.warehouse.sources import compacted, fingerprint, listing
from lossnets.warehouse.sources.compacted import Compacted
from lossnets.warehouse.sources.listing import Entry

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMAT = 7  # of the database; a change of tables or of how they are filled counts it up
KEPT = "move it away, or: lossnets rebuild (it keeps the file under another name)"


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What the database lacks: everything, log entries, or others of its files as they are now.

    retried: entries that it has left out, and that have changed; compacted: those that stand for
    entries that it has. untidy: the log can be made shorter, which nobody has to wait for.
    """

    everything: bool = False
    entries: tuple[Entry, ...] = ()
    retried: tuple[str, ...] = ()
    compacted: tuple[tuple[Entry, Compacted], ...] = ()
    folders: bool = False
    attributes: bool = False
    studies: bool = False
    events: bool = False
    untidy: bool = False

    def __bool__(self) -> bool:
        return self != Lacking(untidy=self.untidy)


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
        "select attributes, studies, events, shipped, catalog, measured from store.meta"
    ).fetchall()
    whole = (fingerprint.shipped(), fingerprint.registered(home), fingerprint.measured(home))
    if meta[3:] != whole:
        return Lacking(everything=True)
    found = replace(
        _lacking_entries(home, loading.known_entries(connection)),
        attributes=meta[0] != fingerprint.attributes(home),
        studies=meta[1] != fingerprint.studies(home),
        events=meta[2] != fingerprint.events(home),
    )
    if found:  # whoever catches up looks at the folders of runs anyway
        return found
    return replace(found, folders=bool(run_files.changes(connection, home)))


def _lacking_entries(home: Path, known: dict[str, tuple[int, int, str | None]]) -> Lacking:
    entries = listing.records(home)
    if {file: state[:2] for file, state in known.items()} == {e[0]: e[1:] for e in entries}:
        return Lacking(untidy=any(compaction.due(entries, known)))
    standing_for = compacted.found(home, entries)
    replaced = compacted.replaced(standing_for.values())
    there = {entry[0]: entry for entry in entries if entry[:2] not in replaced}
    changed = [file for file, state in known.items()
               if there.get(file, (file,))[1:] != state[:2]
               and (file, state[0]) not in replaced]  # fmt: skip
    adopted: dict[Entry, Compacted] = {}
    mixed = False
    for entry, what in standing_for.items():
        if entry[0] not in known:
            count = sum(file in known for file, _, _ in what.entries)
            mixed |= 0 < count < len(what.entries)
            adopted |= {entry: what} if count else {}
    if mixed or any(known[file][2] is None for file in changed):
        return Lacking(everything=True)
    return Lacking(
        entries=tuple(
            entry
            for file, entry in there.items()
            if (file not in known or file in changed) and entry not in adopted
        ),
        retried=tuple(changed),
        compacted=tuple(adopted.items()),
        untidy=any(compaction.due(there.values(), known)) or len(there) < len(entries),
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
