"""What the processes of these tests do to a data folder until they are killed.

An act is a function of the data folder, of `say`, which tells what is acknowledged, and of the
first seed that is its own.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse import durable
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.loading import database
from lossnets.warehouse.sources import records
from lossnets.warehouse.sources.records import Measurement, RunRecord, write_entry
from lossnets.warehouse.store import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[object], object]
Act = Callable[[Path, Say, int], None]
LAYERS = ("early", "semi_early", "middle", "late")


def record(seed: int) -> RunRecord:
    """The run of a seed: the same whoever makes it, another for every seed."""
    return RunRecord(
        benchmark="autoencoding",
        seed=seed,
        recorded_at="2026-01-31T12:00:00Z",
        measurements=tuple(
            Measurement(architecture="vgg11", layer=layer, score="svhn_accuracy", value=value)
            for layer, value in zip(LAYERS, values(seed), strict=True)
        ),
    )


def values(seed: int) -> list[float]:
    """What the run of a seed scored, by layer."""
    return [(seed * 4 + place) % 9973 / 9973 for place in range(4)]


def append(home: Path, say: Say, first: int) -> None:
    """Append runs, without end."""
    store = Warehouse(home)
    for seed in itertools.count(first):
        store.append(record(seed))
        say(seed)


def write(home: Path, say: Say, first: int) -> None:
    """The same without DuckDB, as workers and GPU nodes do; every third entry for the 2nd time."""
    for seed in itertools.count(first, 3):
        runs = [record(seed + place) for place in range(3)]
        write_entry(home, runs)
        for run in runs:
            say(run.seed)
        if seed % 9 == 0:
            write_entry(home, runs[:2])


def append_some(home: Path, say: Say, first: int) -> None:
    """Append a dozen runs, half of them without DuckDB."""
    store = Warehouse(home)
    for seed in range(first, first + 12):
        if seed % 2:
            store.append(record(seed))
        else:
            write_entry(home, [record(seed)])
        say(seed)


def load(home: Path, say: Say, first: int) -> None:
    """Load what the log holds, and ask."""
    Warehouse.open(home).rows("from ranks")


def hold(home: Path, say: Say, first: int) -> None:
    """Hold the locks of the home and of a run, without end."""
    with database.only_writer(home), RunFolder(home / "runs" / "a").alone():
        say("held")
        while True:
            pass


def rebuild(home: Path, say: Say, first: int) -> None:
    """Make the database anew."""
    Warehouse(home).rebuild()


def imports(home: Path, say: Say, first: int) -> None:
    """Import tidy tables, which become Parquet entries of the log, without end."""
    store = Warehouse.open(home)
    for seed in itertools.count(first, 3):
        runs = [record(seed + place) for place in range(3)]
        import_records(store, table(runs))
        for run in runs:
            say(run.seed)


def table(runs: list[RunRecord]) -> pd.DataFrame:
    """Runs as a tidy table."""
    import pandas as pd

    return pd.DataFrame(
        {"run_id": run.run_id, "benchmark": run.benchmark, "seed": run.seed,
         "recorded_at": run.recorded_at, "architecture": item.architecture,
         "layer": item.layer, "score": item.score, "value": item.value}
        for run in runs for item in run.measurements
    )  # fmt: skip


@dataclass(frozen=True)
class Skewed:
    """An act on a machine whose clock is so many days off."""

    act: Act
    days: float

    def __call__(self, home: Path, say: Say, first: int) -> None:
        """As the act, with names of entries and times of files as that clock has them."""
        off = timedelta(days=self.days)
        publish = durable.publish

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.now(tz) + off

        def published(temporary: Path, path: Path) -> None:
            time = Clock.now().timestamp()
            os.utime(temporary, (time, time))
            publish(temporary, path)

        records.datetime = Clock  # type: ignore[misc]
        durable.publish = published
        self.act(home, say, first)


@dataclass(frozen=True)
class Command:
    """A command of the command line."""

    arguments: tuple[str, ...]

    def __call__(self, home: Path, say: Say, first: int) -> None:
        """Run it; says its exit status if that is not 0."""
        from lossnets.cli import terminal
        from lossnets.cli.main import cli

        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        status = terminal.run(cli, ["--home", str(home), *self.arguments])
        if status:
            raise SystemExit(status)


@dataclass(frozen=True)
class ShortReport:
    """`lossnets report` of three sections, without the charts' library: nothing else is less."""

    output: str

    def __call__(self, home: Path, say: Say, first: int) -> None:
        """Write the page and its data."""
        from contextlib import nullcontext

        from lossnets.reports.page import bundle, section

        kept = ("imagenet_accuracy", "published_scores", "provenance")
        chosen = [pair for pair in section.sections() if pair[1].name in kept]
        section.sections = lambda: chosen
        bundle.started = lambda: nullcontext(lambda: "")
        Command(("report", "-o", self.output))(home, say, first)


ASKED = {"architectures": ("alexnet", "vgg11", "vgg16"), "weights": ("random:0",), "seeds": 1}


@dataclass(frozen=True, kw_only=True)
class InThisProcess:
    """The executor that has no workers: its rows die with the sweep."""

    slots: int = 1

    def run(self, rows: Any, home: Path, started: Any) -> Any:
        """As `Executor.run` says."""
        from lossnets.runners.sweeps.executors.executor import execute_row

        for row in rows:
            started(row)
            yield execute_row(row, home, "cpu", 1, {"delineation": "simulated"})


def planned(home: Path) -> list[Any]:
    """The rows of a sweep of simulated runs."""
    from lossnets.runners.sweeps.plan import Sweep, plan_sweep

    asked = Sweep(benchmarks=("delineation",), **ASKED)
    return list(plan_sweep(asked, home, _silent, {"delineation": "simulated"}).rows)


def sweep(home: Path, say: Say, first: int) -> None:
    """Sweep what is not recorded, and say which runs are."""
    from lossnets.runners.sweeps.progress import Sweeping, states_of

    rows = planned(home)
    states = states_of(rows, home)
    waiting = [row for row in rows if states[row.run_id][0] != "done"]
    Sweeping(waiting, InThisProcess(), home).execute(
        lambda ended: say(ended.row.run_id) if ended.state == "recorded" else None
    )


def run(home: Path, say: Say, first: int) -> None:
    """Execute the same runs one after the other, as `lossnets run` does."""
    import torch
    from simulated import BENCHMARK

    from lossnets.runners.runs.execution import execute
    from lossnets.runners.runs.planning import Request, plan

    for seed in range(int(ASKED["seeds"])):
        request = Request(
            benchmark="delineation", architectures=ASKED["architectures"], weights="random:0",
            seed=seed,
        )  # fmt: skip
        found = plan(request, BENCHMARK, home, _silent)
        execute(
            found,
            home,
            torch.device("cpu"),
            _silent,
            lambda outcome: say(outcome.run.run_id) if outcome.record else None,
        )


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


@dataclass(frozen=True)
class Adding:
    """Adds what is named: attributes of a table, a score."""

    kind: str
    path: str

    def __call__(self, home: Path, say: Say, first: int) -> None:
        """Add it, and say so."""
        from lossnets.warehouse.intake import attributes, registration

        store = Warehouse(home)
        if self.kind == "attributes":
            attributes.add(store, self.path)
        elif self.kind == "score":
            score = registration.score("mine", benchmark="autoencoding", unit="dB")
            registration.add_score(store, score)
        else:
            registration.add_benchmark(store, "mine")
        say("added")
