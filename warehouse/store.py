"""The warehouse: every score beside every attribute, in one DuckDB file that can be made anew."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lossnets.warehouse.durable import (
    cannot_write,
    clear,
    clear_all,
    finish,
    make_folder,
    publish,
)
from lossnets.warehouse.errors import BusyError, UserError
from lossnets.warehouse.loading import statements
from lossnets.warehouse.loading.database import (
    check_whole,
    first_line,
    is_refusal,
    only_writer,
    reading,
    writing,
)
from lossnets.warehouse.loading.lacking import compare, lacking
from lossnets.warehouse.sources import listing
from lossnets.warehouse.sources.records import RunRecord, write_entry

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

APPEND_PATIENCE_S = 0.1


def default_home() -> Path:
    """The data folder: $LOSSNETS_HOME, else ./data."""
    return Path(os.environ.get("LOSSNETS_HOME") or "data").expanduser()


class Warehouse:
    """Scores and attributes of a data folder, to query with SQL and to append to.

    `Warehouse.open()` is the way in. The database is derived: from what is shipped, from the
    log `records/` and from `attributes/`; it can be deleted at any time.
    """

    def __init__(self, home: Path | str | None = None) -> None:
        self.home = Path(home).expanduser() if home is not None else default_home()
        self.path = self.home / "warehouse.duckdb"
        self._ours: int | None = None  # the inode of the database that was found to be one

    @classmethod
    def open(cls, home: Path | str | None = None) -> Self:
        """The warehouse of a data folder, up to date with its files; made where there is none.

        Raises `UserError` where the file is not a warehouse, was made by a newer lossnets, is
        busy in another process, or cannot be written.
        """
        warehouse = cls(home)
        warehouse.refresh()
        return warehouse

    def refresh(self, patience_s: float | None = None) -> None:
        """Load what the files hold and the database lacks; nothing is written if it is nothing."""
        with self._errors():
            for name in ("attributes", "catalog/benchmarks", "catalog/scores"):
                finish(self.home / name)
            found = lacking(self.home, self.path, patience_s)
            self._clear()
            if not found.everything:
                self._ours = self.path.stat().st_ino
            if not found:
                if found.untidy:
                    self._tidy()
                return
            with self._alone(patience_s):
                if found.everything:  # unless another process was faster
                    found = lacking(self.home, self.path, patience_s)
                if found.everything or not self._caught_up(patience_s):
                    self._build()

    def rebuild(self) -> None:
        """Make the database anew from the files, whatever is there now.

        A file in its place that is no warehouse of ours is kept, as `warehouse.duckdb.1`, ….
        """
        with self._errors(), self._alone():
            try:
                lacking(self.home, self.path)
            except BusyError:
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
        with suppress(UserError):  # the records are safe; the next open loads them or says why not
            if not self._is_ours() or not self._take_up():
                self.refresh(APPEND_PATIENCE_S)
        return entry

    def _is_ours(self) -> bool:
        """Whether the database is the one that was looked at before."""
        try:
            return self._ours is not None and self.path.stat().st_ino == self._ours
        except OSError:
            return False

    def _take_up(self) -> bool:
        """Load what is lacking, which something is, with one opening; False where it takes more."""
        with self._errors(), self._alone(APPEND_PATIENCE_S):
            return self._caught_up(APPEND_PATIENCE_S)

    def query(self, sql: str, parameters: object = None) -> pd.DataFrame:
        """The result of SQL over the views, as a DataFrame.

        The SQL can neither write nor reach other files or the network (`statements.run` says
        what it may hold); several statements are fine, the last one answers. The file is held
        only while it runs. Raises `UserError` with the database's words where the SQL is wrong.

        >>> import tempfile
        >>> warehouse = Warehouse.open(tempfile.mkdtemp())
        >>> warehouse.query("select count(*) as n from scores where source = 'paper'")
              n
        0  1064
        """
        with self.connect() as connection, sql_errors():
            return statements.last_result(connection, sql, parameters).df()

    def rows(self, sql: str, parameters: object = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Like `query`, as (column names, rows) and without pandas."""
        with self.connect() as connection, sql_errors():
            result = statements.last_result(connection, sql, parameters)
            return [column[0] for column in result.description or ()], result.fetchall()

    @contextmanager
    def connect(self) -> Iterator[DuckDBPyConnection]:
        """A read-only, locked-down connection, to stream a result; holds the file until it ends."""
        if not self.path.exists():
            self.refresh()
        with self._errors(), reading(self.path) as connection:
            yield connection

    def tables(self) -> list[str]:
        """The views and the saved results of studies, by name: what to query and export."""
        _, rows = self.rows(
            "select table_name from information_schema.tables "
            "where table_schema = 'main' order by table_name"
        )
        return [name for (name,) in rows]

    def skipped(self) -> list[tuple[str, str]]:
        """(file below home, why) of each log entry and attribute file that was left out."""
        _, rows = self.rows(
            "select file, fault from store.files where fault is not null "
            "union all select file, fault from store.attribute_faults order by file"
        )
        return sorted([*rows, *listing.odd(self.home)])

    def _caught_up(self, patience_s: float | None) -> bool:
        """Load what is lacking; False where only a rebuild gives what the files say."""
        from lossnets.warehouse.loading.building import catch_up
        from lossnets.warehouse.loading.entries import OutOfOrderError

        if not self.path.exists():
            return False
        try:
            with writing(self.path, patience_s) as connection:
                found = compare(connection, self.home, self.path)
                if not found.everything:
                    catch_up(connection, self.home, found)
                return not found.everything
        except OutOfOrderError:
            return False

    def _tidy(self) -> None:
        """Make the log shorter, unless that is refused or somebody else is at it."""
        from lossnets.warehouse.loading.compaction import tidy

        with (
            suppress(UserError),
            self._errors(),
            self._alone(0),
            writing(self.path, 0) as connection,
        ):
            tidy(connection, self.home)

    def _build(self) -> None:
        """Build beside, then take the place: a reader has the old file or the new one."""
        from lossnets.warehouse.loading.building import fill

        self._clear_building()
        temporary = self.home / f".building-{secrets.token_hex(6)}.duckdb"
        try:
            with writing(temporary, 0) as connection:
                fill(connection, self.home)
                connection.execute("checkpoint")  # closing fails without a word
            check_whole(temporary)
            self._wal().unlink(missing_ok=True)
            publish(temporary, self.path)
        finally:
            self._clear_building()

    def _clear(self) -> None:
        """Remove what killed processes left unfinished, unless that is refused."""
        for name in (*listing.PLACES, "sweeps"):
            clear(self.home / name)
        for folder in self.home.glob(".import-*"):
            clear_all(folder)
        cut_short = self._wal().exists() and self.path.exists()
        if not cut_short and not any(self.home.glob(".building-*")):
            return
        with suppress(UserError), self._errors(), self._alone(0):
            self._clear_building()
            if cut_short:
                with writing(self.path, 0):
                    pass  # closing it brings its log into the file

    def _clear_building(self) -> None:
        for left in self.home.glob(".building-*"):
            left.unlink(missing_ok=True)

    def _wal(self) -> Path:
        return self.path.with_name(f"{self.path.name}.wal")

    def _set_aside(self) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        self.path.rename(aside)

    @contextmanager
    def _alone(self, patience_s: float | None = None) -> Iterator[None]:
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
            if "duckdb" not in type(error).__module__ or not is_refusal(error):
                raise
            raise UserError(
                f"the warehouse in {self.home} refused: {first_line(error)}",
                hint="make room or choose another folder with --home or LOSSNETS_HOME",
            ) from None


@contextmanager
def sql_errors() -> Iterator[None]:
    """The database's words about wrong SQL, as a sentence and a hint."""
    import duckdb

    try:
        yield
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        message, _, rest = str(error).partition("\n")
        hints = [
            line.strip()
            for line in rest.split("\n\nLINE")[0].split("LINE ")[0].splitlines()
            if line.strip()
        ]
        raise UserError(message.strip(), hint=" ".join(hints) or None) from None
