"""A plan as a CSV file: saved, edited by hand and given back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lossnets.runners import registry
from lossnets.runners.runs.planning import Request
from lossnets.runners.runs.run import Progress
from lossnets.runners.sweeps.plan import identified, rows_of, together
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.names import close_to
from lossnets.warehouse.intake.table import open_table

COLUMNS = (
    "run_id", "benchmark", "architecture", "layer", "baseline", "weights", "seed", "protocol",
    "preset", "settings", "data", "state", "reason", "estimate_s",
)  # fmt: skip
WHAT = COLUMNS[1:11]  # what is run; the others say what became of it and are not read
LAYERS, SETTINGS = ",", ";"  # part several in a cell; a setting's value may have commas


def cells(
    row: Row, state: str, reason: str | None = None, estimate_s: float | None = None
) -> tuple[Any, ...]:
    """The cells of a row, None where one is empty."""
    what = row.request
    layers = LAYERS.join(what.layers) if what.architectures else None
    asked = (
        what.benchmark, LAYERS.join(what.architectures) or None, layers,
        LAYERS.join(what.baselines) or None, what.weights, what.seed, what.protocol, what.preset,
        SETTINGS.join(what.settings) or None, str(what.data) if what.data else None,
    )  # fmt: skip
    return (row.run_id, *asked, state, reason, estimate_s)


def read_plan(
    path: Path, home: Path, progress: Progress, modules: Mapping[str, str] | None = None
) -> list[Row]:
    """The rows of a plan file, those that share work together; run ids are made anew.

    A row may ask for several runs, with `all` as architecture or layer. Errors: UserError that
    names the file, the line and, where one is to blame, the column.
    """
    benchmark = cache(lambda name: identified(registry.named(name, modules)))
    rows: dict[str, Row] = {}
    for line, row in _lines(path):
        try:
            request = _request(row)
            of_line = rows_of(request, benchmark(request.benchmark), home, progress)
            rows |= {row.run_id: row for row in of_line}
        except UserError as error:
            column = _blamed(error.message)
            place = f"{path}, line {line}" + (f", column {column}" if column else "")
            raise UserError(f"{place}: {error.message}", hint=error.hint) from None
    if not rows:
        raise UserError(f"{path} holds no row to run", hint=f"lossnets sweep --save {path}")
    return together(rows.values())


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of each row; UserError on what is no plan."""
    table = open_table(path)
    columns = [column.lower() for column in table.columns]
    for column in columns:
        if column not in COLUMNS:
            raise UserError(f"found column {column!r} in {path}, {close_to(column, COLUMNS)}")
    if "benchmark" not in columns:
        raise UserError(
            f"{path} is no plan: it has no column benchmark", hint=f"lossnets sweep --save {path}"
        )
    for line, row in table.rows():
        yield line, dict(zip(columns, row, strict=True))


def _request(row: Mapping[str, str]) -> Request:
    what = {column: (row.get(column) or "").strip() for column in WHAT}
    try:
        seed = int(what["seed"] or 0)
    except ValueError:
        raise UserError(f"found seed {what['seed']!r}; valid is a whole number") from None
    if bool(what["architecture"]) == bool(what["baseline"]):
        both = "both" if what["baseline"] else "neither"
        raise UserError(
            f"found architecture {what['architecture']!r} and baseline {what['baseline']!r}, "
            f"{both} of them; valid is one"
        )
    return Request(
        benchmark=what["benchmark"],
        architectures=_parts(what["architecture"], LAYERS),
        layers=_parts(what["layer"], LAYERS) or ("all",),
        baselines=_parts(what["baseline"], LAYERS),
        weights=what["weights"] or None,
        seed=seed,
        protocol=what["protocol"] or "paper",
        preset=what["preset"] or None,
        settings=_parts(what["settings"], SETTINGS),
        data=Path(what["data"]) if what["data"] else None,
    )


def _parts(cell: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(mark) if part.strip())


def _blamed(message: str) -> str | None:
    """The column that an error is about, from its first words: found layer 'x', found lr=x."""
    word = message.removeprefix("found ").partition(" ")[0]
    if word == "setting" or "=" in word:
        return "settings"
    return word if word in WHAT else None
