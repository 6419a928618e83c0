"""Where the sections of the page lie."""

from __future__ import annotations

from pathlib import Path

REPORTS = Path(__file__).parents[1]


def folders() -> list[Path]:
    """The folders of all sections: wherever a `section.py` lies beside a `section.html.j2`."""
    return sorted(path.parent for path in REPORTS.rglob("section.html.j2"))
