"""Attributes: `lossnets attribute add` of one column and of three hundred in one file, in turn.

Prints the seconds of each command and their ratio: a column must cost next to nothing beside the
command itself.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench._timing import in_turn, process, ratio
from lossnets.warehouse.store import Warehouse

COLUMNS = 300
ROUNDS = 5


def adding(folder: Path, columns: int) -> Callable[[], object]:
    """The command that registers a file of columns, each time anew, in a home of its own."""
    home, path = folder / f"home_{columns}", folder / f"columns_{columns}.csv"
    _, networks = Warehouse.open(home).rows("select architecture from architectures")
    head = ",".join(["architecture", *(f"a{number}" for number in range(columns))])
    command = process("-m", "lossnets", "--home", str(home), "attribute", "add", str(path),
                      "--replace")  # fmt: skip
    years = itertools.count(2000)

    def add() -> None:
        year = next(years)  # what is as it was would not be loaded
        rows = [",".join([name, *([f"{year}.5"] * columns)]) for (name,) in networks]
        path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
        command()

    return add


def main() -> None:
    """Print the median seconds of each, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        things = {f"{columns} columns": adding(folder, columns) for columns in (1, COLUMNS)}
        seconds = in_turn(things, ROUNDS)
    one, many = seconds.values()
    for thing, found in seconds.items():
        print(f"{thing:12} {statistics.median(found):6.2f} s")
    print(f"{COLUMNS} columns take {ratio(many, one):.1f} × one")


if __name__ == "__main__":
    main()
