"""The section on cost: which loss networks does no cheaper one match?"""

from __future__ import annotations

from typing import Any

import pandas as pd

from lossnets.reports.choice import figures
from lossnets.reports.choice.ways import ways
from lossnets.reports.page import theme
from lossnets.reports.page.page import Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    PAPER,
    gaps,
    labels,
    number,
    of_paper,
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Column, grid, records

KEPT = (
    *("cost", "score", "architecture", "family", "layer", "value", "cost_value"),
    *("on_front", "ratio", "rivals", "chance", "lost", "note"),
)
MOST = 12  # rows of the table of the most frequent choices


def cost_study(page: Page) -> dict[str, object]:
    """Ways to choose for a new task, and Pareto fronts of score against cost."""
    fronts = pareto_points(page)
    shares = study(page, "pareto_shares")
    known = labels(page)
    families = list(page.frames().scores["family"].dropna().drop_duplicates())
    catalog = page.frames().architectures["family"].dropna().drop_duplicates().tolist()
    families = [f for f in catalog if f in families] + [f for f in families if f not in catalog]
    costs = fronts["cost"].dropna().drop_duplicates().tolist()
    scores = [name for name in known.score if name in set(fronts["score"])]
    return ways(page) | {
        "fronts": page.figure(
            "pareto_fronts",
            figures.pareto(fronts, families),
            fronts,
            study="pareto_fronts",
            filters=(
                Filter(
                    field="score", label="Score", values=scores, labels=known.score, single=True
                ),
                Filter(
                    field="cost", label="Cost", values=costs, labels=known.attribute, single=True
                ),
                Filter(
                    field="family", label="Family", values=families, marks=theme.marks(families)
                ),
                *source_filter(page),
            ),
        ),
        "shares": _shares(page, shares),
        "first": beyond_chance(of_paper(shares)),
        "cost_labels": {cost: known.attribute.get(cost, cost) for cost in costs},
        "gaps": gaps(of_paper(fronts), "cells"),
        "words": words,
        "number": number,
    }


def pareto_points(page: Page) -> pd.DataFrame:
    """Every loss network's score and cost, and whether it lies on the front.

    Other sources' networks whose cost is not known are left out: they can stand nowhere.
    """

    def known() -> pd.DataFrame:
        points = study(page, "pareto_fronts", KEPT)
        kept = (points["source"] == PAPER) | points["cost_value"].notna()
        return points[kept].reset_index(drop=True)

    points: pd.DataFrame = page.once("pareto points", known)
    return points


def _shares(page: Page, frame: pd.DataFrame) -> Any:
    rows = of_paper(frame)
    rows = rows[rows["fronts"] > 0].sort_values(
        ["cost", "fronts", "name", "layer"], ascending=[True, False, True, True]
    )
    rows = rows.groupby("cost", sort=False).head(MOST)
    columns = (
        Column(key="name", label="Architecture", head=True),
        Column(key="layer", label="Layer"),
        Column(key="fronts", label="Fronts", numeric=True, decimals=0),
        Column(key="scores", label="of scores", numeric=True, decimals=0),
        Column(key="expected", label="By chance", numeric=True, decimals=1),
        Column(key="lost", label="Lost, sd", numeric=True, decimals=1),
        Column(key="benchmarks", label="Benchmarks", numeric=True, decimals=0),
    )
    shown = rows.assign(layer=rows["layer"].map(words))
    made = grid(shown, columns, group="cost", labels=labels(page).attribute)
    return page.table("pareto_shares", made, frame, study="pareto_shares")


def beyond_chance(shares: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """For each cost, the loss networks on the most fronts beyond what chance gives, the first.

    How cheap a network is says how often scores dealt at random put it on a front (`expected`);
    the cheapest of all is on every one.
    """
    shares = shares.dropna(subset=["fronts"])
    excess = (shares["fronts"] - shares["expected"]).round(9)
    first = excess == excess.groupby(shares["cost"]).transform("max")
    found = shares[first & (excess > 0)]
    return {str(cost): records(own) for cost, own in found.groupby("cost", sort=False)}


SECTION = Section(
    name="cost_study",
    title="Which to choose, and what it costs",
    order=140,
    build=cost_study,
)
