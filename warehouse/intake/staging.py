"""A source of scores put into a file of its own, in SQL: every cell cast, every row judged."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.durable import cannot_write, make_folder, unfinished
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.formulas import MARKED
from lossnets.warehouse.intake.relations import Relation, literal
from lossnets.warehouse.loading.database import WRITING, first_line, read_only
from lossnets.warehouse.sources import fields

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lossnets.warehouse.store import Warehouse

REQUIRED = ("architecture", "layer", "score", "value")
OPTIONAL = (
    "node", "n", "run_id", "benchmark", "preset", "seed", "weights", "config", "data", "versions",
    "device", "recorded_at", "duration_s", "peak_memory_bytes", "source",
)  # fmt: skip
REPEATED = (  # what the catalog knows, and `scores` shows: taken where it says the same
    "dataset", "metric", "scale", "unit", "higher_is_better", "family", "layer_position",
    "baseline", "minimum", "maximum", "decimals", "label", "trained_model",
)  # fmt: skip
COLUMNS = (*REQUIRED, *OPTIONAL, *REPEATED)
NUMERIC = (
    "value", "n", "seed", "duration_s", "peak_memory_bytes", "scale", "layer_position", "minimum",
    "maximum", "decimals",
)  # fmt: skip
CHECKED = tuple(name for name in (*REQUIRED, *OPTIONAL) if name in fields.FIELDS)
SQL = Path(__file__).parents[1] / "schema" / "load"


@contextmanager
def scratch(
    warehouse: Warehouse, source: str | None = None
) -> Iterator[tuple[DuckDBPyConnection, Path]]:
    """A connection that sees the warehouse as `stored`, and a folder that is gone afterwards.

    source: the one that rows belong to which name none.
    """
    import shutil

    import duckdb

    folder = warehouse.home / f".import-{secrets.token_hex(6)}"
    settings: dict[str, Any] = dict(WRITING, temp_directory=str(folder))
    del settings["storage_compatibility_version"]
    try:
        make_folder(folder)
        with (
            unfinished(folder / "held"),
            duckdb.connect(config=settings) as connection,
            read_only(connection, warehouse.path, "stored"),
        ):
            connection.execute("set timezone = 'UTC'")
            _know_scores(connection)
            _know_sources(connection, source)
            yield connection, folder
    except OSError as error:
        raise cannot_write(warehouse.home, error) from None
    except duckdb.Error as error:
        raise UserError(
            f"cannot import: {first_line(error)}", hint="lossnets import --help"
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _know_scores(connection: DuckDBPyConnection) -> None:
    """The catalog as variables: looked up, for a join would not keep the order of the rows."""
    connection.execute(
        "set variable score_names = (select list(score order by score_id) from stored.store.scores)"
    )
    connection.execute(
        "set variable scores = (select list(scores order by score_id) from stored.store.scores)"
    )


def _know_sources(connection: DuckDBPyConnection, asked: str | None) -> None:
    connection.execute(
        "set variable sources = (select list(source order by source_id) from stored.store.sources)"
    )
    connection.execute("set variable asked = $1::varchar", [asked])


def stage(connection: DuckDBPyConnection, relation: Relation, target: Path) -> None:
    """Write the rows in their order to a Parquet file, each with its first fault."""
    import duckdb

    texts = []
    for name in COLUMNS:
        if name in relation.columns:
            quoted = relation.columns[name].replace('"', '""')
            cell = f'trim("{quoted}"::varchar)'
            if relation.is_marked:
                bare = f"regexp_replace({cell}, {literal(MARKED)}, '\\1')"
                cell = f"case when starts_with({cell}, '''') then {bare} else {cell} end"
            texts.append(f"nullif({cell}, '') as {name}")
        else:
            texts.append(f"null::varchar as {name}")
    pattern = Template((SQL / "import.sql").read_text("utf-8"))
    text = pattern.substitute(
        relation=relation.sql,
        texts=",\n        ".join(texts),
        field_faults=fields.sql_faults(CHECKED),
        target=str(target).replace("'", "''"),
    )
    try:
        connection.execute(text)
    except duckdb.ConversionException as error:
        raise UserError(f"cannot read {relation.named}: {first_line(error)}") from None


def compare(connection: DuckDBPyConnection, targets: Sequence[Path]) -> None:
    """Make the views `everything`, `staged`, `networks`, `known` and `printed` of staged files."""
    quoted = ", ".join("'" + str(path).replace("'", "''") + "'" for path in targets)
    pattern = Template((SQL / "imported.sql").read_text("utf-8"))
    connection.execute(pattern.substitute(targets=quoted))
