"""Every table and view as a file: CSV, Parquet, Markdown, LaTeX."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse import durable
from lossnets.warehouse.answers import row_text
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import database

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

SUFFIXES = {"csv": "csv", "parquet": "parquet", "markdown": "md", "latex": "tex"}
BATCH = 10_000


def export(
    warehouse: Warehouse, folder: Path, names: Sequence[str] = (), styles: Sequence[str] = ("csv",)
) -> Iterator[tuple[Path, int]]:
    """Write tables and views (all without `names`) and yield each file with its number of rows.

    styles: 'csv', 'parquet', 'markdown', 'latex'. Rows are ordered, so that the same data gives
    the same file. A file is whole or as it was before. Raises `UserError` for an unknown name.
    """
    known = warehouse.tables()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise UserError(f"there is no table or view {name!r}", hint=hint)
    folder.mkdir(parents=True, exist_ok=True)
    with database.exporting(warehouse.path, folder) as connection:
        for name in names or known:
            for style in styles:
                path = folder / f"{name}.{SUFFIXES[style]}"
                yield path, _write(connection, name, path, style)


def _write(connection: DuckDBPyConnection, name: str, path: Path, style: str) -> int:
    import duckdb

    query = f'select * from "{name}" order by all'
    try:
        with durable.replacing(path) as temporary:
            if style == "parquet":
                target = str(temporary).replace("'", "''")
                answer = connection.execute(
                    f"copy ({query}) to '{target}' "
                    "(format parquet, compression zstd, use_tmp_file false)"
                ).fetchone()
                return int(answer[0]) if answer else 0
            result = connection.execute(query)
            columns = [column for column, *_ in result.description or ()]
            rows = (row for batch in iter(lambda: result.fetchmany(BATCH), []) for row in batch)
            with temporary.open("w", encoding="utf-8", newline="") as file:
                return row_text.WRITERS[style](file, columns, rows)
    except duckdb.PermissionException as error:  # a view that somebody planted
        raise UserError(f"{name} is not exported: {database.first_line(error)}") from None
    except duckdb.IOException as error:
        fault = str(error).partition("\n")[0].removeprefix("IO Error: ")
        raise UserError(f"{path} cannot be written: {fault}") from None
