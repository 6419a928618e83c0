"""Names of attributes: which can become a column of the views, and which are registered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.names import listed, near
from lossnets.warehouse.sources import attribute_files, expressions

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

KEYWORDS = """
select keyword_name from duckdb_keywords()
where list_contains($1, keyword_name) and keyword_category <> 'unreserved'
"""
COLUMNS = """
select column_name, min(table_name) from duckdb_columns()
where schema_name = 'main' and not internal and list_contains($1, column_name)
  and not starts_with(table_name, 'study_')
group by column_name
"""


def check_name(warehouse: Warehouse, name: str, *, may_replace: bool) -> None:
    """Raise `UserError` unless `name` can become a new column of the views."""
    check_names(warehouse, [name], may_replace=may_replace)


def check_names(warehouse: Warehouse, names: Sequence[str], *, may_replace: bool) -> None:
    """Raise `UserError` unless all of the names can become new columns of the views."""
    fresh = []
    for name in names:
        if not attribute_files.NAME.fullmatch(name):
            raise UserError(
                f"{name[:80]!r} is no attribute name: up to 63 of a-z, 0-9 and _ are valid, "
                "a letter first"
            )
        if not attribute_files.path_of(warehouse.home, name).exists():
            fresh.append(name)
        elif not may_replace:
            raise UserError(
                f"there is an attribute {name} already",
                hint="choose another name, or add --replace",
            )
    keywords = {name for (name,) in warehouse.rows(KEYWORDS, [fresh])[1]}
    taken = dict(warehouse.rows(COLUMNS, [fresh])[1])
    for name in fresh:
        if name in keywords:
            raise UserError(f"{name!r} is an SQL keyword, choose another name")
        if name in taken:
            raise UserError(f"{name!r} is a column of {taken[name]} already, choose another name")


def check_registered(home: Path, name: str) -> None:
    """Raise `UserError` unless a user has registered the attribute."""
    path = attribute_files.path_of(home, name)
    if not attribute_files.NAME.fullmatch(name) or not path.exists():
        known = [file.stem for file in attribute_files.paths(home)]
        close = near(name, known)
        meant = f"did you mean {' or '.join(close)}?" if close else ""
        raise UserError(
            f"no attribute {name!r} has been registered, "
            + (meant or f"registered are: {listed(known) or 'none'}")
        )


def check_unused(home: Path, name: str) -> None:
    """Raise `UserError` where another attribute is derived from this one."""
    users = users_of(derived(home), name)
    if users:
        raise UserError(
            f"{', '.join(users)} is derived from {name}",
            hint=f"lossnets attribute remove {users[0]}",
        )


def derived(home: Path) -> dict[str, list[str]]:
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


def users_of(derived: dict[str, list[str]], name: str) -> list[str]:
    """The derived attributes that use one."""
    return [user for user, columns in derived.items() if name in columns]
