"""The warehouse: every score beside every attribute, in one DuckDB file that can be made anew."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import fingerprint
from warehouse.database import Busy, exporting, only_writer, reading, writing
from warehouse.errors import UserError
from warehouse.records import RunRecord, cannot_write, make_folder, write_entry

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

FORMAT = 1  # of the database; a change of tables or of how they are filled counts it up
VIEWS = (
    "scores", "score_means", "best_layers", "ranks", "average_ranks", "score_catalog",
    "attribute_catalog", "runs", "paper_table_01", "paper_table_02", "paper_table_03",
    "paper_table_04",
)  # fmt: skip
APPEND_PATIENCE_S = 1.0
OPEN_PATIENCE_S = 10.0


def default_home() -> Path:
    """The data folder: $LOSSNETS_HOME, else ./data."""
    return Path(os.environ.get("LOSSNETS_HOME") or "data")


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What the database lacks: everything, log entries, or the attributes as they are now."""

    everything: bool = False
    entries: tuple[tuple[str, int, int], ...] = ()
    retried: tuple[str, ...] = ()
    attributes: bool = False

    def __bool__(self) -> bool:
        return bool(self.everything or self.entries or self.retried or self.attributes)


class Warehouse:
    """Scores and attributes of a data folder, to query with SQL and to append to.

    `Warehouse.open()` is the way in. The database is derived: from what is shipped, from the
    log `records/` and from `attributes/`; it can be deleted at any time.
    """

    def __init__(self, home: Path | str | None = None) -> None:
        self.home = Path(home) if home is not None else default_home()
        self.path = self.home / "warehouse.duckdb"

    @classmethod
    def open(cls, home: Path | str | None = None) -> Warehouse:
        """The warehouse of a data folder, up to date with its files; made where there is none.

        Raises `UserError` where the file is not a warehouse, was made by a newer lossnets, is
        busy in another process, or cannot be written.
        """
        warehouse = cls(home)
        warehouse.refresh()
        return warehouse

    def refresh(self, patience_s: float = OPEN_PATIENCE_S) -> None:
        """Load what the files hold and the database lacks; nothing is written if it is nothing."""
        if not self._lacking(patience_s):
            return
        with self._errors(), self._alone(patience_s):
            lacking = self._lacking(patience_s)  # another process may have been faster
            if lacking.everything:
                self._build()
            elif lacking:
                self._load(lacking, patience_s)

    def rebuild(self) -> None:
        """Make the database anew from the files, whatever is there now.

        A file in its place that is no warehouse of ours is kept, as `warehouse.duckdb.1`, ….
        """
        with self._errors(), self._alone(OPEN_PATIENCE_S):
            try:
                self._lacking(OPEN_PATIENCE_S)
            except Busy:
                pass
            except UserError:
                self._set_aside()
            self._build()

    def append(self, records: RunRecord | Iterable[RunRecord]) -> Path:
        """Add records to the log, and to the database unless it is busy, and return the entry.

        It returns once the entry is durable. Where the database cannot take it now, the next
        open does. The same run twice is one run: the first stays.
        """
        entry = write_entry(self.home, [records] if isinstance(records, RunRecord) else records)
        try:
            self.refresh(APPEND_PATIENCE_S)
        except UserError:  # the records are safe; the next open loads them or says what is wrong
            pass
        return entry

    def query(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """The result of SQL over the views, as a DataFrame.

        The SQL can neither write nor reach other files or the network; several statements are
        fine, the last one answers. The file is held only while it runs. Raises `UserError`
        with the database's words where the SQL is wrong.

        >>> import tempfile
        >>> warehouse = Warehouse.open(tempfile.mkdtemp())
        >>> warehouse.query("select count(*) as n from scores where source = 'paper'").n[0]
        1064
        """
        with self.connect() as connection, _sql_errors():
            result = connection.execute(sql, parameters)
            if result is None or result.description is None:
                raise UserError("there is no SQL to run", hint='lossnets sql "from ranks"')
            return result.df()

    def rows(self, sql: str, parameters: object = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Like `query`, as (column names, rows) and without pandas."""
        with self.connect() as connection, _sql_errors():
            result = connection.execute(sql, parameters)
            if result is None or result.description is None:
                raise UserError("there is no SQL to run", hint='lossnets sql "from ranks"')
            return [column[0] for column in result.description], result.fetchall()

    @contextmanager
    def connect(self) -> Iterator[DuckDBPyConnection]:
        """A read-only, locked-down connection, to stream a result; holds the file until it ends."""
        if not self.path.exists():
            self.refresh()
        with self._errors(), reading(self.path) as connection:
            yield connection

    def tables(self) -> list[str]:
        """The views, by name: what can be queried and exported."""
        _, rows = self.rows(
            "select view_name from duckdb_views() "
            "where schema_name = 'main' and not internal order by view_name"
        )
        return [name for (name,) in rows]

    def copy(self, view: str, path: Path | str, format: str) -> None:
        """Write a view of `tables()` to a file, in a fixed order of rows; format csv or parquet."""
        if view not in self.tables():
            raise UserError(f"{view!r} is no view, valid are {', '.join(self.tables())}")
        if format not in ("csv", "parquet"):
            raise UserError(f"{format!r} is no format, valid are csv and parquet")
        quoted = str(path).replace("'", "''")
        with self._errors(), exporting(self.path) as connection:
            connection.execute(
                f"copy (select * from {view} order by all) to '{quoted}' (format {format})"
            )

    def skipped(self) -> list[tuple[str, str]]:
        """(file below home, why) of each log entry and attribute file that was left out."""
        _, rows = self.rows(
            "select file, fault from store.files where fault is not null "
            "union all select file, fault from store.attribute_faults order by file"
        )
        return rows

    def _lacking(self, patience_s: float) -> Lacking:
        """What the database lacks; `UserError` where the file is none of ours."""
        import duckdb

        try:
            if self.path.stat().st_size == 0:
                return Lacking(everything=True)
        except (FileNotFoundError, NotADirectoryError):
            return Lacking(everything=True)
        try:
            with reading(self.path, patience_s) as connection:
                return self._compare(connection)
        except duckdb.Error as error:
            raise self._unreadable(error) from None

    def _compare(self, connection: DuckDBPyConnection) -> Lacking:
        import duckdb

        try:
            meta = connection.execute(
                "select format, made_by, shipped, measured, attributes from store.meta"
            ).fetchone()
        except duckdb.CatalogException:
            meta = None
        except duckdb.BinderException:
            meta = (FORMAT + 1, "a newer lossnets", "", "", "")
        if meta is None:
            raise UserError(
                f"{self.path} is a database, but not one that lossnets made",
                hint="move it away, or: lossnets rebuild (it keeps the file under another name)",
            )
        if meta[0] > FORMAT:
            raise self._newer()
        if (meta[0], *meta[2:4]) != (
            FORMAT, fingerprint.shipped(), fingerprint.measured(self.home)
        ):  # fmt: skip
            return Lacking(everything=True)
        known = {
            file: (size, modified, fault)
            for file, size, modified, fault in connection.execute("from store.files").fetchall()
        }
        return self._lacking_entries(known, meta[4] != fingerprint.attributes(self.home))

    def _lacking_entries(
        self, known: dict[str, tuple[int, int, str | None]], attributes: bool
    ) -> Lacking:
        there = {entry[0]: entry for entry in fingerprint.records(self.home)}
        changed = [
            file for file, state in known.items() if there.get(file, (file,))[1:] != state[:2]
        ]
        if any(known[file][2] is None for file in changed):
            return Lacking(everything=True)
        return Lacking(
            entries=tuple(
                entry for file, entry in there.items() if file not in known or file in changed
            ),
            retried=tuple(changed),
            attributes=attributes,
        )

    def _unreadable(self, error: Exception) -> UserError:
        if "version number" in str(error):
            return self._newer()
        from warehouse.loading import first_line

        if "not a valid DuckDB database" in str(error):
            found = f"{self.path} is not a database"
        else:
            found = f"{self.path} cannot be read ({first_line(error)})"
        return UserError(
            found,
            hint="move it away, or: lossnets rebuild (it keeps the file under another name)",
        )

    def _newer(self) -> UserError:
        return UserError(
            f"{self.path} was made by a newer lossnets than this one",
            hint="update lossnets, or: lossnets rebuild (it keeps the file under another name)",
        )

    def _load(self, lacking: Lacking, patience_s: float) -> None:
        from warehouse import loading, registered

        try:
            with writing(self.path, patience_s) as connection:
                if lacking.retried:
                    connection.execute(
                        "delete from store.files where file in (select unnest($1))",
                        [list(lacking.retried)],
                    )
                networks = _count_networks(connection)
                loading.load(connection, self.home, lacking.entries)
                if lacking.attributes or _count_networks(connection) != networks:
                    with loading.transaction(connection):
                        found = fingerprint.attributes(self.home)
                        registered.load_attributes(connection, self.home)
                        connection.execute("update store.meta set attributes = ?", [found])
        except loading.OutOfOrderError:
            self._build()

    def _build(self) -> None:
        """Build beside, then take the place: a reader has the old file or the new one."""
        for left in self.home.glob(".building-*"):
            left.unlink(missing_ok=True)
        temporary = self.home / f".building-{secrets.token_hex(6)}.duckdb"
        try:
            with writing(temporary, 0) as connection:
                _fill(connection, self.home)
            self.path.with_name(f"{self.path.name}.wal").unlink(missing_ok=True)
            temporary.replace(self.path)
        finally:
            for left in self.home.glob(f"{temporary.name}*"):
                left.unlink(missing_ok=True)

    def _set_aside(self) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        self.path.rename(aside)

    @contextmanager
    def _alone(self, patience_s: float) -> Iterator[None]:
        make_folder(self.home)
        with only_writer(self.home, patience_s):
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the operating system or the memory refuses, as one sentence."""
        try:
            yield
        except OSError as error:
            raise cannot_write(self.home, error) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb"):
                raise
            import duckdb

            if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
                from warehouse.loading import first_line

                raise UserError(
                    f"the warehouse in {self.home} refused: {first_line(error)}",
                    hint="make room or choose another folder with --home or LOSSNETS_HOME",
                ) from None
            raise


def _fill(connection: DuckDBPyConnection, home: Path) -> None:
    """Tables, data and views of a new database."""
    from importlib.metadata import version

    from warehouse import loading, registered, shipped

    state = [fingerprint.shipped(), fingerprint.measured(home), fingerprint.attributes(home)]
    with loading.transaction(connection):
        shipped.run_sql(connection, "tables")
        shipped.load_catalogs(connection)
        shipped.load_paper(connection)
        registered.register_networks(connection, home)
    loading.load(connection, home, fingerprint.records(home))
    with loading.transaction(connection):
        registered.load_attributes(connection, home)
        for view in VIEWS:
            shipped.run_sql(connection, view)
        shipped.create_scores_wide(connection)
        connection.execute(
            "insert into store.meta values (?, ?, ?, ?, ?)", [FORMAT, version("lossnets"), *state]
        )


def _count_networks(connection: DuckDBPyConnection) -> int:
    (count,) = connection.execute("select count(*) from store.loss_networks").fetchall()[0]
    return count


@contextmanager
def _sql_errors() -> Iterator[None]:
    """The database's words about wrong SQL, as a sentence and a hint."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        message, _, rest = str(error).partition("\n")
        hints = [
            line.strip()
            for line in rest.split("\n\nLINE")[0].split("LINE ")[0].splitlines()
            if line.strip()
        ]
        raise UserError(message.strip(), hint=" ".join(hints) or None) from None
