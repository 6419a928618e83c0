"""The SQL that people bring: statements that read are run, any other is refused before it runs.

A connection that is read-only and without external access still lets `copy … to` write to the
database's own path, to the log beside it and to its spill folder. So what a statement is, is
decided by DuckDB's own parser before any of them runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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


def check_all(connection: DuckDBPyConnection, sql: str) -> None:
    """Raise `UserError` where one of the statements may change more than what it makes itself.

    A statement may read, and make or fill what lives no longer than the connection: CREATE TEMP
    TABLE, VIEW or MACRO, SET VARIABLE. Raises duckdb.ParserException where the SQL is none.
    """
    for statement in connection.extract_statements(sql):
        check(connection, statement)


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


def _spoken(kind: str, first: str) -> str:
    return kind.replace("_", " ") if kind not in READS else first.upper()
