"""Ten million measurements: import, views and an aggregate in the warehouse and in pandas.

`python -m bench.scale [MEASUREMENTS]`. A loss network has 100 measurements (10 scores × 10
seeds), an architecture four loss networks. Each step runs in a process of its own, whose peak
of resident memory it prints, with a mark where that is more than a laptop's 4 GiB; pandas has
the table loaded before its clock starts. Processor seconds count the whole process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MEASUREMENTS = 10_000_000
PER_ARCHITECTURE = 400
LAPTOP_GIB = 4

GENERATE = """
copy (
    with architectures as (select 'network_' || i as architecture from range({count}) t(i)),
    layers as (select unnest(['early', 'semi_early', 'middle', 'late']) as layer),
    scores as (select score, unit from score_catalog where position <= 10),
    seeds as (select i as seed from range(10) t(i))
    select architecture, layer, score, seed,
        round((if(unit = 'dB', 20, 0.5))
            + (hash(architecture, layer, score, seed) % 100000) / 250000, 4) as value
    from architectures, layers, scores, seeds
) to '{path}' (header)
"""

# What each process does: `start` is where its clock starts.
WAREHOUSE = {
    "import": "store = Warehouse(home); store.refresh(); start = now(); "
    "print(import_records(store, path, new_architectures=True), file=sys.stderr)",
    "best_layers": "store = Warehouse(home); start = now(); "
    "_, rows = store.rows('from best_layers'); assert len(rows) >= expected",
    "ranks": "store = Warehouse(home); start = now(); "
    "_, rows = store.rows('from ranks'); assert len(rows) >= expected",
    "aggregate": "store = Warehouse(home); start = now(); "
    "store.rows('select score, layer, count(*), avg(value), stddev(value) from scores '"
    "'group by all')",
    "open, nothing new": "start = now(); Warehouse.open(home)",
    "append one run": "store = Warehouse(home); start = now(); store.append(record)",
}
MEANS = """
means = frame.groupby(["score", "architecture", "layer"])["value"].mean().reset_index()
best = means.groupby(["score", "architecture"])["value"].max().rename("best").reset_index()
"""
PANDAS = {
    "import": """
start = now()
frame = pd.read_csv(path)
assert np.isfinite(frame["value"]).all()
assert not frame.duplicated(["architecture", "layer", "score", "seed"]).any()
frame.to_pickle(home + "/frame.pickle")
""",
    "best_layers": "frame = pd.read_pickle(home + '/frame.pickle'); start = now()"
    + MEANS
    + "reach = means.merge(best, on=['score', 'architecture'])\n"
    "reach = reach[reach['value'] == reach['best']]\n"
    "reach.groupby(['score', 'architecture'])['layer'].agg(list)",
    "ranks": "frame = pd.read_pickle(home + '/frame.pickle'); start = now()"
    + MEANS
    + "for method in ('average', 'min', 'max'):\n"
    "    best[method] = best.groupby('score')['best'].rank(method=method, ascending=False)",
    "aggregate": "frame = pd.read_pickle(home + '/frame.pickle'); start = now()\n"
    "frame.groupby(['score', 'layer'])['value'].agg(['count', 'mean', 'std'])",
}
READ_CSV = "start = now(); pd.read_csv(path)"
PREFACE = """
import json, resource, sys
from time import perf_counter as now
home, path, expected = sys.argv[1], sys.argv[2], int(sys.argv[3])
"""
WITH_WAREHOUSE = """
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.store import Warehouse
from lossnets.warehouse.sources.records import Measurement, RunRecord
record = RunRecord(benchmark="autoencoding", measurements=(Measurement(
    architecture="vgg11", layer="late", score="svhn_accuracy", value=0.5),))
"""
WITH_PANDAS = "import numpy as np, pandas as pd\n"
REPORT = """
seconds = now() - start
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20]))
"""


def measure(code: str, folder: Path, path: Path, expected: int) -> tuple[float, float, float]:
    """(seconds, processor seconds, peak resident GiB) of a process that runs the code."""
    script = folder / "step.py"
    script.write_text(PREFACE + code + REPORT)
    done = subprocess.run(
        [sys.executable, script, folder, path, str(expected)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, used, gib = json.loads(done.stdout)
    return seconds, used, gib


def main(measurements: int = MEASUREMENTS) -> None:
    """Print seconds, processor seconds and peak memory of each step, warehouse and pandas."""
    from lossnets.warehouse.store import Warehouse

    count = max(1, measurements // PER_ARCHITECTURE)
    build = Path("build")  # on a disk, where the folder for temporary files may be memory
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as name:
        folder = Path(name).resolve()
        path = folder / "scores.csv"
        _generate(Warehouse.open(folder / "empty"), count, path)
        print(
            f"{count * PER_ARCHITECTURE:,} measurements, {count * 4:,} loss networks, "
            f"{path.stat().st_size / 2**20:,.0f} MiB of CSV; seconds (processor seconds) peak"
        )
        print(f"{'':18} {'warehouse':>30} {'pandas':>30}")
        plain, *_ = measure(WITH_PANDAS + READ_CSV, folder, path, count * 10)
        for step, code in WAREHOUSE.items():
            found = measure(WITH_WAREHOUSE + code, folder, path, count * 10)
            cells = [_cell(*found)]
            if step == "import":
                print(f"import takes {found[0] / plain:.1f} × pandas.read_csv alone")
            if step in PANDAS:
                cells.append(_cell(*measure(WITH_PANDAS + PANDAS[step], folder, path, count * 10)))
            print(f"{step:18} {' '.join(cells)}", flush=True)
        size = (folder / "warehouse.duckdb").stat().st_size / 2**20
        print(f"the database takes {size:,.0f} MiB")


def _cell(seconds: float, used: float, gib: float) -> str:
    mark = "!" if gib > LAPTOP_GIB else " "
    return f"{seconds:8.2f} s ({used:6.2f}) {gib:5.2f} GiB{mark}"


def _generate(warehouse: object, count: int, path: Path) -> None:
    from lossnets.warehouse.loading import database

    with database.exporting(warehouse.path, path.parent) as connection:  # type: ignore[attr-defined]
        connection.execute(GENERATE.format(count=count, path=path))


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "").replace(",", "")) if sys.argv[1:] else MEASUREMENTS)
