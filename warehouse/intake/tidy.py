"""Any table of scores as a tidy one: a score a row, and the ids that its names stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import numbers
from lossnets.warehouse.intake.names import (
    PAPER_LAYERS,
    Names,
    key,
    layer_key,
    layer_of,
    listed,
    near,
)
from lossnets.warehouse.intake.staging import COLUMNS, NUMERIC, REQUIRED
from lossnets.warehouse.intake.table import Row, Table

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

OF_SCORE = ("benchmark", "dataset", "metric", "unit", "scale")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the warehouse calls things."""

    scores: Names
    catalog: dict[str, dict[str, Any]]
    architectures: Names
    families: dict[str, str]
    layers: dict[str, list[str]]

    @classmethod
    def of(cls, warehouse: Warehouse) -> Words:
        """The words of a warehouse."""
        _, scores = warehouse.rows(f"select score, label, {', '.join(OF_SCORE)} from score_catalog")
        _, named = warehouse.rows("select architecture, name, family from architectures")
        _, networks = warehouse.rows("select architecture, layer from loss_networks")
        layers: dict[str, list[str]] = {name: [] for name, *_ in named}
        for architecture, layer in networks:
            layers[architecture].append(layer)
        return cls(
            scores=Names((score, label) for score, label, *_ in scores),
            catalog={row[0]: dict(zip(OF_SCORE, row[2:], strict=True)) for row in scores},
            architectures=Names((name, label) for name, label, _ in named),
            families={key(family): family for *_, family in named},
            layers=layers,
        )

    @cached_property
    def _said(self) -> dict[tuple[str, str | None, str], str]:
        return {}

    def said(self, column: str, text: str, of: str | None) -> str:
        """A cell in the words of the warehouse; as it is where it says something else.

        of: the architecture of a layer, the score of what is repeated from the catalog.
        """
        asked = (column, of, text)
        if asked not in self._said:
            self._said[asked] = self._meant(column, text, of) or text
        return self._said[asked]

    def _meant(self, column: str, text: str, of: str | None) -> str | None:
        if column == "architecture":
            return self.architectures.id_of(text)
        if column == "layer":
            known = self.layers.get(of or "", [])
            spelled = layer_key(text)
            return layer_of(text, known) or (spelled if spelled in PAPER_LAYERS else None)
        if column == "score":
            return self.scores.id_of(text)
        if column == "family":
            return self.families.get(key(text))
        if column == "source":
            return text.lower()
        known_of = self.catalog.get(of or "", {}).get(column)
        if column == "scale":
            text = text.lstrip("×xX")
            return text if text.isdigit() else None
        return known_of if known_of is not None and key(str(known_of)) == key(text) else None


def tidied(table: Table, words: Words) -> Table:
    """The table with the columns of a tidy one, its cells in the words of the warehouse.

    A wide table, with a column per score, becomes one with a row per score that is known. Raises
    `UserError` on columns that are not understood, and on numbers in two ways.
    """
    if "architecture" not in map(_spelled, table.columns):
        raise _lacks(table, "architecture")
    names = [_column(table, name, words) for name in table.columns]
    wide = [name for name in names if name in words.scores]
    _check_columns(table, names, wide)
    numeric = [
        original
        for original, name in zip(table.columns, names, strict=True)
        if name in NUMERIC or name in wide
    ]
    mark = table.decimal_mark(numeric)

    def rows() -> Iterator[Row]:
        for number, row in table.rows():
            cells = dict(zip(names, row, strict=True))
            for name in (*NUMERIC, *wide):
                if cells.get(name):
                    cells[name] = numbers.plain(cells[name], mark) or cells[name]
            for tidy in _tidy(cells, wide):
                yield number, _said(tidy, columns, words)

    columns = [name for name in names if name not in wide] + (["score", "value"] if wide else [])
    return replace(table, columns=columns, read_rows=rows)


def _column(table: Table, name: str, words: Words) -> str:
    """What a column is called here."""
    spelled = _spelled(name)
    if spelled in COLUMNS:
        return spelled
    score = words.scores.id_of(name)
    if score is not None:
        return score
    close = near(name, COLUMNS, 1) or near(name, words.scores.ids, 1)
    seen = f"did you mean {close[0]!r}?" if close else f"valid are {', '.join(COLUMNS)}, or scores"
    raise UserError(
        f"{table.named} has a column {name!r} that is unknown: {seen}", hint="lossnets score list"
    )


def _spelled(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")


def _lacks(table: Table, name: str) -> UserError:
    close = near(name, table.columns, 1)
    seen = f"did you mean {close[0]!r}?" if close else f"it has {listed(table.columns)}"
    return UserError(f"{table.named} has no column {name!r}: {seen}")


def _check_columns(table: Table, names: list[str], wide: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UserError(f"{table.named} has the column {twice!r} twice")
    if wide and {"score", "value"} & set(names):
        raise UserError(
            f"{table.named} has a column {wide[0]!r} beside score or value: either a row has one "
            "score, or a column has"
        )
    for name in REQUIRED if not wide else ("architecture", "layer"):
        if name not in names:
            raise _lacks(table, name)


def _tidy(cells: dict[str, str], wide: list[str]) -> Iterator[dict[str, str]]:
    """A row for each score of a row."""
    if not wide:
        yield cells
    for name in wide:
        if cells[name]:
            yield cells | {"score": name, "value": cells[name]}


def _said(cells: dict[str, str], columns: list[str], words: Words) -> list[str]:
    said = dict(cells)
    for column, of in (
        ("architecture", None), ("score", None), ("layer", "architecture"), ("family", None),
        ("source", None), *((column, "score") for column in OF_SCORE),
    ):  # fmt: skip
        if said.get(column):
            said[column] = words.said(column, said[column], said.get(of) if of else None)
    return [said[name] for name in columns]
