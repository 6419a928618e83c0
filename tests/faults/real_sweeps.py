"""`lossnets sweep` itself, killed with all it started, or one of its workers, and given again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
from invariant import left_over
from kills import Killer

from lossnets.warehouse.sources.records import read_entry
from lossnets.warehouse.store import Warehouse

SWEEP = (
    "sweep", "--preset", "smoke", "--benchmark", "perceptual-similarity,autoencoding",
    "--set", "dataset=svhn", "--architecture", "alexnet,squeezenet1_1", "--layer", "early",
    "--processes", "2", "--device", "cpu",
)  # fmt: skip
SCORES = "select run_id, value from preset_scores order by all"


def killed_sweep(killer: Killer, faults: int) -> None:
    """Killed at random moments and given again, it records what it does when left alone."""
    alone = killer.home.with_name("alone")
    assert _start(alone).wait() == 0
    while killer.faults < faults:
        sweep = _start(killer.home)
        with suppress(subprocess.TimeoutExpired):
            sweep.wait(killer.chance.uniform(2, 25))
        workers = []
        with suppress(psutil.NoSuchProcess):
            workers = [child.pid for child in psutil.Process(sweep.pid).children()]
        if workers and killer.chance.random() < 0.5:
            _kill(killer.chance.choice(workers))  # the sweep goes on with another
            killer.faults += 1
            with suppress(subprocess.TimeoutExpired):
                sweep.wait(killer.chance.uniform(0, 10))
        killer.faults += sweep.poll() is None
        _kill(sweep.pid)
        sweep.wait()
        for pid in workers:
            _gone(pid)
    assert _start(killer.home).wait() == 0
    store = Warehouse.open(killer.home)
    found = store.rows(SCORES)
    assert found == Warehouse.open(alone).rows(SCORES), "other scores than without kills"
    assert found[1]
    ids = _ids(killer.home)
    assert len(ids) == len(set(ids)), "executed twice"
    assert not left_over(killer.home), left_over(killer.home)
    killer.acknowledged.update(ids)


def _start(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lossnets", "--home", str(home), *SWEEP],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _gone(pid: int) -> None:
    """Wait for a worker that lost its sweep to end by itself."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(timeout=60)


def _ids(home: Path) -> list[str]:
    return [run.run_id for path in sorted((home / "records").iterdir()) for run in read_entry(path)]
