"""Who may import whom, and what stays unimported until it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]


def test_imports_flow_one_way(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def heavy_imports_of(statement: str) -> set[str]:
    """Return which of the slow packages a fresh process holds after the statement."""
    heavy = "{'duckdb', 'pandas', 'scipy', 'statsmodels', 'altair', 'torch', 'torchvision'}"
    code = f"import sys; {statement}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_costs_no_slow_one():
    assert heavy_imports_of("import lossnets; dir(lossnets)") == set()


def test_the_command_line_starts_without_the_slow_packages():
    assert heavy_imports_of("import lossnets.cli.main") == set()


def test_records_are_written_without_duckdb_and_pandas():
    assert heavy_imports_of("import lossnets.warehouse.sources.records") == set()


def test_the_report_and_the_studies_need_no_torch():
    modules = (
        "lossnets.reports.build, lossnets.reports.paper.figures, "
        "lossnets.reports.explorer.section, lossnets.reports.summary.section, "
        "lossnets.analysis.studies"
    )
    imported = heavy_imports_of(f"import {modules}")
    assert imported >= {"altair", "pandas", "scipy"}
    assert not imported & {"torch", "torchvision"}
