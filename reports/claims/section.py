"""The ledger of the paper's checkable statements, by verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import listed, of_paper, study
from lossnets.reports.page.tables import Cell, Column, Grid, grid, records, shown

VERDICTS = {
    "supported": "Supported",
    "partly": "Partly supported",
    "contradicted": "Contradicted",
    "not testable": "Not testable with what is there",
}
GIVEN = "as given"


def claims_ledger(page: Page) -> dict[str, object]:
    """Every statement with its number, rule and verdict, and what the verdict hangs on."""
    claims = study(page, "claims")
    paper = of_paper(claims)
    given = paper[paper["variant"] == GIVEN]
    counts = given["verdict"].value_counts()
    return {
        "ledger": _ledger(page, claims),
        "counts": {label: int(counts.get(verdict, 0)) for verdict, label in VERDICTS.items()},
        "claims": len(given),
        "turned": turned_claims(paper),
        "fragile": int((given["noise_fraction"] < 0.1).sum()),
        "noisy": int(given["noise_fraction"].notna().sum()),
        "measured": _measured(claims),
        "listed": listed,
    }


def turned_claims(claims: pd.DataFrame) -> list[dict[str, Any]]:
    """The claims whose verdict another variant turns, with both verdicts."""
    given = claims[claims["variant"] == GIVEN].set_index("claim")["verdict"].to_dict()
    turned = claims[claims["verdict_changes"].astype(bool)]
    return [row | {"given": given[row["claim"]]} for row in records(turned)]


def _measured(claims: pd.DataFrame) -> dict[str, int]:
    """How the claims stand on measured runs, where there are any."""
    rows = claims[(claims["source"] == "measured") & (claims["variant"] == GIVEN)]
    counts = rows["verdict"].value_counts()
    return {label: int(counts[verdict]) for verdict, label in VERDICTS.items() if verdict in counts}


def _ledger(page: Page, claims: pd.DataFrame) -> Exhibit:
    return page.table("claims", ledger_grid(of_paper(claims)), claims, study="claims")


def ledger_grid(claims: pd.DataFrame) -> Grid:
    """A row per claim as given, under its verdict."""
    given = claims[claims["variant"] == GIVEN].copy()
    given["order"] = given["verdict"].map({name: i for i, name in enumerate(VERDICTS)})
    given = given.sort_values("order", kind="stable")
    columns = (
        Column(key="section", label="Section"),
        Column(key="statement", label="Statement"),
        Column(key="number", label="Number", numeric=True),
        Column(key="number_label", label="What it is"),
        Column(key="noise_fraction", label="Bears noise", numeric=True),
        Column(key="rule", label="Rule, and the numbers it met"),
    )

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.key == "statement":
            return Cell(text=row["statement"], marks=("wrap",))
        if column.key == "number":
            return _number(row)
        if column.key == "number_label":
            unit = f" ({row['unit']})" if row["unit"] else ""
            return Cell(text=row["number_label"] + unit, marks=("wrap",))
        if column.key == "noise_fraction":
            return _noise(row)
        if column.key == "rule":
            parts = (row["rule"], row["reason"], row["note"])
            return Cell(text=" — ".join(part for part in parts if part), marks=("wrap",))
        return None

    return grid(given, columns, group="verdict", labels=VERDICTS, cell=cell)


def _number(row: Mapping[str, Any]) -> Cell:
    if row["number"] != row["number"]:
        return Cell(text="", marks=("missing",))
    return Cell(text=shown(float(f"{row['number']:.3g}")))


def _noise(row: Mapping[str, Any]) -> Cell:
    fraction = row["noise_fraction"]
    if fraction != fraction:
        return Cell(text="", marks=("missing",))
    if fraction == 0:
        return Cell(text="< 0.05 sd")
    return Cell(text=f"{'≥ ' if fraction >= 1 else ''}{shown(fraction)} sd")


SECTION = Section(
    name="claims_ledger",
    title="Which of the paper’s statements its numbers support",
    order=160,
    build=claims_ledger,
)
