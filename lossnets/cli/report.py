"""`lossnets report`: the page and its data."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal


@click.command()
@click.option(
    "-o",
    "--output",
    type=terminal.FILE,
    default=Path("build/report"),
    show_default=True,
    help="The folder to write to.",
)
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
@click.pass_obj
def report(home: Path, output: Path, force: bool) -> None:
    """Write the report, one HTML file, and its data as CSV."""
    from lossnets.face.warehouse import Warehouse

    warehouse = Warehouse(home)
    if not force and warehouse.has_report(output):
        terminal.say(f"{output / 'index.html'} is up to date")
        return
    with terminal.working("Building the report"):
        page = warehouse.report(output, force=True)
    terminal.say(page)
