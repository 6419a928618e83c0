"""Rows as tables to read: on a screen, in Markdown, in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from lossnets.warehouse.answers.cells import document_text, is_number, screen_text
from lossnets.warehouse.answers.latex import latex
from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from tabulate import TableFormat

Rows = Iterable[Sequence[Any]]

MOST_ROWS = 1_000_000  # of a table to read, which is held whole to be aligned
MARKDOWN = str.maketrans(
    {"<": "&lt;", ">": "&gt;", "&": "&amp;"} | {c: f"\\{c}" for c in "|\\`*[]"}
)
EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is one


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
    return _write(file, columns, rows, "screen", screen_text)


def write_markdown(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    """Write a Markdown table; numbers stand to the right.

    >>> import sys
    >>> write_markdown(sys.stdout, ["layer", "value"], [("late", 0.5)])
    | layer | value |
    | ----- | ----: |
    | late  |   0.5 |
    1
    """
    return _write(file, columns, rows, "markdown", _markdown)


def write_latex(file: TextIO, columns: Sequence[str], rows: Rows) -> int:
    r"""Write a LaTeX `tabular` that needs the package booktabs and nothing else.

    >>> import sys
    >>> write_latex(sys.stdout, ["loss_network"], [("×8",)])
    \begin{tabular}{l}
    \toprule
    loss\_network \\
    \midrule
    $\times$8     \\
    \bottomrule
    \end{tabular}
    1
    """
    return _write(file, columns, rows, "latex", lambda value: latex(_one_line(value)))


def _write(
    file: TextIO, columns: Sequence[str], rows: Rows, style: str, text: Callable[[Any], str]
) -> int:
    """Write the rows below the header as one table; the number of rows."""
    from tabulate import SEPARATING_LINE, tabulate

    held = list(islice(rows, MOST_ROWS + 1))
    if len(held) > MOST_ROWS:
        raise UserError(
            f"the result has more than {MOST_ROWS:,} rows, the most of a table to read",
            hint="--format csv, json or jsonl write any number of rows",
        )
    # the header is a row of its own: tabulate would widen its columns by two
    header = [text(name) for name in columns]
    lines = [header, [SEPARATING_LINE] * len(header), *(list(map(text, row)) for row in held)]
    aligned = ["right" if numeric else "left" for numeric in _numeric(columns, held)]
    table = tabulate(lines, tablefmt=_format(style), disable_numparse=True, colalign=aligned)
    file.write("".join(line.rstrip() + "\n" for line in table.split("\n")))
    return len(held)


@cache
def _format(style: str) -> TableFormat:
    """How tabulate draws a table."""
    from tabulate import DataRow, Line, TableFormat

    if style == "screen":
        row = DataRow("", "  ", "")
        return TableFormat(None, Line("", "─", "  ", ""), None, None, row, row, 0, None)
    if style == "markdown":
        row = DataRow("| ", " | ", " |")
        return TableFormat(None, _marks, None, None, row, row, 0, None)
    row = DataRow("", " & ", " \\\\")
    below = Line("\\bottomrule\n\\end{tabular}", "", "", "")
    return TableFormat(_begin, Line("\\midrule", "", "", ""), None, below, row, row, 0, None)


def _marks(widths: Sequence[int], aligned: Sequence[str]) -> str:
    """The line below the header of a Markdown table."""
    marks = [
        "-" * max(width - 1, 2) + (":" if side == "right" else "-")
        for width, side in zip(widths, aligned, strict=True)
    ]
    return f"| {' | '.join(marks)} |"


def _begin(_: Sequence[int], aligned: Sequence[str]) -> str:
    """The first lines of a LaTeX table."""
    columns = "".join("r" if side == "right" else "l" for side in aligned)
    return f"\\begin{{tabular}}{{{columns}}}\n\\toprule"


def _markdown(value: Any) -> str:
    return EMPHASIS.sub(r"\\_", _one_line(value).translate(MARKDOWN))


def _one_line(value: Any) -> str:
    return "".join(c if c.isprintable() else " " for c in document_text(value))


def _numeric(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[bool]:
    """Whether each column holds nothing but numbers."""
    return [
        any(row[i] is not None for row in rows)
        and all(row[i] is None or is_number(row[i]) for row in rows)
        for i in range(len(columns))
    ]
