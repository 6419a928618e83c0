"""`lossnets source`: published studies beside the paper."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal


@click.group()
def source() -> None:
    """Register sources: published studies whose scores stand beside the paper's."""


@source.command("add")
@click.argument("name")
@click.option("--title", required=True, help="What it is called.")
@click.option("--url", default="", help="Where it is published.")
@click.pass_obj
def add_source(home: Path, name: str, title: str, url: str) -> None:
    """Register the source NAME, for `lossnets import --source NAME`."""
    terminal.open_warehouse(home).add_source(name, title=title, url=url)
    click.echo(f"{name}: a source without scores yet")
    terminal.note(f"next: lossnets import --source {name} FILE")


@source.command("list")
@terminal.shown
@click.pass_obj
def list_sources(home: Path, style: str | None, output: Path | None) -> None:
    """Print every source with the number of its scores, loss networks and runs."""
    columns, rows = terminal.open_warehouse(home).rows(
        "select source, title, url, count(distinct score) as scores, "
        "count(distinct (architecture, layer)) filter (architecture is not null) "
        "as loss_networks, count(distinct run_id) as runs "
        "from source_catalog left join scores using (source) "
        "group by source, title, url, position order by position"
    )
    terminal.print_rows(columns, rows, style, output)


@source.command("remove")
@click.argument("name")
@click.pass_obj
def remove_source(home: Path, name: str) -> None:
    """Forget the registered source NAME, which must have no scores."""
    terminal.open_warehouse(home).remove_source(name)
    click.echo(f"removed {name}")
