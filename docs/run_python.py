"""Write what Python prints into docs/python.md: `python docs/run_python.py`."""

from __future__ import annotations

import doctest
import io
import os
import re
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("python.md")
BLOCK = re.compile(r"```pycon\n(?P<code>.*?)```\n", re.DOTALL)
NEEDS_TORCH = "## Running networks"  # and what comes before does not


def shown(text: str) -> str:
    """The text with what its examples print, run one after the other in the working folder."""
    known: dict[str, Any] = {}

    def block(match: re.Match[str]) -> str:
        examples = doctest.DocTestParser().get_examples(match["code"])
        parts = [f"{_typed(example.source)}{_printed(example.source, known)}"
                 for example in examples]  # fmt: skip
        return f"```pycon\n{''.join(parts)}```\n"

    return BLOCK.sub(block, text)


def _typed(source: str) -> str:
    first, *more = source.splitlines()
    return "".join([f">>> {first}\n", *(f"... {line}".rstrip() + "\n" for line in more)])


def _printed(source: str, names: dict[str, Any]) -> str:
    from lossnets import UserError

    out = io.StringIO()
    with redirect_stdout(out):
        try:
            exec(compile(source, "<page>", "single"), names)
        except UserError as error:
            print(f"lossnets.UserError: {error}")  # noqa: T201
    return out.getvalue()


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        PAGE.write_text(shown(text), "utf-8")
