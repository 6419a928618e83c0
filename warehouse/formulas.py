"""Texts in CSV files that a spreadsheet would take for formulas: marked, and read back unmarked.

A text that begins with `=`, `+`, `-`, `@` or a tab gets an apostrophe in front, unless it is a
number; one that has apostrophes before such a sign gets one more, so that nothing is lost.
Standard library only.
"""

from __future__ import annotations

import re

FORMULA = re.compile(r"'*[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
MARKED = r"^'('*[=+\-@\t\r])"  # in Python and in DuckDB alike


def marked(text: str) -> str:
    """A text as it stands in a CSV file.

    >>> marked("=1+1"), marked("'=1"), marked("-0.5"), marked("vgg11")
    ("'=1+1", "''=1", '-0.5', 'vgg11')
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def unmarked(cell: str) -> str:
    """The text that a cell of a CSV file stands for.

    >>> [unmarked(marked(text)) for text in ("=1+1", "'=1", "-0.5", "'-0.5", "it's")]
    ['=1+1', "'=1", '-0.5', "'-0.5", "it's"]
    """
    return re.sub(MARKED, r"\1", cell)
