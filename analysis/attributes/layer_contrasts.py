"""Whether a yes/no attribute changes what going from an early layer to a late one does."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lossnets.analysis.attributes.groups import Splits, compare_groups
from lossnets.analysis.attributes.prediction import predicted_cells
from lossnets.analysis.attributes.views import Scores, attributes
from lossnets.analysis.frames.cube import Floats, Row, not_computable, result, score_cube
from lossnets.analysis.frames.frames import SEED, Frames, Study

CONTRAST_COLUMNS = {
    "attribute": "attribute id, a yes/no attribute of architectures",
    "benchmark": "benchmark id",
    "score": "score id",
    "contrast": "the layers that are set against each other",
    "n_with": "architectures that have it",
    "n_without": "architectures that have it not",
    "with_it": "their mean difference between the layers, in normal scores",
    "without_it": "the same of those that have it not",
    "p": "two-sided permutation p over architectures, of the ranked differences",
    "splits": "ways to share the architectures out that p counts; exact where they are all",
    "exact": "whether they are all",
    "p_westfall_young": "step-down max-statistic p within the family",
    "family_size": "scores in the family: those of one attribute",
    "note": "what is missing, and why",
}


def layer_contrasts(frames: Frames, rng: np.random.Generator) -> pd.DataFrame:
    """Does a yes/no attribute change what going from the first to the last layer does?

    Columns: CONTRAST_COLUMNS. The interaction of attribute and layer, as the difference between
    the two layers in normal scores, compared over all ways to share the architectures out.
    """
    cube = score_cube(frames.scores)
    cells = predicted_cells(cube)
    y, rows = cells.cells, cells.architectures
    if len(rows) < 2 or y.shape[1] < 2:
        return result(CONTRAST_COLUMNS, [not_computable("it takes two architectures and layers")])
    contrast = f"{cells.layers[-1]} − {cells.layers[0]}"
    scores = Scores(
        architectures=tuple(cube.architectures[a] for a in rows),
        values=y[:, -1] - y[:, 0],
        views=("contrast",) * len(cells.scores),
        scores=tuple(cube.scores[s] for s in cells.scores),
        benchmarks=tuple(cube.benchmarks[s] for s in cells.scores),
    )
    splits = Splits(len(rows), rng)
    found: list[Row] = []
    for attribute in attributes(frames, scores.architectures, "binary"):
        if attribute.level == "architecture":
            about = {"attribute": attribute.attribute, "contrast": contrast}
            own = _contrast_rows(attribute.values[:, 0], scores, splits)
            found += [about | row for row in own]
    return result(CONTRAST_COLUMNS, found or [not_computable("there is no yes/no attribute")])


def _contrast_rows(x: Floats, scores: Scores, splits: Splits) -> list[Row]:
    """A row a score for one attribute (architectures,)."""
    table = compare_groups(x, scores, splits)
    names = [name for name in CONTRAST_COLUMNS if name in table and name != "attribute"]
    rows = [{name: table[name][s] for name in names} for s in range(len(scores.scores))]
    known = np.isfinite(x)
    with_it = known & (x == np.max(x[known], initial=-np.inf))
    for s, row in enumerate(rows):
        if np.isfinite(row["p"]):
            row["with_it"] = scores.values[with_it, s].mean()
            row["without_it"] = scores.values[known & ~with_it, s].mean()
        elif not row["note"]:
            row |= not_computable("the differences of a score do not vary")
    return rows


STUDIES = (
    Study(
        name="layer_contrasts",
        title="Does a yes/no attribute change what a later layer does?",
        columns=CONTRAST_COLUMNS,
        compute=lambda frames: layer_contrasts(frames, np.random.default_rng(SEED)),
    ),
)
