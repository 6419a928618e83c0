"""A sweep of 100,000 simulated runs: planned, executed, loaded, asked for and reported.

`python -m bench.sweep [RUNS]`. Nothing is trained: what is timed is all that lossnets does around
the training of a run, by the local executor with a process for each processor. Each step runs in
a process of its own, whose peak of resident memory it prints.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 100_000
PER_SEED = 112  # 14 architectures × 4 layers × 2 factors

PREFACE = """
import contextlib, json, os, resource, sys
from pathlib import Path
from time import perf_counter as now
home, runs, seeds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
plan, quiet = home.parent / "plan.csv", lambda done, total, what: None
benchmarks = {"super-resolution": "bench._simulated"}
silent = contextlib.redirect_stdout(sys.stderr)
"""
SWEEP = """
from lossnets.runners.sweeps.plan import Sweep, plan_sweep
def planned():
    rows = plan_sweep(Sweep(seeds=seeds), home, quiet, benchmarks).rows[:runs]
    assert len(rows) == runs
    return rows
"""
EXECUTE = """
from lossnets.runners.sweeps.executors.local import Local
from lossnets.runners.sweeps.progress import Sweeping, states_of
going = Sweeping(planned(), Local(device="cpu", modules=benchmarks), home)
start = now()
going.execute(lambda ended: None)
assert (going.recorded, going.failures) == (runs, []), going.failures[:1]
"""
COMMAND = (
    "from lossnets.cli.main import main; start = now()\n"
    "with silent, contextlib.suppress(SystemExit): "
)
# What each process does: `start` is where its clock starts.
STEPS = {
    "plan": SWEEP + "start = now(); planned()",
    "execute": SWEEP + EXECUTE,
    "states of a plan that is done": SWEEP
    + "from lossnets.runners.sweeps.progress import states_of; rows = planned(); start = now()\n"
    "assert {state for state, _ in states_of(rows, home).values()} == {'done'}",
    "estimate": SWEEP
    + "from lossnets.runners.sweeps.estimates import estimate; rows = planned(); start = now()\n"
    "assert estimate(rows, home, 'cpu', benchmarks).exact == runs",
    "what is recorded, without DuckDB": "from lossnets.runners.runs.recorded import Recorded\n"
    "start = now()\n"
    "assert len(Recorded(home, database=False).ids()) == runs",
    "load all, from the files": "from lossnets.warehouse.store import Warehouse; start = now()\n"
    "Warehouse(home).rebuild()",
    "load one more": "from lossnets.warehouse.store import Warehouse\n"
    "from lossnets.warehouse.sources.records import *\n"
    "store = Warehouse(home); start = now(); store.append(RunRecord(benchmark='autoencoding', "
    "seed=1, measurements=(Measurement(architecture='vgg11', layer='late', "
    "score='svhn_accuracy', value=0.5),)))",
    "open, nothing new": "from lossnets.warehouse.store import Warehouse; start = now()\n"
    "Warehouse.open(home)",
    "status": COMMAND + "main(['--home', str(home), 'status'])",
    "status of the sweep": "from lossnets.runners.sweeps.state import read_states; start = now()\n"
    "assert read_states(home)[0].done == runs",
    "means of every score, SQL": COMMAND
    + "main(['--home', str(home), 'sql', \"select score, layer, count(*), avg(value), "
    "stddev(value) from scores where source = 'measured' group by all\"])",
    "report": COMMAND + "main(['--home', str(home), 'report', '-o', str(home.parent / 'report')])",
    "report, nothing new": COMMAND
    + "main(['--home', str(home), 'report', '-o', str(home.parent / 'report')])",
}
PER_RUN = ("plan", "execute", "load all, from the files")  # steps that have a rate
REPORT = """
seconds = now() - start
peak = [resource.getrusage(who).ru_maxrss for who in
        (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps([seconds, *(each / 2**10 for each in peak)]))
"""


def measure(code: str, home: Path, runs: int, seeds: int) -> tuple[float, float, float]:
    """Seconds, peak resident MiB of the process that runs the code, and of its greatest child."""
    script = home.parent / "step.py"
    script.write_text(PREFACE + code + REPORT)
    done = subprocess.run(
        [sys.executable, script, home, str(runs), str(seeds)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, own, child = json.loads(done.stdout)
    return seconds, own, child


def main(runs: int = RUNS) -> None:
    """Print seconds, runs a second and peak memory of each step."""
    build = Path("build")  # on a disk, where the folder for temporary files may be memory
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as name:
        home = Path(name).resolve() / "data"
        print(f"{runs:,} runs on {os.cpu_count()} processors")
        for step, code in STEPS.items():
            seconds, own, child = measure(code, home, runs, -(-runs // PER_SEED))
            rate = f"{runs / seconds:10,.0f} runs/s" if step in PER_RUN else ""
            of_child = f", a worker {child:,.0f} MiB" if step == "execute" else ""
            print(
                f"{step:34} {seconds:8.2f} s {rate:17} peak {own:6,.0f} MiB{of_child}", flush=True
            )
        _tell_sizes(home)


def _tell_sizes(home: Path) -> None:
    log = [path.stat() for path in (home / "records").iterdir()]
    size = sum(status.st_size for status in log) / 2**20
    database = (home / "warehouse.duckdb").stat().st_size / 2**20
    print(f"the log takes {size:,.0f} MiB in {len(log):,} files, the database {database:,.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "").replace(",", "")) if sys.argv[1:] else RUNS)
