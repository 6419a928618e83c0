"""What is imported, as a relation that the database reads: every cell text, rows in order."""

from __future__ import annotations

import csv
import mmap
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import numbers
from lossnets.warehouse.intake.table import TEXT, Table, encoding_of
from lossnets.warehouse.loading.database import first_line

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

BATCH = 10_000  # rows that are fetched at once
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, kw_only=True)
class Relation:
    """sql: what to select from; columns: name in small letters → name in the relation.

    place: number of a row, from 1 → where it stands, as (noun, number). is_marked: formulas in
    its cells are marked, as in every CSV file.
    """

    named: str
    sql: str
    columns: dict[str, str]
    is_marked: bool = False
    place: Callable[[int], tuple[str, int]] = lambda row: ("row", row)

    def where(self, row: int) -> str:
        """Where a row stands, for messages."""
        noun, number = self.place(row)
        return f"{self.named}, {noun} {number}"


def of_frame(connection: DuckDBPyConnection, frame: pd.DataFrame, name: str) -> Relation:
    """A DataFrame."""
    connection.register(f"given_{name}", frame)
    return _described(connection, "the table", f"given_{name}")


def of_parquet(connection: DuckDBPyConnection, path: Path) -> Relation:
    """A Parquet file."""
    return _described(connection, str(path), f"read_parquet({literal(str(path))})")


def _described(connection: DuckDBPyConnection, named: str, sql: str) -> Relation:
    import duckdb

    try:
        names = [str(row[0]) for row in connection.execute(f"describe from {sql}").fetchall()]
    except duckdb.Error as error:
        raise UserError(f"cannot read {named}: {first_line(error)}") from None
    columns: dict[str, str] = {}
    for name in names:
        if columns.setdefault(name.strip().lower(), name) != name:
            raise UserError(f"{named} has the column {name.strip()!r} twice")
    return Relation(named=named, sql=sql, columns=columns)


def as_table(connection: DuckDBPyConnection, relation: Relation) -> Table:
    """The rows of a relation as `open_table` gives those of a file."""
    names = list(relation.columns.values())
    texts = ", ".join("trim(" + _name(name) + "::varchar)" for name in names)

    def rows() -> Iterator[tuple[int, list[str]]]:
        result = connection.execute(f"select {texts} from {relation.sql}")
        number = 0
        while batch := result.fetchmany(BATCH):
            for row in batch:
                number += 1
                yield number, [cell or "" for cell in row]

    return Table(
        named=relation.named, columns=names, noun="row", marks=numbers.POINT, read_rows=rows,
        header=names,
    )  # fmt: skip


def is_plain(table: Table, path: Path) -> bool:
    """Whether the database reads a text file as `open_table` does: UTF-8, one kind of line end."""
    if not all(table.header):
        return False
    if path.suffix.lower() not in TEXT or encoding_of(path) not in ("utf-8", "utf-8-sig"):
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        starts_at_once = content[:4].strip()[:1] not in (b"", b"\n", b"\r")
        return starts_at_once and content.find(b"\r") < 0 and content.find(b"\0") < 0


def of_plain(table: Table, path: Path) -> Relation:
    """A text file that `is_plain`, read by the database itself; the rows are not located."""
    names = [f"column_{number}" for number in range(len(table.header))]
    sql = _read_csv(path, names, header="true", delimiter=table.delimiter)
    columns = {
        name.lower(): column for name, column in zip(table.header, names, strict=True) if name
    }
    return Relation(named=table.named, sql=sql, columns=columns, is_marked=True)


def of_table(table: Table, folder: Path) -> Relation:
    """Any table, written anew: UTF-8, a row a line; its rows know where they stood."""
    places = array("q")
    path = folder / "clean.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for number, row in table.rows():
            places.append(number)
            writer.writerow(row)
    names = [f"column_{number}" for number in range(len(table.columns))]
    return Relation(
        named=table.named,
        sql=_read_csv(path, names, header="false", delimiter=","),
        columns=dict(zip(table.columns, names, strict=True)),
        place=lambda row: (table.noun, places[row - 1]),
    )


def _read_csv(path: Path, names: Sequence[str], *, header: str, delimiter: str) -> str:
    """SQL that reads text of a dialect that is known."""
    declared = ", ".join(f"'{name}': 'varchar'" for name in names)
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = {header}, "
        f"delim = '{delimiter}', quote = '\"', escape = '\"', strict_mode = true, "
        f"null_padding = false, columns = {{{declared}}})"
    )


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
