"""The results of studies, kept so that SQL reaches them: one Parquet file a study.

The database is derived, so the files are what lasts: `data/studies/study_<name>.parquet`, loaded
as tables by every rebuild.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class Result:
    """A study's rows; title and columns (name → meaning and unit) become comments of its table."""

    name: str
    title: str
    columns: dict[str, str]
    frame: pd.DataFrame


def folder(home: Path) -> Path:
    """Where the files lie."""
    return home / "studies"


def save(home: Path, results: list[Result]) -> list[Path]:
    """Write every result and forget those of studies that are not among them; then rebuild."""
    import duckdb

    folder(home).mkdir(parents=True, exist_ok=True)
    paths = []
    with duckdb.connect() as connection:
        for result in results:
            path = folder(home) / f"study_{result.name}.parquet"
            _write(connection, result, path)
            paths.append(path)
    for path in set(files(home)) - set(paths):
        path.unlink()
    return paths


def _write(connection: DuckDBPyConnection, result: Result, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    about = json.dumps({"title": result.title, "columns": result.columns})
    connection.register("result", result.frame)
    try:
        connection.execute(
            f"copy result to {_quoted(str(temporary))} "
            f"(format parquet, kv_metadata {{study: {_quoted(about)}}})"
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        connection.unregister("result")


def files(home: Path) -> list[Path]:
    """The saved results, by name."""
    return sorted(folder(home).glob("study_*.parquet"))


def load(connection: DuckDBPyConnection, home: Path) -> None:
    """Make a table of every saved result, with its comments; a file that is none is left out."""
    import duckdb

    for path in files(home):
        table = f'main."{path.stem}"'
        try:
            connection.execute(f"create table {table} as from read_parquet($1)", [str(path)])
            [(about,)] = connection.execute(
                "select decode(value) from parquet_kv_metadata($1) where decode(key) = 'study'",
                [str(path)],
            ).fetchall()
        except (duckdb.Error, ValueError):
            connection.execute(f"drop table if exists {table}")
            continue
        _comment(connection, table, json.loads(about))


def _comment(connection: DuckDBPyConnection, table: str, about: dict[str, dict[str, str]]) -> None:
    connection.execute(f"comment on table {table} is {_quoted(str(about['title']))}")
    for column, meaning in about["columns"].items():
        name = column.replace('"', '""')
        connection.execute(f'comment on column {table}."{name}" is {_quoted(meaning)}')


def _quoted(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
