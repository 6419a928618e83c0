"""Two or more things timed in turn, A B A B …, so that a slow spell of the machine hits all."""

from __future__ import annotations

import importlib
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

PAUSE = 0.05  # s before a turn: the threads of the process before spin for a while, then sleep


def in_turn(
    things: Mapping[str, Callable[[], object]], rounds: int, *, calls: int = 1
) -> dict[str, list[float]]:
    """Return each thing's seconds, one per round, after one round that does not count.

    calls: in a turn, the last of which counts; short things find their caches as in a long run.
    """
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for counted in range(rounds + 1):
        for name, thing in things.items():
            time.sleep(PAUSE)
            for _ in range(calls - 1):
                thing()
            start = time.perf_counter()
            thing()
            if counted:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """Return the median over rounds of numerator / denominator."""
    return statistics.median(a / b for a, b in zip(numerator, denominator, strict=True))


def process(*arguments: str) -> Callable[[], object]:
    """Return a thing to time: a fresh process of this Python with the arguments."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)


class Worker:
    """A thing that lives in a process of its own, with an allocator of its own.

    what: `module:function`, called there once with the arguments, returns the thing. Each call of
    the worker calls the thing and returns its answer.
    """

    def __init__(self, what: str, *arguments: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(what, arguments, theirs), daemon=True)
        self._process.start()

    def __call__(self) -> Any:
        self._pipe.send(True)
        return self._pipe.recv()

    def end(self) -> None:
        """End the process."""
        self._pipe.send(False)
        self._process.join()


def _work(what: str, arguments: tuple[str, ...], pipe: Connection) -> None:
    module, _, function = what.partition(":")
    thing = getattr(importlib.import_module(module), function)(*arguments)
    with suppress(EOFError):  # the other end is gone
        while pipe.recv():
            pipe.send(thing())
