"""`lossnets study`: what the studies find."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal
from lossnets.warehouse.errors import UserError

SOURCE = click.Choice(["paper", "measured"])


@click.command()
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
