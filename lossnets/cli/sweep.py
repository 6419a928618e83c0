"""`lossnets sweep`: plan many runs, execute them, and watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from lossnets.cli import sweep_view, terminal
from lossnets.face.needs import needing_torch
from lossnets.face.running import names
from lossnets.runners import registry
from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from lossnets.runners.sweeps.estimates import Estimates
    from lossnets.runners.sweeps.executors.executor import Executor
    from lossnets.runners.sweeps.row import Row

NAMES = "May be repeated, or a list with commas."
WHAT = ("benchmarks", "architectures", "layers", "baselines", "weights", "seeds", "protocol",
        "preset", "settings", "data")  # fmt: skip
GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


@click.command()
@click.option(
    "-b",
    "--benchmark",
    "benchmarks",
    multiple=True,
    default=("all",),
    show_default=True,
    help=f"{', '.join(registry.BENCHMARKS)}, that of a package, a module's file, or 'all'. {NAMES}",
)
@click.option(
    "-a",
    "--architecture",
    "--network",
    "architectures",
    multiple=True,
    help="A model of torchvision, timm:NAME, module:FILE:FUNCTION, or 'paper' for the paper's 14, "
    f"the default where no baseline is named. {NAMES}",
)
@click.option(
    "-l",
    "--layer",
    "layers",
    multiple=True,
    default=("all",),
    show_default=True,
    help=f"As for `lossnets run`. {NAMES}",
)
@click.option("--baseline", "baselines", multiple=True, help=f"As for `lossnets run`. {NAMES}")
@click.option(
    "--weights", multiple=True, help="As for `lossnets run`; repeated, each of them is swept."
)
@click.option("--seeds", default=1, show_default=True, help="How many, from 0 on.")
@click.option("--protocol", default="paper", show_default=True, help="paper or reference.")
@click.option("--preset", help="smoke: generated data, in seconds; small: a small experiment.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE[,VALUE]",
    help="Values of the config, of the benchmarks that have NAME; several are swept.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="BENCHMARK=DIR",
    help="The folder of a benchmark's data set, if elsewhere.",
)
@click.option(
    "--available", is_flag=True, help="Leave out benchmarks that cannot run, for want of data, say."
)
@click.option("--plan", "file", type=terminal.FILE, help="Run the plan in FILE instead.")
@click.option("--save", type=terminal.FILE, help="Write the plan to FILE (CSV) and run nothing.")
@click.option("--only", type=click.Choice(["waiting", "failed"]), help="Run no others.")
@click.option("--dry-run", is_flag=True, help="Print the plan with an estimate, run nothing.")
@click.option(
    "--price-per-hour", type=float, help="Of the machine or the cluster, for the estimate."
)
@click.option("--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--address", help="Of a Ray cluster: HOST:PORT, or 'auto' for the one here.")
@click.option(
    "--processes",
    type=int,
    help="How many runs at once.  [default: as many as processors or GPUs have room for]",
)
@click.option(
    "--cpus-per-run", default=1, show_default=True, help="Threads of a run; scores depend on it."
)
@click.option(
    "--gpus-per-run", default=1.0, show_default=True, help="0.25: four runs on a GPU; 0: none."
)
@click.option(
    "--retries", default=1, show_default=True, help="Of a run whose process or node was lost."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@terminal.shown
@click.pass_context
def sweep(context: click.Context, style: str | None, output: Path | None, **options: Any) -> None:
    """Plan the runs of a whole study and execute them on this machine or a Ray cluster.

    Every combination of what is named is run once; super-resolution at both factors and
    autoencoding on both data sets, unless --set says otherwise. What is recorded is skipped: a
    sweep that was stopped, or killed, goes on when the command is given again, and several may
    work on one plan. `lossnets status --watch` shows from elsewhere how far it is.
    """
    sweeping = needing_torch("lossnets.runners.sweeps.progress", "a sweep")
    home = context.obj.resolve()  # a worker's working directory may be another
    with _interruptible():
        executor = _executor(options)
        rows = _rows(context, options, home)
        states = sweeping.states_of(rows, home)
        chosen = [options["only"]] if options["only"] else ["waiting", "running", "failed"]
        wanted = [row for row in rows if states[row.run_id][0] in chosen]
        estimates = _estimates(wanted, home, options)
        if plan_only := options["save"] or options["dry_run"]:
            cells = _cells(rows, states, estimates)
            if options["save"]:
                terminal.print_rows(*cells, "csv", options["save"])
                terminal.note(f"next: lossnets sweep --plan {options['save']}")
            if options["dry_run"]:
                terminal.print_rows(*cells, style, output)
        sweep_view.tell_plan(states, estimates, executor.slots, options["price_per_hour"])
        if wanted and not plan_only:
            others = Counter(state for state, _ in states.values() if state not in chosen)
            going = sweeping.Sweeping(
                wanted,
                executor,
                home,
                done=others["done"],
                failed=others["failed"],
                seconds=estimates.seconds,
            )
            sweep_view.execute(going)


def _executor(options: dict[str, Any]) -> Executor:
    names = ("processes", "cpus_per_run", "gpus_per_run", "retries", "device")
    shares = {name: options[name] for name in names}
    executor: Executor
    if options["executor"] == "ray":
        ray = needing_torch("lossnets.runners.sweeps.executors.ray", "a sweep")
        executor = ray.Ray(address=options["address"], **shares)
    elif options["address"]:
        raise click.UsageError("--address goes with --executor ray")
    else:
        local = needing_torch("lossnets.runners.sweeps.executors.local", "a sweep")
        executor = local.Local(**shares)
    return executor


def _rows(context: click.Context, options: dict[str, Any], home: Path) -> list[Row]:
    """The rows of the plan that is given or asked for; what cannot run is told."""
    with terminal.Progress() as progress:
        if options["file"] is not None:
            named = [name for name in WHAT if context.get_parameter_source(name) in GIVEN]
            if named:
                raise click.UsageError("with --plan the rows of the file say what is run")
            from lossnets.runners.sweeps.plan_file import read_plan

            return read_plan(options["file"], home, progress)
        from lossnets.runners.sweeps.plan import Sweep, plan_sweep

        planned = plan_sweep(Sweep(**_what(options)), home, progress)
    for error in planned.unavailable:
        terminal.note(error.message)
    if planned.unavailable and not (options["available"] or options["dry_run"]):
        count = len(planned.unavailable)
        raise UserError(
            f"{count} part{'s' if count > 1 else ''} of the sweep cannot run; get what is lacking, "
            "or leave out with --available what cannot run",
            hint=planned.unavailable[0].hint,
        )
    return list(planned.rows)


def _what(options: dict[str, Any]) -> dict[str, Any]:
    """What is asked for, as `Sweep` has it."""
    from lossnets.runners.networks.pretrained import is_path

    what = {name: options[name] for name in ("seeds", "protocol", "preset", "settings")}
    for name in ("benchmarks", "architectures", "layers", "baselines"):
        what[name] = names(options[name])
    folders = {}
    for given in options["data"]:
        benchmark, equals, folder = given.partition("=")
        if not equals or not registry.is_known(benchmark):
            raise UserError(
                f"found --data {given}; valid is BENCHMARK=DIR with one of "
                f"{', '.join(registry.modules())}"
            )
        folders[benchmark] = Path(folder).resolve()
    weights = tuple(str(Path(name).resolve()) if is_path(name) else name
                    for name in options["weights"])  # fmt: skip
    return what | {"weights": weights or (None,), "data": folders}


def _estimates(rows: Sequence[Row], home: Path, options: dict[str, Any]) -> Estimates:
    from lossnets.runners.runs.devices import device
    from lossnets.runners.sweeps.estimates import estimate

    kind = device(options["device"]).type if options["gpus_per_run"] else "cpu"
    return estimate(rows, home, kind)


def _cells(
    rows: Sequence[Row], states: dict[str, tuple[str, str | None]], estimates: Estimates
) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
    """The plan as it is printed and saved."""
    from lossnets.runners.sweeps.plan_file import COLUMNS, cells

    return COLUMNS, [cells(row, *states[row.run_id], estimates.rounded(row)) for row in rows]


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.note("interrupted; the same command goes on from here")
        raise click.exceptions.Exit(130) from None
