"""What executes the rows of a plan: one small interface, and what every worker does with a row."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

import torch

from lossnets.runners import registry
from lossnets.runners.models import training
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.devices import device as device_of
from lossnets.runners.runs.execution import execute
from lossnets.runners.runs.planning import plan
from lossnets.runners.runs.recorded import Recorded
from lossnets.runners.runs.run import Config, Data, Progress
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError

FAILURE = "failure.json"  # in the folder of a run
STATES = ("busy", "recorded", "recorded already")  # of a row: the first that one of its runs has
Modules = tuple[tuple[str, str], ...] | None


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


@lru_cache(1)
def _keeping(name: str, modules: Modules) -> Benchmark[Config, Data]:
    """A benchmark that keeps the data it loaded last, which neighbouring rows read too."""
    benchmark = registry.named(name, dict(modules) if modules else None)
    kept = training.Shared[Data]()

    def load(
        config: Config,
        folder: Path | None,
        *,
        preset: str | None,
        home: Path,
        progress: Progress,
    ) -> Data:
        return kept.get(
            (config, folder, preset, home),
            lambda: benchmark.load(config, folder, preset=preset, home=home, progress=progress),
        )

    return replace(benchmark, load=load)


@cache
def _recorded(home: Path) -> Recorded:
    return Recorded(home, database=False)


def execute_row(
    row: Row,
    home: Path,
    device: str = "auto",
    threads: int = 1,
    modules: Mapping[str, str] | None = None,
) -> Ended:
    """Execute a row in this process, append to the log, and say how it ended; raises nothing.

    threads: of the processor; scores depend on it. What the process has loaded for a row serves
    the next that needs the same. modules: name → module of the benchmarks, all that are installed
    by default.
    """
    try:
        torch.set_num_threads(threads)
        benchmark = _keeping(row.request.benchmark, tuple(modules.items()) if modules else None)
        planned = plan(row.request, benchmark, home, _silent)
        if tuple(run.run_id for run in planned.runs) != row.run_ids:
            raise UserError(f"{row.name} is another run than planned: its data have changed")
        outcomes = execute(planned, home, device_of(device), _silent, recorded=_recorded(home))
    except Exception as error:
        return failed(row, home, _sentence(error), traceback.format_exc())
    new = [outcome for outcome in outcomes if outcome.record]
    states = {outcome.state for outcome in outcomes}
    return Ended(
        row=row,
        state=next(state for state in STATES if state in states),
        reason=next(
            (why for one in outcomes for why in (one.collapsed, *one.unscored) if why), None
        ),
        duration_s=sum(one.record.duration_s or 0.0 for one in new if one.record) if new else None,
    )


def failed(row: Row, home: Path, reason: str, trace: str | None = None) -> Ended:
    """Note in the run's folder that it failed, where that can be written."""
    folder = RunFolder(row.folder(home))
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
    path = folder / FAILURE
    try:
        failure = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    return failure if isinstance(failure, dict) else None


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return error.message
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _silent(done: int, total: int, what: str) -> None:
    """No progress is told from a worker."""
