"""A user's table of attribute columns, read and checked before anything is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import numbers
from lossnets.warehouse.intake.names import Names, layer_of, listed, near
from lossnets.warehouse.intake.table import Table, open_table
from lossnets.warehouse.sources import fields
from lossnets.warehouse.sources.attribute_files import NAME

if TYPE_CHECKING:
    import pandas as pd

TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
KEYS = ("architecture", "layer")
ALSO_ARCHITECTURE = ("model", "network")  # what others head the column with
WITH_UNIT = re.compile(r"(.*\S)\s*[(\[]([^()\[\]]+)[)\]]")
BETWEEN = re.compile(r"[\s\-./]+")
Network = tuple[str, str | None]
Filled = dict[Network, tuple[str, str]]  # (where it stands, text) of cells that are not empty


@dataclass(frozen=True, kw_only=True)
class Column:
    """One attribute: label and unit as the header has them, numbers, or texts where categorical."""

    name: str
    label: str | None
    unit: str
    kind: str
    values: dict[Network, float | str]


@dataclass(frozen=True, kw_only=True)
class AttributeColumns:
    """level: 'architecture' or 'loss_network'; left_out: what was, a sentence each."""

    level: str
    columns: list[Column]
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a table is left out instead of refused: unknown networks, columns of text."""

    known_only: bool = False
    numeric_only: bool = False


def read(
    source: Path | pd.DataFrame,
    layers: Mapping[str, Iterable[str]],
    named: Mapping[str, str] | None = None,
    selection: Selection | None = None,
) -> AttributeColumns:
    """Read a wide table: `architecture`, perhaps `layer`, then one column per attribute.

    layers: the extraction layers of every known architecture; named: its name for people, which
    may stand in the table too. An empty cell is a value that is not known; true and false, yes
    and no are 1 and 0; a column without any number is categorical. A header may end with a unit
    in parentheses. Raises `UserError` with the line of the first cell that is wrong.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "years.csv")
    ...     _ = path.write_text("Architecture;Year (a);act\\nVGG-11;2014,5;relu\\n")
    ...     for column in read(path, {"vgg11": ["early"]}, {"vgg11": "VGG-11"}).columns:
    ...         column.name, column.unit, column.kind, column.values
    ('year', 'a', 'numeric', {('vgg11', None): 2014.5})
    ('act', '', 'categorical', {('vgg11', None): 'relu'})
    """
    selection = selection or Selection()
    table = _opened(source)
    header = _header(table)
    known = Names((name, (named or {}).get(name)) for name in layers)
    left_out: list[str] = []
    rows = dict[Network, tuple[int, list[str]]]()
    for network, number, row in _located(table, header, known, layers, selection, left_out):
        if network in rows:
            raise UserError(
                f"{table.place(number)} repeats {_spoken(network)} of {table.noun} "
                f"{rows[network][0]}"
            )
        rows[network] = number, row
    if not rows:
        raise UserError(f"{table.named} has no row of a known network: at least one is needed")
    filled = _filled(table, header, rows, selection, left_out)
    kinds = {name: _kind(cells) for name, cells in filled.items()}
    marked = [cells for name, cells in filled.items() if kinds[name] == "numeric"]
    mark = numbers.decimal_mark((cell for cells in marked for cell in cells.values()), table.marks)
    columns = [
        _column(header[name], name, kinds[name], cells, mark) for name, cells in filled.items()
    ]
    level = "loss_network" if "layer" in header else "architecture"
    return AttributeColumns(level=level, columns=columns, left_out=left_out)


def _opened(source: Path | pd.DataFrame) -> Table:
    if isinstance(source, Path) and source.suffix.lower() not in (".parquet", ".pq"):
        return open_table(source)
    import duckdb

    from lossnets.warehouse.intake import relations

    connection = duckdb.connect()
    if isinstance(source, Path):
        return relations.as_table(connection, relations.of_parquet(connection, source))
    return relations.as_table(connection, relations.of_frame(connection, source, "table"))


def _header(table: Table) -> dict[str, str]:
    """Name of a column → its head as it stands, in their order."""
    heads = {name: head for head in table.columns for name in [_name(head)]}
    if "architecture" not in heads:
        heads = {
            "architecture" if name in ALSO_ARCHITECTURE else name: head
            for name, head in heads.items()
        }
    if "architecture" not in heads:
        found = listed(table.columns)
        raise UserError(f"{table.named} has no column 'architecture', found: {found}")
    if len(heads) < len(table.columns):
        names = [_name(head) for head in table.columns]
        twice = next((name for name in names if names.count(name) > 1), "architecture")
        raise UserError(f"{table.named} has the column {twice!r} twice")
    if not set(heads) - set(KEYS):
        raise UserError(f"{table.named} has no attribute column beside {' and '.join(heads)}")
    return heads


def _name(head: str) -> str:
    """The name that a head stands for; as it is where it stands for none."""
    found = WITH_UNIT.fullmatch(head)
    name = BETWEEN.sub("_", (found[1] if found else head).strip().lower())
    return name if NAME.fullmatch(name) else head.strip().lower()


def _located(
    table: Table,
    header: dict[str, str],
    known: Names,
    layers: Mapping[str, Iterable[str]],
    selection: Selection,
    left_out: list[str],
) -> Iterator[tuple[Network, int, list[str]]]:
    """(network, number, cells) of every row; those of networks that are not known are refused."""
    names = list(header)
    architecture = names.index("architecture")
    layer = names.index("layer") if "layer" in names else None
    unknown: list[str] = []
    rows = 0
    for number, row in table.rows():
        rows += 1
        try:
            found = _network(
                row[architecture], None if layer is None else row[layer], known, layers
            )
        except UserError as error:
            if not selection.known_only:
                raise UserError(
                    f"{table.place(number)}: {error.message}", hint=error.hint
                ) from None
            unknown.append(row[architecture])
        else:
            yield found, number, row
    if not rows:
        raise UserError(f"{table.named} has a header and no row: at least one row is needed")
    if unknown:
        left_out.append(
            f"{len(unknown):,} of {rows:,} rows of unknown networks: {listed(unknown, 3)}"
        )


def _network(
    text: str, layer: str | None, known: Names, layers: Mapping[str, Iterable[str]]
) -> Network:
    architecture = known.id_of(text) or known.id_of(f"timm:{text}")
    if architecture is None:
        close = near(text, known.ids)
        raise UserError(
            f"{text!r} is no known architecture"
            + (f", did you mean {' or '.join(close)}?" if close else ""),
            hint='lossnets sql "select architecture from architectures"',
        )
    if layer is None:
        return architecture, None
    found = layer_of(layer, layers[architecture])
    if found is None:
        valid = listed(list(layers[architecture]))
        raise UserError(f"{layer!r} is no layer of {architecture}, valid are {valid}")
    return architecture, found


def _filled(
    table: Table,
    header: dict[str, str],
    rows: dict[Network, tuple[int, list[str]]],
    selection: Selection,
    left_out: list[str],
) -> dict[str, Filled]:
    """Name → its cells, of the columns that are wanted."""
    found = {}
    for place, name in enumerate(header):
        if name in KEYS:
            continue
        cells: Filled = {
            network: (f"{table.place(number)}, column {name}", row[place])
            for network, (number, row) in rows.items()
            if row[place]
        }
        texts = {text for _, text in cells.values()}
        if not cells and not selection.known_only:
            raise UserError(f"{table.named} has no value in the column {name}")
        if not cells:
            left_out.append(f"the column {name}, which has no value")
        elif selection.numeric_only and not all(_is_number(text) for text in texts):
            left_out.append(f"the column {name}, which holds text")
        else:
            found[name] = cells
    if not found:
        raise UserError(f"{table.named} has no column left: {listed(left_out)}")
    return found


def _is_number(text: str) -> bool:
    return text.lower() in TRUTH or bool(numbers.readings(text))


def _kind(cells: Filled) -> str:
    """What a column holds: 'binary' (words for yes and no), 'numeric' or 'categorical'."""
    texts = {text.lower(): (where, text) for where, text in cells.values()}
    word = next((text for low, (_, text) in texts.items() if low in TRUTH), None)
    if word is not None:
        for low, (where, text) in texts.items():
            if low not in TRUTH and low not in ("0", "1"):
                raise UserError(f"{where}: {text[:40]!r} is neither yes nor no, as {word!r} is")
        return "binary"
    return "numeric" if any(numbers.readings(text) for text in texts) else "categorical"


def _column(head: str, name: str, kind: str, cells: Filled, mark: str) -> Column:
    values: dict[Network, float | str] = {
        network: fields.Text().check(where, text)
        if kind == "categorical"
        else _value(text, where, mark)
        for network, (where, text) in cells.items()
    }
    if kind == "numeric" and set(values.values()) <= {0.0, 1.0}:
        kind = "binary"
    found = WITH_UNIT.fullmatch(head)
    label = (found[1] if found else head).strip()
    return Column(
        name=name,
        label=label if label != name else None,
        unit=found[2].strip() if found else "",
        kind=kind,
        values=values,
    )


def _value(text: str, where: str, mark: str) -> float:
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    plain = numbers.plain(text, mark)
    if plain is None:
        raise UserError(
            f"{where}: {text[:40]!r} is no number; leave the cell empty where the value is not "
            "known"
        )
    if not math.isfinite(float(plain)):
        raise UserError(f"{where}: {text[:40]!r} is too large for a number")
    return float(plain)


def _spoken(network: Network) -> str:
    return " ".join(part for part in network if part)
