"""`lossnets runs`: what was recorded, run by run."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal

WHY = click.option("--why", default="", help="Why, in a sentence that is kept.")


@click.group()
def runs() -> None:
    """List, remove, restore, tag and compare recorded runs.

    The log keeps everything: a removal is an entry of its own, and can be undone.
    """


@runs.command("list")
@click.option("--benchmark", help="Of this benchmark alone.")
@click.option("--architecture", help="Of this architecture alone.")
@click.option("--tag", help="Of this group alone.")
@click.option("--removed", is_flag=True, help="Those that are removed, with who did it and why.")
@terminal.shown
@click.pass_obj
def list_runs(
    home: Path, removed: bool, style: str | None, output: Path | None, **chosen: str | None
) -> None:
    """Print every run but the paper's, in order of recording."""
    from lossnets.warehouse.intake import runs

    warehouse = terminal.open_warehouse(home)
    rows = runs.removed(warehouse) if removed else runs.listed(warehouse, **chosen)
    terminal.print_rows(*rows, style, output)


@runs.command("show")
@click.argument("name", metavar="RUN")
@terminal.shown
@click.pass_obj
def show_run(home: Path, name: str, style: str | None, output: Path | None) -> None:
    """Print the scores of RUN; to standard error what it was and what happened to it."""
    from lossnets.warehouse.intake import runs

    about, scores, events = runs.shown(terminal.open_warehouse(home), name)
    for key, value in about.items():
        if value not in (None, []):
            terminal.note(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    for _, kind, tag, at, by, why in events[1]:
        parts = (f"{kind}{f' {tag}' if tag else ''}", f"{at:%Y-%m-%d %H:%M} UTC", by, why)
        terminal.note(", ".join(part for part in parts if part))
    terminal.print_rows(*scores, style, output)


@runs.command("remove")
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@WHY
@click.pass_obj
def remove_runs(home: Path, names: tuple[str, ...], why: str) -> None:
    """Leave runs out of every view, study and page. RUN is a run id, its beginning, or a tag."""
    removed = terminal.open_warehouse(home).remove_runs(names, why=why)
    click.echo("\n".join(f"removed {run_id}" for run_id in removed))
    terminal.note(f"next, to undo it: lossnets runs restore {' '.join(removed[:3])}")


@runs.command("restore")
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@WHY
@click.pass_obj
def restore_runs(home: Path, names: tuple[str, ...], why: str) -> None:
    """Take removed runs back. RUN is a run id or its beginning."""
    restored = terminal.open_warehouse(home).restore_runs(names, why=why)
    click.echo("\n".join(f"restored {run_id}" for run_id in restored))


@runs.command("tag")
@click.argument("tag")
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@click.option("--away", is_flag=True, help="Take the tag away instead.")
@click.pass_obj
def tag_runs(home: Path, tag: str, names: tuple[str, ...], away: bool) -> None:
    """Put runs into the group TAG. RUN is a run id, its beginning, or a tag."""
    tagged = terminal.open_warehouse(home).tag_runs(tag, names, away=away)
    click.echo(f"{tag}: {'without' if away else 'with'} {', '.join(tagged)}")
    terminal.note(f"next: lossnets runs list --tag {tag}")


@runs.command("compare")
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="OTHER")
@terminal.shown
@click.pass_obj
def compare_runs(
    home: Path, first: str, second: str, style: str | None, output: Path | None
) -> None:
    """Print the scores of RUN and OTHER side by side, with intervals over shared items.

    Each is a run id, its beginning, or a tag, whose runs are averaged.
    """
    frame = terminal.open_warehouse(home).compare_runs(first, second)
    terminal.print_frame(frame, style, output)
