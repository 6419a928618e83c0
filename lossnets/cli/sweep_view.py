"""What a sweep is at, shown: live on a terminal, as lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lossnets.cli import terminal
from lossnets.runners.sweeps.state import SweepState, duration, read_states, seconds_since

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lossnets.runners.sweeps.estimates import Estimates
    from lossnets.runners.sweeps.executors.executor import Ended
    from lossnets.runners.sweeps.progress import Sweeping

STATES = ("waiting", "running", "failed", "done")
REASONS = 10  # of failures that are told at the end
RUNNING, FAILURES = 16, 5  # lines of each that are shown
PAUSE_S = 1.0


Tell = Callable[[str | None], None]  # a run ended, with a line about it that stays, or none


@contextmanager
def shown(state: Callable[[], SweepState]) -> Iterator[Tell]:
    """Show a sweep of this process while the block runs, which calls what it yields."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live

        with Live(
            get_renderable=lambda: view(state()),
            console=Console(stderr=True),
            refresh_per_second=2,
            transient=True,
        ) as live:

            def tell(message: str | None) -> None:
                if message is not None:
                    live.console.print(
                        terminal.shown_safely(message), markup=False, highlight=False
                    )

            yield tell
        return
    lines = terminal.Progress()

    def tell_lines(message: str | None) -> None:
        if message is not None:
            terminal.note(message)
        now = state()
        lines(now.done + now.failed, now.rows, _counts(now))

    yield tell_lines


def watch(home: Path, pause: Callable[[], None] = lambda: time.sleep(PAUSE_S)) -> None:
    """Show the sweeps of a home until none goes on; the last one's end where none does."""
    states = read_states(home)
    if not states:
        terminal.note("there was no sweep yet\nnext: lossnets sweep --preset smoke --dry-run")
        return
    if sys.stdout.isatty():
        _watch_live(home, states, pause)
        return
    last: list[str] = []
    while True:
        lines = [line(state) for state in states]
        if lines != last:
            terminal.say("\n".join(lines))
            last = lines
        if not any(state.lives() for state in states):
            return
        pause()
        states = read_states(home)


def _watch_live(home: Path, states: Sequence[SweepState], pause: Callable[[], None]) -> None:
    from rich.console import Group
    from rich.live import Live

    with Live(auto_refresh=False) as live:
        while True:
            live.update(Group(*(view(state) for state in states)), refresh=True)
            if not any(state.lives() for state in states):
                return
            pause()
            states = read_states(home)


def ongoing(home: Path) -> list[str]:
    """A line for each sweep that goes on."""
    return [line(state) for state in read_states(home) if state.lives()]


def line(state: SweepState) -> str:
    """A sweep as one line."""
    return f"{title(state)}: [{state.done + state.failed}/{state.rows}] {_counts(state)}"


def title(state: SweepState) -> str:
    """Which sweep, and whether it goes on.

    >>> title(SweepState(pid=7, host="node", ended_at="2026-01-31T12:00:00.000+00:00"))
    'sweep of process 7 on node, ended 2026-01-31 12:00:00 UTC'
    """
    which = f"sweep of process {state.pid} on {state.host}"
    if state.ended_at is not None:
        return f"{which}, ended {_time(state.ended_at)}"
    if not state.lives():
        return f"{which}, last heard of {_time(state.updated_at)}"
    return f"{which}, since {_time(state.started_at)}"


def view(state: SweepState) -> RenderableType:
    """A sweep for a terminal: counts, a bar, what runs and since when, the last failures."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    running = Table.grid(padding=(0, 2))
    for run in state.running[:RUNNING]:
        running.add_row(Text(duration(seconds_since(run["since"])), "cyan"), Text(run["name"]))
    more = len(state.running) - RUNNING
    if more > 0:
        running.add_row("", Text(f"and {more} more", "dim"))
    failures = [
        Text(f"failed: {failure['name']}: {failure['reason']}", "red", no_wrap=True)
        for failure in state.failures[-FAILURES:]
    ]
    bar = Table.grid(expand=True)  # which ends its line
    bar.add_row(ProgressBar(total=max(state.rows, 1), completed=state.done + state.failed))
    return Group(Text(title(state), "dim"), Text(_counts(state)), bar, running, *failures)


def _counts(state: SweepState) -> str:
    """What there is of each, how fast it goes, how long it will take."""
    parts = [f"{state.done:,} done"]
    if state.failed:
        parts.append(f"{state.failed:,} failed")
    if state.running:
        parts.append(f"{len(state.running):,} running")
    if state.waiting:
        parts.append(f"{state.waiting:,} waiting")
    if state.rate_per_h:
        parts.append(f"{state.rate_per_h:,.0f} an hour")
    if state.ended_at is None and state.remaining_s is not None:
        parts.append(f"{duration(state.remaining_s)} left")
    return ", ".join(parts)


def _time(iso: str) -> str:
    return f"{iso[:10]} {iso[11:19]} UTC"


def tell_plan(
    states: dict[str, tuple[str, str | None]],
    estimates: Estimates,
    slots: int,
    price_per_hour: float | None,
) -> None:
    """What of the plan is in which state, and how long the rest will take."""
    count = Counter(state for state, _ in states.values())
    parts = [f"{count[state]:,} {state}" for state in STATES if count[state]]
    terminal.note(f"{len(states):,} runs: {', '.join(parts)}")
    rows = len(estimates.seconds)
    if not rows:
        terminal.note("nothing is left to run")
        return
    if not estimates.known:
        terminal.note(f"no estimate for {rows:,} runs: no earlier run is like them")
        return
    hours = estimates.hours(slots)
    cost = f"{estimates.slot_hours():.3g} slot hours"
    if price_per_hour:
        cost += f", {price_per_hour * hours:,.2f} at {price_per_hour:g} an hour"
    terminal.note(
        f"about {duration(3600 * hours)} on {slots} slots ({cost}) for {rows:,}, from "
        f"{estimates.runs:,} earlier runs: {estimates.exact:,} of the same kind, "
        f"{estimates.known - estimates.exact:,} like the nearest, {rows - estimates.known:,} "
        "like the mean"
    )


def execute(going: Sweeping) -> None:
    """Run a sweep, show how far it is, and sum it up."""
    with shown(going.state) as tell:
        going.execute(lambda ended: tell(_remark(ended)))
    _summarise(going)


def _remark(ended: Ended) -> str | None:
    """What of a run is worth a line."""
    if ended.reason is None:
        return None
    what = "failed" if ended.state == "failed" else "its training collapsed"
    return f"{ended.row.name}: {what}: {ended.reason}"


def _summarise(going: Sweeping) -> None:
    """How the runs ended, the failures by their reasons, and what to type next."""
    counts = (
        (going.recorded, "recorded"),
        (going.recorded_before, "recorded before"),
        (len(going.failures), "failed"),
        (len(going.busy), "left to other processes that are at them"),
    )
    terminal.note(", ".join(f"{count:,} {what}" for count, what in counts if count))
    reasons: dict[str, list[str]] = {}
    for ended in going.failures:
        reasons.setdefault(ended.reason or "", []).append(ended.row.name)
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))[:REASONS]:
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        terminal.note(f"failed: {names[0]}{more}: {reason}")
    if going.failures:
        terminal.note("next: the same command with --only failed")
        raise click.exceptions.Exit(1)
    preset = going.rows[0].request.preset
    query = f"runs where preset = '{preset}'" if preset else "scores where source = 'measured'"
    terminal.note(f'next: lossnets sql "from {query}"')
