"""Tables V to XI as the rules read them: cells with what the catalog says about each score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.audit.findings import OUTLYING, Finding, NotApplicable, as_printed, robust_z
from lossnets.analysis.frames.cube import Floats, ScoreCube, score_cube
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.once import once
from lossnets.analysis.frames.trained_models import trained_models

FEWEST = 20  # cells below which no relation between cells is looked for
TOGETHER = 3  # networks that make a group


@dataclass(frozen=True)
class Table:
    """The scores of one source with what the catalog says about each."""

    cube: ScoreCube
    catalog: dict[str, dict[str, object]]
    published: bool

    @staticmethod
    def of(frames: Frames) -> Table:
        """Arrange the scores; NotApplicable without any."""
        if frames.scores.empty:
            raise NotApplicable("there are no scores")
        return _table(frames)

    def about(self, score: str, column: str) -> object:
        """What the catalog says, None where it says nothing."""
        value = self.catalog.get(score, {}).get(column)
        return None if value is None or value != value or value is pd.NA else value

    def same(self, one: str, other: str, *columns: str) -> bool:
        """Whether two scores agree in these columns of the catalog."""
        return all(self.about(one, column) == self.about(other, column) for column in columns)

    def decimals(self, score: str) -> float | None:
        """Decimals printed, None for measured runs."""
        value = self.about(score, "decimals") if self.published else None
        return None if value is None else float(str(value))

    def rounding(self, score: str) -> float:
        """Standard deviation that rounding alone gives: a last digit ÷ √12."""
        decimals = self.decimals(score)
        return 0.0 if decimals is None else 10.0**-decimals / np.sqrt(12)

    def number(self, score: str) -> str:
        """Number of the table that prints the score."""
        return str(self.about(score, "paper_table") or "") if self.published else "measured"

    def values(self, score: str) -> Floats:
        """Cells of a score (architectures, layers)."""
        return np.asarray(self.cube.values[..., self.cube.scores.index(score)])

    def finding(self, a: int, layer: int, score: str, **rest: object) -> Finding:
        """A finding about one cell."""
        value = self.values(score)[a, layer]
        return {
            "table": self.number(score),
            "architecture": self.cube.architectures[a],
            "layer": self.cube.layers[layer],
            "column": score,
            "printed": as_printed(value, self.decimals(score)),
        } | rest

    def trained_models(self) -> list[list[str]]:
        """Scores by the trained model they come from, one by one where nothing is trained."""
        models = trained_models(self.catalog, self.cube.scores)
        groups: dict[str, list[str]] = {}
        for score, model in zip(self.cube.scores, models, strict=True):
            groups.setdefault(model or score, []).append(score)
        return list(groups.values())

    def pairs(self, *alike: str, apart: str = "") -> Iterator[tuple[str, str]]:
        """Pairs of scores that agree in some columns of the catalog and differ in another."""
        for one, other in combinations(self.cube.scores, 2):
            if self.same(one, other, *alike) and not (apart and self.same(one, other, apart)):
                yield one, other


def fallen(table: Table, scores: list[str]) -> NDArray[np.bool_]:
    """Which cells are far below the others of their score (architectures, layers, scores)."""
    low = np.stack([fall(table, score) <= -OUTLYING for score in scores], axis=-1)
    together = low.any(axis=-1).sum(axis=0) >= TOGETHER
    return np.asarray(low & together[:, None])


def fall(table: Table, score: str) -> Floats:
    """Robust z of a score's cells, negative where they are worse (architectures, layers)."""
    sign = table.cube.signs[table.cube.scores.index(score)]
    return np.nan_to_num(robust_z(sign * table.values(score)))


@once
def _table(frames: Frames) -> Table:
    rows = frames.score_catalog.drop_duplicates("score").to_dict("records")
    catalog = {row["score"]: {str(name): value for name, value in row.items()} for row in rows}
    return Table(score_cube(frames.scores), catalog, frames.source == "paper")
