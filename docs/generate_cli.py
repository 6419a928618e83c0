"""Write docs/cli.md from the commands themselves: `python docs/generate_cli.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from lossnets.cli.main import cli

PAGE = Path(__file__).with_name("cli.md")
INTRODUCTION = """\
# The command line

*Generated from the commands by `python docs/generate_cli.py`; a test keeps it true.*

Data go to standard output; counts, notes and progress to standard error. What a user can mend is
told in one `error:` line, often with a `hint:` of what to type next. Exit status: 0 done (a closed
pipe too), 1 failed (say, a disk that refuses), 2 wrong usage or input, 130 ended by Ctrl-C. Tables
are printed for people on a terminal, through a pager where they are larger than it, and as CSV
into a pipe; `--format` and the end of `-o FILE` say otherwise.
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(
        f"\n{'#' * (1 + len(path))} {' '.join(path)}\n\n```text\n{text}\n```\n"
        for path, text in helps(cli, ("lossnets",))
    ).replace("\n# lossnets\n", "\n## lossnets\n", 1)


def helps(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(names, what --help prints) of a command and all below it."""
    context = click.Context(
        command, info_name=" ".join(path), terminal_width=88, max_content_width=88,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from helps(below, (*path, name))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
