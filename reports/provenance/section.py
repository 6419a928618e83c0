"""Versions, hashes and the fingerprint of all inputs."""

from __future__ import annotations

import hashlib
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from lossnets import warehouse
from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.tables import Cell, Column, grid

PACKAGES = {
    "lossnets": "lossnets",
    "duckdb": "duckdb",
    "pandas": "pandas",
    "numpy": "numpy",
    "scipy": "scipy",
    "statsmodels": "statsmodels",
    "altair": "altair",
    "vl-convert-python": "lossnets.reports.page.bundle",  # loads it in a process of its own
    "jinja2": "jinja2",
    "markupsafe": "markupsafe",
}  # what may shape the page, and the modules that tell whether it was loaded for this one
SHIPPED = Path(warehouse.__file__).parent / "shipped"


def provenance(page: Page) -> dict[str, object]:
    """Versions, hashes of the shipped files, and the fingerprint of all inputs."""
    loaded = [(name, version(name)) for name, module in PACKAGES.items() if module in sys.modules]
    versions = pd.DataFrame(
        [("Python", platform.python_version()), *loaded], columns=["package", "version"]
    )
    files = sorted(
        path for folder in ("paper", "measured") for path in (SHIPPED / folder).glob("*")
    )
    hashes = pd.DataFrame(
        [
            (
                "warehouse/" + path.relative_to(SHIPPED.parent).as_posix(),
                path.stat().st_size,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in files
            if path.is_file()
        ],
        columns=["file", "bytes", "sha256"],
    )
    return {
        "versions": page.table(
            "versions",
            grid(
                versions,
                [
                    Column(key="package", label="Package", head=True),
                    Column(key="version", label="Version"),
                ],
            ),
            versions,
        ),
        "files": page.table(
            "files",
            grid(
                hashes,
                [
                    Column(key="file", label="File", head=True),
                    Column(key="bytes", label="Bytes", decimals=0, numeric=True),
                    Column(key="sha256", label="SHA-256"),
                ],
                cell=lambda row, column: (
                    Cell(text=row["sha256"], marks=("hash",)) if column.key == "sha256" else None
                ),
            ),
            hashes,
        ),
        "fingerprint": _fingerprint(page),
    }


def _fingerprint(page: Page) -> str:
    """The hash of all inputs by their content: no file's time enters it."""
    from lossnets.warehouse.sources.fingerprint import attributes, measured, shipped

    runs = page.query("run_ids").frame["run_id"]
    home = page.warehouse.home
    parts = [shipped(), measured(home), attributes(home), *runs]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


SECTION = Section(
    name="provenance",
    title="Provenance",
    order=190,
    build=provenance,
)
