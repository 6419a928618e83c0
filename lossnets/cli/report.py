"""`lossnets report`: the page and its data."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal
from lossnets.cli.new_folders import telling_new


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
@click.option("--site", type=terminal.FILE, help="Also copy page and data to a folder for a host.")
@click.option("--open", "opened", is_flag=True, help="Show the page in the browser.")
@click.pass_obj
def report(home: Path, output: Path, force: bool, site: Path | None, opened: bool) -> None:
    """Write the report, one HTML file, and its data as CSV."""
    from lossnets.face.warehouse import Warehouse

    warehouse = Warehouse(home)
    page = output / "index.html"
    if not force and warehouse.has_report(output):
        terminal.say(f"{page} is up to date")
    else:
        with telling_new(output), terminal.working("Building the report"):
            page = warehouse.report(output, force=True)
        terminal.say(page)
    if site:
        from lossnets.reports.site import publish

        terminal.say(publish(output, site))
    if opened:
        click.launch(page.resolve().as_uri())
