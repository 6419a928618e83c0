"""Register attributes: columns that appear in `loss_networks` and `architectures`, without code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attribute_csv
from lossnets.warehouse.sources import attribute_files, expressions
from lossnets.warehouse.sources.attribute_files import Attribute

if TYPE_CHECKING:
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
KEYWORD = """
select 1 from duckdb_keywords() where keyword_name = $1 and keyword_category <> 'unreserved'
"""
COLUMN = """
select table_name from duckdb_columns()
where schema_name = 'main' and not internal and column_name = $1
  and not starts_with(table_name, 'study_')
order by table_name limit 1
"""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the user says about new attributes: all of it is optional."""

    unit: str = ""
    label: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        for field, text in (
            ("unit", self.unit),
            ("label", self.label),
            ("description", self.description),
        ):
            if text and (len(text) > LONGEST_TEXT or not text.isprintable()):
                raise UserError(
                    f"the {field} is more than one line of at most {LONGEST_TEXT} printable "
                    "characters"
                )


def add(
    warehouse: Warehouse,
    csv_path: Path | str,
    about: Description | None = None,
    *,
    may_replace: bool = False,
) -> list[Attribute]:
    """Register every attribute column of a wide CSV; all of them, or none.

    The CSV has `architecture`, perhaps `layer` (then the attributes belong to loss networks),
    and one column per attribute. Columns of nothing but 0 and 1 become binary ones. Raises
    `UserError` for a bad file or name; `may_replace` allows names registered before.
    """
    about = about or Description()
    path = Path(csv_path)
    table = attribute_csv.read(path, _layers(warehouse))
    if about.label is not None and len(table.columns) > 1:
        raise UserError(f"--label names one attribute, {path} has {len(table.columns)}")
    attributes = [
        _added(name, table.level, values, about, path) for name, values in table.columns.items()
    ]
    with attribute_files.alone(warehouse.home):
        for attribute in attributes:
            check_name(warehouse, attribute.attribute, may_replace=may_replace)
            _check_level_kept(warehouse, attribute)
        attribute_files.write(warehouse.home, attributes)
    warehouse.refresh()
    return attributes


def _added(
    name: str,
    level: str,
    values: dict[tuple[str, str | None], float],
    about: Description,
    path: Path,
) -> Attribute:
    kind = "binary" if set(values.values()) <= {0.0, 1.0} else "numeric"
    return Attribute(
        attribute=name,
        label=about.label or _label(name),
        level=level,
        kind=kind,
        unit=about.unit if kind == "numeric" else "",
        description=about.description or f"From {path.name}.",
        values=tuple((*network, value) for network, value in values.items()),
    )


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
    warehouse.refresh()
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
        label=about.label or _label(name),
        level=_level(columns, levels),
        kind=_kind(warehouse, expression),
        unit=about.unit,
        description=about.description,
        origin="derived",
        expression=expression.strip(),
    )
    _check_level_kept(warehouse, attribute)
    return attribute


def remove(home: Path, name: str) -> None:
    """Forget a registered attribute, unless another one is derived from it."""
    with attribute_files.alone(home):
        path = attribute_files.path_of(home, name)
        if not attribute_files.NAME.fullmatch(name) or not path.exists():
            known = ", ".join(file.stem for file in attribute_files.paths(home)) or "none"
            raise UserError(f"no attribute {name!r} has been registered, registered are: {known}")
        users = _users(home, name)
        if users:
            raise UserError(
                f"{', '.join(users)} is derived from {name}",
                hint=f"lossnets attribute remove {users[0]}",
            )
        attribute_files.remove(home, name)


def coverage(warehouse: Warehouse, attribute: Attribute) -> tuple[int, int]:
    """(for how many it is known, of how many) architectures or loss networks."""
    view = "architectures" if attribute.level == "architecture" else "loss_networks"
    _, [counts] = warehouse.rows(f'select count("{attribute.attribute}"), count(*) from {view}')
    return counts[0], counts[1]


def check_name(warehouse: Warehouse, name: str, *, may_replace: bool) -> None:
    """Raise `UserError` unless `name` can become a new column of the views."""
    if not attribute_files.NAME.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} is no attribute name: up to 63 of a-z, 0-9 and _ are valid, "
            "a letter first"
        )
    if attribute_files.path_of(warehouse.home, name).exists():
        if not may_replace:
            raise UserError(
                f"there is an attribute {name} already",
                hint="choose another name, or add --replace",
            )
        return
    if warehouse.rows(KEYWORD, [name])[1]:
        raise UserError(f"{name!r} is an SQL keyword, choose another name")
    _, found = warehouse.rows(COLUMN, [name])
    if found:
        raise UserError(f"{name!r} is a column of {found[0][0]} already, choose another name")


def _check_column(column: str, levels: dict[str, str], name: str) -> None:
    if column == name:
        raise UserError(f"{name} cannot be derived from itself")
    if column not in levels and column not in KEYS:
        near = attribute_csv.near(column, [*levels, *KEYS])
        raise UserError(f"{column!r} is no attribute{near}", hint="lossnets attribute list")


def _check_no_cycle(warehouse: Warehouse, name: str, columns: list[str]) -> None:
    """A replaced attribute must not come to depend on itself through others."""
    derived = _derived(warehouse.home)
    reached, waiting = set[str](), list(columns)
    while waiting:
        column = waiting.pop()
        if column == name:
            raise UserError(f"{name} cannot be derived from what is derived from it")
        if column not in reached:
            reached.add(column)
            waiting += derived.get(column, [])


def _check_level_kept(warehouse: Warehouse, attribute: Attribute) -> None:
    """What is derived from an attribute relies on its level."""
    level = _levels(warehouse).get(attribute.attribute, attribute.level)
    users = _users(warehouse.home, attribute.attribute)
    if level != attribute.level and users:
        raise UserError(
            f"{attribute.attribute} belongs to the {level} and {', '.join(users)} is derived "
            f"from it: its replacement cannot belong to the {attribute.level}",
            hint=f"lossnets attribute remove {users[0]}",
        )


def _derived(home: Path) -> dict[str, list[str]]:
    """Registered derived attribute → the columns it uses."""
    found = {}
    for path in attribute_files.paths(home):
        try:
            attribute = attribute_files.read(path)
            if attribute.expression:
                found[attribute.attribute] = expressions.columns_used(attribute.expression)
        except UserError:  # a broken file is no attribute; `lossnets status` tells of it
            continue
    return found


def _users(home: Path, name: str) -> list[str]:
    return [user for user, columns in _derived(home).items() if name in columns]


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


def _label(name: str) -> str:
    return name.replace("_", " ")
