"""Rows executed by processes of this machine, each with its share of processors and GPUs."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO

import torch

from lossnets.runners.runs.devices import device as device_of
from lossnets.runners.sweeps.executors.executor import Ended, failed
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError

Place = dict[str, str]  # what a process is told of its share, as environment


@dataclass(frozen=True, kw_only=True)
class Local:
    """The executor of this machine.

    processes: None for as many as processors or GPUs have room for. gpus_per_run: 0.25 for four
    runs on a GPU, 0 for none. retries: how often a run is begun again whose process was killed.
    Errors: UserError on a device that is not there, and on shares that do not fit.
    """

    processes: int | None = None
    cpus_per_run: int = 1
    gpus_per_run: float = 1
    device: str = "auto"
    retries: int = 1
    modules: Mapping[str, str] | None = None  # name → module of benchmarks; None: the installed

    def __post_init__(self) -> None:
        least = {"processes": 1, "cpus_per_run": 1, "gpus_per_run": 0, "retries": 0}
        for name, smallest in least.items():
            if (value := getattr(self, name)) is not None and value < smallest:
                option = name.replace("_", "-")
                raise UserError(f"found --{option} {value}; valid are numbers from {smallest}")
        self.places()

    @property
    def slots(self) -> int:
        """How many runs are executed at once."""
        return len(self.places())

    def places(self) -> list[Place]:
        """The share of each process."""
        gpus = shared_out(_gpus(self.device), self.gpus_per_run) if self.gpus_per_run else []
        if not gpus:
            where = device_of(self.device if self.gpus_per_run else "cpu")
            room = 1 if where.type == "mps" else max(1, processors() // self.cpus_per_run)
            return [{}] * (self.processes or room)
        if self.processes and self.processes > len(gpus):
            raise UserError(
                f"found --processes {self.processes}; the GPUs have room for {len(gpus)} runs of "
                f"--gpus-per-run {self.gpus_per_run:g}"
            )
        return [{"CUDA_VISIBLE_DEVICES": ids} for ids in gpus[: self.processes]]

    def run(
        self, rows: Sequence[Row], home: Path, started: Callable[[Row], None]
    ) -> Iterator[Ended]:
        """As `Executor.run` says."""
        queue = Queue(rows)
        places = self.places()[: len(rows)]
        idle = [Process(place | {"OMP_NUM_THREADS": str(self.cpus_per_run)}) for place in places]
        at: dict[Connection, Process] = {}
        deaths: Counter[str] = Counter()
        try:
            while True:
                while idle and (row := queue.next(idle[-1].row)):
                    process = idle.pop()
                    at[process.give(row, *self._how(home, process))] = process
                    started(row)
                if not at:
                    return
                ready = wait(list(at))
                for connection in [each for each in at if each in ready]:
                    process = at.pop(connection)
                    idle.append(process)
                    ended = process.answer(home)
                    deaths[ended.row.run_id] += process.died
                    if process.died and deaths[ended.row.run_id] <= self.retries:
                        queue.put_back(ended.row)
                        continue
                    if ended.state == "failed" and process.place.get("CUDA_VISIBLE_DEVICES"):
                        process.end()  # an error of the GPU stays with the process that had it
                    yield ended
        finally:
            for process in [*idle, *at.values()]:
                process.end()

    def _how(self, home: Path, process: Process) -> tuple[object, ...]:
        gpus = process.place.get("CUDA_VISIBLE_DEVICES")
        device = "cuda" if gpus else self.device if self.gpus_per_run else "cpu"
        return (home, device, self.cpus_per_run, self.modules)


class Queue:
    """Rows, handed out so that those that share work go to the same process."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._groups: dict[tuple[object, ...] | None, deque[Row]] = {}
        for row in rows:
            self._groups.setdefault(row.shares, deque()).append(row)
        self._fresh = deque(self._groups)

    def next(self, last: Row | None) -> Row | None:
        """A row that shares work with the last one; else the first of which nothing has begun."""
        key = last.shares if last else None
        if key not in self._groups:
            while self._fresh and self._fresh[0] not in self._groups:
                self._fresh.popleft()
            if self._fresh:
                key = self._fresh.popleft()
            elif self._groups:  # helps out where most is left
                key = max(self._groups, key=lambda key: len(self._groups[key]))
            else:
                return None
        row = self._groups[key].popleft()
        if not self._groups[key]:
            del self._groups[key]
        return row

    def put_back(self, row: Row) -> None:
        """To be handed out again, soon."""
        self._groups.setdefault(row.shares, deque()).appendleft(row)


class Process:
    """A process that executes rows; it is started when it gets one, and again after it died."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.row: Row | None = None  # the last one it got
        self.died = False
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._errors: IO[bytes] | None = None

    def give(self, row: Row, *how: object) -> Connection:
        """Have it execute a row; the connection is ready once there is an answer."""
        self.row = row
        try:
            if self._connection is None:
                raise BrokenPipeError
            self._connection.send((row, *how))
        except OSError:  # none yet, or killed since its last answer
            self.end()
            self._start()
            assert self._connection is not None
            self._connection.send((row, *how))
        return self._connection

    def answer(self, home: Path) -> Ended:
        """How the row ended that it got: with the process, if that died."""
        assert self._connection is not None
        assert self.row is not None
        try:
            ended: Ended = self._connection.recv()
        except (EOFError, OSError):
            self.died = True
            return failed(self.row, home, self._end_of_process())
        self.died = False
        return ended

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._errors is not None:
            self._errors.close()
        self._connection = self._process = self._errors = None

    def _start(self) -> None:
        self._connection, theirs = Pipe()
        descriptor = theirs.fileno()
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from lossnets.runners.sweeps.executors.local_worker import serve; serve({descriptor})"
        )
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=os.environ | self.place,
                pass_fds=[descriptor],
                process_group=0,  # Ctrl-C is for the sweep
            )

    def _end_of_process(self) -> str:
        assert self._process is not None
        assert self._errors is not None
        status = self._process.wait()
        if status == -signal.SIGKILL:
            return "its process was killed (SIGKILL), by the system perhaps, short of memory"
        if status < 0:
            return f"its process was ended by {signal.Signals(-status).name}"
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        return ": ".join([f"its process ended with status {status}", *last])


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shared_out(gpus: Sequence[str], share: float) -> list[str]:
    """The GPUs of each process, by turns: ids as CUDA_VISIBLE_DEVICES has them.

    >>> shared_out(["0", "1"], 0.5), shared_out(["0", "1", "2"], 2), shared_out(["0"], 0.3)
    (['0', '1', '0', '1'], ['0,1'], ['0', '0', '0'])
    """
    if not gpus:
        return []
    if share <= 1:
        return [*gpus] * math.floor(1 / share + 1e-9)
    each = math.ceil(share)
    if each > len(gpus):
        raise UserError(f"found --gpus-per-run {share:g}; there are {len(gpus)} GPUs")
    return [",".join(gpus[i : i + each]) for i in range(0, len(gpus) - each + 1, each)]


def _gpus(device: str) -> list[str]:
    """The GPUs that a device's name stands for; without a CUDA context in this process."""
    if device.partition(":")[0] not in ("auto", "cuda") or not torch.cuda.is_available():
        return []
    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    ids = visible[:count] if len(visible) >= count and visible[0] else [*map(str, range(count))]
    if ":" not in device:
        return ids
    return [ids[device_of(device).index]]
