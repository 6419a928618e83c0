"""`lossnets import`: scores from elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal


@click.command("import")
@click.argument("files", type=terminal.FILE, nargs=-1, required=True)
@click.option(
    "--new-architectures", is_flag=True, help="Accept architectures that are not known yet."
)
@click.pass_obj
def import_scores(home: Path, files: tuple[Path, ...], new_architectures: bool) -> None:
    """Import scores: JSON lines, CSV or Parquet.

    JSON lines are records as runs write them; CSV and Parquet are tidy tables, one score a row.
    """
    warehouse = terminal.open_warehouse(home)
    for file in files:
        new, known = warehouse.import_scores(file, new_architectures=new_architectures)
        terminal.say(f"{file}: {new:,} new measurements, {known:,} known already")
    terminal.say("next: lossnets status")
