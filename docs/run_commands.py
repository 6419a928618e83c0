"""Write what the commands print into the pages that show them: `python docs/run_commands.py`.

CSV and JSON blocks become the files that the line before them names; commands run one after the
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

PAGES = (
    *(Path(__file__).with_name(name) for name in ("extending.md", "import.md")),
    Path(__file__).parents[1] / "README.md",
)
BLOCK = re.compile(
    r"`(?P<name>[\w.]+)`:\n\n```(?:csv|json)\n(?P<csv>.*?)```\n"
    r"|```console\n(?P<console>.*?)```\n",
    re.DOTALL,
)


# A command ends with its line, or further down where its quotes are closed.
COMMAND = re.compile(r'^\$ (?:[^"\n]|"[^"]*")*\n', re.MULTILINE)


def shown(text: str, folder: Path) -> str:
    """The page with the output of its commands, run in a folder."""

    (folder / "data").mkdir(exist_ok=True)  # where it is made, commands say where it is

    def block(match: re.Match[str]) -> str:
        if match["name"]:
            (folder / match["name"]).write_text(match["csv"], "utf-8")
            return match[0]
        commands = COMMAND.findall(match["console"])
        output = "".join(f"{command}{run(command[2:], folder)}" for command in commands)
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
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(shown(page.read_text("utf-8"), Path(folder)), "utf-8")
