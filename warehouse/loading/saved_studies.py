"""The results of studies, kept so that SQL reaches them: one Parquet file a study.

The database is derived, so the files are what lasts: `data/studies/study_<name>.parquet`. Each
becomes a table of the same name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.durable import cannot_write, replacing
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading.database import first_line, is_refusal
from lossnets.warehouse.loading.entries import transaction
from lossnets.warehouse.sources import fingerprint, listing

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

NAME = re.compile(r"study_[a-z0-9_]+")


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


def save(home: Path, results: list[Result], inputs: str) -> list[Path]:
    """Write every result and forget those of studies that are not among them.

    inputs: the fingerprint of what the results were computed from. `Warehouse.refresh` loads them.
    """
    import duckdb

    folder(home).mkdir(parents=True, exist_ok=True)
    paths = []
    with duckdb.connect() as connection:
        for result in results:
            path = folder(home) / f"study_{result.name}.parquet"
            _write(connection, result, path, inputs)
            paths.append(path)
    for path in set(files(home)) - set(paths):
        path.unlink()
    return paths


def _write(connection: DuckDBPyConnection, result: Result, path: Path, inputs: str) -> None:
    about = json.dumps({"title": result.title, "columns": result.columns, "inputs": inputs})
    connection.register("result", result.frame)
    import duckdb

    try:
        with replacing(path) as temporary:
            connection.execute(
                f"copy result to {_quoted(str(temporary))} "
                f"(format parquet, use_tmp_file false, kv_metadata {{study: {_quoted(about)}}})"
            )
    except OSError as error:
        raise cannot_write(path.parent, error) from None
    except duckdb.IOException as error:
        raise UserError(f"cannot write to {path.parent}: {first_line(error)}") from None
    finally:
        connection.unregister("result")


def files(home: Path) -> list[Path]:
    """The saved results, by name."""
    return [
        path for path in listing.files(folder(home), (".parquet",)) if NAME.fullmatch(path.stem)
    ]


def load(connection: DuckDBPyConnection, home: Path) -> None:
    """Make a table of every saved result, with its comments; a file that is none is left out."""
    import duckdb

    for path in files(home):
        try:
            about = _about(connection, path)
            with transaction(connection):
                _create(connection, path, about)
        except (duckdb.Error, ValueError) as error:
            if is_refusal(error, path):
                raise


def _create(connection: DuckDBPyConnection, path: Path, about: About) -> None:
    table = path.stem  # which NAME allows
    connection.execute(f"create table {table} as from read_parquet({_quoted(str(path))})")
    connection.execute(f"comment on table {table} is {_quoted(about.title)}")
    for column, meaning in about.columns.items():
        name = column.replace('"', '""')
        connection.execute(f'comment on column {table}."{name}" is {_quoted(meaning)}')


def outdated(home: Path) -> list[str]:
    """The saved results that were computed from other data than there is now."""
    import duckdb

    if not files(home):
        return []
    inputs = fingerprint.inputs(home)
    with duckdb.connect() as connection:
        return [p.stem for p in files(home) if _inputs(connection, p) != inputs]


@dataclass(frozen=True, kw_only=True)
class About:
    """What a file says about itself."""

    title: str
    columns: dict[str, str]
    inputs: str

    def __post_init__(self) -> None:
        texts = [self.title, self.inputs, *self.columns, *self.columns.values()]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("what a study says about itself is text")


def _inputs(connection: DuckDBPyConnection, path: Path) -> str | None:
    """What a saved study was computed from; None of a file that is none."""
    import duckdb

    try:
        return _about(connection, path).inputs
    except (duckdb.Error, ValueError):
        return None


def _about(connection: DuckDBPyConnection, path: Path) -> About:
    """What `_write` noted in the file; `ValueError` where nothing is."""
    found = connection.execute(
        "select decode(value) from parquet_kv_metadata($1) where decode(key) = 'study'",
        [str(path)],
    ).fetchone()
    if found is None:
        raise ValueError(f"{path} is no result of a study")
    try:
        content = json.loads(found[0])
        return About(title=content["title"], columns=content["columns"], inputs=content["inputs"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError(f"{path} says nothing about itself") from None


def _quoted(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
