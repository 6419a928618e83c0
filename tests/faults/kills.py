"""Processes that act on a data folder and are killed, at moments drawn from a seed."""

from __future__ import annotations

import multiprocessing
import random
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from acts import Act

from lossnets.warehouse.errors import BusyError, UserError

# A new process in milliseconds, with nothing of this one but what it imports.
START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(
    ["duckdb", "pandas", "lossnets.warehouse.loading.building",
     "lossnets.warehouse.intake.tables", "lossnets.cli.main", "lossnets.reports.build",
     "lossnets.reports.paper.loss_networks.section",
     "lossnets.reports.paper.published_scores.section",
     "lossnets.runners.runs.execution", "lossnets.runners.sweeps.progress"]
)  # fmt: skip


class Process:
    """A process that does something to a data folder and says what is acknowledged.

    said: what it has acknowledged; told: the sentences in which it was refused. Both are complete
    once it has ended.
    """

    def __init__(self, act: Act, home: Path, first: int = 0) -> None:
        self.said: list[object] = []
        self.told: list[str] = []
        self._failed: str | None = None
        self._pipe, theirs = START.Pipe(duplex=False)
        self._process = START.Process(target=_do, args=(act, home, first, theirs), daemon=True)
        self._process.start()
        theirs.close()
        assert self._pipe.recv() == "begun"

    def lives(self) -> bool:
        """Whether it goes on."""
        return self._process.is_alive()

    def kill(self) -> None:
        """End it as no process can prevent or notice."""
        self._process.kill()
        self.wait()

    def hear(self) -> object:
        """Its next word; None if it has ended."""
        with suppress(EOFError):
            self._hear(*self._pipe.recv())
        return self.said[-1] if self.said else None

    def wait(self) -> None:
        """Hear it to its end. Raises what went wrong in it, other than what a user is told."""
        with self._pipe:
            try:
                while not self._pipe.closed:
                    self._hear(*self._pipe.recv())
            except (EOFError, OSError):  # the last word may be cut off
                pass
        self._process.join()
        if self._failed:
            raise AssertionError(self._failed)

    def _hear(self, kind: str, word: object) -> None:
        if kind == "said":
            self.said.append(word)
        elif kind == "told":
            self.told.append(str(word))
        else:
            self._failed = str(word)


def _do(act: Act, home: Path, first: int, pipe: Connection) -> None:
    pipe.send("begun")
    try:
        act(home, lambda word: pipe.send(("said", word)), first)
    except BusyError:
        pass
    except UserError as error:
        pipe.send(("told", error.message))
    except BaseException:
        pipe.send(("failed", traceback.format_exc()))


class Killer:
    """Kills acts on a home at random moments, and remembers what they acknowledged.

    faults: how many processes it has killed, and what else it did to the home.
    """

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.chance = random.Random(seed)
        self.acknowledged: set[object] = set()
        self.told: list[str] = []
        self.faults = 0
        self._next = 0

    def seeds(self, count: int) -> list[int]:
        """Seeds of runs that nobody else makes."""
        self._next += count
        return list(range(self._next - count, self._next))

    def start(self, act: Act) -> Process:
        """Begin an act, with seeds of its own."""
        return Process(act, self.home, self.seeds(10_000)[0])

    def kill(self, process: Process) -> None:
        """End an act, if it has not ended by itself, and hear what it acknowledged."""
        self.faults += process.lives()
        process.kill()
        self.acknowledged.update(process.said)
        self.told += process.told

    def at_a_moment(self, act: Act, longest_s: float, *, words: int = 0) -> None:
        """Begin an act and kill it a little after so many words of it, at most."""
        process = self.start(act)
        for _ in range(self.chance.randint(0, words)):
            process.hear()
        self._pause(longest_s)
        self.kill(process)

    def storm(self, acts: Mapping[str, Act], kills: int, pause_s: float) -> None:
        """Have all acts go on at once, each begun again as soon as it is killed or has ended."""
        running = {name: self.start(act) for name, act in acts.items()}
        for _ in range(kills):
            self._pause(pause_s)
            name = self.chance.choice(list(acts))
            self.kill(running[name])
            running[name] = self.start(acts[name])
        for process in running.values():
            self.kill(process)

    def _pause(self, longest_s: float) -> None:
        time.sleep(self.chance.uniform(0, longest_s))


@contextmanager
def at_work(act: Act, home: Path, first: int = 0) -> Iterator[Process]:
    """An act beside the block; it is killed at its end."""
    process = Process(act, home, first)
    try:
        yield process
    finally:
        process.kill()
