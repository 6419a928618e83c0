"""What comes with lossnets, put into a new database: the paper's tables and catalogs."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.loading.database import insert
from lossnets.warehouse.sources import catalog

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HERE = Path(__file__).parents[1]
PAPER = HERE / "shipped" / "paper"
MEASURED = HERE / "shipped" / "measured"
SCHEMA = HERE / "schema"
LAYERS = ("early", "semi_early", "middle", "late")
YES_NO = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def read_csv(path: Path) -> list[dict[str, str | None]]:
    """The rows of a shipped CSV, every cell as printed, an empty one None; [] without a file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {name: cell if cell != "" else None for name, cell in row.items()}
            for row in csv.DictReader(file)
        ]


def run_sql(connection: DuckDBPyConnection, name: str, **parts: str) -> None:
    """Execute a file of schema/, its `$…` filled in where it is a pattern."""
    text = (SCHEMA / f"{name}.sql").read_text("utf-8")
    connection.execute(Template(text).substitute(parts) if parts else text)


def load_networks(connection: DuckDBPyConnection) -> None:
    """The paper's architectures and extraction layers."""
    architectures = read_csv(PAPER / "architectures.csv")
    insert(
        connection,
        "store.architectures",
        {"architecture_id": "integer", "architecture": "varchar", "name": "varchar",
         "family": "varchar", "position": "integer"},
        [row | {"architecture_id": i} for i, row in enumerate(architectures, 1)],
    )  # fmt: skip
    ids = {row["architecture"]: i for i, row in enumerate(architectures, 1)}
    layers = read_csv(PAPER / "extraction_layers.csv")
    insert(
        connection,
        "store.loss_networks",
        {"loss_network_id": "integer", "architecture_id": "integer", "layer": "varchar",
         "layer_position": "integer", "node": "varchar", "printed": "varchar"},
        [
            row | {"loss_network_id": i, "architecture_id": ids[row["architecture"]]}
            for i, row in enumerate(layers, 1)
        ],
    )  # fmt: skip


def load_paper(connection: DuckDBPyConnection) -> None:
    """Tables I to IV cell by cell, Tables V to XI as measurements of one run per architecture."""
    from lossnets.warehouse.sources.records import hash_of

    for path in sorted(PAPER.glob("table_0[1-4]_*.csv")):
        rows = read_csv(path)
        table = f"store.paper_{path.stem[:8]}"
        columns = dict.fromkeys(rows[0], "varchar")
        declared = ", ".join(f"{name} varchar" for name in columns)
        connection.execute(f"create table {table} ({declared}, primary key (architecture))")
        insert(connection, table, columns, list(rows))
    measured = _published()
    benchmarks = {name: score.benchmark for name, score in catalog.read().scores.items()}
    keys = dict.fromkeys((benchmarks[row["score"]], row["architecture"]) for row in measured)
    numbers = {key: number for number, key in enumerate(keys, 1)}
    insert(
        connection,
        "store.runs",
        {"run": "integer", "run_id": "varchar", "source_id": "integer", "benchmark": "varchar"},
        [
            {"run": number, "run_id": hash_of({"paper": key}), "source_id": 1,
             "benchmark": key[0]}
            for key, number in numbers.items()
        ],
    )  # fmt: skip
    for row in measured:
        row["run"] = numbers[benchmarks[row["score"]], row["architecture"]]
    insert(connection, "store.measurements", _MEASUREMENT, _with_ids(connection, measured))


_MEASUREMENT = {
    "score_id": "integer", "loss_network_id": "integer", "run": "integer", "value": "double"
}  # fmt: skip


def _published() -> list[dict[str, Any]]:
    """One row per value of Tables V to XI: architecture, layer, score, value."""
    return [
        {"architecture": row["architecture"], "layer": row["layer"], "score": score,
         "value": float(cell)}
        for path in sorted(PAPER.glob("table_*.csv"))
        if re.match(r"table_(0[5-9]|1[01])_", path.name)
        for row in read_csv(path)
        for score, cell in row.items()
        if score not in ("architecture", "layer") and cell is not None
    ]  # fmt: skip


def _with_ids(connection: DuckDBPyConnection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, ordered by key, with the database's ids instead of names."""
    score_ids = dict(connection.execute("select score, score_id from store.scores").fetchall())
    networks = network_ids(connection)
    for row in rows:
        row["score_id"] = score_ids[row["score"]]
        row["loss_network_id"] = networks[row["architecture"], row["layer"]]
    return sorted(rows, key=lambda row: (row["score_id"], row["loss_network_id"]))


def network_ids(connection: DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """(architecture, layer) → loss_network_id."""
    rows = connection.execute(
        "select architecture, layer, loss_network_id from store.loss_networks "
        "join store.architectures using (architecture_id)"
    ).fetchall()
    return {(architecture, layer): number for architecture, layer, number in rows}


def number(cell: str) -> float:
    """A shipped cell as a number: yes and true are 1, no and false 0; `ValueError` otherwise.

    >>> number("yes"), number("7637")
    (1.0, 7637.0)
    """
    value = YES_NO.get(cell.strip().lower())
    value = float(cell) if value is None else value
    if not math.isfinite(value):
        raise ValueError(f"{cell} is not finite")
    return value
