"""`lossnets run`: execute a benchmark for loss networks and record their scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossnets.cli import terminal
from lossnets.face.needs import needing_torch
from lossnets.face.running import names
from lossnets.runners import registry
from lossnets.warehouse.sources import catalog

if TYPE_CHECKING:
    from lossnets.runners.runs.execution import Outcome
    from lossnets.runners.runs.planning import Plan, Request
    from lossnets.runners.runs.run import Config, Data

NAMES = "May be repeated, or a list with commas."


@click.command("run")
@click.argument("benchmark")
@click.option(
    "-a",
    "--architecture",
    "--network",
    "architectures",
    multiple=True,
    help="A model of torchvision, timm:NAME, module:FILE:FUNCTION, or 'all' for the paper's 14. "
    + NAMES,
)
@click.option(
    "-l",
    "--layer",
    "layers",
    multiple=True,
    default=("all",),
    show_default=True,
    help="early, semi_early, middle, late, a traced node, a sum such as early+late, or 'all' for "
    f"the paper's four. {NAMES}",
)
@click.option("--baseline", "baselines", multiple=True, help="Score without a loss network: l2, …")
@click.option(
    "--weights",
    help="torchvision's name, 'random', 'random:SEED', or the file of a state dict.  "
    "[default: IMAGENET1K_V1; with --preset smoke random:0]",
)
@click.option("--seed", default=0, show_default=True, help="Of training and of random weights.")
@click.option("--protocol", default="paper", show_default=True, help="paper or reference.")
@click.option("--preset", help="smoke: generated data, in seconds; small: a small experiment.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A value of the config."
)
@click.option("--precision", help="fp32, tf32 or bf16; the same as --set precision=…")
@click.option("--data", type=terminal.FILE, help="The folder of the data set, if elsewhere.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--dry-run", is_flag=True, help="Print the runs and their configs, run nothing.")
@terminal.shown
@click.pass_obj
def run(home: Path, style: str | None, output: Path | None, **options: Any) -> None:
    """Run BENCHMARK for loss networks and record their scores.

    BENCHMARK is perceptual-similarity, super-resolution, delineation, autoencoding, that of an
    installed package, or the file of a module of one's own (docs/extending.md).

    What is recorded already is skipped: a command that was interrupted, or killed, goes on when
    it is given again.
    """
    options["benchmark"] = registry.check(options["benchmark"])
    execution = needing_torch("lossnets.runners.runs.execution", "running benchmarks")
    from lossnets.runners.runs import devices, planning

    dry_run, device = options.pop("dry_run"), options.pop("device")
    request = _request(planning.Request, options)
    where = devices.device(device)
    benchmark = registry.named(request.benchmark)
    with terminal.Progress() as progress:
        try:
            planned = planning.plan(request, benchmark, home, progress)
            if not dry_run:
                outcomes = execution.execute(
                    planned, home, where, progress, lambda outcome: _tell(progress, outcome)
                )
        except KeyboardInterrupt:
            progress.note("interrupted; the same command goes on from here")
            raise click.exceptions.Exit(130) from None
    if dry_run:
        terminal.print_rows(*_planned_rows(planned, home), style, output)
    elif any(outcome.record for outcome in outcomes):
        order = list(catalog.read(home).scores)
        terminal.print_rows(*_score_rows(outcomes, order), style, output)
    if not dry_run:
        _suggest(request, outcomes)


def _request(kind: type[Request], options: dict[str, Any]) -> Request:
    for name in ("architectures", "layers", "baselines"):
        options[name] = names(options[name])
    if precision := options.pop("precision"):
        options["settings"] += (f"precision={precision}",)
    return kind(**options)


def _tell(progress: terminal.Progress, outcome: Outcome) -> None:
    """One line on how a run ended."""
    name, state = outcome.run.name, outcome.state
    if state == "busy":
        state = "left to another process that is at it"
    elif outcome.record:
        state = f"recorded as {outcome.run.run_id} after {outcome.record.duration_s:.1f} s"
    if outcome.collapsed:
        state += f"; its training collapsed: {outcome.collapsed}"
    state = "; ".join([state, *outcome.unscored])
    progress.note(f"{name}: {state}")


def _planned_rows(
    planned: Plan[Config, Data], home: Path
) -> tuple[list[str], list[tuple[Any, ...]]]:
    from lossnets.runners.runs.recorded import Recorded

    recorded = Recorded(home)
    rows = [
        (
            run.run_id,
            run.architecture,
            ", ".join(run.layers),
            run.weights,
            run.seed,
            "recorded" if run.run_id in recorded else "to run",
            json.dumps(asdict(run.config)),
        )
        for run in planned.runs
    ]
    return ["run_id", "architecture", "layers", "weights", "seed", "state", "config"], rows


def _score_rows(
    outcomes: Sequence[Outcome], order: Sequence[str]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """A row for each loss network or baseline, a column for each score."""
    rows: dict[tuple[str | None, str | None], dict[str, float]] = {}
    for outcome in outcomes:
        for item in outcome.record.measurements if outcome.record else ():
            name = item.architecture or outcome.run.name
            rows.setdefault((name, item.layer), {})[item.score] = item.value
    recorded = {score for values in rows.values() for score in values}
    scores = [score for score in order if score in recorded]  # the published ones first
    cells = [(*key, *(values.get(score) for score in scores)) for key, values in rows.items()]
    return ["architecture", "layer", *scores], cells


def _suggest(request: Request, outcomes: Sequence[Outcome]) -> None:
    """Say how many runs there are now, and what to type next."""
    new = sum(outcome.record is not None for outcome in outcomes)
    busy = sum(outcome.state == "busy" for outcome in outcomes)
    skipped = len(outcomes) - new - busy
    counts = [f"{new} recorded", f"{skipped} recorded before", f"{busy} left to others"]
    terminal.note(", ".join(part for part in counts if not part.startswith("0 ")))
    benchmark = request.benchmark_id
    query = (
        f"from scores where source = 'measured' and benchmark = '{benchmark}'"
        if request.preset is None
        else f"from runs where preset = '{request.preset}'"
    )
    terminal.note(f'next: lossnets sql "{query}"')
