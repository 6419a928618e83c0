"""`lossnets study`: what the studies find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lossnets.cli import terminal
from lossnets.face.running import names
from lossnets.face.warehouse import Warehouse


@click.command()
@click.argument("name", required=False)
@click.option("--list", "listed", is_flag=True, help="List the studies, or the columns of NAME.")
@click.option(
    "--save", is_flag=True, help="Keep every study as a table study_NAME that SQL reaches."
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    default=("paper",),
    show_default=True,
    help="Whose scores: paper, measured or a registered source. Several are studied together.",
)
@click.option(
    "--given",
    multiple=True,
    metavar="ATTRIBUTE",
    help="Hold it fixed in correlation_partial, in place of accuracy and depth; may be repeated.",
)
@terminal.shown
@click.pass_obj
def study(home: Path, listed: bool, save: bool, style: str | None, **options: Any) -> None:
    """Print the results of the study NAME."""
    name, output = options["name"], options["output"]
    if (name is not None or listed) == save:
        raise click.UsageError("one of NAME, --list and --save is needed")
    warehouse = Warehouse(home)
    if save:
        with terminal.Progress() as progress:
            paths = terminal.open_warehouse(home).save_studies(progress)
        terminal.say(f'saved {len(paths)} studies\nnext: lossnets sql "from {paths[0].stem}"')
    elif name is None:
        terminal.print_frame(warehouse.studies(), style, output)
    elif listed:
        meanings = list(warehouse.study_columns(name).items())
        terminal.print_rows(("column", "meaning"), meanings, style, output)
    else:
        sources, given = names(options["sources"]), options["given"]
        terminal.print_frame(warehouse.study(name, source=sources, given=given), style, output)
