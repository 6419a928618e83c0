"""`lossnets export`: tables and views as files."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal
from lossnets.cli.new_folders import telling_new


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--format",
    "styles",
    multiple=True,
    default=("csv",),
    show_default=True,
    type=click.Choice(["csv", "parquet", "markdown", "latex"]),
    help="May be repeated.",
)
@click.option("-o", "--output", type=terminal.FILE, required=True, help="The folder to write to.")
@click.pass_obj
def export(home: Path, names: tuple[str, ...], styles: tuple[str, ...], output: Path) -> None:
    """Write the tables and views NAMES, or all of them, as files."""
    from lossnets.warehouse.answers import export

    warehouse = terminal.open_warehouse(home)
    with telling_new(output):
        for path, rows in export.export(warehouse, output, names, styles):
            terminal.say(f"{path}  {rows:,} rows")
