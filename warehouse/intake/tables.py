"""Tidy tables of scores: checked whole, in SQL, then one entry of the log or nothing at all."""

from __future__ import annotations

import difflib
import math
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.durable import cannot_write, make_folder, publish, unfinished
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.formulas import MARKED
from lossnets.warehouse.intake.networks import close_to, layers_of, unknown_network, wrong
from lossnets.warehouse.loading.database import WRITING, first_line, read_only
from lossnets.warehouse.sources import checksums
from lossnets.warehouse.sources.records import new_entry

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

REQUIRED = ("architecture", "layer", "score", "value")
OPTIONAL = (
    "node", "n", "run_id", "benchmark", "preset", "seed", "weights", "config", "data", "versions",
    "device", "recorded_at", "duration_s", "peak_memory_bytes", "source",
)  # fmt: skip
REPEATED = (
    "dataset", "metric", "scale", "unit", "higher_is_better", "family", "layer_position",
    "baseline",
)  # fmt: skip
SQL = Path(__file__).parents[1] / "schema" / "load" / "import.sql"

FAULTS = {
    "no_architecture": "has no architecture",
    "no_layer": "has no layer",
    "no_score": "has no score",
    "no_value": "has no value",
    "bad_value": "has the value {value_text!r}, valid are finite numbers",
    "bad_score": "names the score {score!r}, {close}",
    "bad_benchmark": "says that {score} belongs to {benchmark!r}, it belongs to {of_score}",
    "out_of_range": "has the value {value:g} for {score}, valid are {minimum:g} to {maximum:g}",
    "bad_name": "has a name that does not print or is longer than 200 characters",
    "bad_n": "has a number n that is not a whole number from 1",
    "bad_seed": "has a seed that is not a whole number",
    "bad_time": "has a recorded_at that is no time like 2026-01-31T12:00:00Z",
    "bad_json": "has a config or versions that is no JSON object, or one of over 500 braces",
    "bad_size": "has a duration_s or peak_memory_bytes that is no number from 0",
}


def import_table(
    warehouse: Warehouse, source: Path | str | pd.DataFrame, new_architectures: bool
) -> tuple[int, int]:
    """Write what is new of a table to the log; (how many were new, how many were known)."""
    named = str(source) if isinstance(source, Path | str) else "the table"
    with _scratch(warehouse) as (connection, folder):
        relation = _relation(connection, source)
        columns = _columns(connection, named, relation)
        _stage(connection, relation, columns, folder / "staged.parquet")
        _check_rows(connection, named)
        if not new_architectures:
            _check_networks(connection, warehouse, named)
        _check_duplicates(connection, named)
        imported, known = _count_known(connection, named)
        if imported:
            _write(connection, warehouse.home, folder, known)
        return imported, known


@contextmanager
def _scratch(warehouse: Warehouse) -> Iterator[tuple[DuckDBPyConnection, Path]]:
    """A connection that sees the warehouse as `stored`, and a folder that is gone afterwards."""
    import shutil

    import duckdb

    folder = warehouse.home / f".import-{secrets.token_hex(6)}"
    settings: dict[str, Any] = dict(WRITING, temp_directory=str(folder))
    del settings["storage_compatibility_version"]
    try:
        make_folder(folder)
        with (
            unfinished(folder / "held"),
            duckdb.connect(config=settings) as connection,
            read_only(connection, warehouse.path, "stored"),
        ):
            yield connection, folder
    except OSError as error:
        raise cannot_write(warehouse.home, error) from None
    except duckdb.Error as error:
        raise UserError(
            f"cannot import: {first_line(error)}", hint="lossnets import --help"
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _relation(connection: DuckDBPyConnection, source: Path | str | pd.DataFrame) -> str:
    """SQL that reads the source, every cell of a CSV as text."""
    if not isinstance(source, Path | str):
        connection.register("given", source)
        return "given"
    path = Path(source)
    quoted = _quoted(str(path))
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as file:
            head = file.readline(100_000)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if suffix in (".parquet", ".pq"):
        return f"read_parquet({quoted})"
    if suffix not in (".csv", ".tsv", ".txt"):
        raise UserError(
            f"{path} is of no known kind, valid are .csv, .tsv, .parquet, .jsonl",
            hint="lossnets import --help",
        )
    if not head.strip():
        raise UserError(f"{path} is empty, its first row should name {', '.join(REQUIRED)}")
    delimiter = max((b",", b";", b"\t"), key=head.count).decode()
    return (
        f"read_csv({quoted}, header = true, all_varchar = true, delim = '{delimiter}', "
        "quote = '\"', escape = '\"')"
    )


def _columns(connection: DuckDBPyConnection, named: str, relation: str) -> dict[str, str]:
    """Column → its name in the source."""
    import duckdb

    try:
        found = connection.execute(f"describe select * from {relation}").fetchall()
    except duckdb.Error as error:
        raise UserError(f"cannot read {named}: {str(error).splitlines()[0]}") from None
    columns = {str(row[0]).strip().lower(): str(row[0]) for row in found}
    valid = (*REQUIRED, *OPTIONAL)
    for name in REQUIRED:
        if name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            seen = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(columns)}"
            raise UserError(f"{named} has no column {name!r}: {seen}")
    for name in columns:
        if name not in valid and name not in REPEATED:
            close = difflib.get_close_matches(name, valid, n=1)
            seen = f"did you mean {close[0]!r}?" if close else f"valid are {', '.join(valid)}"
            raise UserError(f"{named} has a column {name!r} that is unknown: {seen}")
    return {name: columns[name] for name in valid if name in columns}


def _stage(
    connection: DuckDBPyConnection, relation: str, columns: dict[str, str], path: Path
) -> None:
    """Write the rows, numbered, their cells cast where they can be, to a file of its own."""
    texts = []
    for name in (*REQUIRED, *OPTIONAL):
        if name in columns:
            quoted = columns[name].replace('"', '""')
            cell = f'trim("{quoted}"::varchar)'
            if relation.startswith("read_csv"):
                cell = f"regexp_replace({cell}, {_quoted(MARKED)}, '\\1')"
            texts.append(f"nullif({cell}, '') as {name}")
        else:
            texts.append(f"null::varchar as {name}")
    target = str(path).replace("'", "''")
    text = Template(SQL.read_text("utf-8"))
    connection.execute(
        text.substitute(relation=relation, texts=",\n        ".join(texts), target=target)
    )


def _check_rows(connection: DuckDBPyConnection, named: str) -> None:
    """Raise for the first row with a wrong cell."""
    if not connection.execute("select 1 from everything limit 1").fetchone():
        raise UserError(f"{named} has no rows")
    result = connection.execute(
        "select staged.*, scores.benchmark as of_score, minimum, maximum from staged "
        "left join stored.store.scores using (score) where fault is not null order by row limit 1"
    )
    names = [column[0] for column in result.description]
    row = result.fetchone()
    if row is None:
        return
    cells: dict[str, Any] = dict(zip(names, row, strict=True))
    cells["minimum"] = -math.inf if cells["minimum"] is None else cells["minimum"]
    cells["maximum"] = math.inf if cells["maximum"] is None else cells["maximum"]
    scores = connection.execute("select score from stored.store.scores").fetchall()
    cells["close"] = close_to(str(cells["score"]), [score for (score,) in scores])
    raise wrong(named, f"row {cells['row']}", FAULTS[cells["fault"]].format(**cells))


def _check_networks(connection: DuckDBPyConnection, warehouse: Warehouse, named: str) -> None:
    """Raise for the first row that names a loss network that is not there."""
    first = connection.execute(
        "select min(row) as row, architecture, layer from staged "
        "anti join networks using (architecture, layer) group by architecture, layer "
        "order by row limit 1"
    ).fetchone()
    if first:
        row, architecture, layer = first
        fault = unknown_network(layers_of(warehouse), architecture, layer)
        raise wrong(named, f"row {row}", fault or "names no known loss network")


def _check_duplicates(connection: DuckDBPyConnection, named: str) -> None:
    """Raise for the first measurement that stands twice; hashes first, for they take little."""
    rows, distinct = connection.execute(
        "select count(*), count(distinct hash(run_id, architecture, layer, score)) from staged"
    ).fetchall()[0]
    if rows == distinct:
        return
    twice = connection.execute(
        "select min(row) as first, min(row) filter (row > least_row) as second, "
        "architecture, layer, score from (select *, min(row) over "
        "(partition by run_id, architecture, layer, score) as least_row from staged) "
        "group by run_id, architecture, layer, score having count(*) > 1 order by second limit 1"
    ).fetchone()
    if twice:
        first, second, architecture, layer, score = twice
        raise UserError(
            f"{named}, row {second} repeats {score} of {architecture} {layer} from row {first}",
            hint="give repeated measurements a column seed or run_id that tells them apart",
        )


def _count_known(connection: DuckDBPyConnection, named: str) -> tuple[int, int]:
    """How many rows are new and known; `UserError` where a known one has another value.

    Leaves a view `fresh` of the new ones where not all are.
    """
    all_rows, rows = connection.execute(
        "select (select count(*) from everything), (select count(*) from staged)"
    ).fetchall()[0]
    (runs,) = connection.execute(
        "select count(*) from (select distinct run_id from staged) "
        "semi join stored.store.runs using (run_id)"
    ).fetchall()[0]
    if not runs:
        connection.execute("create temp view fresh as from staged")
        return rows, all_rows - rows
    other = connection.execute(
        "select row, architecture, layer, score, staged.value, known.value as there "
        "from staged join known using (run_id, architecture, layer, score) "
        "where staged.value <> known.value order by row limit 1"
    ).fetchone()
    if other:
        row, architecture, layer, score, value, there = other
        raise UserError(
            f"{named}, row {row} gives {value!r} for {score} of {architecture} {layer}, "
            f"where the same run has {there!r} already",
            hint="give another measurement its own seed or run_id",
        )
    connection.execute(
        "create temp view fresh as "
        "from staged anti join known using (run_id, architecture, layer, score)"
    )
    (fresh,) = connection.execute("select count(*) from fresh").fetchall()[0]
    return fresh, all_rows - fresh


def _write(connection: DuckDBPyConnection, home: Path, folder: Path, known: int) -> None:
    """Make what is new an entry of the log: the file as it is where all of it is new."""
    ready = folder / "staged.parquet"
    if known:
        ready = folder / "fresh.parquet"
        target = str(ready).replace("'", "''")
        connection.execute(
            f"copy (select * exclude (row) from fresh) to '{target}' "
            "(format parquet, compression zstd, compression_level 1)"
        )
    path = checksums.named(new_entry(home, ".parquet"), ready)
    make_folder(path.parent)
    publish(ready, path)


def _quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
