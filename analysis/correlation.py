"""Does an attribute go with better scores? The correlation studies of numeric attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.correlate import COLUMNS, Table, correlate, with_intervals
from analysis.cube import NO_SCORES, join_notes, not_computable, result
from analysis.frames import SEED, Frames, Study
from analysis.intervals import bootstrap_intervals
from analysis.views import Attribute, Scores, numeric_attributes, placings_of, views_of
from analysis.westfall_young import Shuffles, benjamini_hochberg

NO_ATTRIBUTES = "there is no attribute of this kind"

_EXPLORED = {
    "spearman_p_benjamini_hochberg": "exploratory: false discovery rate over everything explored",
    "explored": "coefficients of all attributes in the view that the rate is controlled over",
    "family": "what p values are adjusted over",
}
CORRELATION_COLUMNS = {
    "attribute": "attribute id",
    "level": "architecture or loss_network",
    "view": "best (best layer), a layer on its own, or mean (mean over layers)",
    "benchmark": "benchmark id",
    "score": "score id",
    **COLUMNS,
    **_EXPLORED,
    "note": "what is missing, and why",
}
BENCHMARK_COLUMNS = {
    "attribute": "attribute id",
    "benchmark": "benchmark id, or overall (benchmarks weighted equally); mean rank by best layer",
    **COLUMNS,
    **_EXPLORED,
    "spearman_bootstrap_low": "lower end of the percentile interval from redrawn architectures",
    "spearman_bootstrap_high": "upper end of the percentile interval",
    "note": "what is missing, and why",
}


def correlation_table(
    attributes: Sequence[Attribute], scores: Scores, rng: np.random.Generator
) -> pd.DataFrame:
    """Correlate every attribute with every score in every view: CORRELATION_COLUMNS.

    One family of p values is one attribute in one view against all its scores; the
    exploratory rate covers all attributes in a view.
    """
    shuffles = Shuffles(len(scores.architectures), rng)
    parts = []
    for attribute in attributes:
        for x, views in attribute.views(tuple(dict.fromkeys(scores.views))):
            part = correlate(x, scores.of_views(views), shuffles)
            parts.append(part | attribute_labels(attribute, len(part["n"])))
    if not sum(len(part["n"]) for part in parts):
        return nothing(CORRELATION_COLUMNS, attributes)
    table = with_intervals(parts)
    rate_by_view(table, "spearman_p", "spearman_p_benjamini_hochberg")
    size = table["family_size"].astype(str)
    table["family"] = table["attribute"] + ", " + table["view"] + ", " + size + " scores"
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[list(CORRELATION_COLUMNS)]


def rate_by_view(table: pd.DataFrame, p: str, name: str) -> None:
    """Add the false discovery rate over all attributes of a view, and how many these are."""
    values, view = table[p].to_numpy(), table["view"].to_numpy()
    rate, explored = np.full(len(values), np.nan), np.zeros(len(values), dtype=int)
    for one in set(view):
        rate[view == one] = benjamini_hochberg(values[view == one])
        explored[view == one] = np.isfinite(values[view == one]).sum()
    table[name], table["explored"] = rate, explored


def nothing(
    columns: Mapping[str, str], attributes: Sequence[Attribute], reason: str = NO_SCORES
) -> pd.DataFrame:
    """The frame of a study that has no attribute, or else the reason given, in one row."""
    return result(columns, [not_computable(reason if attributes else NO_ATTRIBUTES)])


def attribute_labels(attribute: Attribute, rows: int) -> Table:
    """The columns that say which attribute a part of a table belongs to."""
    return {
        "attribute": np.full(rows, attribute.attribute, dtype=object),
        "level": np.full(rows, attribute.level, dtype=object),
        "infinite": np.full(rows, attribute.infinite),
    }


def with_infinite(notes: pd.Series, infinite: pd.Series) -> list[str]:
    """Notes that also say how many values of the attribute were infinite and left out."""
    return [
        join_notes(note, f"{count} infinite values of the attribute left out" if count else "")
        for note, count in zip(notes, infinite, strict=True)
    ]


def benchmark_correlation_table(
    attributes: Sequence[Attribute], placings: Scores, rng: np.random.Generator
) -> pd.DataFrame:
    """Correlate attributes of architectures with their mean placings: BENCHMARK_COLUMNS."""
    attributes = [a for a in attributes if a.level == "architecture"]
    table = correlation_table(attributes, placings, rng)
    if table["n"].isna().all():
        return nothing(BENCHMARK_COLUMNS, attributes)
    values = np.column_stack([a.values for a in attributes])
    low, high = bootstrap_intervals(values, placings.values, rng)
    table["spearman_bootstrap_low"] = low.ravel()
    table["spearman_bootstrap_high"] = high.ravel()
    size = table["family_size"].astype(str)
    table["family"] = table["attribute"] + ", mean rank, " + size + " benchmarks"
    return table[list(BENCHMARK_COLUMNS)]


def _correlation(frames: Frames) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    return correlation_table(numeric_attributes(frames), views_of(frames), rng)


def _correlation_benchmarks(frames: Frames) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    return benchmark_correlation_table(numeric_attributes(frames), placings_of(frames), rng)


STUDIES = (
    Study(
        name="correlation",
        title="Numeric attributes against scores",
        columns=CORRELATION_COLUMNS,
        compute=_correlation,
    ),
    Study(
        name="correlation_benchmarks",
        title="Numeric attributes against mean ranks per benchmark",
        columns=BENCHMARK_COLUMNS,
        compute=_correlation_benchmarks,
    ),
)
