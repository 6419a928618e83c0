"""Rows as text: a table for people, CSV, JSON, JSON lines, Markdown, LaTeX."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, TextIO

from lossnets.warehouse.answers.cells import csv_cell, json_value
from lossnets.warehouse.answers.documents import write_latex, write_markdown, write_table

Rows = Iterable[Sequence[Any]]
Writer = Callable[[TextIO, Sequence[str], Rows], int]


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
        cells = [csv_cell(value) for value in row]
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


WRITERS: dict[str, Writer] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
    "markdown": write_markdown,
    "latex": write_latex,
}


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
    content = {name: json_value(value) for name, value in zip(columns, row, strict=True)}
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
