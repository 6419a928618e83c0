"""The `lossnets` command: parses, calls, prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from lossnets import __version__
from lossnets.cli import sweep_view, terminal
from lossnets.cli.attribute import attribute
from lossnets.cli.run import data, run
from lossnets.cli.sweep import sweep
from lossnets.warehouse.errors import UserError

SOURCE = click.Choice(["paper", "measured"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=terminal.FILE,
    envvar="LOSSNETS_HOME",
    show_envvar=True,
    default="data",
    show_default=True,
    help="The folder of the log, the registered attributes and the database.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, home: Path) -> None:
    """Which pretrained network, and which of its layers, makes a good perceptual loss."""
    context.obj = home


@cli.command()
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
    from lossnets.reports import staleness

    state = staleness.state(home)
    if not force and staleness.is_current(output, state):
        click.echo(f"{output / 'index.html'} is up to date")
        return
    from lossnets.reports.build import build_report

    with terminal.working("Building the report"):
        page = build_report(terminal.open_warehouse(home), output)
        staleness.stamp(output, state)
    click.echo(page)


@cli.command()
@click.argument("query", required=False)
@click.option(
    "--write", is_flag=True, help="Open the database writable. A rebuild forgets what is written."
)
@terminal.shown
@click.pass_obj
def sql(home: Path, query: str | None, write: bool, style: str | None, output: Path | None) -> None:
    """Answer QUERY, or ask for queries.

    Without QUERY: what stands on standard input, on a terminal a prompt with history.

    Queries can neither change the store nor reach other files.
    """
    from lossnets.warehouse.answers.answer import answer

    warehouse = terminal.open_warehouse(home)
    if write:
        terminal.note(f"writing to {warehouse.path}, which a rebuild makes anew without it")

    def run(query: str) -> None:
        columns, rows = answer(warehouse, query, write=write)
        terminal.print_rows(columns, rows, style, output)

    if query is None and sys.stdin.isatty():
        history = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
        terminal.prompt(run, warehouse.tables(), history / "lossnets" / "history")
    else:
        run(sys.stdin.read() if query in (None, "-") else str(query))


@cli.command()
@click.argument("name", required=False)
@click.option("--list", "listed", is_flag=True, help="List the studies, or the columns of NAME.")
@click.option(
    "--save", is_flag=True, help="Keep every study as a table study_NAME that SQL reaches."
)
@click.option("--source", type=SOURCE, default="paper", show_default=True, help="Whose scores.")
@terminal.shown
@click.pass_obj
def study(
    home: Path,
    name: str | None,
    listed: bool,
    save: bool,
    source: str,
    style: str | None,
    output: Path | None,
) -> None:
    """Print the results of the study NAME."""
    if (name is not None or listed) == save:
        raise click.UsageError("one of NAME, --list and --save is needed")
    from lossnets.analysis.studies import STUDIES

    if save:
        from lossnets.analysis.saving import save as save_all

        with terminal.Progress() as progress:
            paths = save_all(terminal.open_warehouse(home), progress)
        click.echo(f'saved {len(paths)} studies\nnext: lossnets sql "from {paths[0].stem}"')
    elif name is None:
        rows = [(study.name, study.title, ", ".join(study.columns)) for study in STUDIES.values()]
        terminal.print_rows(("study", "title", "columns"), rows, style, output)
    elif name not in STUDIES:
        raise UserError(
            f"there is no study {name!r}, studies are: {', '.join(STUDIES)}",
            hint="lossnets study --list",
        )
    elif listed:
        meanings = list(STUDIES[name].columns.items())
        terminal.print_rows(("column", "meaning"), meanings, style, output)
    else:
        from lossnets.analysis.frames.frames import Frames

        frame = STUDIES[name].compute(Frames.read(terminal.open_warehouse(home), source))
        cells = frame.astype(object).where(frame.notna(), None)
        rows = list(cells.itertuples(index=False, name=None))
        terminal.print_rows(list(frame.columns), rows, style, output)


@cli.command("import")
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
        new, known = warehouse.import_records(file, new_architectures=new_architectures)
        click.echo(f"{file}: {new:,} new measurements, {known:,} known already")
    click.echo("next: lossnets status")


@cli.command()
@click.option("--missing", is_flag=True, help="Print each score and loss network that is missing.")
@click.option(
    "--source", type=SOURCE, default="measured", show_default=True, help="Whose, with --missing."
)
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


@cli.command()
@click.pass_obj
def rebuild(home: Path) -> None:
    """Make the database anew from its files.

    These are what is shipped, the log of records, the registered attributes and the saved
    studies; nothing else is lost.
    """
    from lossnets.warehouse.store import Warehouse

    warehouse = Warehouse(home)
    warehouse.rebuild()
    click.echo(f"rebuilt {warehouse.path}")


@cli.command()
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

    for path, rows in export.export(terminal.open_warehouse(home), output, names, styles):
        click.echo(f"{path}  {rows:,} rows")


for command in (attribute, data, run, sweep):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage or input, 130 Ctrl-C."""
    sys.exit(terminal.run(cli, sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    main()
