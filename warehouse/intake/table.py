"""One reader of the tables that people bring: CSV in any of its forms, JSON, JSON lines.

Nothing is guessed from the rows: what separates cells is told by the header, and a line that does
not fit is refused with its number and its cells.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.formulas import unmarked
from lossnets.warehouse.intake import numbers

DELIMITERS = (",", ";", "\t")
ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
TEXT = (".csv", ".tsv", ".txt", "")
JSON_LINES = (".jsonl", ".ndjson")
INDEX = ("", "unnamed: 0")  # what pandas and R call the numbers of rows
SHOWN = 8  # cells of a line that does not fit
Row = tuple[int, list[str]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of text: names of columns, and rows of as many cells each, stripped.

    noun: what the number of a row counts, 'line' of a file or 'row' of a list, from 1.
    marks: the decimal marks that numbers may have. header: as it stands, with the columns that
    have no name and are left out; delimiter: what separates cells, of text.
    """

    named: str
    columns: list[str]
    noun: str
    marks: str
    read_rows: Callable[[], Iterator[Row]]
    header: list[str]
    delimiter: str = ""

    def rows(self) -> Iterator[Row]:
        """(number, cells) of every row that is not blank; raises `UserError` at one that is odd."""
        return self.read_rows()

    def place(self, number: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.named}, {self.noun} {number}"

    def decimal_mark(self, columns: Sequence[str]) -> str:
        """The decimal mark of the numbers in some columns; `UserError` where they contradict."""
        places = [self.columns.index(name) for name in columns]
        cells = (
            (f"{self.place(number)}, column {self.columns[i]}", row[i])
            for number, row in self.rows()
            for i in places
            if row[i]
        )
        return numbers.decimal_mark(cells, self.marks)


def open_table(path: Path) -> Table:
    """The table of a file: .csv, .tsv and .txt (UTF-8 or UTF-16), .json, .jsonl, .ndjson.

    Cells are separated by what the header has most of: comma, semicolon or tab. Index columns
    without a name are left out. Raises `UserError` where the file cannot be read as a table.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "years.csv")
    ...     _ = path.write_text("architecture;year\\nvgg11;2014\\n")
    ...     table = open_table(path)
    ...     table.columns, list(table.rows())
    (['architecture', 'year'], [(2, ['vgg11', '2014'])])
    """
    suffix = path.suffix.lower()
    if suffix == ".json" or suffix in JSON_LINES:
        return _of_objects(path, _objects(path, is_lines=suffix in JSON_LINES))
    if suffix not in TEXT:
        raise UserError(
            f"{path} is of no known kind, valid are .csv, .tsv, .parquet, .json, .jsonl"
        )
    encoding = encoding_of(path)
    delimiter, header = _header(path, encoding)
    kept = [i for i, name in enumerate(header) if name.lower() not in INDEX]

    def rows() -> Iterator[Row]:
        for number, cells in _fitting(path, encoding, delimiter, header):
            _check_nameless(path, number, header, cells)
            yield number, [cells[i] for i in kept]

    names = [header[i] for i in kept]
    _check_names(str(path), names)
    marks = numbers.POINT + ("" if delimiter == "," else numbers.COMMA)
    return Table(
        named=str(path),
        columns=names,
        noun="line",
        marks=marks,
        read_rows=rows,
        header=header,
        delimiter=delimiter,
    )


def encoding_of(path: Path) -> str:
    """The encoding of a text file, by its first bytes; `UserError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    for mark, encoding in ENCODINGS:
        if head.startswith(mark):
            return encoding
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > len(head) // 4 else "utf-8"


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """(number of its first line, cells) of each record that is not blank."""
    first = 1
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.reader(_without_nul(path, file), delimiter=delimiter, strict=True)
            for row in reader:
                cells = [unmarked(cell.strip()) for cell in row]
                if any(cells):
                    yield first, cells
                first = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not {error.encoding.upper()} (near line {first}): save it as UTF-8"
        ) from None
    except csv.Error as error:
        raise UserError(f"{path}, line {first} is not CSV: {error}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _without_nul(path: Path, file: IO[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise UserError(f"{path}, line {number} holds a NUL character: it is no text")
        yield line


def _header(path: Path, encoding: str) -> tuple[str, list[str]]:
    """What separates cells, and the names of the columns."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            first = next((line for line in file if line.strip()), "")
    except (UnicodeDecodeError, OSError):
        first = ""  # told with its line below
    bare = "".join(part for part in first.split('"')[::2])
    delimiter = max(DELIMITERS, key=bare.count)
    header = next(_records(path, encoding, delimiter), None)
    if header is None:
        raise UserError(f"{path} is empty: a header and at least one row are needed")
    return delimiter, header[1]


def _fitting(path: Path, encoding: str, delimiter: str, header: list[str]) -> Iterator[Row]:
    """The records below the header, each with a cell for each of its columns."""
    records = _records(path, encoding, delimiter)
    first, _ = next(records)
    for number, cells in records:
        if len(cells) != len(header):
            raise UserError(
                f"{path}, line {number} has {len(cells)} cells where line {first} names "
                f"{len(header)} columns: {_shown(cells)}"
            )
        yield number, cells


def _shown(cells: list[str]) -> str:
    more = ", …" if len(cells) > SHOWN else ""
    return ", ".join(repr(cell[:40]) for cell in cells[:SHOWN]) + more


def _check_nameless(path: Path, number: int, header: list[str], cells: list[str]) -> None:
    """A column without a name is an index, the first one of whole numbers, or it is empty."""
    for place, (name, cell) in enumerate(zip(header, cells, strict=True)):
        is_index = place == 0 and cell.isdecimal()
        if cell and name.lower() in INDEX and not is_index:
            raise UserError(
                f"{path}, line {number} has {cell[:40]!r} in column {place + 1}, "
                "which has no name in the header"
            )


def _check_names(named: str, names: list[str]) -> None:
    lower = [name.lower() for name in names]
    twice = next((name for name, low in zip(names, lower, strict=True) if lower.count(low) > 1), "")
    if twice:
        raise UserError(f"{named} has the column {twice!r} twice")


def _objects(path: Path, *, is_lines: bool) -> list[tuple[int, dict[str, Any]]]:
    """(number, object) of a list in JSON, or of JSON lines."""
    try:
        text = path.read_bytes().decode(encoding_of(path))
        if is_lines:
            lines = enumerate(text.split("\n"), 1)
            found = [
                (number, _parsed(line, path, number)) for number, line in lines if line.strip()
            ]
        else:
            listed = _parsed(text, path, None)
            if not isinstance(listed, list):
                raise UserError(f"{path} is no list of objects")
            found = list(enumerate(listed, 1))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    noun = "line" if is_lines else "row"
    for number, item in found:
        if not isinstance(item, dict):
            raise UserError(f"{path}, {noun} {number} is no object")
    if not found:
        raise UserError(f"{path} is empty: at least one row is needed")
    return found


def _parsed(text: str, path: Path, line: int | None) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise UserError(f"{path} is nested too deeply") from None
    except json.JSONDecodeError as error:
        number = error.lineno if line is None else line
        raise UserError(f"{path}, line {number} is not JSON: {error.msg}") from None


def _of_objects(path: Path, objects: list[tuple[int, dict[str, Any]]]) -> Table:
    names = list(dict.fromkeys(str(key) for _, item in objects for key in item))
    _check_names(str(path), names)

    def rows() -> Iterator[Row]:
        for number, item in objects:
            yield number, [_cell(item.get(name)) for name in names]

    noun = "row" if path.suffix.lower() == ".json" else "line"
    return Table(
        named=str(path),
        columns=names,
        noun=noun,
        marks=numbers.POINT,
        read_rows=rows,
        header=names,
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
