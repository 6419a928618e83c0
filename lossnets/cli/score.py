"""`lossnets score`: scores of one's own beside the paper's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lossnets.cli import terminal


@click.group()
def score() -> None:
    """Register scores: what runs record and imports bring."""


@score.command("add")
@click.argument("name")
@click.option("--benchmark", required=True, help="The benchmark that it belongs to.")
@click.option("--unit", required=True, help="Of its values: fraction, dB, % …")
@click.option("--dataset", default="", help="The data set that it is measured on.")
@click.option("--metric", default="", help="The metric, say PSNR.")
@click.option("--scale", type=int, help="An upscaling factor.")
@click.option("--min", "minimum", type=float, help="The least possible value.")
@click.option("--max", "maximum", type=float, help="The greatest possible value.")
@click.option(
    "--higher-is-better/--lower-is-better", default=True, show_default=True, help="Which is better."
)
@click.option("--decimals", default=3, show_default=True, help="How many are shown.")
@click.option("--label", help="Its name for people.")
@click.option(
    "--trained-model", help="The training that it is of, whose scores share its noise, if any."
)
@click.option("--part", is_flag=True, help="Part of another score: neither ranked nor studied.")
@click.option("--replace", is_flag=True, help="Replace one that was registered before.")
@click.pass_obj
def add_score(home: Path, name: str, part: bool, replace: bool, **about: Any) -> None:
    """Register the score NAME, which becomes a column of scores_wide."""
    warehouse = terminal.open_warehouse(home)
    added = warehouse.add_score(name, counted=not part, replace=replace, **about)
    better = "higher" if added.higher_is_better else "lower"
    click.echo(f"{name}: a score of {added.benchmark} in {added.unit}, {better} is better")
    terminal.note("next: lossnets import FILE, or lossnets run, then: lossnets study ranks")


@score.command("list")
@terminal.shown
@click.pass_obj
def list_scores(home: Path, style: str | None, output: Path | None) -> None:
    """Print every score with its benchmark, unit and range."""
    columns, rows = terminal.open_warehouse(home).rows("from score_catalog")
    terminal.print_rows(columns, rows, style, output)


@score.command("remove")
@click.argument("name")
@click.pass_obj
def remove_score(home: Path, name: str) -> None:
    """Forget the registered score NAME, of which nothing was measured."""
    terminal.open_warehouse(home).remove_score(name)
    click.echo(f"removed {name}")
