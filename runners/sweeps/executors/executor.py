"""What executes the rows of a plan: one small interface, and what every worker does with a row."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import torch

from lossnets.runners.benchmarks import BENCHMARKS
from lossnets.runners.runs import execution
from lossnets.runners.runs.planning import plan
from lossnets.runners.runs.recorded import Recorded
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.runners.sweeps.plan import Row
from lossnets.warehouse.errors import UserError

FAILURE = "failure.json"  # in the folder of a run


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a row ended: `recorded`, `recorded already`, `busy` in another process, or `failed`.

    reason: of a failure, or why a training that is recorded is worthless; duration_s: of a run
    that was recorded.
    """

    row: Row
    state: str
    reason: str | None = None
    duration_s: float | None = None


class Executor(Protocol):
    """Executes rows, as many at once as it has slots."""

    slots: int

    def run(
        self, rows: Sequence[Row], home: Path, started: Callable[[Row], None]
    ) -> Iterator[Ended]:
        """Yield how each row ended, in any order, as they end; `started` hears of each that begins.

        A generator: closing it ends what is being executed.
        """


class Keeping:
    """A benchmark that keeps the data it loaded last, which neighbouring rows read too."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._last: tuple[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def load(self, config: Any, folder: Path | None, **options: Any) -> Any:
        """As the benchmark's own."""
        asked = (config, folder, options["preset"], options["home"])
        if self._last is None or self._last[0] != asked:
            self._last = None  # its memory is needed for the next
            self._last = (asked, self._module.load(config, folder, **options))
        return self._last[1]


@lru_cache(1)
def _kept(module: str) -> Keeping:
    return Keeping(import_module(module))


@cache
def _recorded(home: Path) -> Recorded:
    return Recorded(home, database=False)


def execute_row(
    row: Row,
    home: Path,
    device: str = "auto",
    threads: int = 1,
    benchmarks: Mapping[str, str] = BENCHMARKS,
    results: Path | None = None,
) -> Ended:
    """Execute a row in this process, append to the log, and say how it ended; raises nothing.

    threads: of the processor; scores depend on it. What the process has loaded for a row serves
    the next that needs the same. benchmarks: name → module. results: the home that is written
    to, where that is another than the home of the data.
    """
    results = results or home
    try:
        torch.set_num_threads(threads)
        name = row.request.benchmark
        planned = plan(row.request, home, _silent, {name: _kept(benchmarks[name])})
        if [run.run_id for run in planned.runs] != [row.run_id]:
            raise UserError(f"{row.name} is another run than planned: its data have changed")
        where = execution.device(device)
        recorded = _recorded(results)
        (outcome,) = execution.execute(planned, results, where, _silent, recorded=recorded)
    except Exception as error:
        return failed(row, results, _sentence(error), traceback.format_exc())
    duration_s = outcome.record.duration_s if outcome.record else None
    return Ended(row=row, state=outcome.state, reason=outcome.collapsed, duration_s=duration_s)


def failed(row: Row, home: Path, reason: str, trace: str | None = None) -> Ended:
    """Note in the run's folder that it failed, where that can be written."""
    folder = RunFolder(home / "runs" / row.run_id)
    content = {
        "reason": reason,
        "failed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "attempts": (failure_of(folder.path) or {}).get("attempts", 0) + 1,
        "host": socket.gethostname(),
    }
    try:
        folder.write_json(FAILURE, content | ({"traceback": trace} if trace else {}))
    except UserError as error:
        reason = f"{reason} ({error.message})"
    return Ended(row=row, state="failed", reason=reason)


def failure_of(folder: Path) -> dict[str, Any] | None:
    """Why the run of a folder failed last; None where it did not, or that cannot be read."""
    try:
        found = json.loads((folder / FAILURE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return error.message
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _silent(done: int, total: int, what: str) -> None:
    """No progress is told from a worker."""
