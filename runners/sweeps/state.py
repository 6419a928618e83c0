"""What a sweep is at, as a small file that others read while it goes on. Standard library only."""

from __future__ import annotations

import json
import math
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lossnets.warehouse.durable import unfinished
from lossnets.warehouse.sources import listing

SILENT_S = 30  # a sweep that was not heard of for so long is taken for dead
FAILURES = 20  # that a state names


@dataclass(kw_only=True)
class SweepState:
    """What a sweep is at; times are ISO, UTC.

    rows: how many the plan has; done: recorded, by it or before; running: run_id, name and since
    of each; failures: run_id, name and reason of the last ones; remaining_s: None while unknown.
    """

    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)
    started_at: str = field(default_factory=lambda: now())
    updated_at: str = field(default_factory=lambda: now())
    ended_at: str | None = None
    slots: int = 1
    rows: int = 0
    done: int = 0
    failed: int = 0
    waiting: int = 0
    running: list[dict[str, str]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    rate_per_h: float = 0.0
    remaining_s: float | None = None

    def write(self, home: Path) -> None:
        """Replace its file, whole or not at all; a disk that refuses it is no matter."""
        self.updated_at = now()
        path = home / "sweeps" / f"{self.host}-{self.pid}.json"
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished(path) as temporary:
                temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
                temporary.replace(path)

    def lives(self) -> bool:
        """Whether the sweep goes on: heard of lately, and if it is of this machine still there."""
        if self.ended_at is not None or seconds_since(self.updated_at) > SILENT_S:
            return False
        return self.host != socket.gethostname() or _is_there(self.pid)


def read_states(home: Path) -> list[SweepState]:
    """The sweeps of a home that go on, else the one that was heard of last; none if there is none.

    What cannot be read is left out.
    """
    found = []
    for path in listing.files(home / "sweeps", (".json",)):
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            state = SweepState(**json.loads(path.read_text(encoding="utf-8")))
            _check(state)
            found.append(state)
    found.sort(key=lambda state: state.updated_at)
    return [state for state in found if state.lives()] or found[-1:]


def _check(state: SweepState) -> None:
    """Raise where a file says something that no sweep writes."""
    counts = (state.pid, state.slots, state.rows, state.done, state.failed, state.waiting)
    texts = [state.host, *(text for one in state.failures for text in one.values())]
    for one in state.running:
        texts += [one["run_id"], one["name"]]
        seconds_since(one["since"])
    for time in (state.started_at, state.updated_at, state.ended_at or state.updated_at):
        seconds_since(time)
    duration(state.remaining_s)
    if not all(isinstance(count, int) and 0 <= count < 2**31 for count in counts):
        raise ValueError("a count is none")
    if not all(isinstance(text, str) for text in texts) or not math.isfinite(state.rate_per_h):
        raise ValueError("a text or a rate is none")


def clear_dead(home: Path) -> None:
    """Remove what sweeps of this machine left that are gone."""
    for path in (home / "sweeps").glob(f"{socket.gethostname()}-*"):
        pid = path.stem.rpartition("-")[2]
        with suppress(OSError):
            if not (pid.isdecimal() and _is_there(int(pid))):
                path.unlink()


def now() -> str:
    """The time, ISO, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def seconds_since(text: str) -> float:
    """Seconds since an ISO time; 0 where the clock was set back since.

    >>> seconds_since("2999-01-01T00:00:00+00:00")
    0.0
    """
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds())


def duration(seconds: float | None) -> str:
    """Seconds for people.

    >>> [duration(s) for s in (None, 0.4, 65, 3725, 200000)]
    ['unknown', '0 s', '1:05', '1:02:05', '2 d 7 h']
    """
    if seconds is None:
        return "unknown"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True
