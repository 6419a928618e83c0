"""Rows as text: a table for people, CSV, JSON, JSON lines, Markdown, LaTeX."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, TextIO

Rows = Iterable[Sequence[Any]]
Writer = Callable[[TextIO, Sequence[str], Rows], int]

LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "\n": " ", "\r": " "}
)
MARKDOWN = str.maketrans(
    {"|": r"\|", "\\": r"\\", "\n": " ", "\r": " ", "<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


def write_csv(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write comma-separated rows (NULL is an empty cell) and return how many.

    >>> import sys
    >>> write_csv(sys.stdout, ["layer", "value"], [("late", 0.5), ("early", None)])
    layer,value
    late,0.5
    early,
    2
    """
    plain = csv.writer(file, lineterminator="\n")
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    count = -1  # the header is no row
    for row in chain([columns], rows):
        count += 1
        cells = [_cell(value) for value in row]
        # Python's writer leaves a lone carriage return unquoted, and readers break the line there
        hidden_break = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (quoted if hidden_break else plain).writerow(cells)
    return count


def write_json(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write one JSON array of objects (NULL, NaN and infinity are null)."""
    names = _distinct(columns)
    count = 0
    file.write("[")
    for row in rows:
        count += 1
        file.write(("," if count > 1 else "") + "\n" + _object(names, row))
    file.write("\n]\n" if count else "]\n")
    return count


def write_jsonl(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write one JSON object a line."""
    names = _distinct(columns)
    count = 0
    for row in rows:
        count += 1
        file.write(_object(names, row) + "\n")
    return count


def write_markdown(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write a Markdown table; numbers stand to the right.

    >>> import sys
    >>> write_markdown(sys.stdout, ["layer", "value"], [("late", 0.5)])
    | layer | value |
    | --- | ---: |
    | late | 0.5 |
    1
    """
    rows = list(rows)
    marks = ["---:" if numeric else "---" for numeric in _numeric(columns, rows)]
    for cells in ([_text(name).translate(MARKDOWN) for name in columns], marks):
        file.write(f"| {' | '.join(cells)} |\n")
    for row in rows:
        file.write(f"| {' | '.join(_text(value).translate(MARKDOWN) for value in row)} |\n")
    return len(rows)


def write_latex(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write a LaTeX `tabular` that needs the package booktabs."""
    rows = list(rows)
    alignment = "".join("r" if numeric else "l" for numeric in _numeric(columns, rows))
    file.write(f"\\begin{{tabular}}{{{alignment}}}\n\\toprule\n")
    file.write(" & ".join(_text(name).translate(LATEX) for name in columns) + " \\\\\n\\midrule\n")
    for row in rows:
        file.write(" & ".join(_text(value).translate(LATEX) for value in row) + " \\\\\n")
    file.write("\\bottomrule\n\\end{tabular}\n")
    return len(rows)


def write_table(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write columns aligned for people, numbers to the right with six digits at most.

    >>> import sys
    >>> write_table(sys.stdout, ["layer", "value"], [("late", 1 / 3), ("early", None)])
    layer     value
    ─────  ────────
    late   0.333333
    early         ·
    2
    """
    rows = list(rows)
    numeric = _numeric(columns, rows)
    cells = [[_short(value) for value in row] for row in rows]
    table = [list(columns), *cells]
    widths = [max(_width(row[i]) for row in table) for i in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        padded = [
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip() + "\n"

    file.write(line(columns))
    file.write(line(["─" * width for width in widths]))
    for row in cells:
        file.write(line(row))
    return len(rows)


WRITERS: dict[str, Writer] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
    "markdown": write_markdown,
    "latex": write_latex,
}


def _cell(value: Any) -> Any:
    """A value as a CSV cell: lists and structs as JSON, True as true."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | dict):
        return json.dumps(_plain(value), ensure_ascii=False)
    return value


def _distinct(columns: Sequence[str]) -> list[str]:
    """The names of columns, a repeated one numbered: an object holds each name once."""
    names: list[str] = []
    for column in columns:
        name, number = column, 1
        while name in names or (number > 1 and name in columns):
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names


def _object(columns: Sequence[str], row: Sequence[Any]) -> str:
    content = {name: _plain(value) for name, value in zip(columns, row, strict=True)}
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """A value that JSON has: dates and the like as text, what is no finite number as null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return _plain(float(value)) if hasattr(value, "as_tuple") else str(value)  # Decimal


def _text(value: Any) -> str:
    """A value for a document: NULL is empty, a list its items."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(_cell(value))


def _short(value: Any) -> str:
    """A value for a screen: six digits of a fraction, a dot for NULL, one line."""
    if value is None:
        return "·"
    if isinstance(value, float) and math.isfinite(value):
        # no exponent where there need be none, and no "-0"
        return f"{value:.0f}" if abs(value) >= 100_000 else f"{value + 0.0:.6g}"
    text = _text(value) if not isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "�" for c in text.replace("\n", "⏎"))


def _width(text: str) -> int:
    """Columns on a terminal: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _numeric(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[bool]:
    """Whether each column holds nothing but numbers."""
    return [
        any(row[i] is not None for row in rows)
        and all(
            row[i] is None or (isinstance(row[i], int | float) and not isinstance(row[i], bool))
            for row in rows
        )
        for i in range(len(columns))
    ]
