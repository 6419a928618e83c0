"""The page on clusters: its commands are ones; those that use Ray run in test_ray_executor.py."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lossnets.cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text("utf-8")
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
COMMANDS = re.findall(r"^ *(?:.* -- +)?lossnets (.*)$", BLOCKS, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_one(command):
    arguments = shlex.split(command)
    with cli.make_context("lossnets", arguments) as context:
        name, command_, rest = cli.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        command_.make_context(name, rest, parent=context)


def test_the_page_has_commands():
    assert len(COMMANDS) == 8
