"""The tables on attributes, and what their captions count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.study_results import (
    VIEW_LABELS,
    labels,
    noted,
    of_paper,
    study,
    words,
)
from lossnets.reports.page.tables import Cell, Column, grid, records, shown

ALPHA = 0.05


def with_score_labels(page: Page, name: str) -> pd.DataFrame:
    """A study whose score may be `mean_rank`, with that as "mean rank, <benchmark>"."""
    frame = study(page, name)
    ranked = frame["score"] == "mean_rank"
    texts = "mean rank, " + frame["benchmark"].map(words).astype(object)
    frame["score_label"] = frame["score_label"].astype(object).where(~ranked, texts)
    return frame


def categories(page: Page) -> Exhibit:
    """Families, and attributes that are words, against the mean ranks."""
    frame = with_score_labels(page, "correlation_categories")
    rows = of_paper(frame)
    rows = rows[rows["view"] == "mean_rank"]
    ends = (("best", "Best category"), ("worst", "Worst category"))
    columns = (
        Column(key="score_label", label="Scores", head=True),
        Column(key="epsilon_squared", label="ε²", numeric=True, decimals=2),
        Column(key="expected", label="by chance", numeric=True, decimals=2),
        Column(key="p_westfall_young", label="p", numeric=True, decimals=3),
        *(
            column
            for key, label in ends
            for column in (
                Column(key=key, label="category", group=label),
                Column(
                    key=f"{key}_mean_rank", label="mean rank", group=label, numeric=True, decimals=1
                ),
            )
        ),
    )
    known = labels(page).attribute | {"family": "Family"}
    made = grid(rows, noted(columns, rows), group="attribute", labels=known)
    return page.table("correlation_categories", made, frame, study="correlation_categories")


def overview(page: Page, summary: pd.DataFrame) -> Exhibit:
    """Each attribute's strongest correlation, where it can be read as one: best layer or mean."""
    view = summary["level"].map({"architecture": "best", "loss_network": "mean"})
    rows = summary[summary["view"] == view].copy()
    rows["view"] = rows["view"].map(VIEW_LABELS)
    columns = (
        Column(key="attribute_label", label="Attribute", head=True),
        Column(key="view", label="Scores at the"),
        Column(key="score_label", label="Score", group="strongest Spearman correlation"),
        Column(
            key="spearman",
            label="ρ",
            group="strongest Spearman correlation",
            numeric=True,
            decimals=2,
        ),
        Column(
            key="p", label="p", group="strongest Spearman correlation", numeric=True, decimals=4
        ),
        Column(key="p_any_attribute", label="p, all attributes", numeric=True, decimals=4),
        Column(key="found", label="found", group="scores", numeric=True, decimals=0),
        Column(key="family_size", label="of", group="scores", numeric=True, decimals=0),
        Column(
            key="minimum_detectable_in_family", label="Detectable |ρ|", numeric=True, decimals=2
        ),
    )

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        value = shown(row[column.key], column.decimals)
        return Cell(text="", marks=("missing",)) if not value and column.numeric else None

    return page.table(
        "correlation_summary",
        grid(rows, noted(columns, rows), cell=cell),
        study(page, "correlation_summary"),
        study="correlation_summary",
    )


def summary_counts(summary: pd.DataFrame) -> dict[str, Any]:
    """How many attributes are found to go with some score, by best layer, and which most.

    Of attributes that say the same one counts.
    """
    best = summary[(summary["view"] == "best") & summary["same_as"].isna()]
    found = best[best["found"] > 0].sort_values(["found", "p"], ascending=[False, True])
    return {"attributes": len(best), "found": records(found)}


def group_counts(groups: pd.DataFrame) -> list[dict[str, Any]]:
    """For each binary attribute, on how many scores by best layer its groups differ."""
    best = groups[groups["view"] == "best"]
    return [
        {
            "attribute": attribute,
            "found": int((own["p_westfall_young"] < ALPHA).sum()),
            "family_size": int(own["family_size"].max()),
            "better": int((own.loc[own["p_westfall_young"] < ALPHA, "cliffs_delta"] > 0).sum()),
        }
        for attribute, own in best.groupby("attribute_label", sort=False)
    ]


def corrections(page: Page) -> Exhibit | None:
    frame = with_score_labels(page, "correlation_corrections")
    rows = of_paper(frame)
    rows = rows[rows["view"] == "mean_rank"]
    if rows.empty:
        return None
    columns = (
        Column(key="score_label", label="Correlation with", head=True),
        Column(key="printed_spearman", label="ρ", group="as printed", numeric=True, decimals=2),
        Column(
            key="printed_spearman_p_westfall_young",
            label="p",
            group="as printed",
            numeric=True,
            decimals=3,
        ),
        Column(key="measured_spearman", label="ρ", group="as measured", numeric=True, decimals=2),
        Column(
            key="measured_spearman_p_westfall_young",
            label="p",
            group="as measured",
            numeric=True,
            decimals=3,
        ),
        Column(key="ranks_changed", label="Ranks changed", numeric=True, decimals=0),
        Column(key="verdict_changes", label="Verdict changes"),
    )
    known = labels(page).attribute
    made = grid(rows, columns, group="attribute", labels=known)
    return page.table("correlation_corrections", made, frame, study="correlation_corrections")


def correction_counts(corrections: pd.DataFrame) -> dict[str, Any]:
    """How many correlations change their verdict when the attribute is corrected."""
    changed = corrections[corrections["verdict_changes"].fillna(False).astype(bool)]
    return {
        "pairs": len(corrections),
        "changed": [
            f"{row['attribute_label']} with {row['score_label']}" for row in records(changed)
        ],
        "family": int(corrections["family_size"].max()) if len(corrections) else 0,
    }
