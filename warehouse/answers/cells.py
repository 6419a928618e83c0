"""One value of a result as text: for CSV, for JSON, for documents, for a screen."""

from __future__ import annotations

import json
import math
from typing import Any

from lossnets.warehouse.formulas import marked


def csv_cell(value: Any) -> Any:
    """A value as a CSV cell: lists and structs as JSON, True as true, formulas marked.

    >>> csv_cell([1, None]), csv_cell(True), csv_cell(0.5), csv_cell("=1")
    ('[1, null]', 'true', 0.5, "'=1")
    """
    if isinstance(value, str):
        return marked(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | dict):
        return json.dumps(json_value(value), ensure_ascii=False)
    return value


def json_value(value: Any) -> Any:
    """A value that JSON has: dates and the like as text, what is no finite number as null.

    >>> json_value((float("nan"), {"a": True}))
    [None, {'a': True}]
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    return json_value(float(value)) if hasattr(value, "as_tuple") else str(value)  # Decimal


def document_text(value: Any) -> str:
    """A value for a document: NULL is empty, a list its items.

    >>> document_text(["early", "late"]), document_text(None)
    ('early, late', '')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(document_text(item) for item in value)
    return str(_plain(value))


def screen_text(value: Any) -> str:
    """A value for a screen: six digits of a fraction, a dot for NULL, one line.

    >>> screen_text(1 / 3), screen_text(None), screen_text("a\\nb")
    ('0.333333', '·', 'a⏎b')
    """
    if value is None:
        return "·"
    if isinstance(value, float) and math.isfinite(value):
        # no exponent where there need be none, and no "-0"
        return f"{value:.0f}" if abs(value) >= 100_000 else f"{value + 0.0:.6g}"
    return printable(document_text(value) if not isinstance(value, float) else str(value))


def printable(text: str) -> str:
    """One line of text that a terminal shows as it is: no escape codes, no line breaks.

    >>> printable("a\\x1b[31mb\\nc")
    'a�[31mb⏎c'
    """
    return "".join(c if c.isprintable() else "�" for c in text.replace("\n", "⏎"))


def is_number(value: Any) -> bool:
    """Whether a value stands to the right in a table."""
    return isinstance(value, int | float) and not isinstance(value, bool)
