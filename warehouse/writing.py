"""A query that may change the database: what `lossnets sql --write` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse import database
from warehouse.errors import UserError

if TYPE_CHECKING:
    from warehouse.store import Warehouse


def rows_writing(warehouse: Warehouse, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows of a query that may change the database, until its next rebuild.

    Raises `UserError` with DuckDB's own words; what a failing query changed is undone.
    """
    import duckdb

    with (
        database.only_writer(warehouse.home, database.PATIENCE_S),
        database.writing(warehouse.path, database.PATIENCE_S) as connection,
    ):
        try:
            connection.execute("begin")
            result = connection.execute(query)
            found = [name for name, *_ in result.description or ()], result.fetchall()
            connection.execute("commit")
        except duckdb.Error as error:
            raise UserError(str(error).partition("\n")[0]) from None
    return found
