"""`lossnets data`: get and check what the benchmarks read."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal
from lossnets.face.needs import needing_torch
from lossnets.warehouse.errors import UserError


@click.group()
def data() -> None:
    """Get and check the data sets that the benchmarks read."""


@data.command("list")
@terminal.shown
@click.pass_obj
def list_data(home: Path, style: str | None, output: Path | None) -> None:
    """Print every data set: its size, whether it is there, where, and in which layout."""
    from lossnets.runners.data import catalog

    terminal.print_rows(*catalog.overview(home), style, output)


@data.command("fetch")
@click.argument("names", nargs=-1, required=True)
@click.option("--data", type=terminal.FILE, help="The folder to put it in.")
@click.pass_obj
def fetch_data(home: Path, names: tuple[str, ...], data: Path | None) -> None:
    """Download the data sets NAMES, check what has a checksum, and unpack them.

    A download that was interrupted goes on where it ended.
    """
    from lossnets.runners.data import catalog, downloads

    _one_name(names, data)
    for data_set in [catalog.named(name) for name in names]:
        root = data or catalog.default_folder(data_set.name, home)
        terminal.note(f"{data_set.title}, {data_set.size}, to {root}")
        with terminal.Progress() as progress:
            try:
                downloads.fetch(data_set, root, progress)
            except KeyboardInterrupt:
                progress.note("interrupted; the same command goes on from here")
                raise click.exceptions.Exit(130) from None
        terminal.say(root)
    terminal.note(f"next: lossnets data check {' '.join(names)}")


@data.command("check")
@click.argument("names", nargs=-1)
@click.option("--data", type=terminal.FILE, help="The folder of the data set, if elsewhere.")
@click.pass_obj
def check_data(home: Path, names: tuple[str, ...], data: Path | None) -> None:
    """Read the data sets NAMES whole, or all that are there, and say what is wrong with them.

    Decoded images that are kept are read too; damaged ones are removed, to be decoded anew.
    """
    from lossnets.runners.data import catalog

    checks = needing_torch("lossnets.runners.data.checks", "reading data sets")
    packs = needing_torch("lossnets.runners.data.packs", "reading data sets")
    _one_name(names, data)
    chosen = names or catalog.those_there(home)
    if not chosen:
        raise UserError(f"found no data set in {home / 'datasets'}", hint="lossnets data list")
    for name in chosen:
        with terminal.Progress() as progress:
            found = checks.check(name, data, home, progress)
        terminal.say(f"{name}: {found}")
    whole, removed = packs.verify(home / "packs")
    if removed:
        terminal.say(f"packs: {whole} whole; damaged and removed: {', '.join(removed)}")
    elif whole:
        terminal.say(f"packs: {whole} whole")


def _one_name(names: tuple[str, ...], data: Path | None) -> None:
    if data is not None and len(names) != 1:
        raise UserError(f"--data is the folder of one data set, found {len(names)} names with it")
