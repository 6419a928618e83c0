"""Do the architectures that have something place better than those that have not?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import rankdata

from lossnets.analysis.attributes.correlate import Table, constant, too_few
from lossnets.analysis.attributes.correlation import (
    attribute_labels,
    nothing,
    rate_by_view,
    with_infinite,
)
from lossnets.analysis.attributes.views import (
    MEAN,
    PLACING,
    Attribute,
    Scores,
    attributes,
    placings_of,
    views_of,
)
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.statistics.coefficients import Indices, complete_rows, order_signs
from lossnets.analysis.statistics.intervals import CONFIDENCE
from lossnets.analysis.statistics.permutations import PERMUTATIONS
from lossnets.analysis.statistics.westfall_young import (
    arranged_correlations,
    holm,
    two_sided_p,
    westfall_young,
)

ENUMERATED = 20_000  # splits that are all taken; where there are more, PERMUTATIONS are drawn

GROUP_COLUMNS = {
    "attribute": "attribute id",
    "level": "architecture or loss_network",
    "view": "best (best layer), a layer on its own, mean (mean over layers)",
    "benchmark": "benchmark id, or overall",
    "score": "score id, or mean_rank: the mean over the benchmark's scores by best layer",
    "n_with": "architectures that have it",
    "n_without": "architectures that have it not",
    "mean_rank_with": "mean place of those that have it among all, 1 = best",
    "mean_rank_without": "mean place of those that have it not, 1 = best",
    "difference": "mean_rank_without - mean_rank_with; positive: those that have it place better",
    "p": "two-sided permutation p of the difference",
    "splits": "ways to share the architectures out that p counts; exact where they are all",
    "exact": "whether they are all",
    "p_holm": "the same, Holm-adjusted within the family",
    "p_westfall_young": "step-down max-statistic p within the family",
    "p_benjamini_hochberg": "exploratory: false discovery rate over all attributes in the view",
    "explored": "coefficients of all attributes in the view that the rate is controlled over",
    "cliffs_delta": "P(one with it is better) - P(one without it is better), -1 to 1",
    "cliffs_delta_low": "lower end of its 95 % interval (Cliff 1996, asymmetric)",
    "cliffs_delta_high": "upper end of its 95 % interval",
    "family": "what p values are adjusted over",
    "family_size": "number of scores in the family",
    "note": "what is missing, and why",
}
_LABELS = ("attribute", "level", "view", "benchmark", "score", "exact", "family", "note")
_NUMBERS = tuple(name for name in GROUP_COLUMNS if name not in _LABELS)


def cliffs_delta(better: Floats, worse: Floats) -> tuple[Floats, Floats, Floats]:
    """Cliff's δ of two samples for each column, with its 95 % interval.

    `better`: (n1, columns), `worse`: (n2, columns). δ = P(first > second) − P(first <
    second). The interval is Cliff's asymmetric one with the unbiased variance and Student's
    t (Cliff 1996, Ordinal Methods, p. 140–142); at δ = ±1, where that variance is 0, its
    other end is (m − t²)/(m + t²) for the smaller sample's size m. NaN for a sample of one.

    >>> delta, _, _ = cliffs_delta(np.array([[3.0], [4.0]]), np.array([[1.0], [3.0]]))
    >>> float(delta[0])
    0.75
    """
    n1, n2 = len(better), len(worse)
    dominance = order_signs(better, worse)  # (n1, n2, columns)
    delta = dominance.mean(axis=(0, 1))
    if min(n1, n2) < 2:
        return delta, np.full_like(delta, np.nan), np.full_like(delta, np.nan)
    rows = ((dominance.mean(axis=1) - delta) ** 2).sum(axis=0)
    columns = ((dominance.mean(axis=0) - delta) ** 2).sum(axis=0)
    cells = ((dominance - delta) ** 2).sum(axis=(0, 1))
    variance = (n2**2 * rows + n1**2 * columns - cells) / (n1 * n2 * (n1 - 1) * (n2 - 1))
    variance = np.maximum(variance, (1 - delta**2) / (n1 * n2 - 1))
    t = stdtrit(n1 + n2 - 2, (1 + CONFIDENCE) / 2)
    half = t * np.sqrt(variance * ((1 - delta**2) ** 2 + t**2 * variance))
    whole = np.abs(delta) == 1
    below = np.where(whole, 1.0, 1 - delta**2 + t**2 * variance)
    least = (min(n1, n2) - t**2) / (min(n1, n2) + t**2)
    low, high = (delta - delta**3 - half) / below, (delta - delta**3 + half) / below
    low = np.where(whole, np.where(delta > 0, least, -1.0), np.maximum(low, -1))
    high = np.where(whole, np.where(delta > 0, 1.0, -least), np.minimum(high, 1))
    return delta, low, high


class Splits:
    """Ways to choose k of n architectures: all of them, or as many at random as shuffles.

    The same random keys serve every attribute, as in `Shuffles`. The first is as observed.
    """

    def __init__(self, size: int, rng: np.random.Generator, count: int = PERMUTATIONS) -> None:
        self._keys = rng.random((count, size), dtype=np.float32)
        self._all: dict[tuple[int, int], NDArray[np.bool_]] = {}

    def of(self, rows: Indices, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], bool]:
        """Whether each row is chosen in each split (splits, rows), and whether they are all."""
        n, k = len(chosen), int(chosen.sum())
        if comb(n, k) > ENUMERATED:
            drawn = self._keys[:, rows].argsort(axis=1)
            return np.vstack([chosen, chosen[drawn]]), False
        if (n, k) not in self._all:
            picks = np.array(list(combinations(range(n), k)), dtype=np.intp)
            split = np.zeros((len(picks), n), dtype=bool)
            split[np.arange(len(picks))[:, None], picks] = True
            self._all[n, k] = split
        splits = self._all[n, k]
        observed = np.flatnonzero((splits == chosen).all(axis=1))[0]
        return np.concatenate([[chosen], np.delete(splits, observed, axis=0)]), True


def compare_groups(x: Floats, scores: Scores, splits: Splits) -> Table:
    """Compare the architectures with the greater of x's two values with the others.

    `x`: (architectures,), NaN where unknown. Returns the columns of GROUP_COLUMNS that
    concern one attribute, as arrays.
    """
    width = scores.values.shape[1]
    table: Table = {name: np.full(width, np.nan) for name in _NUMBERS}
    table["exact"] = np.full(width, None)
    table["note"] = np.full(width, "", dtype=object)
    labels = {"view": scores.views, "benchmark": scores.benchmarks, "score": scores.scores}
    table |= {name: np.array(label, dtype=object) for name, label in labels.items()}
    known = np.flatnonzero(np.isfinite(x))
    for rows, columns in complete_rows(x, scores.values):
        table["note"][columns] = _not_two_groups(x[rows])
        if not table["note"][columns].any():
            y = scores.values[np.ix_(rows, columns)]
            for name, values in _describe(x[rows] == x[rows].max(), y).items():
                table[name][columns] = values
    if not _not_two_groups(x[known]):
        _p_values(table, x, scores, splits.of(known, x[known] == x[known].max()))
    return table


def _describe(chosen: NDArray[np.bool_], y: Floats) -> Table:
    """Mean ranks and Cliff's δ of complete columns y (n, columns)."""
    ranks = rankdata(-y, axis=0)
    found = {"n_with": chosen.sum(), "n_without": (~chosen).sum()}
    found["mean_rank_with"] = ranks[chosen].mean(axis=0)
    found["mean_rank_without"] = ranks[~chosen].mean(axis=0)
    found["difference"] = found["mean_rank_without"] - found["mean_rank_with"]
    ends = cliffs_delta(y[chosen], y[~chosen])
    found |= dict(zip(("cliffs_delta", "cliffs_delta_low", "cliffs_delta_high"), ends, strict=True))
    alone = "interval not computable, because one of the groups is a single architecture"
    tied = constant("score", len(y))
    single = min(found["n_with"], found["n_without"]) == 1
    note = np.where((y == y[0]).all(axis=0), tied, alone if single else "")
    return found | {"note": note}


def _p_values(
    table: Table, x: Floats, scores: Scores, splits: tuple[NDArray[np.bool_], bool]
) -> None:
    """Fill p values in: the statistic is the rank correlation with membership."""
    arranged, exact = splits
    statistics = arranged_correlations(
        arranged.astype(np.float32), x, scores.values, ranked=True, least=2
    )
    table["p"] = two_sided_p(statistics)
    found = np.isfinite(table["p"])
    table["splits"] = np.where(found, len(arranged), np.nan)
    table["exact"][found] = exact
    for _, family in scores.families():
        table["family_size"][family] = found[family].sum()
        table["p_holm"][family] = holm(table["p"][family])
        table["p_westfall_young"][family] = westfall_young(statistics[family])


def _not_two_groups(values: Floats) -> str:
    """Why these values make no two groups, empty if they do."""
    found = len(np.unique(values))
    if found > 2:
        return f"not computable, because a binary attribute has 2 values and {found} were found"
    if found == 2:
        return ""
    return too_few(len(values), 2) if len(values) < 2 else constant("attribute", len(values))


def group_table(
    attributes: Sequence[Attribute], scores: Sequence[Scores], rng: np.random.Generator
) -> pd.DataFrame:
    """Compare groups for every binary attribute and score in every view: GROUP_COLUMNS.

    `scores`: score views and mean placings over the same architectures. A property of a loss
    network is tested at each layer on its own.
    """
    splits = Splits(len(scores[0].architectures), rng)
    parts = []
    for attribute in attributes:
        for columns in scores:
            whole = attribute.level == "architecture"
            wanted = [v for v in dict.fromkeys(columns.views) if whole or v != MEAN]
            for x, views in attribute.views(tuple(wanted)):
                part = compare_groups(x, columns.of_views(views), splits)
                parts.append(part | attribute_labels(attribute, len(part["note"])))
    if not sum(len(part["note"]) for part in parts):
        return nothing(GROUP_COLUMNS, attributes)
    table = pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})
    rate_by_view(table, "p", "p_benjamini_hochberg")
    size = table["family_size"].fillna(0).astype(int)
    table["family_size"] = size
    table["family"] = table["attribute"] + ", " + table["view"] + ", " + size.astype(str)
    table["family"] += np.where(table["view"] == PLACING, " benchmarks", " scores")
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[list(GROUP_COLUMNS)]


def _correlation_groups(frames: Frames) -> pd.DataFrame:
    tables = (placings_of(frames), views_of(frames))
    binary = attributes(frames, views_of(frames).architectures, "binary")
    return group_table(binary, tables, np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="correlation_groups",
        title="Binary attributes against scores and mean ranks",
        columns=GROUP_COLUMNS,
        compute=_correlation_groups,
    ),
)
