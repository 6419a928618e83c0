"""The section on attributes: does any of them go with better scores?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from lossnets.reports.attributes import figures, tables
from lossnets.reports.attributes.tables import with_score_labels
from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    VIEW_LABELS,
    gaps,
    labels,
    number,
    of_paper,
    p_text,
    paper_study,
    source_filter,
    study,
    words,
)

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
    summary = paper_study(page, "correlation_summary")
    groups = with_score_labels(page, "correlation_groups")
    return {
        "overview": tables.overview(page, summary),
        "summary": tables.summary_counts(summary),
        "map": _map(page, table),
        "forest": _forest(page, table),
        "layer_map": _layer_map(page, table),
        "placings": _placings(page),
        "within": _within_layers(page),
        "groups": _groups(page, groups),
        "grouped": tables.group_counts(of_paper(groups)),
        "categories": tables.categories(page),
        "partial": _partial(page),
        "corrections": tables.corrections(page),
        "corrected": tables.correction_counts(paper_study(page, "correlation_corrections")),
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


def _partial(page: Page) -> Exhibit | None:
    frame = with_score_labels(page, "correlation_partial")
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


SECTION = Section(
    name="correlation_study",
    title="Does any attribute explain the scores",
    order=120,
    build=correlation_study,
)
