"""What the layer costs: Figure 4."""

from __future__ import annotations

from lossnets.reports.page import theme
from lossnets.reports.page.page import Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_figures import ordered
from lossnets.reports.paper import figures


def forward_cost(page: Page) -> dict[str, object]:
    """Figure 4: 2AFC against the cost of the forward pass."""
    catalog = set(page.frames().attribute_catalog["attribute"])
    measured = "macs_to_layer" in catalog
    macs = "loss_networks.macs_to_layer" if measured else "loss_networks.paper_mflops * 1e6"
    query = page.query("figure_04", macs=macs)
    families = ordered(page.frames().architectures["family"])
    chart = figures.similarity_against_macs(query.frame, families)
    filters = (
        Filter(field="family", label="Family", values=families, marks=theme.marks(families)),
    )
    known = query.frame["macs"].notna()
    costs = query.frame[known].groupby("architecture")["macs"]
    return {
        "cost": page.figure("figure_04", chart, query, number="4", filters=filters),
        "measured": measured,
        "missing": int((~known).sum()),
        "ratio": (costs.max() / costs.min()).median() if known.any() else float("nan"),
    }


SECTION = Section(
    name="forward_cost",
    title="What the layer costs",
    order=60,
    build=forward_cost,
)
