"""What a derived attribute may be computed from: one scalar expression over known columns."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ARITHMETIC = frozenset(["+", "-", "*", "/", "//", "%", "**", "^"])
TEXT_MATCHES = frozenset(["~~", "!~~", "~~*", "!~~*", "starts_with", "ends_with", "contains"])
FUNCTIONS = frozenset(
    [
        "abs",
        "ceil",
        "ceiling",
        "floor",
        "round",
        "round_even",
        "trunc",
        "sign",
        "mod",
        "gcd",
        "lcm",
        "greatest",
        "least",
        "nullif",
        "if",
        "sqrt",
        "cbrt",
        "exp",
        "ln",
        "log",
        "log2",
        "log10",
        "pow",
        "power",
        "pi",
        "gamma",
        "lgamma",
        "sin",
        "cos",
        "tan",
        "cot",
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "degrees",
        "radians",
        "isfinite",
        "isinf",
        "isnan",
    ]
)
NUMBERS = frozenset(
    [
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "hugeint",
        "utinyint",
        "usmallint",
        "uinteger",
        "ubigint",
        "uhugeint",
        "int",
        "float",
        "real",
        "double",
        "decimal",
        "numeric",
        "boolean",
        "bool",
    ]
)
OPERATORS = frozenset(
    [
        "OPERATOR_NOT",
        "OPERATOR_IS_NULL",
        "OPERATOR_IS_NOT_NULL",
        "OPERATOR_COALESCE",
        "OPERATOR_TRY",
        "COMPARE_IN",
        "COMPARE_NOT_IN",
    ]
)
PLAIN = frozenset(["CONSTANT", "COMPARISON", "CONJUNCTION", "CASE", "BETWEEN", "CAST"])
LONGEST = 4_000
FORBIDDEN = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "'*'",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
    "DEFAULT": "DEFAULT",
    "POSITIONAL_REFERENCE": "a column by its position",
    "COLLATE": "a collation",
}
VALID = "arithmetic, comparisons, CASE, CAST, COALESCE and functions of one row such as ln or round"


def columns_used(expression: str) -> list[str]:
    """The columns an expression reads, each once, in order; nothing is executed.

    Only what gives every row one value from that row alone is allowed: arithmetic,
    comparisons, AND, OR, NOT, CASE, CAST to a number or boolean, COALESCE, TRY, LIKE and
    `FUNCTIONS`. Raises `UserError` for anything else: what does not parse, statements,
    subqueries, aggregates, windows, functions that read files or change from call to call.

    >>> columns_used("ln(macs) / greatest(depth, 1)")
    ['macs', 'depth']
    """
    columns: list[str] = []
    try:
        _walk(_parse(expression), columns)
    except RecursionError:
        raise UserError("the expression is nested too deeply") from None
    return list(dict.fromkeys(columns))


def _parse(expression: str) -> dict[str, Any]:
    """The syntax tree of the one expression, on a connection that can reach nothing."""
    if not expression.strip():
        raise UserError("the expression is empty", hint="lossnets attribute derive --help")
    if len(expression) > LONGEST:
        raise UserError(f"the expression has {len(expression):,} characters, at most {LONGEST:,}")
    with _parser().cursor() as connection:
        row = connection.execute(
            "select json_serialize_sql($1)", [f"select (\n{expression}\n)"]
        ).fetchone()
    answer: dict[str, Any] = (
        json.loads(row[0]) if row else {"error": True, "error_message": "no answer"}
    )
    if answer["error"]:
        if "expression depth" in answer["error_message"]:
            raise RecursionError
        if answer.get("error_type") == "parser":
            raise UserError(f"the expression does not parse: {answer['error_message']}")
        raise UserError("the expression is not one expression but a statement of its own")
    (statement, *others) = answer["statements"]
    select = statement["node"]
    if others or not _is_bare(select):
        raise UserError("the expression is not one expression but a statement of its own")
    return select["select_list"][0]


@functools.cache
def _parser() -> DuckDBPyConnection:
    """A database of nothing, kept, for opening one takes longer than parsing."""
    import duckdb

    return duckdb.connect(config={"enable_external_access": "false", "lock_configuration": "true"})


def _is_bare(select: dict[str, Any]) -> bool:
    """Whether a parsed SELECT is nothing but one unnamed value."""
    return (
        select["type"] == "SELECT_NODE"
        and len(select["select_list"]) == 1
        and not select["select_list"][0].get("alias")
        and select["from_table"]["type"] == "EMPTY"
        and not any(
            select.get(clause)
            for clause in ("where_clause", "group_expressions", "having", "qualify", "modifiers")
        )
        and not select["cte_map"]["map"]
    )


def _walk(node: Any, columns: list[str]) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(item, columns)
    elif isinstance(node, dict):
        if "class" in node:
            _check(node, columns)
        for item in node.values():
            _walk(item, columns)


def _check(node: dict[str, Any], columns: list[str]) -> None:
    """Raise where one node of the tree is not allowed; note the column where it is one."""
    kind = node["class"]
    if kind == "COLUMN_REF":
        names = node["column_names"]
        if len(names) != 1:
            raise UserError(f"'{'.'.join(names)}' is not an attribute: write its name alone")
        columns.append(names[0])
    elif kind == "FUNCTION":
        _check_function(node)
    elif kind == "TYPE":
        name = node["type_name"].lower()
        if name not in NUMBERS:
            raise UserError(f"a cast to {name} makes no number: cast to double or boolean")
    elif kind == "OPERATOR":
        if node["type"] not in OPERATORS:
            raise UserError(_not_allowed(node["type"].removeprefix("OPERATOR_").lower()))
    elif kind not in PLAIN:
        raise UserError(_not_allowed(FORBIDDEN.get(kind, kind.lower())))


def _check_function(node: dict[str, Any]) -> None:
    name = node["function_name"].lower()
    if name not in ARITHMETIC | TEXT_MATCHES | FUNCTIONS:
        raise UserError(_not_allowed(f"{name}()" if name.isidentifier() else f"'{name}'"))
    if any(node.get(extra) for extra in ("schema", "catalog", "distinct", "filter")) or node[
        "order_bys"
    ].get("orders"):
        raise UserError(_not_allowed(f"{name}() with DISTINCT, FILTER, ORDER BY or a schema"))


def _not_allowed(what: str) -> str:
    return f"{what} cannot stand in an attribute: valid are {VALID}"
