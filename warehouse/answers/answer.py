"""Answers to the queries that people type: Ctrl-C ends them, and `--write` lets them write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import database, statements
from lossnets.warehouse.store import sql_errors

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

Answer = tuple[list[str], list[tuple[Any, ...]]]


def answer(warehouse: Warehouse, query: str, *, write: bool = False) -> Answer:
    """The columns and rows of a query; the database is free again when this returns.

    The query can change nothing and reach no file; with `write` it may change the database, until
    its next rebuild, and what a failing one changed is undone. Ctrl-C ends it. Raises `UserError`
    with DuckDB's own words.
    """
    with _connection(warehouse, write) as connection, sql_errors():
        # the cursor is a connection of its own, for the other thread, in the same database
        cursor = connection.cursor()
        return _interruptibly(cursor, lambda: _fetch(cursor, query, write))


@contextmanager
def _connection(warehouse: Warehouse, write: bool) -> Iterator[DuckDBPyConnection]:
    if not write:
        with warehouse.connect() as connection:
            yield connection
        return
    patience = database.PATIENCE_S
    with (
        database.only_writer(warehouse.home, patience),
        database.writing(warehouse.path, patience) as connection,
    ):
        yield connection


def _fetch(cursor: DuckDBPyConnection, query: str, write: bool) -> Answer:
    with cursor:
        if write:
            cursor.execute("begin")
        else:
            statements.check_all(cursor, query)
        result = cursor.execute(query)
        if result is None or result.description is None:
            raise UserError("there is no SQL to run", hint='lossnets sql "from ranks"')
        found = [name for name, *_ in result.description], result.fetchall()
        if write:
            cursor.execute("commit")
    return found


def _interruptibly(cursor: DuckDBPyConnection, compute: Callable[[], Answer]) -> Answer:
    """Compute in another thread: this one, where Ctrl-C arrives, is free to end it."""
    done: list[Answer] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(compute())
        except BaseException as error:  # raised again below, in the thread that asked
            failed.append(error)
        finally:
            ended.set()

    ended = threading.Event()  # Thread.join, once interrupted, takes the thread for ended
    threading.Thread(target=work, daemon=True).start()
    try:
        ended.wait()
    except KeyboardInterrupt:
        cursor.interrupt()
        ended.wait()
        raise
    if failed:
        raise failed[0]
    return done[0]
