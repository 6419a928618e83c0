"""What is left of a rank correlation when one attribute is held fixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lossnets.analysis.attributes.correlate import Table, too_few
from lossnets.analysis.attributes.correlation import attribute_labels, nothing, with_infinite
from lossnets.analysis.attributes.views import (
    BEST,
    Attribute,
    Scores,
    ordered_attributes,
    placings_of,
    views_of,
)
from lossnets.analysis.frames.cube import NO_SCORES, Floats
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.statistics.coefficients import complete_rows, spearman, t_test_p
from lossnets.analysis.statistics.intervals import fisher_interval
from lossnets.analysis.statistics.westfall_young import holm
from lossnets.warehouse.errors import UserError

# What is held fixed: of each pair the first that there is.
CHOSEN = (("imagenet_top1", "paper_imagenet_top1"), ("depth", "paper_depth"))
LEAST_PARTIAL = 4
NO_PAIR = "there is no attribute to hold fixed beside another"

PARTIAL_COLUMNS = {
    "given": "attribute that is held fixed",
    "attribute": "attribute id",
    "view": "best (best layer), or mean_rank (mean rank over a benchmark's scores)",
    "benchmark": "benchmark id, or overall",
    "score": "score id, or mean_rank",
    "n": "architectures that have all three",
    "spearman": "rank correlation of attribute and score, nothing held fixed",
    "partial": "rank correlation with the given attribute's ranks partialled out; positive:"
    " more of the attribute, better score",
    "partial_low": "lower end of its 95 % interval (Fisher z, Bonett-Wright variance, n - 1)",
    "partial_high": "upper end of its 95 % interval",
    "p": "two-sided p by Student's t with n - 3 degrees of freedom",
    "p_holm": "the same, Holm-adjusted within the family",
    "family": "what p values are adjusted over",
    "family_size": "coefficients in the family",
    "note": "what is missing, and why",
}


def partial_spearman(x: Floats, y: Floats, z: Floats) -> Floats:
    """Rank correlation of x (n,) with columns of y (n, columns), ranks of z (n,) held fixed.

    (r_xy − r_xz r_yz) / √((1 − r_xz²)(1 − r_yz²)); NaN where z orders x or y wholly.
    """
    xy, zy = spearman(x, y), spearman(z, y)
    xz = spearman(z, x[:, None])[0]
    rest = (1 - xz**2) * (1 - zy**2)
    return np.clip((xy - xz * zy) / np.sqrt(np.where(rest > 1e-12, rest, np.nan)), -1, 1)


def partial_correlations(x: Floats, z: Floats, scores: Scores) -> Table:
    """Partial rank correlations of x with each column of scores given z, as arrays."""
    width = scores.values.shape[1]
    names = ("spearman", "partial", "p_holm", "family_size")
    table: Table = {name: np.full(width, np.nan) for name in names}
    table |= {"n": np.zeros(width), "note": np.full(width, "", dtype=object)}
    table |= {"view": np.array(scores.views, dtype=object)}
    table |= {"benchmark": np.array(scores.benchmarks, dtype=object)}
    table |= {"score": np.array(scores.scores, dtype=object)}
    for rows, columns in complete_rows(np.where(np.isfinite(z), x, np.nan), scores.values):
        table["n"][columns] = len(rows)
        if len(rows) < LEAST_PARTIAL:
            table["note"][columns] = too_few(len(rows), LEAST_PARTIAL)
            continue
        y = scores.values[np.ix_(rows, columns)]
        table["spearman"][columns] = spearman(x[rows], y)
        table["partial"][columns] = partial = partial_spearman(x[rows], y, z[rows])
        table["note"][columns] = np.where(
            np.isnan(partial),
            "not computable, because one of the three is constant or the given attribute"
            " orders another wholly",
            "",
        )
    table["p"] = t_test_p(table["partial"], table["n"], controls=1)
    ends = fisher_interval(table["partial"], table["n"], "spearman", controls=1)
    table["partial_low"], table["partial_high"] = ends
    for _, family in scores.families():
        table["p_holm"][family] = holm(table["p"][family])
        table["family_size"][family] = np.isfinite(table["p"][family]).sum()
    return table


def partial_table(
    attributes: Sequence[Attribute], scores: Sequence[Scores], given: Sequence[str]
) -> pd.DataFrame:
    """Partial rank correlations of properties of architectures: PARTIAL_COLUMNS.

    `given`: attributes to hold fixed, one at a time; those that are not there are passed
    over. `scores`: each best-layer score, and the mean placings.
    """
    whole = {a.attribute: a for a in attributes if a.level == "architecture"}
    parts: list[Table] = []
    for name in given:
        for attribute in whole.values() if name in whole else ():
            if attribute.attribute == name:
                continue
            for columns in scores:
                x, z = attribute.values[:, 0], whole[name].values[:, 0]
                part = partial_correlations(x, z, columns)
                part |= attribute_labels(attribute, len(part["n"]))
                parts.append(part | {"given": np.full(len(part["n"]), name, dtype=object)})
    if not sum(len(part["n"]) for part in parts):
        return nothing(PARTIAL_COLUMNS, attributes, NO_PAIR if not parts else NO_SCORES)
    table = pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})
    table = table.astype({"n": int, "family_size": int})
    size = table["family_size"].astype(str)
    table["family"] = table["attribute"] + " given " + table["given"] + ", " + table["view"]
    table["family"] += ", " + size + " coefficients"
    table["note"] = with_infinite(table["note"], table["infinite"])
    return table[list(PARTIAL_COLUMNS)]


def _correlation_partial(frames: Frames, given: Sequence[str] = ()) -> pd.DataFrame:
    """With some attributes held fixed, one at a time; those of CHOSEN where none is named."""
    ordered = ordered_attributes(frames)
    whole = [a.attribute for a in ordered if a.level == "architecture"]
    for name in given:
        if name not in whole:
            raise UserError(
                f"found {name!r} to hold fixed; valid are the numeric and yes/no attributes of "
                f"architectures: {', '.join(whole)}"
            )
    there = [[name for name in pair if _has(ordered, name)] for pair in CHOSEN]
    chosen = tuple(given) or [names[0] for names in there if names]
    scores = (placings_of(frames), views_of(frames).of_views((BEST,)))
    return partial_table(ordered, scores, chosen)


def _has(attributes: Sequence[Attribute], name: str) -> bool:
    return any(a.attribute == name and np.isfinite(a.values).any() for a in attributes)


STUDIES = (
    Study(
        name="correlation_partial",
        title="Rank correlations with one attribute held fixed",
        columns=PARTIAL_COLUMNS,
        compute=_correlation_partial,
        given=_correlation_partial,
    ),
)
