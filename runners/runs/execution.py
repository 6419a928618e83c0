"""Runs are executed one after the other, skipped where recorded, recorded as they end."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

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


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended: `recorded`, `recorded already`, or `busy` in another process."""

    run: Run[Config]
    state: str
    record: RunRecord | None = None
    collapsed: str | None = None


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
    outcomes = []
    for index, run in enumerate(planned.runs):
        folder = RunFolder(home / "runs" / run.run_id)

        def part(done: int, total: int, what: str, index: int = index, run: Run[C] = run) -> None:
            count = len(planned.runs)
            progress(
                index * total + done, count * total, f"{run.name}: {what}" if what else run.name
            )

        outcome = _execute_one(
            planned, run, recorded, Work(device=where, folder=folder, progress=part)
        )
        tell(outcome)
        outcomes.append(outcome)
    return outcomes


def _execute_one(planned: Plan[C, D], run: Run[C], recorded: Recorded, work: Work) -> Outcome:
    if run.run_id in recorded:
        work.folder.remove_unneeded()  # of a process that was killed as soon as it recorded
        return Outcome(run=run, state="recorded already")
    with work.folder.alone() as alone:
        if not alone:
            return Outcome(run=run, state="busy")
        if run.run_id in recorded:  # by whom held it until now
            return Outcome(run=run, state="recorded already")
        reset_peak_memory(work.device)
        began = time.perf_counter()
        with matmul_precision(run.config.precision), _memory_errors(run, work):
            result = planned.benchmark.run(run, planned.data, work)
        duration_s = time.perf_counter() - began
        work.folder.write_items(result.items)
        if result.collapsed:
            work.folder.write_json("note.json", {"collapsed": result.collapsed})
        made = _record(run, result, work, duration_s)
        recorded.add(made)
        work.folder.remove_unneeded()
        return Outcome(run=run, state="recorded", record=made, collapsed=result.collapsed)


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
