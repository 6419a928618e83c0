"""Answers to the queries that people type: Ctrl-C ends them, and `--write` lets them write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lossnets.warehouse import durable
from lossnets.warehouse.loading import database, statements
from lossnets.warehouse.store import sql_errors

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

BATCH = 10_000  # rows that are in memory at once
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of one statement: its columns, and its rows as they are asked for."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]


class Session:
    """Queries one after the other: temporary tables stay, the database is free in between.

    A query can change nothing and reach no file (`statements.run`); with `write` it may do both,
    to the database until its next rebuild, and what a failing one changed there is undone.
    """

    def __init__(self, warehouse: Warehouse, *, write: bool = False) -> None:
        self._warehouse = warehouse
        self._write = write
        self._held: DuckDBPyConnection | None = None

    def __enter__(self) -> Session:
        if not self._write:
            self._held = database.beside(self._warehouse.path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._held.close()

    def answers(self, query: str) -> Iterator[Answer]:
        """The answer of each statement, to be used before the next: its rows stream.

        Ctrl-C ends the query. Raises `UserError` with DuckDB's own words.
        """
        with sql_errors(), self._connection() as connection:
            if self._write:
                connection.execute("begin")
                results = statements.execute(connection, connection.extract_statements(query))
            else:
                results = statements.run(connection, query)
            while _interruptibly(connection, lambda: next(results, None)) is not None:
                names = [str(name) for name, *_ in connection.description or ()]
                yield Answer(columns=names, rows=_rows(connection))
            if self._write:
                connection.execute("commit")

    def count(self, query: str) -> int:
        """How many answers a query will have; nothing is run."""
        with sql_errors(), self._connection() as connection:
            return len(statements.answering(connection.extract_statements(query)))

    @contextmanager
    def _connection(self) -> Iterator[DuckDBPyConnection]:
        path = self._warehouse.path
        if self._held:
            with database.read_only(self._held, path, "warehouse"):
                self._held.execute("use warehouse")
                yield self._held
            return
        with (
            database.only_writer(self._warehouse.home, durable.PATIENCE_S),
            database.writing(path, durable.PATIENCE_S) as connection,
        ):
            yield connection


def _rows(connection: DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while batch := _interruptibly(connection, lambda: connection.fetchmany(BATCH)):
        yield from batch


def _interruptibly(connection: DuckDBPyConnection, compute: Callable[[], Found]) -> Found:
    """Compute in another thread: this one, where Ctrl-C arrives, is free to end it."""
    done: list[Found] = []
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
        connection.interrupt()
        ended.wait()
        raise
    if failed:
        raise failed[0]
    return done[0]
