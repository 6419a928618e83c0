"""Register attributes: columns that appear in `loss_networks` and `architectures`, without code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import BusyError, UserError
from lossnets.warehouse.intake import attribute_csv
from lossnets.warehouse.intake.attribute_csv import AttributeColumns, Column, Selection
from lossnets.warehouse.intake.attribute_names import (
    check_name,
    check_names,
    check_registered,
    check_unused,
    derived,
    users_of,
)
from lossnets.warehouse.intake.names import close_to, near
from lossnets.warehouse.sources import attribute_files, expressions
from lossnets.warehouse.sources.attribute_files import Attribute

if TYPE_CHECKING:
    import pandas as pd

    from lossnets.warehouse.store import Warehouse

KEYS = ("architecture", "family", "layer", "layer_position")
NUMBER_TYPES = frozenset(
    [
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
    ]
)
LONGEST_TEXT = 1000


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the user says about new attributes: all of it is optional.

    unit: of all of them, or name → unit.
    """

    unit: str | Mapping[str, str] = ""
    label: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        units = [self.unit] if isinstance(self.unit, str) else self.unit.values()
        told = [("unit", unit) for unit in units]
        for field, text in (*told, ("label", self.label), ("description", self.description)):
            if text and (len(text) > LONGEST_TEXT or not text.isprintable()):
                raise UserError(
                    f"the {field} is more than one line of at most {LONGEST_TEXT} printable "
                    "characters"
                )


@dataclass(frozen=True, kw_only=True)
class Added:
    """What came of a table: its attributes, and what was left out, a sentence each."""

    attributes: list[Attribute]
    left_out: list[str]


def add(
    warehouse: Warehouse,
    source: Path | str | pd.DataFrame,
    about: Description | None = None,
    *,
    may_replace: bool = False,
    selection: Selection | None = None,
) -> Added:
    """Register every attribute column of a wide table; all of them, or none.

    The table (a file or a DataFrame) has `architecture`, perhaps `layer` (then the attributes
    belong to loss networks), and one column per attribute. Columns of nothing but 0 and 1 become
    binary ones, columns of words categorical ones. Raises `UserError` for a bad file or name;
    `may_replace` allows names registered before.
    """
    about = about or Description()
    source = Path(source) if isinstance(source, str) else source
    table = attribute_csv.read(source, _layers(warehouse), _names(warehouse), selection)
    _check_described(table, about)
    origin = f"From {source.name}." if isinstance(source, Path) else "From a table."
    attributes = [_added(column, table.level, about, origin) for column in table.columns]
    names = [attribute.attribute for attribute in attributes]
    with attribute_files.alone(warehouse.home):
        check_names(warehouse, names, may_replace=may_replace)
        _check_levels_kept(warehouse, attributes)
        attribute_files.write(warehouse.home, attributes)
    load(warehouse)
    return Added(attributes=attributes, left_out=table.left_out)


def _check_described(table: AttributeColumns, about: Description) -> None:
    names = [column.name for column in table.columns]
    if about.label is not None and len(names) > 1:
        raise UserError(f"--label names one attribute, the table has {len(names)}")
    for name in () if isinstance(about.unit, str) else about.unit:
        if name not in names:
            raise UserError(f"a unit is given for {name!r}, {close_to(name, names)}")


def _added(column: Column, level: str, about: Description, origin: str) -> Attribute:
    unit = about.unit if isinstance(about.unit, str) else about.unit.get(column.name, "")
    return Attribute(
        attribute=column.name,
        label=about.label or column.label or label_of(column.name),
        level=level,
        kind=column.kind,
        unit=(unit or column.unit) if column.kind == "numeric" else "",
        description=about.description or origin,
        values=tuple((*network, value) for network, value in column.values.items()),
    )


def load(warehouse: Warehouse) -> None:
    """Show what is registered now; where the database is busy, the next command does."""
    try:
        warehouse.refresh()
    except BusyError as error:
        raise BusyError(
            f"{error.message}; what was registered is kept, and the next command loads it",
            hint=error.hint,
        ) from None


def derive(
    warehouse: Warehouse,
    name: str,
    expression: str,
    about: Description | None = None,
    *,
    may_replace: bool = False,
) -> Attribute:
    """Register an attribute that SQL computes from others, for networks added later too.

    The expression may use the attributes and `architecture`, `family`, `layer`,
    `layer_position`; what else it may be stands in `expressions.columns_used`. It belongs to
    architectures where all it uses does. NULL where it cannot be computed or is not finite.
    """
    with attribute_files.alone(warehouse.home):
        check_name(warehouse, name, may_replace=may_replace)
        attribute = _derived_attribute(warehouse, name, expression, about or Description())
        attribute_files.write(warehouse.home, [attribute])
    load(warehouse)
    return attribute


def _derived_attribute(
    warehouse: Warehouse, name: str, expression: str, about: Description
) -> Attribute:
    columns = expressions.columns_used(expression)
    if not columns:
        raise UserError("the expression uses no attribute: it is the same for every network")
    levels = _levels(warehouse)
    for column in columns:
        _check_column(column, levels, name)
    _check_no_cycle(warehouse, name, columns)
    attribute = Attribute(
        attribute=name,
        label=about.label or label_of(name),
        level=_level(columns, levels),
        kind=_kind(warehouse, expression),
        unit=about.unit if isinstance(about.unit, str) else about.unit.get(name, ""),
        description=about.description,
        origin="derived",
        expression=expression.strip(),
    )
    _check_levels_kept(warehouse, [attribute])
    return attribute


def remove(home: Path, name: str) -> None:
    """Forget a registered attribute, unless another one is derived from it."""
    with attribute_files.alone(home):
        check_registered(home, name)
        check_unused(home, name)
        attribute_files.remove(home, name)


def coverage(warehouse: Warehouse, attributes: Sequence[Attribute]) -> list[tuple[int, int]]:
    """(for how many it is known, of how many) networks, of each of attributes of one level."""
    view = "architectures" if attributes[0].level == "architecture" else "loss_networks"
    counted = ", ".join(f'count("{one.attribute}")' for one in attributes)
    _, [(networks, *known)] = warehouse.rows(f"select count(*), {counted} from {view}")
    return [(count, networks) for count in known]


def _check_column(column: str, levels: dict[str, str], name: str) -> None:
    if column == name:
        raise UserError(f"{name} cannot be derived from itself")
    if column not in levels and column not in KEYS:
        close = near(column, [*levels, *KEYS])
        meant = f", did you mean {' or '.join(close)}?" if close else ""
        raise UserError(f"{column!r} is no attribute{meant}", hint="lossnets attribute list")


def _check_no_cycle(warehouse: Warehouse, name: str, columns: list[str]) -> None:
    """A replaced attribute must not come to depend on itself through others."""
    known = derived(warehouse.home)
    reached, waiting = set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column == name:
            raise UserError(f"{name} cannot be derived from what is derived from it")
        if column not in reached:
            reached.add(column)
            waiting += known.get(column, [])


def _check_levels_kept(warehouse: Warehouse, attributes: list[Attribute]) -> None:
    """What is derived from an attribute relies on its level."""
    levels = _levels(warehouse)
    moved = [one for one in attributes if levels.get(one.attribute, one.level) != one.level]
    known = derived(warehouse.home) if moved else {}
    for attribute in moved:
        name = attribute.attribute
        level, users = levels[name], users_of(known, name)
        if users:
            raise UserError(
                f"{name} belongs to the {level} and {', '.join(users)} is derived from it: its "
                f"replacement cannot belong to the {attribute.level}",
                hint=f"lossnets attribute remove {users[0]}",
            )


def _layers(warehouse: Warehouse) -> dict[str, list[str]]:
    """Architecture → its layers, shallow first."""
    _, names = warehouse.rows("select architecture from architectures")
    _, networks = warehouse.rows(
        "select architecture, layer from loss_networks order by layer_position, layer"
    )
    known: dict[str, list[str]] = {architecture: [] for (architecture,) in names}
    for architecture, layer in networks:
        known[architecture].append(layer)
    return known


def _names(warehouse: Warehouse) -> dict[str, str]:
    """Architecture → its name for people."""
    return dict(warehouse.rows("select architecture, name from architectures")[1])


def _levels(warehouse: Warehouse) -> dict[str, str]:
    return dict(warehouse.rows("select attribute, level from attribute_catalog")[1])


def _level(columns: list[str], levels: dict[str, str]) -> str:
    of_layers = {"layer", "layer_position"} | {
        name for name, level in levels.items() if level == "loss_network"
    }
    return "loss_network" if of_layers & set(columns) else "architecture"


def _kind(warehouse: Warehouse, expression: str) -> str:
    """'binary' or 'numeric', from the values the expression takes on what is there."""
    value = f"(\n{expression}\n)"
    try:
        _, [(_, kind, *_)] = warehouse.rows(f"describe select {value} from loss_networks")
        if kind.partition("(")[0] not in NUMBER_TYPES:
            raise UserError(f"it gives {kind.lower()} where a number or yes and no is needed")
        _, values = warehouse.rows(
            f"select distinct try({value}::double) as value from loss_networks "
            "where isfinite(value)"
        )
    except UserError as error:
        raise UserError(f"the expression cannot be computed: {error.message}") from None
    if not values:
        raise UserError("the expression has no finite value for any loss network")
    return "binary" if {value for (value,) in values} <= {0.0, 1.0} else "numeric"


def label_of(name: str) -> str:
    """What an attribute is called where nobody says it."""
    return name.replace("_", " ")
