"""`lossnets import`: scores from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lossnets.cli import terminal


@click.command("import")
@click.argument("files", type=terminal.FILE, nargs=-1, required=True)
@click.option(
    "--new-architectures", is_flag=True, help="Accept architectures that are not known yet."
)
@click.option(
    "--new-scores",
    is_flag=True,
    help="Register scores that are not known yet, from the columns benchmark, unit and others.",
)
@click.option(
    "--replace", is_flag=True, help="Put these in the place of runs that have other values."
)
@click.option("--source", help="The registered study that they are from, if any.")
@click.pass_obj
def import_scores(home: Path, files: tuple[Path, ...], **how: Any) -> None:
    """Import scores: all of FILES, or nothing.

    They are CSV, JSON, JSON lines or Parquet. A table is tidy, with the columns architecture,
    layer, score and value, or wide, with a column per score; JSON lines may be records as runs
    write them. docs/import.md says what is read.
    """
    from lossnets.warehouse.intake.imports import import_scores

    warehouse = terminal.open_warehouse(home)
    for one in import_scores(warehouse, files, **how):
        terminal.say(f"{one.named}: {one.new:,} new measurements, {one.known:,} known already")
    terminal.say("next: lossnets status")
