"""A sweep as it goes on: rows given to an executor, what it is at told, the log loaded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from lossnets.runners.runs.recorded import Recorded
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.runners.sweeps.executors.executor import Ended, Executor, failure_of
from lossnets.runners.sweeps.row import Row
from lossnets.runners.sweeps.state import FAILURES, SweepState, clear_dead, now
from lossnets.warehouse.errors import UserError

STATES = ("done", "running", "failed", "waiting")  # of a row
TELL_EVERY_S = 1.0
LOAD_EVERY_S = 60.0


def states_of(rows: Iterable[Row], home: Path) -> dict[str, tuple[str, str | None]]:
    """The state of each row by run id, and of a failed one the reason."""
    recorded = _recorded(home)
    try:
        begun = set(os.listdir(home / "runs"))  # noqa: PTH208, names are all that is needed
    except (FileNotFoundError, NotADirectoryError):
        begun = set()
    states: dict[str, tuple[str, str | None]] = {}
    for row in rows:
        here = [home / "runs" / run_id for run_id in row.run_ids if run_id in begun]
        states[row.run_id] = ("waiting", None)
        if recorded.issuperset(row.run_ids):
            states[row.run_id] = ("done", None)
            for folder in here:
                with suppress(OSError):  # of a process that was killed as soon as it recorded
                    RunFolder(folder).remove_unneeded()
        elif here:
            states[row.run_id] = _state_of(here[0])
    return states


def _recorded(home: Path) -> set[str]:
    try:
        return Recorded(home).ids()
    except UserError:  # the database is busy, with another sweep's runs say: the log says it too
        return Recorded(home, database=False).ids()


def _state_of(folder: Path) -> tuple[str, str | None]:
    """Of a run that was begun and is not recorded."""
    if (folder / ".lock").exists():
        with suppress(UserError), RunFolder(folder).alone() as alone:
            if not alone:
                return "running", None
    failure = failure_of(folder)
    return ("failed", str(failure.get("reason"))) if failure else ("waiting", None)


class Sweeping:
    """Rows as they are executed; `state()` says at any time, to any thread, what it is at.

    done, failed: how many rows of the plan are, and are not to be executed. seconds: estimates by
    run id.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        executor: Executor,
        home: Path,
        *,
        done: int = 0,
        failed: int = 0,
        seconds: Mapping[str, float | None] | None = None,
    ) -> None:
        self.rows = rows
        self.recorded = 0
        self.recorded_before = 0
        self.failures: list[Ended] = []
        self.busy: list[Row] = []  # left to other processes
        self._executor = executor
        self._home = home
        self._lock = threading.Lock()
        self._running: dict[str, dict[str, str]] = {}
        self._began: float | None = None
        self._weights = _weights(rows, seconds or {})
        self._left = sum(self._weights.values())
        self._of_ended = 0.0
        self._known = any(value is not None for value in (seconds or {}).values())
        self._state = SweepState(
            slots=executor.slots,
            rows=len(rows) + done + failed,
            done=done,
            failed=failed,
            waiting=len(rows),
        )

    def state(self) -> SweepState:
        """What it is at, as of now."""
        with self._lock:
            state = replace(
                self._state,
                updated_at=now(),
                running=list(self._running.values()),
                failures=list(self._state.failures),
            )
            elapsed = time.monotonic() - self._began if self._began is not None else 0.0
            if self._of_ended and elapsed:
                ended = self.recorded + self.recorded_before + len(self.failures)
                state.rate_per_h = 3600 * ended / elapsed
                state.remaining_s = elapsed * self._left / self._of_ended
            elif self._known:
                state.remaining_s = max(0.0, self._left / state.slots - elapsed)
        return state

    def execute(self, tell: Callable[[Ended], None]) -> None:
        """Execute all rows; `tell` hears of each as it ends. Load the log now and then, and last.

        A row that another process is at is looked at once more after all others. Errors:
        UserError where a failure cannot be noted, for then nothing can be recorded either.
        """
        clear_dead(self._home)
        self._write()
        try:
            with _every(TELL_EVERY_S, self._write), _every(LOAD_EVERY_S, self._load):
                self.busy = self._pass(self.rows, tell)
                if self.busy:
                    self.busy = self._pass(self.busy, tell)
        finally:
            with self._lock:
                self._running.clear()
                self._state.ended_at = now()
            self._write()
            self._load()

    def _pass(self, rows: Sequence[Row], tell: Callable[[Ended], None]) -> list[Row]:
        """Execute rows and return those that another process is at."""
        busy = []
        with closing(self._executor.run(rows, self._home, self._start)) as executed:  # type: ignore[type-var]
            for ended in executed:
                self._end(ended)
                if ended.state == "busy":
                    busy.append(ended.row)
                    continue
                tell(ended)
                if ended.state == "failed" and not self._is_noted(ended):
                    raise UserError(f"{ended.row.name}: {ended.reason}; that could not be noted")
        return busy

    def _is_noted(self, ended: Ended) -> bool:
        return failure_of(ended.row.folder(self._home)) is not None

    def _start(self, row: Row) -> None:
        with self._lock:
            if self._began is None:
                self._began = time.monotonic()
            if row.run_id not in self._running:
                self._state.waiting -= 1
            self._running[row.run_id] = {"run_id": row.run_id, "name": row.name, "since": now()}

    def _end(self, ended: Ended) -> None:
        with self._lock:
            self._running.pop(ended.row.run_id, None)
            if ended.state == "busy":
                self._state.waiting += 1
                return
            weight = self._weights.pop(ended.row.run_id, 0.0)
            self._left -= weight
            self._of_ended += weight
            if ended.state != "failed":
                self.recorded += ended.state == "recorded"
                self.recorded_before += ended.state == "recorded already"
                self._state.done += 1
                return
            self.failures.append(ended)
            self._state.failed += 1
            self._state.failures.append(
                {"run_id": ended.row.run_id, "name": ended.row.name, "reason": ended.reason or ""}
            )
            del self._state.failures[:-FAILURES]

    def _write(self) -> None:
        self.state().write(self._home)

    def _load(self) -> None:
        """Have the database load the log, where there is DuckDB for it."""
        if find_spec("duckdb"):
            from lossnets.warehouse.store import Warehouse

            with suppress(UserError):  # busy, say: the next command loads it
                Warehouse.open(self._home)


def _weights(rows: Sequence[Row], seconds: Mapping[str, float | None]) -> dict[str, float]:
    """How much of the work each row is: its estimate, or where it has none the mean."""
    known = [value for row in rows if (value := seconds.get(row.run_id))]
    mean = sum(known) / len(known) if known else 1.0
    return {row.run_id: seconds.get(row.run_id) or mean for row in rows}


@contextmanager
def _every(seconds: float, do: Callable[[], None]) -> Iterator[None]:
    """Do something every few seconds, beside what the block does."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(seconds):
            do()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
