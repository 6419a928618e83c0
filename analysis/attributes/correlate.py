"""One attribute against many scores: coefficients, intervals, influence, adjusted p values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lossnets.analysis.attributes.views import Scores
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.statistics.coefficients import (
    Singles,
    complete_rows,
    kendall,
    pearson,
    spearman,
    t_test_p,
    unit_columns,
    without_each,
)
from lossnets.analysis.statistics.intervals import (
    fisher_interval,
    minimum_detectable,
    overturning_sd,
)
from lossnets.analysis.statistics.westfall_young import (
    Shuffles,
    holm,
    permuted_correlations,
    two_sided_p,
    westfall_young,
)

COEFFICIENTS = ("spearman", "pearson", "kendall")
LEAST = 3  # architectures that a correlation takes

COLUMNS = {
    "n": "architectures that have both",
    "spearman": "Spearman's rank correlation; positive: more of the attribute, better score",
    "spearman_low": "lower end of its 95 % interval (Fisher z, Bonett-Wright variance)",
    "spearman_high": "upper end of its 95 % interval",
    "spearman_p": "two-sided p from shuffled architectures",
    "spearman_p_holm": "the same, Holm-adjusted within the family",
    "spearman_p_westfall_young": "step-down max-statistic p within the family",
    "spearman_loo_low": "least coefficient when one architecture is left out",
    "spearman_loo_high": "greatest coefficient when one architecture is left out",
    "most_influential": "architecture whose absence changes Spearman's correlation most",
    "pearson": "linear correlation; positive: more of the attribute, better score",
    "pearson_low": "lower end of its 95 % interval (Fisher z)",
    "pearson_high": "upper end of its 95 % interval",
    "pearson_p": "two-sided p by Student's t",
    "pearson_p_holm": "the same, Holm-adjusted within the family",
    "pearson_p_westfall_young": "step-down max-statistic p within the family",
    "pearson_loo_low": "least coefficient when one architecture is left out",
    "pearson_loo_high": "greatest coefficient when one architecture is left out",
    "kendall": "Kendall's tau-b; positive: more of the attribute, better score",
    "kendall_low": "lower end of its 95 % interval (Fisher z, Fieller variance)",
    "kendall_high": "upper end of its 95 % interval",
    "kendall_p": "two-sided p, normal approximation with tie correction",
    "kendall_loo_low": "least coefficient when one architecture is left out",
    "kendall_loo_high": "greatest coefficient when one architecture is left out",
    "family_size": "coefficients that p values are adjusted over",
    "minimum_detectable": "least |Spearman| found with 80 % power at 5 %, for n",
    "minimum_detectable_in_family": "the same where 5 % is shared out over the family",
    "overturning_sd": "seed-to-seed standard deviation of the score that would turn the verdict"
    " of Pearson's correlation at 5 %, in the score's unit (of mean placings: in ranks)",
}


Table = dict[str, np.ndarray]


def correlate(x: Floats, scores: Scores, shuffles: Shuffles) -> tuple[Table, dict[str, Singles]]:
    """Correlate one attribute with every column of `scores`: one array per column of a table.

    `x`: the attribute (architectures,), NaN where unknown; observations are complete pairs.
    The families that p values are adjusted over are the views. Columns: view, benchmark,
    score, note, family_mean_p (p of the mean rank correlation over the family) and those of
    COLUMNS that `with_intervals` does not add. Also returns, for each view, the greatest
    rank correlation statistic of each shuffle.
    """
    width = scores.values.shape[1]
    table: Table = {name: np.full(width, np.nan) for name in COLUMNS}
    table["family_mean_p"] = np.full(width, np.nan)
    table |= {"most_influential": np.full(width, None), "note": np.full(width, "", dtype=object)}
    names = np.array(scores.architectures, dtype=object)
    for rows, columns in complete_rows(x, scores.values):
        y = scores.values[np.ix_(rows, columns)]
        found = _coefficients(x[rows], y)
        found |= _influence(x[rows], y, found, names[rows])
        for name, values in found.items():
            table[name][columns] = values
        table["note"][columns] = _notes(x[rows], found, len(columns))
    greatest = _p_values(table, x, scores, shuffles)
    labels = {"view": scores.views, "benchmark": scores.benchmarks, "score": scores.scores}
    table |= {name: np.array(label, dtype=object) for name, label in labels.items()}
    return table, greatest


def with_intervals(parts: Sequence[Table]) -> pd.DataFrame:
    """Tables of `correlate` as one frame, with intervals, power and the noise to overturn."""
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    n, size = table["n"], table["family_size"]
    for name in COEFFICIENTS:
        ends = fisher_interval(table[name], n, name)
        table[f"{name}_low"], table[f"{name}_high"] = ends
    table["minimum_detectable"] = minimum_detectable(n, "spearman")
    table["minimum_detectable_in_family"] = minimum_detectable(n, "spearman", size)
    return pd.DataFrame(table).astype({"n": int, "family_size": int})


def _coefficients(x: Floats, y: Floats) -> Table:
    """The three coefficients of x (n,) with complete columns y (n, columns), and p values."""
    n = np.full(y.shape[1], float(len(x)))
    if len(x) < LEAST:
        return {"n": n}
    found = {"n": n, "pearson": pearson(x, y), "spearman": spearman(x, y)}
    found["kendall"], found["kendall_p"] = kendall(x, y)
    found["pearson_p"] = t_test_p(found["pearson"], n)
    size = np.abs(y).max(axis=0)
    spread = (y / np.where(size > 0, size, 1)).std(axis=0, ddof=1) * size
    found["overturning_sd"] = overturning_sd(found["pearson"], n, spread)
    return found


def _influence(x: Floats, y: Floats, found: Table, names: np.ndarray) -> Table:
    """Leave-one-out ranges, and who moves Spearman's correlation most."""
    if len(x) <= LEAST:
        return {}
    ranges: Table = {}
    for name, without in without_each(x, y).items():
        ranges[f"{name}_loo_low"] = np.fmin.reduce(without, axis=0)
        ranges[f"{name}_loo_high"] = np.fmax.reduce(without, axis=0)
        if name == "spearman":
            change = np.abs(without - found["spearman"])
            known = np.isfinite(change).any(axis=0)
            most = names[np.nan_to_num(change).argmax(axis=0)]
            most[~known] = None
            ranges["most_influential"] = most
    return ranges


def _p_values(table: Table, x: Floats, scores: Scores, shuffles: Shuffles) -> dict[str, Singles]:
    """Fill p values in; return the greatest rank statistic of each shuffle per view."""
    by_rank = permuted_correlations(x, scores.values, shuffles, ranked=True)
    linear = permuted_correlations(x, scores.values, shuffles, ranked=False)
    table["spearman_p"] = two_sided_p(by_rank)
    greatest = {}
    for view, family in scores.families():
        known = np.array(family)[np.isfinite(table["spearman"][family])]
        table["family_size"][family] = len(known)
        for name, statistics in (("spearman", by_rank), ("pearson", linear)):
            table[f"{name}_p_holm"][family] = holm(table[f"{name}_p"][family])
            table[f"{name}_p_westfall_young"][family] = westfall_young(statistics[family])
        if len(known):
            mean = by_rank[known].mean(axis=0, keepdims=True)
            table["family_mean_p"][family] = two_sided_p(mean)[0]
            greatest[view] = np.abs(by_rank[known]).max(axis=0)
    return greatest


def _notes(x: Floats, found: Table, width: int) -> np.ndarray:
    """Why something is missing for complete x (n,) and what was found for the scores."""
    n = len(x)
    if n < LEAST:
        return np.full(width, too_few(n))
    if np.isnan(unit_columns(x[:, None])[0, 0]):
        return np.full(width, constant("attribute", n))
    short = "intervals not computable, because only 3 architectures have both" if n == 3 else ""
    perfect = "interval not computable, because the orders agree or oppose wholly"
    rho = found["spearman"]
    return np.select(
        [np.isnan(rho), n == 3, np.abs(rho) >= 1],
        [constant("score", n), short, perfect],
        "intervals of Kendall's tau not computable, because only 4 architectures have both"
        if n == 4
        else "",
    )


def too_few(n: int, least: int = LEAST) -> str:
    """The note of a number that takes more architectures than there are.

    >>> too_few(1)
    'not computable, because 1 architecture has both values and 3 are needed'
    """
    have = "1 architecture has" if n == 1 else f"{n} architectures have"
    return f"not computable, because {have} both values and {least} are needed"


def constant(what: str, n: int) -> str:
    """The note of a correlation with something that does not vary."""
    return f"not computable, because the {what} is the same for all {n} architectures"
