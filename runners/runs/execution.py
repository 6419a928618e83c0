"""Runs are executed pass by pass, skipped where recorded, recorded as they end."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Generic

import torch

from lossnets.runners.attributes.measure import measure_missing
from lossnets.runners.networks.layers import node_of
from lossnets.runners.networks.pretrained import extraction_layers
from lossnets.runners.runs.benchmark import C, D
from lossnets.runners.runs.devices import (
    check_precision,
    describe,
    keep_memory,
    matmul_precision,
    peak_memory_bytes,
    reset_peak_memory,
    versions,
)
from lossnets.runners.runs.planning import Plan
from lossnets.runners.runs.recorded import Recorded
from lossnets.runners.runs.run import Config, Progress, Result, Run, Work
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import RunRecord
from lossnets.warehouse.sources.run_values import NOTE, note


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended: `recorded`, `recorded already`, or `busy` in another process.

    unscored: of each score that has no value, and of attributes that were not measured, why.
    """

    run: Run[Config]
    state: str
    record: RunRecord | None = None
    collapsed: str | None = None
    unscored: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with what was recorded."""
        return (*([self.collapsed] if self.collapsed else ()), *self.unscored)


def execute(
    planned: Plan[C, D],
    home: Path,
    where: torch.device,
    progress: Progress,
    tell: Callable[[Outcome], None] = lambda outcome: None,
    recorded: Recorded | None = None,
) -> list[Outcome]:
    """Execute what is not recorded yet, one run after the other, and record each as it ends.

    `tell` hears of each run as it ends; `recorded`: what is, and where it is added. A run that
    another process executes is left to it. Ends at the first UserError; what was recorded before
    stays. After Ctrl-C or a crash the same call goes on.
    """
    keep_memory()
    for run in planned.runs:
        check_precision(run.config.precision, where)
    recorded = recorded or Recorded(home)
    outcomes: list[Outcome] = []
    for runs in _passes(planned):
        work = Works(home=home, device=where, progress=progress, planned=planned, runs=runs)
        for outcome in _execute(work, recorded):
            tell(outcome)
            outcomes.append(outcome)
    return outcomes


def _passes(planned: Plan[C, D]) -> Iterator[list[Run[C]]]:
    """Runs that are executed at once: those of one architecture, unless each is trained."""
    if planned.benchmark.separate:
        yield from ([run] for run in planned.runs)
        return
    for _, runs in groupby(planned.runs, lambda run: run.with_layers(()) if run.layers else run):
        yield list(runs)


@dataclass(frozen=True, kw_only=True)
class Works(Generic[C, D]):
    """A pass: its runs, and where each is executed."""

    home: Path
    device: torch.device
    progress: Progress
    planned: Plan[C, D]
    runs: list[Run[C]]

    def folder(self, run: Run[C]) -> RunFolder:
        """Where a run's files are kept."""
        return RunFolder(self.home / "runs" / run.run_id)

    def of(self, runs: list[Run[C]]) -> Work:
        """The work of some of its runs at once, with its share of the plan's progress."""
        index, count = self.planned.runs.index(self.runs[0]), len(self.planned.runs)
        name = self.runs[0].with_layers([layer for run in runs for layer in run.layers]).name

        def part(done: int, total: int, what: str) -> None:
            told = f"{name}: {what}" if what else name
            self.progress(index * total + len(self.runs) * done, count * total, told)

        return Work(device=self.device, folder=self.folder(runs[0]), progress=part)


def _execute(works: Works[C, D], recorded: Recorded) -> list[Outcome]:
    """Execute what of a pass is neither recorded nor with another process; in the runs' order."""
    states: dict[str, Outcome] = {}
    with ExitStack() as held:
        new = []
        for run in works.runs:
            if (state := _hold(run, works.folder(run), recorded, held)) is None:
                new.append(run)
            else:
                states[run.run_id] = Outcome(run=run, state=state)
        if new:
            states |= {one.run.run_id: one for one in _run_at_once(works, new, recorded)}
    return [states[run.run_id] for run in works.runs]


def _hold(run: Run[Config], folder: RunFolder, recorded: Recorded, held: ExitStack) -> str | None:
    """Hold a run for this process; its state where it is not to be executed."""
    if run.run_id in recorded:
        folder.remove_unneeded()  # of a process that was killed as soon as it recorded
        return "recorded already"
    if not held.enter_context(folder.alone()):
        return "busy"
    if run.run_id in recorded:  # by whom held it until now
        return "recorded already"
    return None


def _run_at_once(works: Works[C, D], runs: list[Run[C]], recorded: Recorded) -> Iterator[Outcome]:
    """Execute runs in one pass and record each; the time is shared among them."""
    planned, work = works.planned, works.of(runs)
    together = runs[0].with_layers([layer for run in runs for layer in run.layers])
    reset_peak_memory(work.device)
    began = time.perf_counter()
    with matmul_precision(together.config.precision), _memory_errors(together, work):
        whole = planned.benchmark.run(together, planned.data, work)
    duration_s = (time.perf_counter() - began) / len(runs)
    for run in runs:
        folder, result = works.folder(run), whole.of(run) if len(runs) > 1 else whole
        folder.write_items(result.items)
        if result.collapsed:
            folder.write_json(NOTE, note(result.collapsed))
        record = _record(run, result, work, duration_s)
        recorded.add(record)
        folder.remove_unneeded()
        yield Outcome(
            run=run,
            state="recorded",
            record=record,
            collapsed=result.collapsed,
            unscored=(*result.unscored, *_unmeasured(run, works.home)),
        )


def _unmeasured(run: Run[Config], home: Path) -> list[str]:
    """Measure the attributes of a network that is not the paper's; why that failed, if it did."""
    why = measure_missing(run.architecture, run.layers, home) if run.architecture else None
    return [why] if why else []


def _record(run: Run[Config], result: Result, work: Work, duration_s: float) -> RunRecord:
    made = RunRecord(
        benchmark=run.benchmark,
        measurements=result.measurements,
        config=dataclasses.asdict(run.config),
        seed=run.seed,
        weights=run.weights,
        data=run.data,
        preset=run.preset,
        versions=versions(work.device),
        device=describe(work.device),
        duration_s=duration_s,
        peak_memory_bytes=peak_memory_bytes(work.device),
        nodes=_nodes(run) | result.nodes,
    )
    if made.run_id != run.run_id:
        scored = {(item.architecture, item.layer) for item in result.measurements}
        raise AssertionError(f"{run.name} was to be scored, found scores of {scored}")
    return made


def _nodes(run: Run[Config]) -> dict[str, str]:
    """Layer → node of the layers that Table II does not have; of a sum, the nodes' sum."""
    if run.architecture is None:
        return {}
    printed = extraction_layers().get(run.architecture, {})

    def node(layer: str) -> str:
        return printed.get(layer) or node_of(str(run.architecture), layer)

    return {
        layer: "+".join(node(part) for part in layer.split("+"))
        for layer in run.layers
        if layer not in printed
    }


@contextmanager
def _memory_errors(run: Run[Config], work: Work) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise UserError(
            f"{run.name} needs more memory than {work.device} has free; "
            "end other programs there or choose another device with --device"
        ) from None
