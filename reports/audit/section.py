"""The section on the audit: what in the published tables contradicts something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    gaps,
    in_words,
    labels,
    of_paper,
    paper_study,
    study,
    words,
)
from lossnets.reports.page.tables import Cell, Column, grid, records

KINDS = ("contradiction", "departure", "collapse", "pattern")
STRENGTHS = {
    "certain": "Certain",
    "strong": "Strong",
    "suggestive": "Suggestive",
}


def audit_findings(page: Page) -> dict[str, object]:
    """Findings by strength with their evidence, and the rules that found them."""
    frame = study(page, "audit")
    paper = of_paper(frame)
    counts = paper["strength"].value_counts()
    return {
        "findings": _findings(page, frame),
        "kinds": kind_counts(paper),
        "counts": {STRENGTHS[name]: int(counts.get(name, 0)) for name in STRENGTHS},
        "tables": table_counts(paper),
        "rules": _rules(page),
        "silent": paper_study(page, "audit_rules").query("findings == 0")["title"].tolist(),
        "gaps": gaps(paper_study(page, "audit_rules"), "rules"),
    }


def _findings(page: Page, frame: pd.DataFrame) -> Exhibit:
    known = labels(page)
    rows = of_paper(frame).copy()
    titles = paper_study(page, "audit_rules").set_index("rule")["title"].to_dict()
    names = known.score | known.attribute
    rows["what"] = [
        ", ".join(names.get(each, in_words(page, each)) for each in column.split(", "))
        for column in rows["column"]
    ]
    for spoken in ("evidence", "expected"):
        rows[spoken] = [in_words(page, text) for text in rows[spoken]]
    rows["layer"] = rows["layer"].map(words)
    rows["rule"] = rows["rule"].map(titles).fillna(rows["rule"])
    shown = (
        Column(key="table", label="Table"),
        Column(key="name", label="Architecture", head=True),
        Column(key="layer", label="Layer"),
        Column(key="what", label="Column"),
        Column(key="kind", label="Kind"),
        Column(key="printed", label="Printed", numeric=True),
        Column(key="expected", label="Contradicted by"),
        Column(key="evidence", label="Evidence"),
    )

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.key in ("expected", "evidence"):
            return Cell(text=str(row[column.key] or ""), marks=("wrap",))
        return None

    made = grid(rows, shown, group="strength", labels=STRENGTHS, cell=cell)
    return page.table("audit", made, frame, study="audit")


def _rules(page: Page) -> Exhibit:
    frame = study(page, "audit_rules")
    columns = (
        Column(key="title", label="Rule", head=True),
        Column(key="looked_at", label="Looked at", numeric=True, decimals=0),
        Column(key="findings", label="Findings", numeric=True, decimals=0),
        Column(key="scale", label="Strength"),
    )

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        wide = column.key in ("title", "scale")
        return Cell(text=str(row[column.key] or ""), marks=("wrap",)) if wide else None

    return page.table(
        "audit_rules", grid(of_paper(frame), columns, cell=cell), frame, study="audit_rules"
    )


def kind_counts(findings: pd.DataFrame) -> dict[str, int]:
    """How many findings are contradictions, and how many something else; 0 where none is."""
    counts = findings["kind"].value_counts()
    return {kind: int(counts.get(kind, 0)) for kind in KINDS}


def table_counts(findings: pd.DataFrame) -> list[dict[str, Any]]:
    """How many findings of each strength a table has, in the paper's order."""
    counted = findings.groupby(["table", "strength"], sort=False).size().rename("findings")
    return records(counted.reset_index())


SECTION = Section(
    name="audit_findings",
    title="What does not add up in the published tables",
    order=150,
    build=audit_findings,
)
