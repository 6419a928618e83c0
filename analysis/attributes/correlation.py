"""Does an attribute go with better scores? Correlations of all that have an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from lossnets.analysis.attributes.copies import same_as
from lossnets.analysis.attributes.correlate import COLUMNS, Table, correlate, with_intervals
from lossnets.analysis.attributes.views import (
    Attribute,
    Scores,
    ordered_attributes,
    placings_of,
    views_of,
)
from lossnets.analysis.frames.cube import NO_SCORES, join_notes, not_computable, result
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.statistics.coefficients import Singles
from lossnets.analysis.statistics.intervals import bootstrap_intervals
from lossnets.analysis.statistics.westfall_young import TOLERANCE, Shuffles, benjamini_hochberg

NO_ATTRIBUTES = "there is no attribute of this kind"

_EXPLORED = {
    "spearman_p_benjamini_hochberg": "exploratory: false discovery rate over everything explored",
    "explored": "coefficients of all attributes in the view that the rate is controlled over",
    "same_as": "attribute that says the same and is counted in its stead (then no rate is given)",
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
FAMILY_WIDE = ("family_mean_p", "p_any_attribute", "attributes")
BENCHMARK_COLUMNS = {
    "attribute": "attribute id",
    "benchmark": "benchmark id, or overall (benchmarks weighted equally); mean rank by best layer",
    **COLUMNS,
    **_EXPLORED,
    "spearman_bootstrap_low": "lower end of the percentile interval from redrawn architectures",
    "spearman_bootstrap_high": "upper end of the percentile interval",
    "note": "what is missing, and why",
}


def sweep(
    attributes: Sequence[Attribute], scores: Scores, rng: np.random.Generator
) -> pd.DataFrame:
    """Correlate every attribute with every score in every view.

    Columns: CORRELATION_COLUMNS and, the same in all rows of a family, family_mean_p (p of
    the mean correlation), p_any_attribute (chance of a correlation as strong as the
    family's strongest among all attributes in the view) and attributes (how many these are;
    attributes known for too few architectures to be shuffled as often stay out). One family
    is one attribute in one view against all its scores; the exploratory rate covers all
    attributes in a view. Of attributes that say the same one alone counts among all.
    """
    shuffles = Shuffles(len(scores.architectures), rng)
    copies = same_as(attributes)
    parts: list[Table] = []
    greatest: dict[str, dict[str, Singles]] = {}
    for attribute in attributes:
        for x, views in attribute.views(tuple(dict.fromkeys(scores.views))):
            part, maxima = correlate(x, scores.of_views(views), shuffles)
            parts.append(part | attribute_labels(attribute, len(part["n"])))
            for view, values in maxima.items():
                greatest.setdefault(view, {})[attribute.attribute] = values
    if not sum(len(part["n"]) for part in parts):
        return nothing([*CORRELATION_COLUMNS, *FAMILY_WIDE], attributes)
    table = with_intervals(parts)
    table["same_as"] = table["attribute"].map(copies)
    rate_by_view(table, "spearman_p", "spearman_p_benjamini_hochberg")
    chance = {view: _any_attribute(maxima, copies) for view, maxima in greatest.items()}
    pairs = zip(table["attribute"], table["view"], strict=True)
    found = [chance.get(view, {}).get(name, (np.nan, 0)) for name, view in pairs]
    table["p_any_attribute"], table["attributes"] = zip(*found, strict=True)
    size = table["family_size"].astype(str)
    table["family"] = table["attribute"] + ", " + table["view"] + ", " + size + " scores"
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[[*CORRELATION_COLUMNS, *FAMILY_WIDE]]


def _any_attribute(
    maxima: dict[str, Singles], copies: dict[str, str]
) -> dict[str, tuple[float, int]]:
    """Each attribute's greatest statistic against the greatest over all: p and how many."""
    most = max(len(values) for values in maxima.values())
    together = {name: values for name, values in maxima.items() if len(values) == most}
    counted = [values for name, values in together.items() if name not in copies]
    overall = np.max(counted or list(together.values()), axis=0)
    return {
        name: (np.count_nonzero(overall >= values[0] - TOLERANCE) / most, len(counted))
        for name, values in together.items()
    }


def rate_by_view(table: pd.DataFrame, p: str, name: str) -> None:
    """Add the false discovery rate over all attributes of a view, and how many these are.

    An attribute that another one is the `same_as` is not among them.
    """
    counted = table["same_as"].isna() if "same_as" in table else np.full(len(table), True)
    values, view = table[p].where(counted).to_numpy(), table["view"].to_numpy()
    rate, explored = np.full(len(values), np.nan), np.zeros(len(values), dtype=int)
    for one in set(view):
        rate[view == one] = benjamini_hochberg(values[view == one])
        explored[view == one] = np.isfinite(values[view == one]).sum()
    table[name], table["explored"] = rate, explored


def nothing(
    columns: Iterable[str], attributes: Sequence[Attribute], reason: str = NO_SCORES
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


def with_bootstrap(
    table: pd.DataFrame,
    attributes: Sequence[Attribute],
    placings: Scores,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A sweep over mean placings with intervals from redrawn architectures: BENCHMARK_COLUMNS."""
    attributes = [a for a in attributes if a.level == "architecture"]
    if table["n"].isna().all():
        return nothing(BENCHMARK_COLUMNS, attributes)
    values = np.column_stack([a.values for a in attributes])
    low, high = bootstrap_intervals(values, placings.values, rng)
    size = table["family_size"].astype(str)
    table = table.assign(
        spearman_bootstrap_low=low.ravel(),
        spearman_bootstrap_high=high.ravel(),
        family=table["attribute"] + ", mean rank, " + size + " benchmarks",
    )
    return table[list(BENCHMARK_COLUMNS)]


@once
def swept_views(frames: Frames) -> pd.DataFrame:
    """`sweep` of the attributes over every view of every score."""
    rng = np.random.default_rng(SEED)
    return sweep(ordered_attributes(frames), views_of(frames), rng)


@once
def swept_placings(frames: Frames) -> pd.DataFrame:
    """`sweep` of the attributes over the mean placings."""
    rng = np.random.default_rng(SEED)
    return sweep(ordered_attributes(frames), placings_of(frames), rng)


def _correlation(frames: Frames) -> pd.DataFrame:
    return swept_views(frames)[list(CORRELATION_COLUMNS)]


def _correlation_benchmarks(frames: Frames) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    placings = placings_of(frames)
    return with_bootstrap(swept_placings(frames), ordered_attributes(frames), placings, rng)


STUDIES = (
    Study(
        name="correlation",
        title="Attributes against scores",
        columns=CORRELATION_COLUMNS,
        compute=_correlation,
    ),
    Study(
        name="correlation_benchmarks",
        title="Attributes against mean ranks per benchmark",
        columns=BENCHMARK_COLUMNS,
        compute=_correlation_benchmarks,
    ),
)
