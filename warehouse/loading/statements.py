"""The SQL that people bring: statements that read are run, any other is refused unrun.

A connection that is read-only and without external access still lets `copy … to` write to the
database's own path, to the log beside it and to its spill folder. So what a statement is, is
decided by DuckDB's own parser before any of them runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

READS = ("SELECT", "EXPLAIN", "MULTI")  # MULTI is a PIVOT: the types it makes, then its SELECT
BEFORE = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
EXPLAIN = re.compile(BEFORE + r"explain\s+(?:analyze\b)?\s*(?:\([^()]*\))?", re.I | re.S)
FIRST_WORD = re.compile(rf"(?:{BEFORE}\(?)*([a-z]+)", re.I | re.S)
SELECTS = ("select", "from", "with", "pivot", "unpivot", "values", "table")
TEMPORARY = re.compile(
    BEFORE + r"create\s+(?:or\s+replace\s+)?temp(?:orary)?\s+(?:table|view|macro|function)\b",
    re.I | re.S,
)
SET_VARIABLE = re.compile(BEFORE + r"set\s+variable\b", re.I | re.S)
# What Python has no type for, or one with a narrower range, is fetched as text.
AS_TEXT = re.compile(
    r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|"
    r"\b(TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS|TIMESTAMP_NS|TIME_NS|INTERVAL)\b"
)


def run(
    connection: DuckDBPyConnection, sql: str, parameters: object = None
) -> Iterator[DuckDBPyConnection]:
    """Run each statement and yield the connection wherever it holds a result to read.

    A statement may read, and make or fill what lives no longer than the connection: CREATE TEMP
    TABLE, VIEW or MACRO, SET VARIABLE. parameters are the last statement's. Raises `UserError`
    before anything has run where one of the statements is another, and where there is none.
    """
    statements = connection.extract_statements(sql)
    if not statements:
        raise UserError("there is no SQL to run", hint='lossnets sql "from ranks"')
    for statement in statements:
        check(connection, statement)
    yield from execute(connection, statements, parameters)


def execute(
    connection: DuckDBPyConnection, statements: list[Statement], parameters: object = None
) -> Iterator[DuckDBPyConnection]:
    """Run statements of any kind, one after the other, as `run` does.

    Of a statement that does something the result, a count, is worth reading only as the last.
    """
    for statement in statements:
        given = parameters if statement is statements[-1] else None
        result = connection.execute(statement, given)
        if result.description and statement.type.name in READS:
            _as_text(connection, statement, given)
        if statement in answering(statements):
            yield connection


def answering(statements: list[Statement]) -> list[Statement]:
    """Those with a result to read: what reads, and the last one whatever it is."""
    return [item for item in statements[:-1] if item.type.name in READS] + statements[-1:]


def check(connection: DuckDBPyConnection, statement: Statement) -> None:
    """Raise `UserError` unless a statement reads, or changes what ends with the connection."""
    kind, text = statement.type.name, statement.query
    if kind == "EXPLAIN":
        for explained in connection.extract_statements(EXPLAIN.sub("", text, count=1)):
            check(connection, explained)
        return
    first = FIRST_WORD.match(text)
    if kind in READS and first and first[1].lower() in (*SELECTS, "describe", "desc", "show",
                                                        "summarize"):  # fmt: skip
        return
    if TEMPORARY.match(text) or (kind == "SET" and SET_VARIABLE.match(text)):
        return
    raise UserError(
        f"a query can only read, and this is {_spoken(kind, first[1] if first else '')}",
        hint="lossnets export writes files; lossnets sql --write may change the database",
    )


def last_result(
    connection: DuckDBPyConnection, sql: str, parameters: object = None
) -> DuckDBPyConnection:
    """The connection with the result of the last statement of `run`."""
    for _ in run(connection, sql, parameters):
        pass
    return connection


def _spoken(kind: str, first: str) -> str:
    return kind.replace("_", " ") if kind not in READS else first.upper()


def _as_text(connection: DuckDBPyConnection, statement: Statement, parameters: Any) -> None:
    """Ask again, with columns as text that Python cannot hold; nothing was fetched yet."""
    columns = [(str(name), str(kind)) for name, kind, *_ in connection.description or ()]
    kinds = [AS_TEXT.sub(lambda found: "VARCHAR" if found[1] else found[0], k) for _, k in columns]
    if statement.type.name == "EXPLAIN" or kinds == [kind for _, kind in columns]:
        return
    places = [f"c{number}" for number in range(len(columns))]
    named = ", ".join(
        f'{place}::{kind} as "{name.replace(chr(34), chr(34) * 2)}"'
        for place, kind, (name, _) in zip(places, kinds, columns, strict=True)
    )
    query = statement.query.strip().rstrip(";")
    connection.execute(f"select {named} from (\n{query}\n) as t({', '.join(places)})", parameters)
