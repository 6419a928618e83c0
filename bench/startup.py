"""What the commands cost beside the bare imports that they cannot do without."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench._timing import in_turn, process, ratio

IMPORTS = "import pandas, scipy.stats, statsmodels.api, altair, duckdb, vl_convert"
STUDIES = """
import time
start = time.perf_counter()
import scipy.stats, statsmodels.api
imported = time.perf_counter()
from lossnets.analysis import studies
from lossnets.analysis.frames.frames import Frames
from lossnets.warehouse.store import Warehouse
frames = Frames.read(Warehouse.open({home!r}))
ready = time.perf_counter()
studies.run(frames)
print((time.perf_counter() - ready) / (imported - start))
"""


def main(rounds: int = 7) -> None:
    """Print each ratio as its median, with the bound that the project set itself."""
    with tempfile.TemporaryDirectory() as folder:
        home, page = str(Path(folder, "data")), str(Path(folder, "report"))
        lossnets = ("-m", "lossnets", "--home", home)
        report = process(*lossnets, "report", "-o", page)

        def from_nothing() -> None:
            shutil.rmtree(home, ignore_errors=True)
            shutil.rmtree(page, ignore_errors=True)
            report()

        seconds = in_turn(
            {
                "imports": process("-c", IMPORTS),
                "report from nothing": from_nothing,
                "report, nothing changed": report,
                "--version": process("-m", "lossnets", "--version"),
                "import duckdb": process("-c", "import duckdb"),
                "sql": process(*lossnets, "sql", "select 42"),
            },
            rounds,
        )
        rows = (
            ("report from nothing", "imports", 3.0),
            ("report, nothing changed", "--version", 1.5),
            ("sql", "import duckdb", 3.0),
        )
        for name, base, bound in rows:
            times = ratio(seconds[name], seconds[base])
            print(f"{name:26} {times:5.2f} x {base:16} (bound {bound})")
        study_times = [studies_over_imports(home) for _ in range(3)]
        times = statistics.median(study_times)
        print(f"{'all studies':26} {times:5.2f} x {'their imports':16} (bound 1.0)")


def studies_over_imports(home: str) -> float:
    """Return the seconds of all studies over those of importing SciPy and statsmodels."""
    run: Callable[[], object] = process("-c", STUDIES.format(home=home))
    return float(getattr(run(), "stdout", b"nan"))
