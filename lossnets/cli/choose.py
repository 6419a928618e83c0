"""`lossnets choose`: which loss network for which task."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal
from lossnets.face.running import names


@click.command()
@click.option("--benchmark", help="The benchmark that is like the task; without it a new task.")
@click.option("--max-macs", type=float, help="Most multiply-accumulates up to the layer.")
@click.option("--max-params", type=float, help="Most parameters up to the layer.")
@click.option(
    "--max",
    "others",
    type=(str, float),
    multiple=True,
    metavar="ATTRIBUTE VALUE",
    help="The greatest value of any numeric attribute. May be repeated.",
)
@click.option("--most", type=click.IntRange(1), default=5, show_default=True, help="Rows at most.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    default=("paper",),
    show_default=True,
    help="Whose scores: paper, measured or a registered source. Several are taken together.",
)
@terminal.shown
@click.pass_obj
def choose(
    home: Path,
    benchmark: str | None,
    max_macs: float | None,
    max_params: float | None,
    others: tuple[tuple[str, float], ...],
    most: int,
    sources: tuple[str, ...],
    style: str | None,
    output: Path | None,
) -> None:
    """Print a short list of loss networks for a task, with the line of Python that builds each.

    Without --benchmark it is for a new task: what to try there, and how sure that is.
    """
    table = terminal.open_warehouse(home).choose(
        benchmark,
        max_macs=max_macs,
        max_params=max_params,
        limits=dict(others),
        source=names(sources),
        most=most,
    )
    terminal.print_frame(table, style, output)
    terminal.note(table.attrs["advice"])
