"""What is wrong with staged scores: the first row that is, told with its line and both values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.names import PAPER_LAYERS, Names
from lossnets.warehouse.intake.networks import REGISTER, layers_of, unknown_network
from lossnets.warehouse.intake.relations import Relation
from lossnets.warehouse.sources import fields

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

REPEATED = "give repeated measurements a column seed or run_id that tells them apart"
FAULTS = {
    "no_architecture": "has no architecture",
    "no_layer": "has no layer",
    "with_baseline": "names the baseline {baseline!r} and a loss network, it has one of them",
    "no_score": "has no score",
    "no_value": "has no value",
    "bad_value": "has the value {value!r}, valid are finite numbers",
    "bad_score": "names the score {score!r}, {close}",
    "out_of_range": "has the value {number:g} for {score}, valid are {minimum:g} to {maximum:g}",
    "bad_source": "names the source {source!r}, sources are: {sources}",
    "other_source": "names the source {source!r}, where --source says {asked!r}",
    "other_baseline": "names the baseline {baseline!r}, which its config does not",
}


def check_rows(connection: DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Raise `UserError` for the first row with a wrong cell, and for a source without rows."""
    counts = dict(
        connection.execute("select file, count(*) from everything group by file").fetchall()
    )
    for number, relation in enumerate(relations, 1):
        if not counts.get(number):
            raise UserError(f"{relation.named} has no rows")
    row = connection.execute(
        "select file, row, fault, told from everything where fault is not null "
        "order by file, row limit 1"
    ).fetchone()
    if row:
        file, number, fault, told = row
        where = relations[file - 1].where(number)
        raise _fault(connection, where, fault, json.loads(told))
    _check_objects(connection, relations)


def _fault(
    connection: DuckDBPyConnection, where: str, fault: str, cells: dict[str, Any]
) -> UserError:
    known = cells["catalog"] or {}
    if fault in fields.FIELDS:
        try:
            fields.parse(fault, cells[fault])
        except UserError as error:
            return UserError(f"{where}: {error.message}")
        return UserError(f"{where}: {fault} is {cells[fault]!r}, which is not valid")
    kind, _, column = fault.partition(":")
    if column == "layer_position":
        there = PAPER_LAYERS.index(cells["layer"]) + 1 if cells["layer"] in PAPER_LAYERS else None
        return contradiction(where, column, cells["layer"], cells[column], there)
    if kind == "other":
        return contradiction(where, column, cells["score"], cells[column], known[column])
    if fault == "bad_score":
        scores = connection.execute("select score, label from stored.store.scores").fetchall()
        cells["close"] = Names(scores).close_to(str(cells["score"]))
    found = connection.execute("select getvariable('sources'), getvariable('asked')").fetchone()
    sources, cells["asked"] = found or ([], None)
    cells["sources"] = ", ".join(sources)
    bounds = {"minimum": known.get("minimum"), "maximum": known.get("maximum")}
    cells["minimum"] = -math.inf if bounds["minimum"] is None else bounds["minimum"]
    cells["maximum"] = math.inf if bounds["maximum"] is None else bounds["maximum"]
    return UserError(f"{where} {FAULTS[fault].format(**cells)}")


def contradiction(where: str, column: str, of: str, found: Any, known: Any) -> UserError:
    """A cell that says something else than the catalog."""
    is_none = known is None
    return UserError(
        f"{where} says that the {column} of {of} is {found!r}, "
        + ("and it has none" if is_none else f"it is {known!r}"),
        hint="correct the row, or leave the column out; another score has another name",
    )


def _check_objects(connection: DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Every config and versions that is different is looked at once."""
    for name in ("config", "versions"):
        found = connection.execute(
            f"select {name}, min((file, row)) as first from staged where {name} is not null "
            "group by all order by first"
        ).fetchall()
        for text, (file, row) in found:
            try:
                fields.parse(name, text)
            except UserError as error:
                raise UserError(f"{relations[file - 1].where(row)}: {error.message}") from None


def check_networks(
    connection: DuckDBPyConnection, warehouse: Warehouse, relations: Sequence[Relation]
) -> None:
    """Raise for the first row that names a loss network that is not there."""
    first = connection.execute(
        "select min((file, row)) as first, architecture, layer from staged "
        "anti join networks using (architecture, layer) where architecture is not null "
        "group by architecture, layer order by first limit 1"
    ).fetchone()
    if first:
        (file, row), architecture, layer = first
        fault = unknown_network(layers_of(warehouse), architecture, layer)
        raise UserError(f"{relations[file - 1].where(row)} {fault}", hint=REGISTER)


def check_families(connection: DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Raise for the first row that gives an architecture another family than it has."""
    first = connection.execute(
        "select file, row, architecture, family, known from families where family <> known "
        "order by file, row limit 1"
    ).fetchone()
    if first:
        file, row, architecture, family, known = first
        raise contradiction(relations[file - 1].where(row), "family", architecture, family, known)


def check_duplicates(connection: DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Raise for the first measurement that stands twice; hashes first, for they take little."""
    rows, distinct = connection.execute(
        "select count(*), count(distinct hash(run_id, architecture, layer, score)) from staged"
    ).fetchall()[0]
    if rows == distinct:
        return
    twice = connection.execute(
        "select first, min((file, row)) filter ((file, row) > first) as second, "
        "architecture, layer, baseline, score from (select *, min((file, row)) over "
        "(partition by run_id, architecture, layer, score) as first from staged) "
        "group by run_id, architecture, layer, baseline, score, first "
        "having count(*) > 1 order by second limit 1"
    ).fetchone()
    if twice:
        first, second, architecture, layer, baseline, score = twice
        noun, number = relations[first[0] - 1].place(first[1])
        file = "" if first[0] == second[0] else f" of {relations[first[0] - 1].named}"
        raise UserError(
            f"{relations[second[0] - 1].where(second[1])} repeats {score} of "
            f"{spoken(architecture, layer, baseline)} from {noun} {number}{file}",
            hint=REPEATED,
        )


def check_printed(connection: DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Raise for the first row that gives the paper a value that it does not print."""
    other = connection.execute(
        "select file, row, architecture, layer, score, given.value, printed.value as there "
        "from everything as given left join printed using (architecture, layer, score) "
        "where source = 'paper' and given.value is distinct from printed.value "
        "order by file, row limit 1"
    ).fetchone()
    if other:
        file, row, architecture, layer, score, value, there = other
        raise UserError(
            f"{relations[file - 1].where(row)} says that the paper prints {value!r} for {score} of "
            f"{spoken(architecture, layer)}, "
            + ("and it prints none" if there is None else f"it prints {there!r}"),
            hint="leave the column source out where the value is not the paper's",
        )


def check_stored(connection: DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Raise for the first row that gives a known measurement another value."""
    other = connection.execute(
        "select file, row, staged.architecture, staged.layer, staged.baseline, staged.score, "
        "staged.value, known.value as there "
        "from staged join known on staged.run_id = known.run_id and staged.score = known.score "
        "and staged.architecture is not distinct from known.architecture "
        "and staged.layer is not distinct from known.layer "
        "where staged.value <> known.value order by file, row limit 1"
    ).fetchone()
    if other:
        file, row, architecture, layer, baseline, score, value, there = other
        raise UserError(
            f"{relations[file - 1].where(row)} gives {value!r} for {score} of "
            f"{spoken(architecture, layer, baseline)}, where the same run has {there!r} already",
            hint="give another measurement its own seed or run_id, or add --replace",
        )


def spoken(architecture: str | None, layer: str | None, baseline: str | None = None) -> str:
    """A loss network, or a baseline, in a sentence."""
    return f"the baseline {baseline}" if architecture is None else f"{architecture} {layer}"
