"""Faults without end: `make soak`, or `soak.py [--minutes 5] [--seed N] [CHAPTER …]`.

Goes through the chapters again and again, each on a data folder of its own below build/, until
the time is over; then prints what it did to them, and what was lost. Ends with status 1 as soon as
the check of a chapter fails, and leaves its folder there to look at.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import chapters
import failing
from disks import COMMANDS
from kills import Killer
from real_sweeps import killed_sweep

from lossnets.warehouse.store import Warehouse

CHAPTERS: dict[str, tuple[Callable[[Killer, int], None], int]] = {
    **{f"{name} killed": (partial(chapters.writers, name=name), 25) for name in chapters.WRITERS},
    **{f"{name} killed": (partial(chapters.loaders, name=name), 40) for name in chapters.LOADERS},
    "8 at once killed": (chapters.storm, 60),
    "compaction killed": (chapters.compaction, 12),
    "clocks set back": (chapters.clocks, 20),
    "report killed": (chapters.report, 15),
    "run killed": (partial(chapters.runs, name="run"), 8),
    "sweep killed": (partial(chapters.runs, name="sweep"), 8),
    "4 sweeps on one plan killed": (chapters.one_plan, 20),
    **{
        f"failing calls: {name}": (partial(chapters.failing_calls, name=name), 40)
        for name in failing.COMMANDS
    },
    **{f"little room: {name}": (partial(chapters.little_disk, name=name), 10) for name in COMMANDS},
    "files damaged": (chapters.damage, 60),
    "`lossnets sweep` killed": (killed_sweep, 2),
}


@dataclass
class Tally:
    """Of one chapter, however often it was gone through."""

    faults: int = 0
    acknowledged: int = 0
    seconds: float = 0.0


def soak(minutes: float, seed: int, names: list[str]) -> bool:
    """Go through chapters until the time is over; whether every check held."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=build)).resolve()
    shipped = Warehouse.open(folder / "shipped").path
    tallies = {name: Tally() for name in names}
    end, held = time.monotonic() + 60 * minutes, True
    for number, name in enumerate(itertools.cycle(names)):
        if time.monotonic() >= end or not held:
            break
        home = folder / str(number) / "data"
        home.mkdir(parents=True)
        shutil.copy(shipped, home)
        held = _go_through(name, Killer(home, seed + number), tallies[name])
        if held:
            shutil.rmtree(home.parent)
    _print(tallies, held, seed)
    if held:
        shutil.rmtree(folder)
    return held


def _go_through(name: str, killer: Killer, tally: Tally) -> bool:
    chapter, faults = CHAPTERS[name]
    start = time.monotonic()
    try:
        chapter(killer, faults)
    except Exception:
        traceback.print_exc()
        print(f"{name}: the check failed; the data folder is {killer.home}", flush=True)
        return False
    finally:
        tally.faults += killer.faults
        tally.acknowledged += len(killer.acknowledged)
        tally.seconds += time.monotonic() - start
    print(
        f"{name}: {killer.faults} faults, {len(killer.acknowledged):,} records acknowledged, "
        "all of them there once",
        flush=True,
    )
    return True


def _print(tallies: dict[str, Tally], held: bool, seed: int) -> None:
    print(f"\n{'chapter':32} {'faults':>7} {'acknowledged':>13} {'seconds':>8}")
    for name, tally in tallies.items():
        print(f"{name:32} {tally.faults:7,} {tally.acknowledged:13,} {tally.seconds:8.0f}")
    faults = sum(tally.faults for tally in tallies.values())
    acknowledged = sum(tally.acknowledged for tally in tallies.values())
    lost = "nothing" if held else "see above"
    print(f"{faults:,} faults, {acknowledged:,} records acknowledged, lost: {lost} (seed {seed})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("chapters", nargs="*", help="Those whose names have this in them.")
    options = parser.parse_args()
    words = options.chapters or [""]
    named = [name for name in CHAPTERS if any(word in name for word in words)]
    sys.exit(not soak(options.minutes, options.seed, named or parser.error("no such chapter")))
