"""`lossnets sql`: queries, one or a prompt of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from lossnets.cli import prompt, terminal
from lossnets.warehouse.errors import UserError


@click.command()
@click.argument("query", required=False)
@click.option("-f", "--file", type=terminal.FILE, help="Answer the query that stands in FILE.")
@click.option(
    "--write",
    is_flag=True,
    help="Let the query change the database, until a rebuild, and reach files.",
)
@terminal.shown
@click.pass_obj
def sql(
    home: Path,
    query: str | None,
    file: Path | None,
    write: bool,
    style: str | None,
    output: Path | None,
) -> None:
    """Answer QUERY, or ask for queries.

    Without QUERY: what stands on standard input, on a terminal a prompt with history.

    Queries can neither change the store nor reach other files. Each statement that has a result
    prints it.
    """
    from lossnets.warehouse.answers.answer import Session

    warehouse = terminal.open_warehouse(home)
    if write:
        terminal.note(
            f"open to changes: {warehouse.path}, until a rebuild makes it anew, and any file "
            "that the query names"
        )
    with Session(warehouse, write=write) as session:

        def run(query: str) -> None:
            if output and (count := session.count(query)) > 1:
                raise UserError(
                    f"the query has {count} results, {output} holds one",
                    hint="write one statement, or leave out --output",
                )
            for number, answer in enumerate(session.answers(query)):
                if number:
                    terminal.say()
                terminal.print_rows(answer.columns, answer.rows, style, output)

        if query is None and file is None and sys.stdin.isatty():
            history = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
            prompt.prompt(run, warehouse.tables(), history / "lossnets" / "history")
        else:
            run(_text(query, file))


def _text(query: str | None, file: Path | None) -> str:
    """The query to run: the argument, a file's content or standard input."""
    if file is None:
        return sys.stdin.read() if query in (None, "-") else str(query)
    if query is not None:
        raise UserError(f"found a query and the file {file}, one of them is needed")
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
