"""Numbers as people write them: decimal points or commas, thousands with separators or without.

A cell alone can be read in two ways (1,234 is 1234 or 1.234), so a file is read in one: where one
of its cells has one reading only, that decides for all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lossnets.warehouse.errors import UserError

PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
SPACED = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))", re.ASCII)
POINT, COMMA = ".", ","
GROUPED = {
    mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:[{other}]\d{{3}})+(?:[{mark}]\d*)?", re.ASCII)
    for mark, other in ((POINT, COMMA), (COMMA, POINT))
}


def readings(text: str) -> dict[str, str]:
    """Decimal mark → the number in plain digits, for each mark under which the text is one.

    >>> readings("0.5"), readings("0,5"), readings("1,234"), readings("1.234,5"), readings("n/a")
    ({'.': '0.5'}, {',': '0.5'}, {'.': '1234', ',': '1.234'}, {',': '1234.5'}, {})
    """
    text = SPACED.sub("", text.replace("\u2212", "-"))
    if text.isascii() and text.isdigit():
        return {POINT: text, COMMA: text}
    found = {}
    for mark, other in ((POINT, COMMA), (COMMA, POINT)):
        if GROUPED[mark].fullmatch(text):
            found[mark] = text.replace(other, "").replace(mark, ".")
        elif other not in text and PLAIN.fullmatch(plain := text.replace(mark, ".")):
            found[mark] = plain
    return found


def decimal_mark(cells: Iterable[tuple[str, str]], marks: str) -> str:
    """The decimal mark of a table, of those that `marks` allows.

    cells: (where, text) of what may be numbers. Raises `UserError` where two cells contradict
    each other.

    >>> decimal_mark([("line 2", "1,234"), ("line 3", "0,5")], ".,")
    ','
    """
    deciding: dict[str, str] = {}
    single: str | None = None
    for where, text in cells:
        found = readings(text)
        if len(found) == 1:
            deciding.setdefault(next(iter(found)), f"{where}: {text!r}")
        elif found and single is None and found[POINT] != found[COMMA]:
            single = next(mark for mark in (POINT, COMMA) if mark in text)
    if len(deciding) == 2 and len(marks) == 2:
        raise UserError(
            f"{deciding[POINT]} has a decimal point and {deciding[COMMA]} a decimal comma: "
            "write all numbers of a file in one way"
        )
    if len(marks) == 1:
        return marks
    return next(iter(deciding), single or POINT)


def plain(text: str, mark: str) -> str | None:
    """The number in plain digits; None where the text is none with that decimal mark.

    >>> plain("1.234,5", ","), plain("0,5", ".")
    ('1234.5', None)
    """
    return readings(text).get(mark)
