"""The prompt of `lossnets sql`: queries one after the other, with history and completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lossnets.cli import terminal
from lossnets.warehouse.errors import UserError

HELP = "End a query with ; or an empty line. .tables lists views, .quit or Ctrl-D leaves."


def prompt(run: Callable[[str], None], names: Sequence[str], history: Path) -> None:
    """Read queries until the end of input and run each; an error ends the query, not the prompt.

    names: what Tab completes; history: the file that the arrow keys remember.
    """
    _start_readline(names, history)
    terminal.note(HELP)
    lines: list[str] = []
    while True:
        try:
            line = input("...> " if lines else "sql> ")
        except EOFError:
            terminal.note("")
            return
        except KeyboardInterrupt:
            terminal.note("")
            lines = []
            continue
        if not lines and line.strip() in (".quit", ".exit", "exit", "quit"):
            return
        if not lines and line.strip().startswith("."):
            terminal.note("\n".join(names) if line.strip() == ".tables" else HELP)
            continue
        lines.append(line)
        query = "\n".join(lines).strip()
        if query.endswith(";") or not line.strip():
            lines = []
            if query.strip(";"):
                _run_safely(run, query)


def _run_safely(run: Callable[[str], None], query: str) -> None:
    try:
        run(query)
    except UserError as error:
        terminal.print_error(error.message, error.hint)
    except KeyboardInterrupt:
        terminal.note("interrupted")


def _start_readline(names: Sequence[str], history: Path) -> None:
    """Line editing, history and completion, where Python has them."""
    try:
        import readline
    except ImportError:
        return
    import atexit
    from contextlib import suppress

    def complete(text: str, state: int) -> str | None:
        return [*(name for name in names if name.startswith(text)), None][state]

    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
    with suppress(OSError):
        readline.read_history_file(history)

    def save() -> None:
        with suppress(OSError):
            history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history)

    atexit.register(save)
