"""Write what the commands print into docs/extending.md: `python docs/run_extending.py`.

Its CSV blocks become the files that the line before them names; commands run one after the
other in the folder of these files.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).with_name("extending.md")
BLOCK = re.compile(
    r"`(?P<name>[\w.]+)`:\n\n```csv\n(?P<csv>.*?)```\n|```console\n(?P<console>.*?)```\n", re.DOTALL
)


def shown(text: str, folder: Path) -> str:
    """The page with the output of its commands, run in a folder."""

    def block(match: re.Match[str]) -> str:
        if match["name"]:
            (folder / match["name"]).write_text(match["csv"], "utf-8")
            return match[0]
        commands = [line for line in match["console"].splitlines() if line.startswith("$ ")]
        output = "".join(f"{line}\n{run(line[2:], folder)}" for line in commands)
        return f"```console\n{output}```\n"

    return BLOCK.sub(block, text)


def run(command: str, folder: Path) -> str:
    """What a command of ours prints on both streams."""
    program, *arguments = shlex.split(command)
    assert program == "lossnets", command
    environment = {name: text for name, text in os.environ.items() if name != "LOSSNETS_HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "lossnets", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(shown(PAGE.read_text("utf-8"), Path(folder)), "utf-8")
