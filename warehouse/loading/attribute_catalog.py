"""Every attribute that there is, read from what is shipped, measured and registered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossnets.warehouse.errors import NOT_GIVEN, UserError
from lossnets.warehouse.loading.shipped import MEASURED, PAPER, number, read_csv
from lossnets.warehouse.sources import attribute_files, expressions, listing
from lossnets.warehouse.sources.attribute_files import Attribute

OF_LAYERS = ("layer", "layer_position")
Value = tuple[str, str, str | None, float | str]  # attribute, architecture, layer, value


@dataclass(kw_only=True)
class Catalog:
    """Every attribute by name, the values there are, and the files that could not be read."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)
    values: list[Value] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, attribute: Attribute, origin: str) -> None:
        """Take in one attribute; the first of a name stays."""
        if attribute.attribute in self.attributes:
            raise UserError(f"the attribute {attribute.attribute} is there already")
        self.attributes[attribute.attribute] = attribute
        self.origins[attribute.attribute] = origin
        self.values += [(attribute.attribute, *value) for value in attribute.values]


def measured_tables(home: Path, faults: dict[str, str]) -> Iterable[tuple[str, dict[str, Any]]]:
    """(path below home, content) of each measured table that can be read."""
    for path in listing.files(home / "attributes" / "measured", (".json",)):
        file = f"attributes/measured/{path.name}"
        try:
            content = json.loads(path.read_text("utf-8"))
            if content["format"] != attribute_files.FORMAT:
                raise ValueError(f"its format is {content['format']!r}")
            if not isinstance(content["architecture"], str):
                raise ValueError(f"its architecture is {content['architecture']!r}")
            content["layers"] = [
                (str(layer), None if position is None else int(position), str(node))
                for layer, position, node in content["layers"]
            ]
            content["values"] = [
                (str(attribute), layer, number(str(value)))
                for attribute, layer, value in content["values"]
            ]
        except OSError as error:
            faults[file] = f"{NOT_GIVEN}: {error.strerror}"
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            faults[file] = f"it is no measured table ({error})"
        else:
            yield file, content


def _add_printed(catalog: Catalog) -> None:
    """What Table I prints."""
    table = read_csv(next(PAPER.glob("table_01_*.csv")))
    for row in read_csv(PAPER / "attributes.csv"):
        printed_as = row.pop("printed_as")
        values = tuple(
            (str(cells["architecture"]), None, number(str(cells[str(printed_as)])))
            for cells in table
        )
        catalog.add(Attribute(**_texts(row), values=values), "paper")


def _add_measured(catalog: Catalog) -> None:
    """What is shipped as measured, and what is derived from it."""
    tables = {
        "architecture": read_csv(MEASURED / "architectures.csv"),
        "loss_network": read_csv(MEASURED / "loss_networks.csv"),
    }
    for row in read_csv(MEASURED / "attributes.csv"):
        name = str(row["attribute"])
        values = tuple(
            (str(cells["architecture"]), cells.get("layer"), number(str(cells[name])))
            for cells in tables[str(row["level"])]
            if cells.get(name) is not None
        )
        catalog.add(Attribute(**_texts(row), values=values), "measured")
    for row in read_csv(MEASURED / "derived.csv"):
        level = _level(catalog, expressions.columns_used(str(row["expression"])))
        texts = {"level": level, "kind": "numeric"} | _texts(row)
        catalog.add(Attribute(**texts, origin="derived"), "derived")


def _texts(row: dict[str, str | None]) -> dict[str, Any]:
    return {name: text or "" for name, text in row.items()}


def _level(catalog: Catalog, columns: list[str]) -> str:
    """loss_network where one of the columns belongs to loss networks."""
    for name in columns:
        attribute = catalog.attributes.get(name)
        if name in OF_LAYERS or (attribute and attribute.level == "loss_network"):
            return "loss_network"
    return "architecture"


def _add_registered(catalog: Catalog, home: Path) -> None:
    """What users registered; a file that is broken or whose name is taken is left out."""
    for path in attribute_files.paths(home):
        try:
            attribute = attribute_files.read(path)
            catalog.add(attribute, attribute.origin)
            catalog.registered.add(attribute.attribute)
        except UserError as error:
            catalog.faults[f"attributes/{path.name}"] = str(error).removeprefix(f"{path} ")
        except OSError as error:
            catalog.faults[f"attributes/{path.name}"] = f"{NOT_GIVEN}: {error.strerror}"


def _add_table(catalog: Catalog, file: str, content: dict[str, Any]) -> None:
    """The values of a measured table; the first of an attribute and network stays."""
    known = {
        (attribute, architecture, layer) for attribute, architecture, layer, _ in catalog.values
    }
    unknown = set()
    for name, layer, value in content["values"]:
        attribute = catalog.attributes.get(name)
        if attribute is None or attribute.expression:
            unknown.add(name)
        elif (name, content["architecture"], layer) not in known:
            catalog.values.append((name, content["architecture"], layer, value))
    if unknown:
        catalog.faults[file] = (
            f"it has values of {', '.join(sorted(unknown))}, which is no attribute"
        )


def in_order(catalog: Catalog) -> list[str]:
    """The derived attributes, each after those it uses; those that cannot be are left out."""
    waiting: dict[str, list[str]] = {}
    for name, attribute in list(catalog.attributes.items()):
        if attribute.expression:
            try:
                waiting[name] = expressions.columns_used(attribute.expression)
            except UserError as error:
                drop(catalog, name, error.message)
    given = {name for name in catalog.attributes if name not in waiting}
    given |= {"architecture", "family", *OF_LAYERS}
    ordered: list[str] = []
    while ready := [name for name in waiting if given.issuperset(waiting[name])]:
        ordered += ready
        given.update(ready)
        for name in ready:
            del waiting[name]
    for name, columns in waiting.items():
        missing = sorted(set(columns) - given)
        drop(catalog, name, f"its expression uses {', '.join(missing)}, which is not there")
    return ordered


def read(home: Path) -> Catalog:
    """The catalog of a home."""
    catalog = Catalog()
    _add_printed(catalog)
    _add_measured(catalog)
    _add_registered(catalog, home)
    for file, content in measured_tables(home, catalog.faults):
        _add_table(catalog, file, content)
    return catalog


def drop(catalog: Catalog, name: str, fault: str) -> None:
    """Leave out a derived attribute, and say why."""
    del catalog.attributes[name]
    catalog.faults[f"attributes/{name}.json"] = fault
