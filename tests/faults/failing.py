"""Every call of the system that a command makes fails once, DuckDB's too, and nothing is lost.

`failing.c` stands between a process and libc. A process that runs this file with it preloaded
goes through some commands and calls: each on a copy of one home, in a child of its own, which then
checks the home with nothing failing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import acts
import pandas as pd
from invariant import check

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attributes
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.loading import saved_studies
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

READS, WRITES, LOCKS = 1, 2, 4  # as in failing.c
ERRORS = {"EIO": READS | WRITES, "ENOSPC": WRITES, "EDQUOT": WRITES, "ENOLCK": LOCKS}
FRESH = 7  # the seed of what a command records


def _import(home: Path) -> None:
    import_records(Warehouse.open(home), acts.table([acts.record(FRESH)]))


def _study(home: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    result = saved_studies.Result(name="a", title="A", columns={"x": "x"}, frame=frame)
    saved_studies.save(home, [result], "0")
    Warehouse(home).refresh()


COMMANDS: dict[str, Callable[[Path], object]] = {
    "append": lambda home: Warehouse(home).append(acts.record(FRESH)),
    "write": lambda home: write_entry(home, [acts.record(FRESH)]),
    "import": _import,
    "load": lambda home: Warehouse.open(home).rows("from ranks"),
    "rebuild": lambda home: Warehouse(home).rebuild(),
    "attribute": lambda home: attributes.add(Warehouse.open(home), home.parent / "table.csv"),
    "study": _study,
    "report": lambda home: acts.ShortReport(str(home.parent / "report"))(home, print, 0),
}
RECORDING = ("append", "write", "import")


def library(folder: Path) -> Path | None:
    """`failing.c` as something to preload; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None or sysconfig.get_platform().split("-")[0] != "linux":
        return None
    built = folder / "failing.so"
    source = Path(__file__).with_name("failing.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    return built


def started(folder: Path, command: str, error: str, calls: str) -> subprocess.CompletedProcess[str]:
    """Run this file in a process with the library: `calls` is START:STEP:MOST."""
    built = library(folder)
    assert built is not None
    return subprocess.run(
        [sys.executable, __file__, folder, command, error, calls],
        env=os.environ | {"LD_PRELOAD": str(built), "FAILING": str(built)},
        capture_output=True,
        text=True,
    )


def prepare(folder: Path) -> Path:
    """A home that has records and an attribute which its database lacks."""
    home = folder / "home"
    Warehouse.open(home)
    for seed in range(3):
        write_entry(home, [acts.record(seed)])
    (folder / "table.csv").write_text("architecture,one,two\nvgg11,1,2\n")
    return home


def _go_through(folder: Path, command: str, error: str, calls: str) -> Iterator[str]:
    """Fail one call after the other, as many as there are; yields a line a call."""
    start, step, most = map(int, calls.split(":"))
    for nth in range(start, start + step * most, step):
        path = folder / f"{command}-{error}-{nth}"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(folder / "home", path / "home")
        shutil.copy(folder / "table.csv", path)
        child = os.fork()
        if not child:
            _child(path, command, error, nth)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 2:  # the command makes fewer calls
            return
        if status:
            raise SystemExit(f"{command}, call {nth}, {error}: ended with {status}")
        shutil.rmtree(path)
        yield f"{command} {error} {nth}"


def _child(path: Path, command: str, error: str, nth: int) -> None:
    try:
        reached = _fail_once(path, command, error, nth)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0 if reached else 2)


def _fail_once(path: Path, command: str, error: str, nth: int) -> bool:
    """Run a command of which a call fails, then check; whether there were so many calls."""
    home = path / "home"
    fail = ctypes.CDLL(os.environ["FAILING"]).fail
    kinds = ERRORS[error]
    fail(str(home).encode(), nth, getattr(errno, error), kinds)
    acknowledged = {0, 1, 2}
    try:
        COMMANDS[command](home)
        acknowledged |= {FRESH} if command in RECORDING else set()
        done = True
    except (UserError, OSError, SystemExit):
        done = False
    reached = fail(b"", 0, 0, 0) >= nth
    if command == "rebuild":  # a database that could not be read is kept: it may be another's
        (home / "warehouse.duckdb.1").unlink(missing_ok=True)
    there = check(home, acknowledged)
    assert there <= {0, 1, 2, FRESH}
    names = [file.stem for file in attribute_files.paths(home)]
    assert names in ([], ["one", "two"])
    assert names or command != "attribute" or not done
    return reached


if __name__ == "__main__":
    for line in _go_through(Path(sys.argv[1]), *sys.argv[2:5]):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
