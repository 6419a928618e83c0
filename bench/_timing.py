"""Two or more things timed in turn, A B A B …, so that a slow spell of the machine hits all."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence


def in_turn(things: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return each thing's seconds, one per round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for counted in range(rounds + 1):
        for name, thing in things.items():
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
