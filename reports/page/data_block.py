"""The page's one JSON data block, and the CSV files that say the same.

A frame is kept column by column: as runs of one value where these are few, a text column with few
distinct values as levels and codes.
What JSON or HTML would trip over is dealt with here: NaN and infinity become null, and no
`<`, `>`, `&`, U+2028 or U+2029 is left in the text.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Any

import pandas as pd

from lossnets.warehouse.formulas import marked

ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def plain(value: Any) -> Any:
    """A cell as JSON knows it: None for what is missing or not finite, 6 for 6.0.

    >>> plain(6.0), plain(float("nan")), plain(["early", "late"])
    (6, None, 'early, late')
    """
    if type(value) is str:
        return value
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        value = value.tolist()
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return None if pd.isna(value) else str(value)


def columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """A frame's columns as lists of plain values."""
    return {str(name): [plain(v) for v in frame[name].tolist()] for name in frame.columns}


def encoded(values: list[Any]) -> list[Any] | dict[str, list[Any]]:
    """A column as it stands, or as runs, or as levels and codes, where that is shorter.

    >>> encoded(["late", "late", None, "late"])
    {'levels': ['late'], 'codes': [0, 0, None, 0]}
    >>> encoded([14, 14, 14, 14, 14, 14, 14, None])
    {'runs': [14, None], 'counts': [7, 1]}
    """
    runs = [list(run) for _, run in groupby(values, key=lambda value: (type(value), value))]
    if 0 < 4 * len(runs) <= len(values):
        return {"runs": [run[0] for run in runs], "counts": [len(run) for run in runs]}
    if not all(value is None or isinstance(value, str) for value in values):
        return values
    levels = sorted({value for value in values if value is not None})
    if 2 * len(levels) > len(values):
        return values
    code = {level: position for position, level in enumerate(levels)}
    return {"levels": levels, "codes": [None if v is None else code[v] for v in values]}


def block(frame: pd.DataFrame) -> dict[str, Any]:
    """A frame for the data block: its number of rows, its fields in order, their values."""
    return {
        "rows": len(frame),
        "fields": [[name, encoded(values)] for name, values in columns(frame).items()],
    }


def to_json(content: object) -> str:
    """JSON that may stand inside a script element.

    >>> to_json({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(ESCAPES)


def text(value: Any) -> str:
    """A plain value as it stands in a CSV cell, the same in Python and in the page.

    A text that a spreadsheet would take for a formula is marked (`formulas`).

    >>> text(True), text(0.1), text(0.00001), text(1.5e-9), text(None)
    ('true', '0.1', '0.00001', '1.5e-9', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return marked(value)
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """The shortest decimal that reads back as `value`, written as JavaScript writes it."""
    digits = repr(value)
    if "e" not in digits:
        return digits
    if 1e-6 <= abs(value) < 1e21:
        return f"{Decimal(digits):f}"
    mantissa, exponent = digits.split("e")
    return f"{mantissa}e{int(exponent):+d}"


def to_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV: a header, one line a row, an empty cell for what is missing."""
    named = columns(frame)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(named)
    rows: Iterable[tuple[Any, ...]] = zip(*named.values(), strict=True)
    writer.writerows([text(value) for value in row] for row in rows)
    return lines.getvalue()
