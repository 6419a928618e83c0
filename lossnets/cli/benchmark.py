"""`lossnets benchmark`: benchmarks of one's own beside the paper's."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal


@click.group()
def benchmark() -> None:
    """Register benchmarks: what scores belong to."""


@benchmark.command("add")
@click.argument("name")
@click.option("--label", help="Its name for people.")
@click.option("--description", default="", help="What it measures, in a sentence.")
@click.pass_obj
def add_benchmark(home: Path, name: str, label: str | None, description: str) -> None:
    """Register the benchmark NAME, which becomes a column of average_ranks."""
    terminal.open_warehouse(home).add_benchmark(name, label=label, description=description)
    click.echo(f"{name}: a benchmark without scores yet")
    terminal.note(f"next: lossnets score add {name}_SCORE --benchmark {name} --unit UNIT")


@benchmark.command("list")
@terminal.shown
@click.pass_obj
def list_benchmarks(home: Path, style: str | None, output: Path | None) -> None:
    """Print every benchmark with the number of its scores and runs."""
    columns, rows = terminal.open_warehouse(home).rows(
        "select benchmark, label, in_paper, "
        "(select count(*) from score_catalog where benchmark = b.benchmark) as scores, "
        "(select count(*) from runs where benchmark = b.benchmark) as runs, description "
        "from benchmark_catalog as b order by position"
    )
    terminal.print_rows(columns, rows, style, output)


@benchmark.command("remove")
@click.argument("name")
@click.pass_obj
def remove_benchmark(home: Path, name: str) -> None:
    """Forget the registered benchmark NAME, which must have no scores."""
    terminal.open_warehouse(home).remove_benchmark(name)
    click.echo(f"removed {name}")
