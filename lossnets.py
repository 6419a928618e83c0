"""The `lossnets` command: parses, calls, prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import terminal
from warehouse.errors import UserError

if TYPE_CHECKING:
    from warehouse.attribute_files import Attribute
    from warehouse.store import Warehouse

__version__ = "0.1.0"

FILE = click.Path(path_type=Path)
SOURCE = click.Choice(["paper", "measured"])


def _shown(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that prints rows."""
    command = click.option(
        "-o", "--output", type=FILE, help="Write to FILE; its end (.csv, .md …) says the format."
    )(command)
    return click.option(
        "--format",
        "style",
        type=click.Choice(terminal.FORMATS),
        help="Default: table on a terminal, csv into a pipe.",
    )(command)


def _described(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that registers attributes."""
    for option in (
        click.option("--replace", is_flag=True, help="Replace attributes registered before."),
        click.option("--description", default="", help="What it is, in a sentence."),
        click.option("--label", help="Its name for people."),
        click.option("--unit", default="", help="The unit of its values, such as 'px'."),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=FILE,
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


def _open(home: Path) -> Warehouse:
    from warehouse.store import Warehouse

    return Warehouse.open(home)


@cli.command()
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("build/report"),
    show_default=True,
    help="The folder to write to.",
)
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
@click.pass_obj
def report(home: Path, output: Path, force: bool) -> None:
    """Write the report, one HTML file, and its data as CSV."""
    from reports import staleness

    state = staleness.state(home)
    if not force and staleness.is_current(output, state):
        click.echo(f"{output / 'index.html'} is up to date")
        return
    from reports.build import build_report

    with terminal.working("Building the report"):
        page = build_report(_open(home), output)
        staleness.stamp(output, state)
    click.echo(page)


@cli.command()
@click.argument("query", required=False)
@click.option(
    "--write", is_flag=True, help="Open the database writable. A rebuild forgets what is written."
)
@_shown
@click.pass_obj
def sql(home: Path, query: str | None, write: bool, style: str | None, output: Path | None) -> None:
    """Answer QUERY, or ask for queries.

    Without QUERY: what stands on standard input, on a terminal a prompt with history.

    Queries can neither change the store nor reach other files.
    """
    from warehouse.answers import answer

    warehouse = _open(home)
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
@click.option("--list", "listed", is_flag=True, help="List the studies.")
@click.option(
    "--save", is_flag=True, help="Keep every study as a table study_NAME that SQL reaches."
)
@click.option("--source", type=SOURCE, default="paper", show_default=True, help="Whose scores.")
@_shown
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
    if sum((name is not None, listed, save)) != 1:
        raise click.UsageError("one of NAME, --list and --save is needed")
    from analysis.studies import STUDIES

    if listed:
        rows = [(study.name, study.title, ", ".join(study.columns)) for study in STUDIES.values()]
        terminal.print_rows(("study", "title", "columns"), rows, style, output)
    elif save:
        from analysis.saving import save as save_all

        with terminal.Progress() as progress:
            paths = save_all(_open(home), progress)
        click.echo(f'saved {len(paths)} studies\nnext: lossnets sql "from {paths[0].stem}"')
    elif name not in STUDIES:
        raise UserError(
            f"there is no study {name!r}, studies are: {', '.join(STUDIES)}",
            hint="lossnets study --list",
        )
    else:
        from analysis.frames import Frames

        frame = STUDIES[str(name)].compute(Frames.read(_open(home), source))
        cells = frame.astype(object).where(frame.notna(), None)
        rows = list(cells.itertuples(index=False, name=None))
        terminal.print_rows(list(frame.columns), rows, style, output)


@cli.group()
def attribute() -> None:
    """Add columns to the loss networks and architectures, without code."""


@attribute.command("add")
@click.argument("file", type=FILE)
@_described
@click.pass_obj
def add_attributes(home: Path, file: Path, replace: bool, **about: Any) -> None:
    """Register the attribute columns of the CSV FILE.

    Its columns are architecture, layer where the values differ by layer, and one per attribute.
    """
    from warehouse import attributes

    warehouse = _open(home)
    added = attributes.add(warehouse, file, attributes.Description(**about), may_replace=replace)
    for item in added:
        _tell(warehouse, item)
    _suggest(added[0])


@attribute.command("derive")
@click.argument("name")
@click.argument("expression")
@_described
@click.pass_obj
def derive_attribute(home: Path, name: str, expression: str, replace: bool, **about: Any) -> None:
    """Register NAME as an SQL EXPRESSION.

    It computes one value from the other attributes, as in "macs / params", for networks added
    later too.
    """
    from warehouse import attributes

    warehouse = _open(home)
    item = attributes.derive(
        warehouse, name, expression, attributes.Description(**about), may_replace=replace
    )
    _tell(warehouse, item)
    _suggest(item)


@attribute.command("list")
@_shown
@click.pass_obj
def list_attributes(home: Path, style: str | None, output: Path | None) -> None:
    """Print every attribute with its unit and where it comes from."""
    columns, rows = _open(home).rows("select * from attribute_catalog")
    terminal.print_rows(columns, rows, style, output)


@attribute.command("remove")
@click.argument("name")
@click.pass_obj
def remove_attribute(home: Path, name: str) -> None:
    """Forget the registered attribute NAME."""
    from warehouse import attributes

    attributes.remove(home, name)
    click.echo(f"removed {name}")


@attribute.command("measure")
@click.option(
    "--architecture",
    "architectures",
    multiple=True,
    help="A torchvision classification model; may be repeated.",
)
@click.option("--all", "all_models", is_flag=True, help="Every torchvision classification model.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    help="A traced node to measure at, such as features.3; may be repeated.",
)
@click.option(
    "--function",
    metavar="MODULE:NAME",
    help="Measure an attribute of your own instead (docs/extending.md).",
)
@click.option(
    "--weights",
    default="IMAGENET1K_V1",
    show_default=True,
    help="With --function: torchvision's name, 'random', or the file of a state dict.",
)
@_shown
@click.pass_obj
def measure_attributes(home: Path, style: str | None, output: Path | None, **options: Any) -> None:
    """Measure attributes on the networks themselves. Needs torch and torchvision.

    Values of networks beyond the paper's are registered, as are those of your own functions.
    """
    measure = _needing_torch("runners.measure", "measuring")
    names, layers = list(options["architectures"]), list(options["layers"])
    with terminal.Progress() as progress:
        if options["function"] is None:
            rows = measure.measure(
                names,
                home=home,
                all_models=options["all_models"],
                layers=layers,
                progress=progress,
            )
        else:
            rows = measure.measure_function(
                options["function"],
                list(measure.architectures()) if options["all_models"] else names,
                home=home,
                layers=layers,
                weights=options["weights"],
                progress=progress,
            )
    terminal.print_rows(measure.COLUMNS, [list(row.values()) for row in rows], style, output)


def _needing_torch(module: str, what: str) -> Any:
    """A module of runners; UserError where torch is not installed."""
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("torch", "torchvision"):
            raise
        raise UserError(
            f"{what} needs {error.name}, which is not installed",
            hint='pip install "lossnets[run]"',
        ) from None


@cli.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option(
    "--new-architectures", is_flag=True, help="Accept architectures that are not known yet."
)
@click.pass_obj
def import_scores(home: Path, files: tuple[Path, ...], new_architectures: bool) -> None:
    """Import scores: JSON lines, CSV or Parquet.

    JSON lines are records as runs write them; CSV and Parquet are tidy tables, one score a row.
    """
    warehouse = _open(home)
    for file in files:
        new, known = warehouse.import_records(file, new_architectures=new_architectures)
        click.echo(f"{file}: {new:,} new measurements, {known:,} known already")
    click.echo("next: lossnets status")


@cli.command()
@click.option("--missing", is_flag=True, help="Print each score and loss network that is missing.")
@click.option(
    "--source", type=SOURCE, default="measured", show_default=True, help="Whose, with --missing."
)
@_shown
@click.pass_obj
def status(home: Path, missing: bool, source: str, style: str | None, output: Path | None) -> None:
    """Print what is there and what is missing.

    For each score: how many of the paper's loss networks have one, by source.
    """
    from warehouse import grid

    warehouse = _open(home)
    if missing:
        terminal.print_rows(*grid.missing(warehouse, source), style, output)
        return
    terminal.print_rows(*grid.counts(warehouse), style, output)
    for line in grid.summary(warehouse):
        terminal.note(line)


@cli.command()
@click.pass_obj
def rebuild(home: Path) -> None:
    """Make the database anew from its files.

    These are what is shipped, the log of records, the registered attributes and the saved
    studies; nothing else is lost.
    """
    from warehouse.store import Warehouse

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
@click.option("-o", "--output", type=FILE, required=True, help="The folder to write to.")
@click.pass_obj
def export(home: Path, names: tuple[str, ...], styles: tuple[str, ...], output: Path) -> None:
    """Write the tables and views NAMES, or all of them, as files."""
    from warehouse import export

    for path, rows in export.export(_open(home), output, names, styles):
        click.echo(f"{path}  {rows:,} rows")


def _tell(warehouse: Warehouse, item: Attribute) -> None:
    """One line on a registered attribute: what it is, for how much it is known."""
    from warehouse.attributes import coverage

    known, of = coverage(warehouse, item)
    networks = item.level.replace("_", " ") + "s"
    click.echo(f"{item.attribute}: {item.kind}, known for {known} of {of} {networks}")


def _suggest(item: Attribute) -> None:
    view = "architectures" if item.level == "architecture" else "loss_networks"
    keys = "architecture" if item.level == "architecture" else "architecture, layer"
    click.echo(
        f'next: lossnets sql "select {keys}, {item.attribute} from {view} '
        f'order by {item.attribute}"'
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage or input, 130 Ctrl-C."""
    sys.exit(terminal.run(cli, sys.argv[1:] if arguments is None else arguments))


if __name__ == "__main__":
    main()
