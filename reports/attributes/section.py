"""The section on attributes: does any of them go with better scores?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from lossnets.reports.attributes import figures as figures
from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    VIEW_LABELS,
    gaps,
    labels,
    noted,
    number,
    of_paper,
    p_text,
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Cell, Column, grid, records, shown

ALPHA = 0.05
OVERALL = "overall"

# What the page keeps of the widest study; `lossnets study correlation` prints all of it.
KEPT = (
    *("attribute", "level", "view", "benchmark", "score", "n"),
    *("spearman", "spearman_low", "spearman_high", "spearman_p", "spearman_p_westfall_young"),
    *("spearman_p_benjamini_hochberg", "spearman_loo_low", "spearman_loo_high"),
    *("most_influential", "pearson", "kendall", "minimum_detectable_in_family"),
    *("family", "family_size"),
    "note",
)


def correlation_study(page: Page) -> dict[str, object]:
    """Attributes against scores: maps, forests, layers, groups, corrections, what is left out."""
    table = correlations(page)
    summary = of_paper(study(page, "correlation_summary"))
    groups = _with_score_labels(page, "correlation_groups")
    return {
        "overview": _overview(page, summary),
        "summary": summary_counts(summary),
        "map": _map(page, table),
        "forest": _forest(page, table),
        "layer_map": _layer_map(page, table),
        "placings": _placings(page),
        "within": _within_layers(page),
        "groups": _groups(page, groups),
        "grouped": group_counts(of_paper(groups)),
        "categories": _categories(page),
        "partial": _partial(page),
        "corrections": _corrections(page),
        "corrected": correction_counts(of_paper(study(page, "correlation_corrections"))),
        "detectable": of_paper(table)["minimum_detectable_in_family"].min(),
        "gaps": {
            "map": gaps(of_paper(table), "coefficients"),
            "groups": gaps(of_paper(groups), "comparisons"),
        },
        "number": number,
        "p_text": p_text,
        "words": words,
    }


def correlations(page: Page) -> pd.DataFrame:
    """The correlation study with the names of its views."""

    def make() -> pd.DataFrame:
        table = study(page, "correlation", KEPT)
        return table.assign(view_label=table["view"].map(VIEW_LABELS).fillna(table["view"]))

    found: pd.DataFrame = page.once("correlations", make)
    return found


def _order(known: Mapping[str, str], present: Iterable[object]) -> list[str]:
    """Labels in the catalog's order, of what is present; unknown ids last, as they are."""
    there = dict.fromkeys(str(name) for name in present if name == name and name is not None)
    listed = [known[name] for name in known if name in there]
    return listed + [name for name in there if name not in known]


def _choice(field: str, label: str, values: Iterable[object], names: Mapping[str, str]) -> Filter:
    present = dict.fromkeys(str(value) for value in values if value == value and value is not None)
    ordered = [name for name in names if name in present]
    ordered += [name for name in present if name not in names]
    return Filter(field=field, label=label, values=ordered, labels=dict(names), single=True)


def _map(page: Page, table: pd.DataFrame) -> Exhibit:
    known = labels(page)
    chart = figures.attribute_map(
        table,
        _order(known.attribute, table["attribute"]),
        _order(known.score, table["score"]),
    )
    view = _choice("view", "Scores at the", table["view"], VIEW_LABELS)
    return page.figure(
        "correlation_map", chart, table, study="correlation", filters=(view, *source_filter(page))
    )


def _forest(page: Page, table: pd.DataFrame) -> Exhibit:
    known = labels(page)
    chart = figures.forest(table, _order(known.attribute, table["attribute"]))
    filters = (
        _choice("score", "Score", table["score"], known.score),
        _choice("view", "at the", table["view"], VIEW_LABELS),
        *source_filter(page),
    )
    return page.figure("correlation_forest", chart, table, study="correlation", filters=filters)


def _layer_map(page: Page, table: pd.DataFrame) -> Exhibit:
    known = labels(page)
    chart = figures.layer_map(
        table, _order(VIEW_LABELS, table["view"]), _order(known.score, table["score"])
    )
    attribute = _choice("attribute", "Attribute", table["attribute"], known.attribute)
    return page.figure(
        "correlation_layers",
        chart,
        table,
        study="correlation",
        filters=(attribute, *source_filter(page)),
    )


def _placings(page: Page) -> Exhibit:
    frame = study(page, "correlation_benchmarks")
    frame["benchmark_label"] = frame["benchmark"].map(words)
    known = labels(page)
    chart = figures.placing_map(
        frame,
        _order(known.attribute, frame["attribute"]),
        frame["benchmark_label"].dropna().drop_duplicates().tolist(),
    )
    return page.figure(
        "correlation_benchmarks",
        chart,
        frame,
        study="correlation_benchmarks",
        filters=source_filter(page),
    )


def _within_layers(page: Page) -> Exhibit:
    frame = study(page, "correlation_layers")
    known = labels(page)
    chart = figures.within_layer_map(
        frame, _order(known.attribute, frame["attribute"]), _order(known.score, frame["score"])
    )
    return page.figure(
        "within_layers", chart, frame, study="correlation_layers", filters=source_filter(page)
    )


def _with_score_labels(page: Page, name: str) -> pd.DataFrame:
    """A study whose score may be `mean_rank`, with that as "mean rank, <benchmark>"."""
    frame = study(page, name)
    ranked = frame["score"] == "mean_rank"
    texts = "mean rank, " + frame["benchmark"].map(words).astype(object)
    frame["score_label"] = frame["score_label"].astype(object).where(~ranked, texts)
    return frame


def _groups(page: Page, frame: pd.DataFrame) -> Exhibit | None:
    if frame.empty:
        return None
    known = labels(page)
    chart = figures.group_forest(frame, frame["score_label"].dropna().drop_duplicates().tolist())
    filters = (
        _choice("attribute", "Attribute", frame["attribute"], known.attribute),
        _choice("view", "at the", frame["view"], VIEW_LABELS),
        *source_filter(page),
    )
    return page.figure(
        "attribute_groups", chart, frame, study="correlation_groups", filters=filters
    )


def _categories(page: Page) -> Exhibit:
    """Families, and attributes that are words, against the mean ranks."""
    frame = _with_score_labels(page, "correlation_categories")
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


def _partial(page: Page) -> Exhibit | None:
    frame = _with_score_labels(page, "correlation_partial")
    if frame.empty:
        return None
    known = labels(page)
    frame["given_label"] = frame["given"].map(known.attribute).fillna(frame["given"])
    chart = figures.partial_map(
        frame,
        _order(known.attribute, frame["attribute"]),
        frame["score_label"].dropna().drop_duplicates().tolist(),
    )
    filters = (
        _choice("given", "Held fixed", frame["given"], known.attribute),
        *source_filter(page),
    )
    return page.figure(
        "correlation_partial", chart, frame, study="correlation_partial", filters=filters
    )


def _overview(page: Page, summary: pd.DataFrame) -> Exhibit:
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


def _corrections(page: Page) -> Exhibit | None:
    frame = _with_score_labels(page, "correlation_corrections")
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


SECTION = Section(
    name="correlation_study",
    title="Does any attribute explain the scores",
    order=120,
    build=correlation_study,
)
