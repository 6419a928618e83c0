"""The `lossnets` command: parses, calls, prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from lossnets import __version__
from lossnets.cli import terminal
from lossnets.cli.attribute import attribute
from lossnets.cli.benchmark import benchmark
from lossnets.cli.choose import choose
from lossnets.cli.data import data
from lossnets.cli.export import export
from lossnets.cli.import_scores import import_scores
from lossnets.cli.new_folders import telling_home
from lossnets.cli.rebuild import rebuild
from lossnets.cli.report import report
from lossnets.cli.run import run
from lossnets.cli.runs import runs
from lossnets.cli.score import score
from lossnets.cli.source import source
from lossnets.cli.sql import sql
from lossnets.cli.status import status
from lossnets.cli.study import study
from lossnets.cli.sweep import sweep

COMMANDS = (
    attribute, benchmark, choose, data, export, import_scores, rebuild, report, run, runs, score,
    source, sql, status, study, sweep,
)  # fmt: skip


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
    context.obj = context.with_resource(telling_home(home))


for command in COMMANDS:
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad usage or input, 130 Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["help"]:
        given = [*given[1:], "--help"]
    sys.exit(terminal.run(cli, given))


if __name__ == "__main__":
    main()
