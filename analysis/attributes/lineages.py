"""Whether findings hold over lineages, and within and without the largest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations as orders_of
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lossnets.analysis.attributes.copies import same_as
from lossnets.analysis.attributes.prediction import predicted_cells
from lossnets.analysis.attributes.views import ordered_attributes, placings_of
from lossnets.analysis.frames.cube import (
    NO_SCORES,
    Floats,
    Row,
    not_computable,
    result,
    score_cube,
)
from lossnets.analysis.frames.digits import to_digits
from lossnets.analysis.frames.families import lineages as named
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.statistics.permutations import (
    PERMUTATIONS,
    permutation_p,
    permutations,
    permuted_rank_sums,
)

ALPHA = 0.05
RHO, W = "Spearman's ρ", "Kendall's W"
POOLS = ("all", "lineages", "within", "without")
_TEXTS = {
    "all": "all architectures",
    "lineages": "the means of lineages",
    "within": "the architectures of the largest lineage",
    "without": "all but these",
}

COLUMNS = {
    "finding": "attribute: goes with mean ranks; layers: one order of layers holds on a score",
    "subject": "attribute id, or score id",
    "benchmark": "benchmark id, or overall",
    "statistic": "Spearman's ρ with better mean ranks, or Kendall's W of the order of layers",
    "largest": "the lineage with the most architectures",
    **{
        name: text
        for pool, of in _TEXTS.items()
        for name, text in (
            (pool, f"the statistic over {of}"),
            (f"n_{pool}", f"how many that are: {of}"),
            (f"p_{pool}", f"its permutation p over {of}, for this test alone; exact below 8"),
        )
    },
    "holds": "yes: p < 0.05 over all architectures, over lineages, and without the largest, with "
    "the same sign within and without it; no: not in all of these; missing where nothing is found "
    "over all",
    "note": "what is missing, and why",
}


@dataclass(frozen=True, kw_only=True)
class Lineages:
    """Architectures by lineage: the family, or the architecture itself where it is of none.

    of: the lineage of each architecture (positions of `names`).
    """

    names: tuple[str, ...]
    of: NDArray[np.intp]

    @property
    def largest(self) -> int:
        """The lineage with the most architectures, the first of several by name."""
        return int(np.bincount(self.of).argmax())

    def pools(self, values: Floats) -> dict[str, Floats]:
        """Values (architectures, …) of each pool: all, lineages' means, within and without."""
        inside = self.of == self.largest
        means = [values[self.of == lineage].mean(axis=0) for lineage in np.unique(self.of)]
        return {
            "all": values,
            "lineages": to_digits(np.array(means)),
            "within": values[inside],
            "without": values[~inside],
        }


def lineages_of(architectures: Sequence[str], families: Sequence[str | None]) -> Lineages:
    """The lineage of each architecture.

    >>> lineages_of(["vgg11", "vgg16", "alexnet"], ["VGG", "VGG", "Other"]).names
    ('VGG', 'alexnet')
    """
    of, names = pd.factorize(np.array(named(architectures, families), dtype=object), sort=True)
    return Lineages(names=tuple(names), of=of)


class Orders:
    """Orders of n things: all of them below 8, else as many at random as permutations."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._known: dict[int, NDArray[np.intp]] = {}

    def of(self, n: int) -> NDArray[np.intp]:
        """Orders (count, n) other than the one that is given."""
        if n not in self._known:
            few = factorial(n) <= PERMUTATIONS
            every = np.array(list(orders_of(range(n)))[1:]).reshape(-1, n) if few else None
            drawn = permutations(self._rng, PERMUTATIONS, n) if every is None else every
            self._known[n] = drawn
        return self._known[n]


def correlated(x: Floats, y: Floats, orders: Orders) -> tuple[Floats, Floats]:
    """Spearman's ρ of x (n,) with each column of y (n, columns), and two-sided permutation p."""
    ranks = [rankdata(values, axis=0) for values in (x[:, None], y)]
    units = [r - r.mean(axis=0) for r in ranks]
    lengths = [np.sqrt((u**2).sum(axis=0)) for u in units]
    with np.errstate(divide="ignore", invalid="ignore"):  # of one value: no correlation
        x_unit, y_unit = (u / length for u, length in zip(units, lengths, strict=True))
    rho = np.clip(x_unit[:, 0] @ y_unit, -1, 1)
    null = np.abs(x_unit[:, 0][orders.of(len(x))] @ y_unit)
    p = [permutation_p(abs(r), null[:, i]) if np.isfinite(r) else np.nan for i, r in enumerate(rho)]
    return rho, np.array(p)


def concordance(cells: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Kendall's W of the order of layers by score, and its permutation p.

    `cells`: (n, layers, scores); layers are permuted within each of the n.
    """
    n, k = cells.shape[:2]
    ranks = rankdata(-cells, axis=1)
    centred = ranks - (k + 1) / 2
    spread = (centred**2).sum(axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):  # all layers tie
        w = (centred.sum(axis=0) ** 2).sum(axis=0) / (n * spread)
        sums = permuted_rank_sums(ranks, rng) - n * (k + 1) / 2  # (permutations, layers, scores)
        null = (sums**2).sum(axis=1) / (n * spread)
    p = [permutation_p(one, null[:, s]) if np.isfinite(one) else np.nan for s, one in enumerate(w)]
    return w, np.array(p)


def lineages(frames: Frames, rng: np.random.Generator) -> pd.DataFrame:
    """Findings over architectures beside the same over lineages, with and without the largest.

    Columns: COLUMNS. Architectures of one family share design and recipe, and are no independent
    witnesses; those of no family are lineages of their own.
    """
    if frames.scores.empty:
        return result(COLUMNS, [not_computable(NO_SCORES)])
    rows = _attributes(frames, Orders(rng)) + _layers(frames, rng)
    return result(COLUMNS, rows or [not_computable("there is neither attribute nor layer")])


def _attributes(frames: Frames, orders: Orders) -> list[Row]:
    """Rows of attributes of architectures against the mean ranks per benchmark and overall."""
    placings = placings_of(frames)
    cube = score_cube(frames.scores)
    family = dict(zip(cube.architectures, cube.families, strict=True))
    attributes = ordered_attributes(frames)
    copies = same_as(attributes)
    rows: list[Row] = []
    for attribute in attributes:
        if attribute.level != "architecture" or attribute.attribute in copies:
            continue
        x, y = attribute.values[:, 0], placings.values
        known = np.isfinite(x)
        kept = np.asarray(np.isfinite(y[known]).all(axis=0) & known.any())
        about = {"finding": "attribute", "subject": attribute.attribute, "statistic": RHO}
        rows += [
            about | {"benchmark": name} | not_computable("mean ranks are missing")
            for name, whole in zip(placings.benchmarks, kept, strict=True)
            if not whole
        ]
        if not kept.any():
            continue
        names = [placings.architectures[a] for a in np.flatnonzero(known)]
        of = lineages_of(names, [family[name] for name in names])
        both = of.pools(np.column_stack([x[known], y[known][:, kept]]))
        found = {
            pool: (len(values), *correlated(values[:, 0], values[:, 1:], orders))
            for pool, values in both.items()
            if len(values) > 2
        }
        benchmarks = [name for name, whole in zip(placings.benchmarks, kept, strict=True) if whole]
        rows += [
            about | {"benchmark": name} | _row(of, found, i) for i, name in enumerate(benchmarks)
        ]
    return rows


def _layers(frames: Frames, rng: np.random.Generator) -> list[Row]:
    """Rows of the order of layers on each score."""
    cube = score_cube(frames.scores)
    given = predicted_cells(cube)
    rows = given.architectures
    if len(rows) < 2 or len(given.layers) < 2:
        return []
    of = lineages_of([cube.architectures[a] for a in rows], [cube.families[a] for a in rows])
    found = {
        pool: (len(values), *concordance(values, rng))
        for pool, values in of.pools(given.cells).items()
        if len(values) > 1
    }
    return [
        {
            "finding": "layers",
            "subject": cube.scores[s],
            "benchmark": cube.benchmarks[s],
            "statistic": W,
        }
        | _row(of, found, i)
        for i, s in enumerate(given.scores)
    ]


def _row(of: Lineages, found: dict[str, tuple[int, Floats, Floats]], i: int) -> Row:
    """What the pools say of one finding, and whether it holds."""
    row: Row = {"largest": of.names[of.largest]}
    for pool, (n, statistic, p) in found.items():
        row |= {f"n_{pool}": n, pool: statistic[i], f"p_{pool}": p[i]}
    missing = [_TEXTS[pool] for pool in POOLS if not np.isfinite(row.get(pool, np.nan))]
    if missing:
        reason = "too few or of one value: " + ", ".join(missing)
        row |= not_computable(reason)
    if row.get("p_all", 1) < ALPHA:
        tested = [row.get(f"p_{pool}", np.nan) for pool in ("all", "lineages", "without")]
        signs = {np.sign(row[pool]) for pool in POOLS if np.isfinite(row.get(pool, np.nan))}
        holds = all(p < ALPHA for p in tested) and len(signs) == 1
        row["holds"] = "yes" if holds else "no"
    return row


STUDIES = (
    Study(
        name="lineages",
        title="Do findings hold over lineages, and without the largest?",
        columns=COLUMNS,
        compute=lambda frames: lineages(frames, np.random.default_rng(SEED)),
    ),
)
