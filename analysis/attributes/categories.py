"""Do architectures of one kind place unlike those of another? Attributes that are words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lossnets.analysis.attributes.correlate import Table, constant, too_few
from lossnets.analysis.attributes.correlation import nothing, rate_by_view
from lossnets.analysis.attributes.views import PLACING, Scores, placings_of, views_of
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.families import without_none
from lossnets.analysis.frames.frames import LAYERS, SEED, Frames, Study
from lossnets.analysis.statistics.coefficients import (
    Singles,
    complete_rows,
    narrow_product,
    unit_columns,
)
from lossnets.analysis.statistics.westfall_young import Shuffles, holm, two_sided_p, westfall_young

FAMILY = "family"  # known for every architecture, without anybody registering it
LEAST_CATEGORIES = 3  # architectures; and two categories of them

CATEGORY_COLUMNS = {
    "attribute": "attribute id, or family (without those that belong to none)",
    "level": "architecture or loss_network",
    "view": "best (best layer), a layer on its own, or mean (mean over layers)",
    "benchmark": "benchmark id, or overall",
    "score": "score id, or mean_rank: the mean over the benchmark's scores by best layer",
    "n": "architectures that have both",
    "categories": "categories that occur among them",
    "epsilon_squared": "share of the variance of ranks that lies between categories, 0 to 1",
    "kruskal_wallis_h": "Kruskal-Wallis H, corrected for ties: epsilon_squared * (n - 1)",
    "expected": "what epsilon_squared is by chance on average: (categories - 1) / (n - 1)",
    "p": "permutation p of H, whole architectures shuffled",
    "p_holm": "the same, Holm-adjusted within the family",
    "p_westfall_young": "step-down max-statistic p within the family",
    "p_benjamini_hochberg": "exploratory: false discovery rate over all attributes in the view",
    "explored": "tests of all attributes in the view that the rate is controlled over",
    "best": "category with the best mean rank",
    "best_mean_rank": "its mean rank among all architectures, 1 = best",
    "worst": "category with the worst mean rank",
    "worst_mean_rank": "its mean rank",
    "family": "what p values are adjusted over",
    "family_size": "number of tests in the family",
    "note": "what is missing, and why",
}
_TEXTS = (
    *("attribute", "level", "view", "benchmark", "score", "best", "worst", "family", "note"),
    "explored",
)
_NUMBERS = tuple(name for name in CATEGORY_COLUMNS if name not in _TEXTS)


@dataclass(frozen=True, kw_only=True)
class Categories:
    """An attribute of words: codes (architectures, 1 or layers) into names, -1 where unknown."""

    attribute: str
    layers: tuple[str, ...]
    codes: np.ndarray
    names: tuple[str, ...]

    @property
    def level(self) -> str:
        """What it belongs to."""
        return "loss_network" if self.layers else "architecture"

    def at(self, view: str) -> np.ndarray | None:
        """Its codes for scores in a view; none where no one layer's value belongs to it."""
        if not self.layers:
            return self.codes[:, 0]
        return self.codes[:, self.layers.index(view)] if view in self.layers else None


def epsilon_squared(codes: np.ndarray, units: Floats) -> Singles:
    """Share of the variance of ranks between categories, for arrangements of their codes.

    `codes`: (arrangements, n); `units`: (n, columns) ranks with mean 0 and length 1. Returns
    (columns, arrangements); times n − 1 it is Kruskal and Wallis's H with ties corrected
    (Tomczak & Tomczak 2014, The need to report effect size estimates revisited).

    >>> units = unit_columns(np.array([[1.0], [2], [3], [4]]))
    >>> round(float(epsilon_squared(np.array([[0, 0, 1, 1]]), units)[0, 0]), 3)
    0.8
    """
    narrow = units.T.astype(np.float32)
    between = np.zeros((units.shape[1], len(codes)), dtype=np.float32)
    for code in np.unique(codes[0]):
        members = (codes == code).astype(np.float32)
        between += narrow_product(narrow, members) ** 2 / members[0].sum()
    return between


def compare_categories(codes: np.ndarray, scores: Scores, shuffles: Shuffles) -> Table:
    """Compare the categories of architectures on every score.

    `codes`: (architectures,) integers, negative where unknown. Returns the numbers of
    CATEGORY_COLUMNS with `first` and `last`, codes of the best and worst category (−1: none).
    """
    width = scores.values.shape[1]
    table: Table = {name: np.full(width, np.nan) for name in _NUMBERS}
    table |= {"first": np.full(width, -1), "last": np.full(width, -1)}
    table["note"] = np.full(width, "", dtype=object)
    known = np.flatnonzero(codes >= 0)
    statistics = np.full((width, len(shuffles.of(known))), np.nan, dtype=np.float32)
    arranged = codes[known][shuffles.of(known)]
    for rows, columns in complete_rows(np.where(codes >= 0, codes, np.nan), scores.values):
        fault = _not_comparable(codes[rows])
        table["n"][columns] = len(rows)
        if fault:
            table["note"][columns] = fault
            continue
        y = scores.values[np.ix_(rows, columns)]
        for name, values in _describe(codes[rows], y).items():
            table[name][columns] = values
        units = unit_columns(rankdata(y, axis=0))
        h = epsilon_squared(arranged[:, np.isin(known, rows)], units) * (len(rows) - 1)
        statistics[columns] = h
    _p_values(table, scores, statistics)
    return table


def _describe(codes: np.ndarray, y: Floats) -> Table:
    """What the categories of complete columns y (n, columns) are like."""
    ranks = rankdata(-y, axis=0)
    present = np.unique(codes)
    means = np.array([ranks[codes == code].mean(axis=0) for code in present])
    share = epsilon_squared(codes[None], unit_columns(ranks))[:, 0].astype(float)
    n = len(codes)
    tied = np.isnan(share)
    return {
        "categories": np.full(len(share), len(present)),
        "epsilon_squared": share,
        "kruskal_wallis_h": share * (n - 1),
        "expected": np.where(tied, np.nan, (len(present) - 1) / (n - 1)),
        "first": np.where(tied, -1, present[means.argmin(axis=0)]),
        "last": np.where(tied, -1, present[means.argmax(axis=0)]),
        "best_mean_rank": means.min(axis=0),
        "worst_mean_rank": means.max(axis=0),
        "note": np.where(tied, constant("score", n), "").astype(object),
    }


def _p_values(table: Table, scores: Scores, statistics: Singles) -> None:
    table["p"] = two_sided_p(statistics)
    for _, family in scores.families():
        table["family_size"][family] = np.isfinite(table["p"][family]).sum()
        table["p_holm"][family] = holm(table["p"][family])
        table["p_westfall_young"][family] = westfall_young(statistics[family])


def _not_comparable(codes: np.ndarray) -> str:
    """Why these categories cannot be compared, empty if they can."""
    if len(codes) < LEAST_CATEGORIES:
        return too_few(len(codes), LEAST_CATEGORIES)
    found = len(np.unique(codes))
    if found == 1:
        return constant("attribute", len(codes))
    if found == len(codes):
        return "not computable, because no two architectures are of one category"
    return ""


def category_table(
    attributes: Sequence[Categories], scores: Sequence[Scores], rng: np.random.Generator
) -> pd.DataFrame:
    """Compare the categories of every attribute on every score in every view.

    `scores`: score views and mean placings over the same architectures. Columns:
    CATEGORY_COLUMNS. A property of a loss network is tested at each layer on its own.
    """
    shuffles = Shuffles(len(scores[0].architectures), rng)
    parts = [
        _of_view(attribute, columns.of_views((view,)), shuffles)
        for attribute in attributes
        for columns in scores
        for view in dict.fromkeys(columns.views)
        if attribute.at(view) is not None
    ]
    if not sum(len(part) for part in parts):
        return nothing(CATEGORY_COLUMNS, [])
    table = pd.concat(parts, ignore_index=True)
    rate_by_view(table, "p", "p_benjamini_hochberg")
    return table[list(CATEGORY_COLUMNS)]


def _of_view(attribute: Categories, scores: Scores, shuffles: Shuffles) -> pd.DataFrame:
    view = scores.views[0]
    codes = attribute.at(view)
    assert codes is not None
    table = compare_categories(codes, scores, shuffles)
    names = np.array([*attribute.names, None], dtype=object)
    best, worst = names[table.pop("first")], names[table.pop("last")]
    size = np.nan_to_num(table["family_size"]).astype(int)
    tests = "benchmarks" if view == PLACING else "scores"
    return pd.DataFrame(table).assign(
        attribute=attribute.attribute,
        level=attribute.level,
        view=view,
        benchmark=scores.benchmarks,
        score=scores.scores,
        best=best,
        worst=worst,
        family=[f"{attribute.attribute}, {view}, {count} {tests}" for count in size],
        family_size=size,
    )


def categorical_attributes(frames: Frames) -> list[Categories]:
    """The families of the architectures, and every registered attribute that is words."""
    architectures = views_of(frames).architectures
    catalog = frames.attribute_catalog
    words = catalog[catalog["kind"] == "categorical"]
    levels = {FAMILY: "architecture"} | dict(zip(words["attribute"], words["level"], strict=True))
    return [_categories(frames, architectures, name, level) for name, level in levels.items()]


def _categories(
    frames: Frames, architectures: tuple[str, ...], name: str, level: str
) -> Categories:
    whole = level == "architecture"
    table = frames.architectures if whole else frames.loss_networks
    layers = () if whole else tuple(la for la in LAYERS if (table["layer"] == la).any())
    values = table[name].astype(object) if name in table else pd.Series(None, table.index, object)
    if name == FAMILY:
        values = without_none(values)
    found, names = pd.factorize(values, sort=True)
    codes = np.full((len(architectures), max(1, len(layers))), -1)
    row = pd.Index(architectures).get_indexer(pd.Index(table["architecture"]))
    layer = np.zeros_like(row) if whole else pd.Index(layers).get_indexer(pd.Index(table["layer"]))
    inside = (row >= 0) & (layer >= 0)
    codes[row[inside], layer[inside]] = found[inside]
    return Categories(
        attribute=name, layers=layers, codes=codes, names=tuple(str(name) for name in names)
    )


def _correlation_categories(frames: Frames) -> pd.DataFrame:
    tables = (placings_of(frames), views_of(frames))
    return category_table(categorical_attributes(frames), tables, np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="correlation_categories",
        title="Families and other categories against scores and mean ranks",
        columns=CATEGORY_COLUMNS,
        compute=_correlation_categories,
    ),
)
