"""Tables to print: columns, groups of rows, and what marks a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lossnets.reports.page import data_block


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a printed table.

    key: its name in the rows; label: its heading; group: a heading over several columns;
    decimals: fixed for numbers, None for text or numbers as they are; numeric: aligned right;
    centred: letters and signs; remarks: its cells keep room for a remark, so that numbers align;
    head: the row's own heading, which stays in sight when the table scrolls.
    """

    key: str
    label: str
    group: str = ""
    decimals: int | None = None
    numeric: bool = False
    centred: bool = False
    remarks: bool = False
    head: bool = False
    help: str = ""

    @property
    def classes(self) -> list[str]:
        """The classes of its cells."""
        names = {"number": self.numeric, "centred": self.centred, "remarks": self.remarks}
        return [name for name, on in {**names, "head": self.head}.items() if on]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A printed cell: its text, its marks (classes of the style sheet), a remark beside it."""

    text: str
    marks: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rows under one heading (none where `label` is empty)."""

    label: str
    rows: Sequence[Any]  # of lists of cells, or of what a section draws itself


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table as it is printed."""

    columns: Sequence[Column]
    groups: Sequence[Group]
    rows: int = field(default=0)

    @property
    def spans(self) -> list[tuple[str, int]]:
        """The upper row of headings, each with the columns it spans; empty if there is none."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans if any(label for label, _ in spans) else []


def shown(value: Any, decimals: int | None = None) -> str:
    """A value as it is printed; nothing for what is missing, and never zero for what is more.

    >>> shown(30.7, 1), shown(6.0), shown(float("nan")), shown(1234567, 0), shown(2e-6, 4)
    ('30.7', '6', '', '1,234,567', '<0.0001')
    """
    value = data_block.plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if decimals is not None:
            if 0 < value < 0.5 * 10**-decimals:
                return f"<{10**-decimals:.{decimals}f}"
            return f"{value:,.{decimals}f}".replace("-", "−")
        return data_block.text(value).replace("-", "−")
    return str(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows as dicts."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


Marks = Callable[[Mapping[str, Any], Column], Cell | None]


def grid(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    group: str = "",
    labels: Mapping[str, str] | None = None,
    cell: Marks | None = None,
) -> Grid:
    """A frame as a grid, one printed row each, in the frame's order.

    group: the column whose value heads a run of rows; labels: its values as printed;
    cell: gives a cell of its own for a row and a column, or None for the plain one.
    """
    groups: list[Group] = []
    for record in records(frame):
        label = str(record[group]) if group else ""
        label = (labels or {}).get(label, label)
        if not groups or groups[-1].label != label:
            groups.append(Group(label=label, rows=[]))
        made = [
            (cell(record, column) if cell else None)
            or Cell(text=shown(record[column.key], column.decimals))
            for column in columns
        ]
        groups[-1].rows.append(made)  # type: ignore[attr-defined]
    return Grid(columns=columns, groups=groups, rows=len(frame))


def compact(rows: Sequence[Sequence[Cell]]) -> list[list[Any]]:
    """Rows as the page's script takes them: a cell is its text, or text, remark and marks.

    >>> compact([[Cell(text="VGG-11"), Cell(text="2.25", marks=("best",), remark="†")]])
    [['VGG-11', ['2.25', '†', 'best']]]
    """
    return [
        [
            [cell.text, cell.remark, " ".join(cell.marks)]
            if cell.remark or cell.marks
            else cell.text
            for cell in row
        ]
        for row in rows
    ]


def beyond(
    groups: Sequence[Group], first: int, compact: Callable[[Sequence[Any]], list[Any]]
) -> list[list[Any]]:
    """The rows after the first ones, as `compact` makes them, each run with its group's heading.

    >>> rows = [[Cell(text="a")], [Cell(text="b")]]
    >>> beyond([Group(label="one", rows=rows), Group(label="two", rows=rows)], 3, compact)
    [['two', [['b']]]]
    """
    found, left = [], first
    for group in groups:
        rows = group.rows[max(left, 0) :]
        left -= len(group.rows)
        if rows:
            found.append([group.label, compact(rows)])
    return found


FAMILY_HEADINGS = {
    "VGG": "VGG Networks",
    "ResNet": "Residual Networks",
    "Inception": "Inception Networks",
    "EfficientNet": "EfficientNet",
    "Other": "Other Networks",
}


def family_grid(
    frame: pd.DataFrame, columns: Sequence[Column], *, cell: Marks | None = None
) -> Grid:
    """A frame with a column `family`, its rows under the paper's headings of families."""
    return grid(frame, columns, group="family", labels=FAMILY_HEADINGS, cell=cell)
