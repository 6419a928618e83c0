"""What was computed, and how."""

from __future__ import annotations

from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section


def methods(page: Page) -> dict[str, object]:
    """What was computed, and how."""
    return {"scores": len(page.frames().score_catalog.dropna(subset=["paper_table"]))}


SECTION = Section(
    name="methods",
    title="Methods",
    order=180,
    build=methods,
)
