"""Scores that tables bring with them, registered from their own columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import BusyError, UserError
from lossnets.warehouse.intake import numbers, registration, relations
from lossnets.warehouse.intake.staging import scratch
from lossnets.warehouse.intake.table import Table, open_table
from lossnets.warehouse.sources import catalog, catalog_files
from lossnets.warehouse.sources.catalog import Score

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

NEEDED = ("benchmark", "unit")
TEXTS = ("dataset", "metric", "label", "trained_model")
NUMBERS = {"scale": int, "minimum": float, "maximum": float, "decimals": int}
ABOUT = (*NEEDED, *TEXTS, *NUMBERS, "higher_is_better")
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@contextmanager
def registered(
    warehouse: Warehouse, tables: Sequence[Path | str | pd.DataFrame]
) -> Iterator[list[Score]]:
    """Register the scores of tidy tables that are not there yet; forget them if the block fails.

    Each is told by the columns benchmark and unit, and perhaps dataset, metric, scale, minimum,
    maximum, higher_is_better (true where it is missing), decimals, label and trained_model, which
    are the same in all rows of a score. Raises `UserError` where they are not, or say nothing.
    """
    told: dict[str, tuple[str, dict[str, str]]] = {}
    with scratch(warehouse) as (connection, _):
        for place, table in enumerate(tables):
            _read(_opened(connection, table, str(place)), catalog.read(warehouse.home).scores, told)
    new = [_score(where, name, about) for name, (where, about) in told.items()]
    if new:
        registration.add_scores(warehouse, new)
    try:
        yield new
    except BusyError:  # what was imported is kept, and its scores with it
        raise
    except BaseException:
        for score in new:
            catalog_files.remove(warehouse.home, score)
        warehouse.refresh()
        raise


def _opened(connection: DuckDBPyConnection, table: Path | str | pd.DataFrame, name: str) -> Table:
    if not isinstance(table, Path | str):
        return relations.as_table(connection, relations.of_frame(connection, table, name))
    path = Path(table)
    if path.suffix.lower() in relations.PARQUET:
        return relations.as_table(connection, relations.of_parquet(connection, path))
    return open_table(path)


def _read(
    table: Table, known: Mapping[str, Score], told: dict[str, tuple[str, dict[str, str]]]
) -> None:
    """Add what rows tell of scores that are not known: name → (where first, column → cell)."""
    names = [name.lower().replace(" ", "_") for name in table.columns]
    if "score" not in names:
        return  # a wide table, or none: told by whoever reads it
    mark = table.decimal_mark(
        [given for given, name in zip(table.columns, names, strict=True) if name in NUMBERS]
    )
    for number, row in table.rows():
        cells = dict(zip(names, row, strict=True))
        name = cells["score"]
        if not name or name in known:
            continue
        about = {key: cells[key] for key in ABOUT if cells.get(key)}
        for key in NUMBERS:
            if key in about:
                about[key] = numbers.plain(about[key], mark) or about[key]
        where = f"{table.named}, {table.noun} {number}"
        first, before = told.setdefault(name, (where, about))
        for key in ABOUT:
            if about.get(key) != before.get(key):
                raise UserError(
                    f"{where} says {key} {about.get(key)!r} of {name}, "
                    f"where {first} says {before.get(key)!r}"
                )


def _score(where: str, name: str, about: dict[str, str]) -> Score:
    for needed in NEEDED:
        if needed not in about:
            raise UserError(
                f"{where} names the new score {name!r} without a {needed}",
                hint=f"add a column {needed}, or: lossnets score add {name}",
            )
    told: dict[str, Any] = {key: about[key] for key in (*NEEDED, *TEXTS) if key in about}
    for key, number in NUMBERS.items():
        if key in about:
            told[key] = _number(where, key, about[key], number)
    if "higher_is_better" in about:
        told["higher_is_better"] = _yes_or_no(where, about["higher_is_better"])
    new = registration.score(name, **told)
    try:
        catalog.check(new)
    except UserError as error:
        raise UserError(f"{where}: {error.message}", hint=error.hint) from None
    return new


def _number(where: str, key: str, text: str, kind: type[int] | type[float]) -> float:
    try:
        value = float(text)
        if kind is int and value != int(value):
            raise ValueError
        return kind(value)
    except (ValueError, OverflowError):
        a = "a whole number" if kind is int else "a number"
        raise UserError(f"{where} has {key} {text!r}, where {a} is needed") from None


def _yes_or_no(where: str, text: str) -> bool:
    if text.lower() not in YES_NO:
        raise UserError(f"{where} has higher_is_better {text!r}; valid are true and false")
    return YES_NO[text.lower()]
