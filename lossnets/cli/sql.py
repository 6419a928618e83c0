"""`lossnets sql`: queries, one or a prompt of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from lossnets.cli import prompt, terminal


@click.command()
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
        prompt.prompt(run, warehouse.tables(), history / "lossnets" / "history")
    else:
        run(sys.stdin.read() if query in (None, "-") else str(query))
