"""Registered attributes named, described and shown anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.attribute_names import check_name, check_registered, check_unused
from lossnets.warehouse.intake.attributes import Description, label_of, load
from lossnets.warehouse.intake.names import meant
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.sources.attribute_files import Attribute

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse


def set_about(
    warehouse: Warehouse,
    name: str,
    *,
    unit: str | None = None,
    label: str | None = None,
    description: str | None = None,
) -> Attribute:
    """Say something else of a registered attribute; None keeps what is said."""
    if unit is label is description is None:
        raise UserError("there is nothing to set", hint="lossnets attribute set --help")
    Description(unit=unit or "", label=label, description=description or "")
    with attribute_files.alone(warehouse.home):
        check_registered(warehouse.home, name)
        before = _read(warehouse, name)
        if unit and before.kind != "numeric":
            raise UserError(f"{name} is {before.kind}: it has no unit")
        attribute = replace(
            before,
            unit=before.unit if unit is None else unit,
            label=label or before.label,
            description=before.description if description is None else description,
        )
        attribute_files.write(warehouse.home, [attribute])
    load(warehouse)
    return attribute


def rename(warehouse: Warehouse, name: str, new: str) -> Attribute:
    """Give a registered attribute another name; `UserError` where others are derived from it."""
    with attribute_files.alone(warehouse.home):
        check_registered(warehouse.home, name)
        check_unused(warehouse.home, name)
        check_name(warehouse, new, may_replace=False)
        before = _read(warehouse, name)
        label = label_of(new) if before.label == label_of(name) else before.label
        attribute = replace(before, attribute=new, label=label)
        attribute_files.write(warehouse.home, [attribute])  # there twice rather than gone
        attribute_files.remove(warehouse.home, name)
    load(warehouse)
    return attribute


def shown(
    warehouse: Warehouse, name: str
) -> tuple[dict[str, Any], list[str], list[tuple[Any, ...]]]:
    """What is said of an attribute, and its values: (columns, rows) of the networks that have one.

    Raises `UserError` on a name that is none, with what may have been meant.
    """
    columns, rows = warehouse.rows("from attribute_catalog where attribute = $1", [name])
    if not rows:
        known = [found for (found,) in warehouse.rows("select attribute from attribute_catalog")[1]]
        raise UserError(
            f"there is no attribute {name!r}: {meant(name, known)}",
            hint="lossnets attribute list",
        )
    about = {field: text for field, text in zip(columns, rows[0], strict=True) if text}
    whole = about["level"] == "architecture"
    keys, view = ("architecture", "architectures") if whole else (
        "architecture, layer", "loss_networks"
    )  # fmt: skip
    values = warehouse.rows(f'select {keys}, "{name}" from {view} where "{name}" is not null')
    return about, *values


def _read(warehouse: Warehouse, name: str) -> Attribute:
    return attribute_files.read(attribute_files.path_of(warehouse.home, name))
