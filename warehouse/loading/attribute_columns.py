"""The attributes in the database: shipped, measured and registered ones, and the wide views."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import NOT_GIVEN
from lossnets.warehouse.loading.attribute_catalog import (
    Catalog,
    drop,
    in_order,
    measured_tables,
    read,
)
from lossnets.warehouse.loading.database import first_line, insert
from lossnets.warehouse.loading.shipped import (
    network_ids,
    run_sql,
)
from lossnets.warehouse.sources import expressions
from lossnets.warehouse.sources.attribute_files import Attribute

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def register_networks(connection: DuckDBPyConnection, home: Path) -> None:
    """Architectures and layers that the measured tables of further networks name."""
    for _, content in measured_tables(home, {}):
        (architecture_id, known) = _architecture(connection, content)
        fresh = [item for item in content["layers"] if item[0] not in known]
        (last,) = connection.execute(
            "select max(loss_network_id) from store.loss_networks"
        ).fetchall()[0]
        for offset, (layer, position, node) in enumerate(fresh, 1):
            connection.execute(
                "insert into store.loss_networks values (?, ?, ?, ?, ?, null)",
                [last + offset, architecture_id, layer, position, node],
            )


def _architecture(connection: DuckDBPyConnection, content: dict[str, Any]) -> tuple[int, set[str]]:
    """The id of the table's architecture, registered if need be, and the layers it has."""
    name = content["architecture"]
    found = connection.execute(
        "select architecture_id from store.architectures where architecture = ?", [name]
    ).fetchone()
    if found is None:
        family = content.get("family") or "Other"
        found = connection.execute(
            "insert into store.architectures (architecture_id, architecture, name, family) "
            "select max(architecture_id) + 1, $1, $2, $3 from store.architectures "
            "returning architecture_id",
            [name, content.get("name") or name, family],
        ).fetchone()
    assert found is not None
    layers = connection.execute(
        "select layer from store.loss_networks where architecture_id = ?", list(found)
    ).fetchall()
    return found[0], {layer for (layer,) in layers}


def load_attributes(connection: DuckDBPyConnection, home: Path) -> bool:
    """Make the attribute tables and the views that have a column per attribute anew.

    False where the system did not give a file, so that the next opening tries again.
    """
    catalog = read(home)
    run_sql(connection, "tables/attribute_tables")
    derived = in_order(catalog)
    _create_views(connection, catalog, derived)
    _insert(connection, catalog)
    return not any(fault.startswith(NOT_GIVEN) for fault in catalog.faults.values())


def _create_views(connection: DuckDBPyConnection, catalog: Catalog, derived: list[str]) -> None:
    """The wide views; a derived attribute that the database refuses is left out."""
    import duckdb

    try:
        _create_wide_views(connection, catalog, derived)
        return
    except duckdb.Error:
        pass
    accepted: list[str] = []
    for name in derived:
        try:
            _create_wide_views(connection, catalog, [*accepted, name])
            accepted.append(name)
        except duckdb.Error as error:
            drop(catalog, name, first_line(error))
    _create_wide_views(connection, catalog, accepted)


def _create_wide_views(
    connection: DuckDBPyConnection, catalog: Catalog, derived: list[str]
) -> None:
    ids = {name: i for i, name in enumerate(catalog.attributes, 1)}
    named = {
        level: [name for name, item in catalog.attributes.items() if item.level == level]
        for level in ("architecture", "loss_network")
    }
    pivots = {
        level: "".join(
            f",\n        max({_column_of(catalog, name)})"
            f' filter (attribute_id = {ids[name]}) as "{name}"'
            for name in names
            if not catalog.attributes[name].expression
        )
        for level, names in named.items()
    }
    everything = [*named["architecture"], *named["loss_network"]]
    for view, names in (("loss_networks", everything), ("architectures", named["architecture"])):
        shown = [
            name for name in names if name in derived or not catalog.attributes[name].expression
        ]
        run_sql(
            connection,
            f"views/{view}",
            architecture_pivot=pivots["architecture"],
            network_pivot=pivots["loss_network"],
            **_derivations(catalog, [name for name in derived if name in names]),
            columns="".join(f',\n        "{name}"' for name in shown),
        )
        connection.execute(f"select * from {view} limit 0")
        connection.execute(";".join(_comment(view, catalog.attributes[name]) for name in shown))


def _column_of(catalog: Catalog, name: str) -> str:
    """The column of the store that holds an attribute's values."""
    return "text" if catalog.attributes[name].kind == "categorical" else "value"


def _derivations(catalog: Catalog, derived: list[str]) -> dict[str, str]:
    """Parts of a view: one step for all that can be computed at once, so that nothing is twice."""
    steps: list[list[str]] = []
    for name in derived:
        used = expressions.columns_used(catalog.attributes[name].expression or "")
        if not steps or set(used) & set(steps[-1]):
            steps.append([])
        steps[-1].append(name)
    before = ["given", *(f"derived_{number}" for number in range(1, len(steps) + 1))]
    text = "".join(
        f",\n{step} as materialized (\n    select\n        *"
        + "".join(_derived_column(catalog, name) for name in names)
        + f"\n    from {source}\n)"
        for names, source, step in zip(steps, before, before[1:], strict=False)
    )
    return {"derivations": text, "derived": before[-1]}


def _derived_column(catalog: Catalog, name: str) -> str:
    expression = catalog.attributes[name].expression
    return f',\n        store.finite(try(cast((\n{expression}\n) as double))) as "{name}"'


def _comment(view: str, attribute: Attribute) -> str:
    text = attribute.description or attribute.label
    text += "" if text.endswith(".") else "."
    if attribute.kind == "binary":
        text += " 1 for yes, 0 for no."
    elif attribute.unit:
        text += f" Unit: {attribute.unit}."
    if attribute.expression:
        text += f" Derived: {attribute.expression}."
    quoted = text.replace("'", "''")
    return f"comment on column {view}.\"{attribute.attribute}\" is '{quoted}'"


def _insert(connection: DuckDBPyConnection, catalog: Catalog) -> None:
    ids = {name: i for i, name in enumerate(catalog.attributes, 1)}
    insert(
        connection,
        "store.attributes",
        {"attribute_id": "integer", "attribute": "varchar", "label": "varchar",
         "level": "varchar", "kind": "varchar", "origin": "varchar", "registered": "boolean",
         "unit": "varchar", "description": "varchar", "expression": "varchar"},
        [
            {"attribute_id": ids[name], "attribute": name, "label": item.label,
             "level": item.level, "kind": item.kind, "origin": catalog.origins[name],
             "registered": name in catalog.registered, "unit": item.unit,
             "description": item.description, "expression": item.expression}
            for name, item in catalog.attributes.items()
        ],
    )  # fmt: skip
    architectures = dict(
        connection.execute(
            "select architecture, architecture_id from store.architectures"
        ).fetchall()
    )
    networks = network_ids(connection)
    rows: dict[str, list[dict[str, Any]]] = {"architecture": [], "loss_network": []}
    for name, architecture, layer, value in catalog.values:
        level = catalog.attributes[name].level
        if level == "architecture":
            key = architectures.get(architecture)
        else:
            key = networks.get((architecture, layer or ""))
        if key is None:
            place = architecture if layer is None else f"{architecture} {layer}"
            catalog.faults.setdefault(
                f"attributes/{name}.json", f"its value for {place} is left out: no such network"
            )
        else:
            column = _column_of(catalog, name)
            rows[level].append({"attribute_id": ids[name], f"{level}_id": key, column: value})
    for level, found in rows.items():
        kinds = {"attribute_id": "integer", f"{level}_id": "integer", "value": "double",
                 "text": "varchar"}  # fmt: skip
        insert(connection, f"store.{level}_values", kinds, found)
    insert(
        connection,
        "store.attribute_faults",
        {"file": "varchar", "fault": "varchar"},
        [{"file": file, "fault": fault} for file, fault in catalog.faults.items()],
    )
