"""From the files in run folders to rows of the tables, each file whole or not at all.

A run keeps its values per item, its learning curves and a note in `runs/<run_id>/`, beside its
record. They are loaded once the record is; a folder without one belongs to a run that goes on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import NOT_GIVEN, UserError
from lossnets.warehouse.loading.database import first_line, is_refusal
from lossnets.warehouse.loading.entries import insert_files, transaction, unread
from lossnets.warehouse.loading.shipped import run_sql
from lossnets.warehouse.sources import listing
from lossnets.warehouse.sources.run_values import CURVES, ITEMS, NOTE, Format, collapsed_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CELL = {
    "varchar": "nullif({cell}, '')",
    "integer": "case when regexp_full_match({cell}, '[0-9]+') then {cell}::integer "
    "else error('is no number') end",
    "double": "nullif({cell}, '')::double",
}  # of a line that is split, by type: no more is taken than from a file by itself
BATCH_BYTES = 4 << 20  # of files that are loaded at once
BATCH_FOLDERS = 1000


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Runs whose rows are to go, and folders to load: one that has changed is both."""

    gone: tuple[str, ...] = ()
    fresh: tuple[tuple[str, int], ...] = ()  # run_id, time of the folder's last change in ns

    def __bool__(self) -> bool:
        return self != Changes()


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder as it is: file name → (size, time of its last change in ns)."""

    run_id: str
    modified_ns: int
    files: Mapping[str, tuple[int, int]]


class DamagedError(Exception):
    """Rows of one kind of file cannot be loaded; `fault` says why."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(name, fault)
        self.name, self.fault = name, fault


def changes(connection: DuckDBPyConnection, home: Path) -> Changes:
    """What the tables hold of the folders of recorded runs, against what is there."""
    there = dict(listing.folders(home))
    known = dict(
        connection.execute(
            "select split_part(file, '/', 2), modified_ns from store.files "
            "where starts_with(file, 'runs/') and size is null"
        ).fetchall()
    )
    mended = _mended(connection, home)
    gone = [run_id for run_id, modified in known.items()
            if there.get(run_id) != modified or run_id in mended]  # fmt: skip
    fresh = [(run_id, modified) for run_id, modified in there.items()
             if known.get(run_id) != modified or run_id in mended]  # fmt: skip
    if fresh:
        rows = connection.execute(
            "select run_id from store.runs semi join (select unnest($1) as run_id) using (run_id)",
            [[run_id for run_id, _ in fresh]],
        ).fetchall()
        recorded = {run_id for (run_id,) in rows}
        fresh = [folder for folder in fresh if folder[0] in recorded]
    return Changes(gone=tuple(gone), fresh=tuple(fresh))


def _mended(connection: DuckDBPyConnection, home: Path) -> set[str]:
    """The runs of files that were left out and are no longer as they were."""
    left_out = connection.execute(
        "select file, size, modified_ns from store.files "
        "where starts_with(file, 'runs/') and fault is not null"
    ).fetchall()
    return {
        file.split("/")[1] for file, *state in left_out if _state(f"{home}/{file}") != tuple(state)
    }


def _state(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116, three times as fast
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_size, status.st_mtime_ns


def load(connection: DuckDBPyConnection, home: Path) -> None:
    """Make the tables hold what the folders of recorded runs do; what is damaged is noted."""
    changed = changes(connection, home)
    if changed.gone:
        with transaction(connection):
            _forget(connection, changed.gone)
    for batch in _batches(home, changed.fresh):
        _load(connection, home, batch)


def _forget(connection: DuckDBPyConnection, run_ids: Sequence[str]) -> None:
    connection.execute(
        "create or replace temp table leaving as "
        "select run, run_id from (select unnest($1) as run_id) left join store.runs using (run_id)",
        [list(run_ids)],
    )
    runs = "run in (select run from leaving)"
    for rows in (
        f"item_values where series in (select series from store.series where {runs})",
        f"series where {runs}",
        f"curves where {runs}",
        f"notes where {runs}",
        "files where starts_with(file, 'runs/') "
        "and split_part(file, '/', 2) in (select run_id from leaving)",
    ):
        connection.execute(f"delete from store.{rows}")


def _batches(home: Path, fresh: Sequence[tuple[str, int]]) -> Iterator[list[Folder]]:
    """Small folders together: a commit takes longer than they do."""
    batch: list[Folder] = []
    size = 0
    for run_id, modified_ns in fresh:
        states = {name: _state(f"{home}/runs/{run_id}/{name}") for name in LOADERS}
        folder = Folder(
            run_id=run_id,
            modified_ns=modified_ns,
            files={name: state for name, state in states.items() if state},
        )
        of_it = sum(size for size, _ in folder.files.values())
        if batch and (size + of_it > BATCH_BYTES or len(batch) == BATCH_FOLDERS):
            yield batch
            batch, size = [], 0
        batch.append(folder)
        size += of_it
    if batch:
        yield batch


def _load(connection: DuckDBPyConnection, home: Path, batch: list[Folder]) -> None:
    """All folders of a batch; of one that is damaged all but what is damaged."""
    faults: dict[str, str] = {}
    while True:
        try:
            with transaction(connection):
                _insert_folders(connection, batch, faults)
                for name in LOADERS:
                    ids = [f.run_id for f in batch if name in f.files and name not in faults]
                    if ids:
                        _load_files(connection, home, name, ids)
            return
        except DamagedError as damaged:
            if len(batch) > 1:  # one of them is to blame: the others go in
                half = len(batch) // 2
                _load(connection, home, batch[:half])
                _load(connection, home, batch[half:])
                return
            faults[damaged.name] = damaged.fault


def _insert_folders(
    connection: DuckDBPyConnection, batch: list[Folder], faults: Mapping[str, str]
) -> None:
    rows: list[tuple[str, int | None, int, str | None]] = []
    for folder in batch:
        file = f"runs/{folder.run_id}"
        rows.append((file, None, folder.modified_ns, None))
        rows += [
            (*unread(f"{file}/{name}"), fault)
            if fault.startswith(NOT_GIVEN)
            else (f"{file}/{name}", *folder.files[name], fault)
            for name, fault in faults.items()
        ]
    insert_files(connection, rows)


def _load_files(
    connection: DuckDBPyConnection, home: Path, name: str, run_ids: Sequence[str]
) -> None:
    """The files of one name of several runs; `DamagedError` where they are to blame."""
    import duckdb

    paths = [home / "runs" / run_id / name for run_id in run_ids]
    try:
        if not all(path.is_file() for path in paths):
            raise UserError("is no file")
        LOADERS[name](connection, paths)
    except (UserError, OSError, duckdb.Error) as error:
        raise DamagedError(name, _fault(error, name)) from error


def _fault(error: Exception, name: str) -> str:
    """What is wrong with a file; raises what is wrong with the database instead."""
    if isinstance(error, UserError):
        return error.message
    if isinstance(error, OSError):
        return f"{NOT_GIVEN}: {error.strerror or error}"
    if is_refusal(error, Path(name)):
        raise error
    message = first_line(error)
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line:
        return f"line {line[1]} is not as it should be"
    return message.removeprefix("Invalid Input Error: ")  # ours, from schema/


def _load_items(connection: DuckDBPyConnection, paths: Sequence[Path]) -> None:
    _read(connection, paths, ITEMS)
    run_sql(connection, "load/load_items")


def _load_curves(connection: DuckDBPyConnection, paths: Sequence[Path]) -> None:
    _read(connection, paths, CURVES)
    run_sql(connection, "load/load_curves")


def _load_notes(connection: DuckDBPyConnection, paths: Sequence[Path]) -> None:
    connection.execute(
        "insert into store.notes select run, collapsed "
        "from (select unnest($1) as run_id, unnest($2) as collapsed) "
        "join store.runs using (run_id)",
        [[path.parent.name for path in paths], [collapsed_of(path) for path in paths]],
    )


def _read(connection: DuckDBPyConnection, paths: Sequence[Path], form: Format) -> None:
    """Put the rows of files, and their runs, into the temporary table incoming."""
    # DuckDB does not look at the checksum of gzip, and takes half a ms for every file it opens.
    texts = [form.unpack(path.read_bytes()) for path in paths]
    if len(paths) > 1 and not any(b'"' in text or b"\r" in text for text in texts):
        try:
            _split(connection, paths, form, [text.decode() for text in texts])
        except UnicodeDecodeError:
            raise UserError("is not UTF-8") from None
        return
    connection.execute(
        "create or replace temp table incoming as "
        "select * exclude (filename), split_part(filename, '/', -2) as run_id "
        "from read_csv($paths, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        "header = true, compression = $compression, "
        f"columns = {dict(form.columns)}, filename = true)",
        {"paths": [str(path) for path in paths], "compression": form.packed},
    )


def _split(
    connection: DuckDBPyConnection, paths: Sequence[Path], form: Format, texts: Sequence[str]
) -> None:
    """Rows of small files that quote nothing, each line split at its commas."""
    cells = (
        f"{CELL[type_].format(cell=f'cells[{number}]')} as {name}"
        for number, (name, type_) in enumerate(form.columns.items(), 1)
    )
    connection.execute(
        "create or replace temp table incoming as with lines as ("
        "select unnest($runs) as run_id, string_split(unnest($texts), chr(10)) as lines), "
        "split as (select run_id, string_split(unnest(lines), ',') as cells from lines), "
        f"whole as (select run_id, case when len(cells) = {len(form.columns)} then cells "
        "else error('has a line of another length') end as cells from split where cells <> ['']) "
        f"select {', '.join(cells)}, run_id from whole",
        {"runs": [path.parent.name for path in paths], "texts": texts},
    )


LOADERS: dict[str, Callable[[DuckDBPyConnection, Sequence[Path]], None]] = {
    ITEMS.file: _load_items,
    CURVES.file: _load_curves,
    NOTE: _load_notes,
}
