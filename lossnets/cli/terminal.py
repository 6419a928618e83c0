"""What the command line shows: tables, a pager, messages, progress."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from lossnets.warehouse.durable import replacing
from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from lossnets.face.warehouse import Warehouse

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "latex")
PAGED = ("table", "markdown", "latex")  # the others stream


class _Path(click.Path):
    """A path; `~` is the home folder, wherever a shell has left it as it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and value.startswith("~"):
            value = Path(value).expanduser()
        return super().convert(value, param, ctx)


FILE = _Path(path_type=Path)
SUFFIX_FORMATS = {
    ".txt": "table",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".md": "markdown",
    ".tex": "latex",
}


def shown(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that prints rows."""
    command = click.option(
        "-o", "--output", type=FILE, help="Write to FILE; its end (.csv, .md …) says the format."
    )(command)
    return click.option(
        "--format",
        "style",
        type=click.Choice(FORMATS),
        help="Default: table on a terminal, csv into a pipe.",
    )(command)


def open_warehouse(home: Path) -> Warehouse:
    """The warehouse of a data folder, made where there is none."""
    from lossnets.face.warehouse import Warehouse

    return Warehouse.open(home)


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; what a user can mend is told in one sentence."""
    try:
        _make_printable(sys.stdout)
        _make_printable(sys.stderr)
        with command.make_context("lossnets", list(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        say(error.format_message())
        return 0
    except click.ClickException as error:
        print_error(error.format_message(), _usage_hint(error))
        return 2
    except UserError as error:
        print_error(error.message, error.hint)
        return 2
    except (KeyboardInterrupt, click.Abort):
        note("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read has seen enough; nothing may be flushed into the pipe at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print_error(f"{where}{error.strerror or error}")
        return 1
    return 0


def _usage_hint(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"{context.command_path} --help" if context else None


def _make_printable(stream: TextIO) -> None:
    """On a terminal without UTF-8 a character it lacks is escaped instead of an error."""
    if (stream.encoding or "").lower().replace("-", "") != "utf8" and hasattr(
        stream, "reconfigure"
    ):
        stream.reconfigure(errors="backslashreplace")


def print_error(message: str, hint: str | None = None) -> None:
    """`error:` and `hint:` lines on standard error."""
    note(f"error: {message}")
    if hint:
        note(f"hint: {hint}")


def note(message: str) -> None:
    """Lines for people on standard error, so that standard output holds data alone."""
    click.echo(shown_safely(message), err=True)


def say(message: object = "") -> None:
    """What a command is for, on standard output."""
    click.echo(shown_safely(str(message)))


class _Screen(StringIO):
    """Standard output where it is a terminal."""

    def write(self, text: str) -> int:
        sys.stdout.write(shown_safely(text))
        return len(text)


def shown_safely(text: str) -> str:
    """The text without what a terminal would take for a command: escape codes in names.

    >>> shown_safely("a\\x1b[31mb\\nc")
    'a�[31mb\\nc'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


def print_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    style: str | None = None,
    output: Path | None = None,
) -> None:
    """Print rows as `style`, to a file or to standard output, and their count to standard error.

    Without a style: as the file's suffix says, a table on a terminal, CSV into a pipe.
    """
    from lossnets.warehouse.answers.row_text import WRITERS

    style = style or _style(output)
    write = WRITERS[style]
    if output is not None:
        count = _write_to(output, lambda file: write(file, columns, rows))
    elif sys.stdout.isatty() and style in PAGED:
        text = StringIO()
        count = write(text, columns, rows)
        _page(text.getvalue())
    else:
        count = write(_Screen() if sys.stdout.isatty() else sys.stdout, columns, rows)
        sys.stdout.flush()
    note(f"{count:,} row{'' if count == 1 else 's'}")


def print_frame(frame: pd.DataFrame, style: str | None = None, output: Path | None = None) -> None:
    """Print a DataFrame as rows, what is missing as NULL."""
    cells = frame.astype(object).where(frame.notna(), None)
    print_rows(list(frame.columns), list(cells.itertuples(index=False, name=None)), style, output)


def _style(output: Path | None) -> str:
    if output is None:
        return "table" if sys.stdout.isatty() else "csv"
    if output.exists() and not output.is_file():
        return "csv"
    if output.suffix not in SUFFIX_FORMATS:
        valid = ", ".join(SUFFIX_FORMATS)
        raise UserError(
            f"the name {output.name!r} does not say a format, valid ends are {valid}",
            hint="add --format csv",
        )
    return SUFFIX_FORMATS[output.suffix]


def _write_to(path: Path, write: Callable[[TextIO], int]) -> int:
    """Write a file whole or not at all; a pipe or a device as it is."""
    if path.is_dir():
        raise UserError(f"{path} is a folder where a file is needed")
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as file:
            return write(file)
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True)
        note(f"made the folder {path.parent}")
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        return write(file)


def _page(text: str) -> None:
    """Print text, through the pager where it is larger than the screen."""
    size = shutil.get_terminal_size()
    lines = text.splitlines()
    if len(lines) < size.lines and max(map(len, lines), default=0) <= size.columns:
        click.echo(text, nl=False)
    else:
        os.environ.setdefault("LESS", "-SRFX")  # wide rows scroll sideways instead of wrapping
        click.echo_via_pager(text)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say that long work goes on: a spinner on a terminal, a plain line elsewhere."""
    if not sys.stderr.isatty():
        note(f"{what} …")
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …"):
        yield


LINE_EVERY_S = 5.0


class Progress:
    """Called with (done, total, what): a bar with an estimate on a terminal, lines elsewhere.

    Lines come with every tenth of the work, and every few seconds of it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._clock = clock
        self._last = (-1, -LINE_EVERY_S, "")  # tenth, time, line

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._bar is None:
            self._tell_line(done, total, what)
        elif self._task is None:
            self._task = self._bar.add_task(what, completed=done, total=total)
        else:
            self._bar.update(self._task, completed=done, total=total, description=what)

    def note(self, message: str) -> None:
        """A line for people that stays, above the bar."""
        if self._bar is None:
            note(message)
        else:
            self._bar.console.print(shown_safely(message), markup=False, highlight=False)

    def _tell_line(self, done: int, total: int, what: str) -> None:
        tenth, now = 10 * done // max(total, 1), self._clock()
        line = f"[{done}/{total}] {what}"
        last_tenth, last_time, last_line = self._last
        if line != last_line and (tenth != last_tenth or now - last_time >= LINE_EVERY_S):
            note(line)
            self._last = (tenth, now, line)
