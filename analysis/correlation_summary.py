"""Each attribute in one line per view: its strongest score, its mean correlation, and chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.coefficients import Indices
from analysis.correlation import nothing, with_infinite
from analysis.cube import Floats
from analysis.frames import SEED, Frames, Study
from analysis.intervals import SIGNIFICANCE, minimum_detectable
from analysis.views import Attribute, Scores, numeric_attributes, placings_of, views_of
from analysis.westfall_young import (
    TOLERANCE,
    Shuffles,
    Singles,
    permuted_correlations,
    two_sided_p,
    westfall_young,
)

SUMMARY_COLUMNS = {
    "attribute": "attribute id",
    "level": "architecture or loss_network",
    "view": "best, a layer on its own, mean (over layers), or mean_rank (benchmarks and overall)",
    "n": "most architectures that any of the scores shares with the attribute",
    "family_size": "scores, or benchmarks and overall",
    "benchmark": "benchmark of the strongest correlation",
    "score": "score of the strongest correlation, or mean_rank",
    "spearman": "strongest Spearman correlation; positive: more of the attribute, better score",
    "p": "max-statistic p of the strongest: chance of one as strong among the attribute's scores",
    "p_any_attribute": "chance of one as strong among all attributes' scores in the view",
    "attributes": "attributes in the view that p_any_attribute is taken over",
    "found": "scores with a step-down max-statistic p of at most 5 %",
    "below_5_percent": "scores with an unadjusted p of at most 5 %: exploratory",
    "expected_below_5_percent": "how many of these chance alone gives on average",
    "mean_spearman": "mean correlation over the scores",
    "mean_spearman_p": "two-sided permutation p of this mean",
    "minimum_detectable": "least |Spearman| found with 80 % power at 5 %, for n",
    "minimum_detectable_in_family": "the same where 5 % is shared out over the family",
    "note": "what is missing, and why",
}


def summary_table(
    attributes: Sequence[Attribute], scores: Sequence[Scores], rng: np.random.Generator
) -> pd.DataFrame:
    """Sum up the rank correlations of every attribute in every view: SUMMARY_COLUMNS.

    `scores`: score views and mean placings over the same architectures. All attributes are
    shuffled together, so p_any_attribute keeps the dependence between them; attributes known
    for too few architectures to be shuffled 10,000 ways are left out of it.
    """
    shuffles = Shuffles(len(scores[0].architectures), rng)
    rows: list[dict[str, object]] = []
    greatest: dict[str, list[tuple[int, Singles]]] = {}
    for attribute in attributes:
        for columns in scores:
            for x, views in attribute.views(tuple(dict.fromkeys(columns.views))):
                part = columns.of_views(views)
                statistics = permuted_correlations(x, part.values, shuffles, ranked=True)
                for view, family in part.families():
                    one = part.of_views((view,))
                    maxima = _greatest(statistics[family])
                    greatest.setdefault(view, []).append((len(rows), maxima))
                    row = summarise(x, one, statistics[family])
                    row |= {"attribute": attribute.attribute, "level": attribute.level}
                    rows.append(row | {"view": view, "infinite": attribute.infinite})
    for column in greatest.values():
        _over_attributes(rows, column)
    if not rows:
        return nothing(SUMMARY_COLUMNS, attributes)
    table = pd.DataFrame(rows, columns=[*SUMMARY_COLUMNS, "infinite"])
    table["minimum_detectable"] = minimum_detectable(table["n"].to_numpy(float), "spearman")
    table["minimum_detectable_in_family"] = minimum_detectable(
        table["n"].to_numpy(float), "spearman", table["family_size"].to_numpy(float)
    )
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[list(SUMMARY_COLUMNS)]


def summarise(x: Floats, scores: Scores, statistics: Singles) -> dict[str, object]:
    """The summary of one attribute in one view from its shuffled correlations."""
    shared: Indices = (np.isfinite(x)[:, None] & np.isfinite(scores.values)).sum(axis=0)
    known = np.isfinite(statistics[:, 0])
    row: dict[str, object] = {"n": int(shared.max(initial=0)), "family_size": int(known.sum())}
    row |= {"note": ""}
    if not known.any():
        return row | {
            "note": "not computable, because no score varies with the attribute known"
            " for 3 architectures, or the attribute is the same for all"
        }
    rho = np.where(known, statistics[:, 0] / np.sqrt(np.maximum(shared - 1, 1)), np.nan)
    adjusted, raw = westfall_young(statistics), two_sided_p(statistics)
    strongest = int(np.nanargmax(np.abs(statistics[:, 0])))
    mean = statistics[known].mean(axis=0, keepdims=True)
    return row | {
        "benchmark": scores.benchmarks[strongest],
        "score": scores.scores[strongest],
        "spearman": float(rho[strongest]),
        "p": float(adjusted[strongest]),
        "found": int((adjusted[known] <= SIGNIFICANCE).sum()),
        "below_5_percent": int((raw[known] <= SIGNIFICANCE).sum()),
        "expected_below_5_percent": SIGNIFICANCE * int(known.sum()),
        "mean_spearman": float(rho[known].mean()),
        "mean_spearman_p": float(two_sided_p(mean)[0]),
    }


def _greatest(statistics: Singles) -> Singles:
    """Greatest |statistic| over the rows that are known, per shuffle."""
    known = statistics[~np.isnan(statistics[:, 0])]
    return np.abs(known).max(axis=0, initial=0)


def _over_attributes(rows: list[dict[str, object]], maxima: list[tuple[int, Singles]]) -> None:
    """Fill in p_any_attribute: each observed maximum against that over all attributes."""
    most = max(len(values) for _, values in maxima)
    together = [(row, values) for row, values in maxima if len(values) == most and values[0] > 0]
    if not together:
        return
    overall = np.max([values for _, values in together], axis=0)
    for row, values in together:
        rows[row]["p_any_attribute"] = np.count_nonzero(overall >= values[0] - TOLERANCE) / most
        rows[row]["attributes"] = len(together)


def _correlation_summary(frames: Frames) -> pd.DataFrame:
    parts = (placings_of(frames), views_of(frames))
    return summary_table(numeric_attributes(frames), parts, np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="correlation_summary",
        title="Each numeric attribute summed up",
        columns=SUMMARY_COLUMNS,
        compute=_correlation_summary,
    ),
)
