"""Rows executed by Ray: on this machine, or on the nodes of a cluster.

Ray places them, and begins them again where a worker or a node was lost; here they are only
handed to it, and how they ended is heard. Results are written to the home, which all nodes share.
"""

from __future__ import annotations

import math
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from lossnets.runners.sweeps.executors import ray_cluster
from lossnets.runners.sweeps.executors.executor import Ended, execute_row, failed
from lossnets.runners.sweeps.executors.local import Local, processors
from lossnets.runners.sweeps.executors.ray_cluster import Connection
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.durable import cannot_write, make_folder
from lossnets.warehouse.errors import UserError

AHEAD = 100  # tasks that wait at Ray beside those that run: an autoscaler goes by them
PARTS = 4  # at least, of the rows that one slot gets: the last to end leave few slots idle


@dataclass(kw_only=True)
class Ray:
    """The executor of a Ray cluster.

    address: `host:port`, or `auto` for the one that runs here; by default $RAY_ADDRESS, else a
    Ray of its own on this machine, which ends with the sweep. processes: how many runs at once,
    at most. gpus_per_run: 0.25 for four runs on a GPU, 0 for none. retries: how often a run is
    begun again whose worker or node was lost. modules: name → module of benchmarks, those that are
    installed by default. Errors: UserError where Ray is not installed or none answers, and on
    values that are not valid or more than a node has.
    """

    address: str | None = None
    processes: int | None = None
    cpus_per_run: int = 1
    gpus_per_run: float = 1
    device: str = "auto"
    retries: int = 1
    modules: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        self._local("cpu")  # which checks the numbers
        ray_cluster.check(self._given)

    @cached_property
    def slots(self) -> int:
        """How many runs are executed at once, by the nodes that are there at the start."""
        if self._is_alone:
            return self._local(self.device).slots
        room = self._connection.room(self.cpus_per_run, self._gpus)
        if not room:
            share = f"--cpus-per-run {self.cpus_per_run}"
            share += f" --gpus-per-run {self._gpus:g}" if self._gpus else ""
            raise UserError(f"found {share}, which no node of the Ray cluster has")
        return min(room, self.processes or room)

    def run(
        self, rows: Sequence[Row], home: Path, started: Callable[[Row], None]
    ) -> Iterator[Ended]:
        """As `Executor.run` says."""
        home = home.resolve()
        try:
            with _marked(home) as mark:
                most = self.processes or self.slots + AHEAD
                tasks = _Tasks(self._connection.ray, self._task(home, mark), home, most)
                yield from tasks.ended(_groups(rows, self.slots), started)
        finally:
            if connection := vars(self).pop("_connection", None):  # another run makes another
                connection.close()

    def _local(self, device: str) -> Local:
        """The same on this machine, without Ray."""
        return Local(
            processes=self.processes,
            cpus_per_run=self.cpus_per_run,
            gpus_per_run=self.gpus_per_run,
            retries=self.retries,
            device=device,
        )

    @property
    def _is_alone(self) -> bool:
        """Whether it starts a Ray of its own."""
        return not (self._given or ray_cluster.is_connected())

    @property
    def _given(self) -> str | None:
        return self.address or os.environ.get("RAY_ADDRESS")

    @cached_property
    def _connection(self) -> Connection:
        if self._is_alone:
            return Connection.alone(max(processors(), self.slots * self.cpus_per_run))
        return Connection.to(self._given or "auto")

    @cached_property
    def _gpus(self) -> float:
        """Of a run: a fraction of one, or whole ones."""
        kind = self.device.partition(":")[0]
        if kind == "cpu" or (kind == "auto" and not self._connection.has_gpus()):
            return 0
        return self.gpus_per_run if self.gpus_per_run < 1 else math.ceil(self.gpus_per_run)

    def _task(self, home: Path, mark: Path) -> Callable[[Sequence[Row]], Any]:
        """What hands rows to Ray, and gives the generator of what comes back."""
        how = {
            "device": "cuda" if self._gpus else "cpu",
            "threads": self.cpus_per_run,
            "modules": self.modules,
        }
        task = self._connection.ray.remote(_execute).options(
            num_cpus=self.cpus_per_run, num_gpus=self._gpus, max_retries=self.retries
        )
        shared = (mark, mark.read_text())
        return lambda rows: task.remote([_anywhere(row) for row in rows], home, shared, how)


def _execute(
    rows: Sequence[Row], home: Path, shared: tuple[Path, str], how: Mapping[str, Any]
) -> Iterator[Ended | None]:
    """In a worker of Ray: for each row None as it begins, then how it ended.

    Begun again, it tells the same number of times; what was told before is told once.
    """
    _check_shared(home, *shared)
    for row in rows:
        yield None
        yield execute_row(row, home, **how)


class _Tasks:
    """Rows that are handed to Ray, at most so many tasks at once."""

    def __init__(
        self, ray: Any, submit: Callable[[Sequence[Row]], Any], home: Path, most: int
    ) -> None:
        self._ray = ray
        self._submit = submit
        self._home = home
        self._most = most
        self._at: dict[Any, deque[Row]] = {}  # generator → rows that have not ended
        self._waiting: deque[Sequence[Row]] = deque()

    def ended(
        self, groups: Iterable[Sequence[Row]], started: Callable[[Row], None]
    ) -> Iterator[Ended]:
        """How each row ended, as they end."""
        self._waiting.extend(groups)
        try:
            while self._waiting or self._at:
                while self._waiting and len(self._at) < self._most:
                    group = deque(self._waiting.popleft())
                    self._at[self._submit(group)] = group
                ready, _ = self._ray.wait(list(self._at)) if self._at else ([], None)
                for task in ready:
                    yield from self._hear(task, started)
        finally:
            for task in self._at:
                with suppress(Exception):  # Ray may be gone
                    self._ray.cancel(task, force=True)

    def _hear(self, task: Any, started: Callable[[Row], None]) -> Iterator[Ended]:
        """What a task tells next."""
        rows = self._at[task]
        exceptions = self._ray.exceptions
        try:
            told = self._ray.get(next(task))
        except StopIteration:
            del self._at[task]
        except exceptions.RayTaskError as error:  # no run raises: its node is not as it must be
            raise _unfit(error) from None
        except exceptions.RayError as error:
            del self._at[task]
            if rows:
                row = rows.popleft()
                if rows:
                    self._waiting.appendleft(rows)
                yield failed(row, self._home, _reason(error))
        else:
            if told is None:
                started(rows[0])
            else:
                yield replace(told, row=rows.popleft())


def _groups(rows: Sequence[Row], slots: int) -> Iterator[list[Row]]:
    """Rows that share work, for one worker, unless they are so many that others would be idle."""
    most = max(1, len(rows) // (PARTS * slots))
    for _, sharing in groupby(rows, key=lambda row: row.shares):
        group = list(sharing)
        for start in range(0, len(group), most):
            yield group[start : start + most]


def _anywhere(row: Row) -> Row:
    """The row with paths that do not depend on the folder that a worker is in."""
    request = row.request
    data = request.data and request.data.resolve()
    weights = request.weights
    if weights is not None and Path(weights).is_file():
        weights = str(Path(weights).resolve())
    return replace(row, request=replace(request, data=data, weights=weights))


@contextmanager
def _marked(home: Path) -> Iterator[Path]:
    """A file in the home, as long as the sweep runs, by which a node knows that it shares it."""
    mark = home / "sweeps" / f"{socket.gethostname()}-{os.getpid()}.mark"
    try:
        make_folder(mark.parent)
        mark.write_text(secrets.token_hex(8))
    except OSError as error:
        raise cannot_write(mark.parent, error) from None
    try:
        yield mark
    finally:
        with suppress(OSError):
            mark.unlink()


def _check_shared(home: Path, mark: Path, text: str) -> None:
    with suppress(OSError):
        if mark.read_text() == text:
            return
    raise UserError(
        f"{socket.gethostname()} does not share the folder {home} of the sweep; "
        "mount it on all nodes at the same path",
    )


def _unfit(error: Any) -> UserError:
    cause = error.cause
    if isinstance(cause, UserError):
        return cause
    first = str(cause).strip().split("\n")[0]
    return UserError(
        f"a worker of Ray could not begin: {type(cause).__name__}: {first}",
        hint="install the same lossnets on every node",
    )


def _reason(error: Exception) -> str:
    kinds = {
        "WorkerCrashedError": "its worker was killed",
        "NodeDiedError": "its node was lost",
        "OutOfMemoryError": "its worker was ended: the node was short of memory",
        "TaskCancelledError": "it was cancelled at Ray",
    }
    kind = type(error).__name__
    return kinds.get(kind) or f"{kind}: {str(error).strip().splitlines()[0]}"
