"""Rows executed by processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runners.executors import Ended, execute_row
from runners.sweep import Row


class Local:
    """This machine: processes, each with its share of processors and GPUs."""

    def __init__(
        self,
        processes: int | None = None,
        cpus_per_run: int = 1,
        gpus_per_run: float = 1,
        device: str = "auto",
    ) -> None:
        self.slots = processes or 1
        self._threads = cpus_per_run
        self._device = device

    def run(
        self, rows: Sequence[Row], home: Path, started: Callable[[Row], None]
    ) -> Iterator[Ended]:
        """As `Executor.run` says."""
        for row in rows:  # not in processes yet
            started(row)
            yield execute_row(row, home, self._device, self._threads)
