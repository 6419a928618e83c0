"""The ledger of the paper's checkable statements, by verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import in_words, listed, of_paper, study
from lossnets.reports.page.tables import Cell, Column, Grid, grid, records, shown

VERDICTS = {  # as the page lists them: what does not hold first
    "contradicted": "Contradicted",
    "partly": "Partly supported",
    "cannot be told": "Cannot be told",
    "supported": "Supported",
    "as stated": "As stated",
    "not testable": "Not testable with what is there",
}
SIGNS = dict(zip(VERDICTS, "×◐?✓=–", strict=True))
GIVEN = "as given"


def claims_ledger(page: Page) -> dict[str, object]:
    """Every statement with its number, verdict and severity, and what the verdict hangs on."""
    claims = study(page, "claims")
    paper = of_paper(claims)
    given = paper[paper["variant"] == GIVEN]
    counts = given["verdict"].value_counts()
    return {
        "ledger": page.table("claims", ledger_grid(paper), claims, study="claims"),
        "groups": ledger_groups(paper.assign(reason=[in_words(page, r) for r in paper["reason"]])),
        "counts": {label: int(counts.get(verdict, 0)) for verdict, label in VERDICTS.items()},
        "claims": len(given),
        "testable": int((given["verdict"] != "not testable").sum()),
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


def ledger_groups(claims: pd.DataFrame) -> list[dict[str, Any]]:
    """Claims by verdict, contradicted ones first: what a line says and what it folds away."""
    given = claims[claims["variant"] == GIVEN]
    turned: dict[str, list[dict[str, Any]]] = {}
    for row in turned_claims(claims):
        turned.setdefault(row["claim"], []).append(row)
    groups = []
    for verdict, label in VERDICTS.items():
        rows = records(given[given["verdict"] == verdict])
        lines = [_line(row, turned.get(row["claim"], [])) for row in rows]
        if lines:
            name = verdict.replace(" ", "-")
            groups.append({"label": label, "name": name, "sign": SIGNS[verdict], "rows": lines})
    return groups


def _line(row: Mapping[str, Any], turned: list[dict[str, Any]]) -> dict[str, Any]:
    noise = row["noise_fraction"]
    return dict(row) | {
        "number": _number(row).text,
        "chance": percent(row["severity"]),
        "missed": percent(row["missed"]),
        "noise": "" if noise != noise or noise is None else _noise(noise),
        "turned": turned,
    }


def percent(share: float | None) -> str:
    """A share in words: how often of a hundred, nothing where it is not known.

    >>> percent(0.0), percent(0.004), percent(0.34), percent(float("nan"))
    ('< 0.1 %', '0.4 %', '34 %', '')
    """
    if share is None or share != share:
        return ""
    return "< 0.1 %" if share < 0.0005 else f"{100 * share:.2g} %" if share < 0.995 else "100 %"


def ledger_grid(claims: pd.DataFrame) -> Grid:
    """A row per claim as given, under its verdict: what downloads hold."""
    given = claims[claims["variant"] == GIVEN].copy()
    given["order"] = given["verdict"].map({name: i for i, name in enumerate(VERDICTS)})
    given = given.sort_values("order", kind="stable")
    columns = (
        Column(key="section", label="Section"),
        Column(key="statement", label="Statement"),
        Column(key="number", label="Number", numeric=True),
        Column(
            key="severity",
            label="By chance",
            numeric=True,
            help="how often shuffled scores get the same verdict",
        ),
    )

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.key == "number":
            return _number(row)
        if column.key == "severity":
            text = percent(row["severity"])
            return Cell(text=text, marks=() if text else ("missing",))
        return None

    return grid(given, columns, group="verdict", labels=VERDICTS, cell=cell)


def _number(row: Mapping[str, Any]) -> Cell:
    if row["number"] is None or row["number"] != row["number"]:
        return Cell(text="", marks=("missing",))
    return Cell(text=shown(float(f"{row['number']:.3g}")))


def _noise(fraction: float) -> str:
    if fraction == 0:
        return "less than 0.05 sd"
    return f"{shown(fraction)} sd{' or more' if fraction >= 1 else ''}"


SECTION = Section(
    name="claims_ledger",
    title="Which of the paper’s statements its numbers support",
    order=160,
    build=claims_ledger,
    styles=("claims.css",),
)
