"""`lossnets rebuild`: the database, made anew from its files."""

from __future__ import annotations

from pathlib import Path

import click

from lossnets.cli import terminal


@click.command()
@click.pass_obj
def rebuild(home: Path) -> None:
    """Make the database anew from its files.

    These are what is shipped, the log of records, the registered attributes and the saved
    studies; nothing else is lost.
    """
    from lossnets.warehouse.store import Warehouse

    warehouse = Warehouse(home)
    warehouse.rebuild()
    terminal.say(f"rebuilt {warehouse.path}")
