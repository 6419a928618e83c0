"""Frames of one's own as tables of a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import statements
from lossnets.warehouse.store import sql_errors

if TYPE_CHECKING:
    import pandas as pd

    from lossnets.warehouse.store import Warehouse


def query(
    warehouse: Warehouse, sql: str, parameters: object, frames: Mapping[str, Any]
) -> pd.DataFrame:
    """The result of SQL over the views and over frames, by the names that the query gives them.

    Nothing of a frame stays. Raises `UserError` on what is no frame, on a name that a view has,
    and with the database's words where the SQL is wrong.
    """
    import duckdb

    with warehouse.connect() as connection:
        known = warehouse.tables() if frames else []
        for name, frame in frames.items():
            if name in known:
                raise UserError(
                    f"{name} is a view already; give the frame another name",
                    hint=f"sql(query, my_{name}=frame)",
                )
            try:
                connection.register(name, frame)
            except duckdb.Error:
                kind = type(frame).__name__
                raise UserError(f"{name} is a {kind} where a DataFrame is needed") from None
        with sql_errors():
            return statements.last_result(connection, sql, parameters).df()
