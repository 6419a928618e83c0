"""`lossnets status`: what is there, what is missing, what goes on."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import sweep_view, terminal


@click.command()
@click.option("--missing", is_flag=True, help="Print each score and loss network that is missing.")
@click.option("--source", default="measured", show_default=True, help="Whose, with --missing.")
@click.option("--watch", is_flag=True, help="Show the sweeps that go on, until they end.")
@terminal.shown
@click.pass_obj
def status(
    home: Path, missing: bool, source: str, watch: bool, style: str | None, output: Path | None
) -> None:
    """Print what is there and what is missing.

    For each score: how many of the paper's loss networks have one, by source.
    """
    if watch:
        sweep_view.watch(home)
        return
    from lossnets.warehouse.answers import coverage

    warehouse = terminal.open_warehouse(home)
    if missing:
        terminal.print_rows(*coverage.missing(warehouse, source), style, output)
        return
    terminal.print_rows(*coverage.counts(warehouse), style, output)
    for line in [*coverage.summary(warehouse), *sweep_view.ongoing(home)]:
        terminal.note(line)
