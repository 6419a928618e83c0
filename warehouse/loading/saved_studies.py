"""The results of studies, kept so that SQL reaches them: one Parquet file a study.

The database is derived, so the files are what lasts: `data/studies/study_<name>.parquet`. Each
becomes a table of the same name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.durable import unfinished
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading.database import first_line, is_refusal
from lossnets.warehouse.sources import fingerprint
from lossnets.warehouse.sources.records import cannot_write, publish

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
        with unfinished(path) as temporary:
            connection.execute(
                f"copy result to {_quoted(str(temporary))} "
                f"(format parquet, use_tmp_file false, kv_metadata {{study: {_quoted(about)}}})"
            )
            publish(temporary, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from None
    except duckdb.IOException as error:
        raise UserError(f"cannot write to {path.parent}: {first_line(error)}") from None
    finally:
        connection.unregister("result")


def files(home: Path) -> list[Path]:
    """The saved results, by name."""
    return sorted(p for p in folder(home).glob("study_*.parquet") if NAME.fullmatch(p.stem))


def load(connection: DuckDBPyConnection, home: Path) -> None:
    """Make a table of every saved result, with its comments; a file that is none is left out."""
    import duckdb

    for path in files(home):
        try:
            about = _about(connection, path)
            connection.execute(
                f"create table {path.stem} as from read_parquet({_quoted(str(path))})"
            )
        except (duckdb.Error, ValueError) as error:
            if is_refusal(error, path):
                raise
            continue
        connection.execute(f"comment on table {path.stem} is {_quoted(about['title'])}")
        for column, meaning in about["columns"].items():
            connection.execute(f'comment on column {path.stem}."{column}" is {_quoted(meaning)}')


def outdated(home: Path) -> list[str]:
    """The saved results that were computed from other data than there is now."""
    import duckdb

    if not files(home):
        return []
    inputs = fingerprint.inputs(home)
    with duckdb.connect() as connection:
        return [p.stem for p in files(home) if _about(connection, p)["inputs"] != inputs]


def _about(connection: DuckDBPyConnection, path: Path) -> dict[str, Any]:
    """What `_write` noted in the file; `ValueError` where nothing is."""
    found = connection.execute(
        "select decode(value) from parquet_kv_metadata($1) where decode(key) = 'study'",
        [str(path)],
    ).fetchone()
    if found is None:
        raise ValueError(f"{path} is no result of a study")
    about: dict[str, Any] = json.loads(found[0])
    return about


def _quoted(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
