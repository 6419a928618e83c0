"""A long log made short: many entries of JSON lines become one of Parquet, and nothing else.

The new entry is written, synced and named, read back and compared, and only then do those that it
replaces go. It says which they are (`compacted`), and takes its place in the order right after the
last of them. So a crash leaves some of them beside it, which count no more, and the next command
removes them. The database is not made anew: its runs come from another file now, and that is all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse import durable
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import entries as loading
from lossnets.warehouse.loading.database import is_refusal
from lossnets.warehouse.sources import checksums, compacted, listing
from lossnets.warehouse.sources.compacted import Compacted
from lossnets.warehouse.sources.listing import Entry

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEAST = 1_000  # entries next to each other that become one
MOST = 5_000  # entries that one replaces
COLUMNS = ", ".join(
    f"{name}::{kind.replace('json', 'varchar')} as {name}"
    for name, kind in {**loading.MEASUREMENT, **loading.RUN}.items()
)
STAGED = f"select {COLUMNS} from incoming join incoming_runs using (run_id)"


def due(
    entries: Iterable[Entry], known: dict[str, tuple[int, int, str | None]]
) -> Iterator[list[Entry]]:
    """What is to be compacted: long stretches of entries of JSON lines that are loaded whole.

    entries: what counts of the log, in order; known: what the database has of them (size, time,
    fault). Stretches end where an entry of Parquet stands: the order of entries decides which of
    two that hold the same run counts, and stays as it is.
    """
    sound = (entry for entry in entries if known.get(entry[0]) == (*entry[1:], None))
    for is_json, group in groupby(sound, key=lambda entry: entry[0].endswith(".jsonl")):
        stretch = list(group) if is_json else []
        while len(stretch) >= LEAST:
            yield stretch[:MOST]
            stretch = stretch[MOST:]


def adopt(connection: DuckDBPyConnection, entry: Entry, what: Compacted) -> None:
    """Have the database know an entry in place of those that it replaces."""
    replaced = [file for file, _, _ in what.entries]
    with loading.transaction(connection):
        connection.execute(
            "create or replace temp table leaving as select unnest($1) as file", [replaced]
        )
        connection.execute("delete from store.files where file in (from leaving)")
        connection.execute("delete from store.files where file = $1", [entry[0]])
        loading.insert_files(connection, [(*entry, None)])
        connection.execute(
            "update store.runs set file = $1 where file in (from leaving)", [entry[0]]
        )


def tidy(connection: DuckDBPyConnection, home: Path) -> None:
    """Compact what is due, and remove what an earlier compaction has left.

    Only for the one that may write. Where the disk is full or read-only the log stays as it is.
    """
    entries = listing.records(home)
    there = compacted.found(home, entries)
    gone = compacted.replaced(there.values())
    known = loading.known_entries(connection)
    stretches = list(due((entry for entry in entries if entry[:2] not in gone), known))
    with _refused():
        for entry, what in there.items():
            if entry[0] in known:
                _finish(connection, home, entry, what, sound=known[entry[0]] == (*entry[1:], None))
        for stretch in stretches:
            _compact(connection, home, stretch)


def _finish(
    connection: DuckDBPyConnection, home: Path, entry: Entry, what: Compacted, *, sound: bool
) -> None:
    """Remove what a compaction that was cut short has left; sound: the entry could be loaded."""
    left = [old for old in what.entries if _is_there(home, old)]
    if sound and len(left) < len(what.entries):  # it was compared before the first of them went
        _remove(home, left)
    elif sound:
        loading.stage(connection, home, left)
        _replace(connection, home, entry, what)
    elif len(left) == len(what.entries):
        (home / entry[0]).unlink()  # and the next command loads them


@contextmanager
def _refused() -> Iterator[None]:
    """What the disk, the memory or a file of the log refuses is for another time."""
    import duckdb

    try:
        yield
    except (OSError, UserError):
        pass
    except duckdb.Error as error:
        if not is_refusal(error):
            raise


def _compact(connection: DuckDBPyConnection, home: Path, stretch: Sequence[Entry]) -> None:
    loading.stage(connection, home, stretch)
    runs = connection.execute("select run_id from incoming_runs order by run_id").fetchall()
    what = Compacted(entries=tuple(stretch), runs=tuple(run_id for (run_id,) in runs))
    last = home / stretch[-1][0]
    with durable.unfinished(last.with_suffix(".parquet")) as temporary:
        connection.execute(
            f"copy ({STAGED} order by all) to {_quoted(temporary)} (format parquet, "
            "compression zstd, use_tmp_file false, "
            f"kv_metadata {{about: {_quoted(what.to_json())}}})"
        )
        path = checksums.named(last, temporary)
        durable.publish(temporary, path)
    state = path.stat()
    _replace(connection, home, (f"records/{path.name}", state.st_size, state.st_mtime_ns), what)


def _replace(connection: DuckDBPyConnection, home: Path, entry: Entry, what: Compacted) -> None:
    """Let an entry take the place of those that are staged, or go if it does not hold them all."""
    import duckdb

    path = home / entry[0]
    try:
        holds_all = _holds_all(connection, path, what)
        if holds_all:
            adopt(connection, entry, what)
    except duckdb.Error:  # no room for it, say, and commands that only read shall go on
        path.unlink()
        raise
    if holds_all:
        _remove(home, what.entries)
    else:
        path.unlink()


def _remove(home: Path, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if _is_there(home, entry):
            (home / entry[0]).unlink(missing_ok=True)


def _is_there(home: Path, entry: Entry) -> bool:
    """Whether an entry is there as it was, whatever its time: a copy of the log has another."""
    try:
        return (home / entry[0]).stat().st_size == entry[1]
    except FileNotFoundError:
        return False


def _holds_all(connection: DuckDBPyConnection, path: Path, what: Compacted) -> bool:
    """Whether an entry, read back, is what is staged."""
    rows, staged, lacking = connection.execute(
        f"select (select count(*) from read_parquet({_quoted(path)})), "
        f"(select count(*) from incoming), (select count(*) from ({STAGED} except "
        f"select {COLUMNS} from read_parquet({_quoted(path)})))"
    ).fetchall()[0]
    return rows == staged and not lacking and compacted.read(path) == what


def _quoted(text: Path | str) -> str:
    return "'" + str(text).replace("'", "''") + "'"
