"""The procedure: Figure 1."""

from __future__ import annotations

from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.tables import (
    records,
)


def procedure(page: Page) -> dict[str, object]:
    """Figure 1: from benchmarks and loss networks to scores to analysis."""
    query = page.query("procedure")
    networks = page.frames().loss_networks
    return {
        "drawn": page.figure("figure_01", None, query, number="1"),
        "benchmarks": records(query.frame),
        "architectures": networks["architecture"].nunique(),
        "layers": networks["layer"].nunique(),
        "networks": len(networks),
        "scores": int(query.frame["scores"].sum()),
        "values": len(page.frames().scores),
    }


SECTION = Section(
    name="procedure",
    title="The procedure",
    order=20,
    build=procedure,
)
