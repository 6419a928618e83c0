"""A user's CSV of attribute columns, read and checked before anything is kept."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.formulas import unmarked

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, kw_only=True)
class AttributeColumns:
    """level: 'architecture' or 'loss_network'; columns: name → {(architecture, layer): value}."""

    level: str
    columns: dict[str, dict[tuple[str, str | None], float]]


def read(path: Path, layers: Mapping[str, Iterable[str]]) -> AttributeColumns:
    """Read a wide CSV: `architecture`, perhaps `layer`, then one column per attribute.

    layers: the extraction layers of every known architecture. An empty cell is a value that is
    not known; true and false are 1 and 0. Raises `UserError` with the line of the first cell
    that is wrong.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "years.csv")
    ...     _ = path.write_text("architecture,year\\nvgg11,2014\\n")
    ...     read(path, {"vgg11": ["early"]}).columns
    {'year': {('vgg11', None): 2014.0}}
    """
    (first, header), *rows = _rows(path)
    names = _attribute_names(path, header)
    level = "loss_network" if "layer" in header else "architecture"
    seen: dict[tuple[str, str | None], int] = {}
    columns: dict[str, dict[tuple[str, str | None], float]] = {name: {} for name in names}
    for line, row in rows:
        if len(row) != len(header):
            raise UserError(
                f"{path} line {line} has {len(row)} cells where line {first} names "
                f"{len(header)} columns"
            )
        cells = dict(zip(header, row, strict=True))
        network = _network(path, line, cells, layers)
        if network in seen:
            raise UserError(
                f"{path} line {line} repeats {_spoken(network)} of line {seen[network]}"
            )
        seen[network] = line
        for name in names:
            if cells[name]:
                columns[name][network] = _number(cells[name], f"{path} line {line}, column {name}")
    for name, values in columns.items():
        if not values:
            raise UserError(f"{path} has no value in the column {name}")
    return AttributeColumns(level=level, columns=columns)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank; the header first."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, [unmarked(cell.strip()) for cell in row]) for row in reader]
    except FileNotFoundError:
        raise UserError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder where a CSV file is needed") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{path} line {reader.line_num} is not CSV: {error}") from None
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise UserError(f"{path} is empty: a header and at least one row are needed")
    if len(rows) == 1:
        raise UserError(f"{path} has a header and no row: at least one row is needed")
    return rows


def _attribute_names(path: Path, header: list[str]) -> list[str]:
    if "architecture" not in header:
        found = ", ".join(header)
        raise UserError(f"{path} has no column 'architecture', found: {found}")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path} has the column {twice!r} twice")
    names = [name for name in header if name not in ("architecture", "layer")]
    if not names:
        raise UserError(f"{path} has no attribute column beside {' and '.join(header)}")
    return names


def _network(
    path: Path, line: int, cells: dict[str, str], layers: Mapping[str, Iterable[str]]
) -> tuple[str, str | None]:
    architecture, layer = cells["architecture"], cells.get("layer")
    if architecture not in layers:
        raise UserError(
            f"{path} line {line}: {architecture!r} is no known architecture"
            f"{near(architecture, layers)}",
            hint='lossnets sql "select architecture from architectures"',
        )
    if layer is not None and layer not in layers[architecture]:
        valid = ", ".join(layers[architecture])
        raise UserError(
            f"{path} line {line}: {layer!r} is no layer of {architecture}, valid are {valid}"
        )
    return architecture, layer


def near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=3)
    return f", did you mean {' or '.join(close)}?" if close else ""


def _number(text: str, where: str) -> float:
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    if not NUMBER.fullmatch(text):
        raise UserError(
            f"{where}: {text[:40]!r} is no number; leave the cell empty where the value is not "
            "known"
        )
    if not math.isfinite(float(text)):
        raise UserError(f"{where}: {text[:40]!r} is too large for a number")
    return float(text)


def _spoken(network: tuple[str, str | None]) -> str:
    return " ".join(part for part in network if part)
