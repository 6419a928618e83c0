"""The scores as one array, and the frames that studies return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.frames.digits import to_digits
from lossnets.analysis.frames.frames import BENCHMARKS

Floats = NDArray[np.float64]
Row = dict[str, Any]

NO_SCORES = "there are no scores"


@dataclass(frozen=True, kw_only=True)
class ScoreCube:
    """Scores as an array (architectures, layers, scores), NaN where a cell is missing.

    values: as printed; signs: 1, or −1 for a score of which less is better;
    layers: extraction layers by position, then other traced nodes by name;
    positions: layer_position, NaN for other nodes; benchmarks: one per score; trained_models:
    the training that each score is of, None where nothing is trained.
    """

    values: Floats
    signs: Floats
    architectures: tuple[str, ...]
    families: tuple[str | None, ...]
    layers: tuple[str, ...]
    positions: Floats
    scores: tuple[str, ...]
    benchmarks: tuple[str, ...]
    trained_models: tuple[str | None, ...]

    @property
    def oriented(self) -> Floats:
        """The values with the sign that makes higher better."""
        return self.values * self.signs

    @property
    def best(self) -> Floats:
        """Best oriented value over the layers (architectures, scores), NaN without any."""
        if 0 in self.values.shape:
            return np.empty((len(self.architectures), len(self.scores)))
        return np.asarray(np.fmax.reduce(self.oriented, axis=1))

    @property
    def extraction(self) -> NDArray[np.intp]:
        """Index of the named extraction layers, in order of position."""
        return np.flatnonzero(~np.isnan(self.positions))

    @property
    def units(self) -> list[NDArray[np.intp]]:
        """Scores by trained model, see `units_of`."""
        return units_of(self.trained_models)

    @property
    def benchmark_names(self) -> tuple[str, ...]:
        """The benchmarks that occur, in the paper's order, others after them by name."""
        return tuple(sorted(set(self.benchmarks), key=benchmark_order))


def benchmark_order(benchmark: str) -> tuple[int, str]:
    """Sort key: the paper's order of benchmarks, then by name."""
    known = BENCHMARKS.index(benchmark) if benchmark in BENCHMARKS else len(BENCHMARKS)
    return known, benchmark


def score_cube(scores: pd.DataFrame) -> ScoreCube:
    """Arrange rows of `score_means` as a `ScoreCube`, whatever the order of the rows.

    A cell given twice enters with its mean, and values are rounded to 12 significant digits, so
    that equal ones reached by other sums are ties. Architectures and scores sort by name, scores
    within the paper's order of benchmarks.
    """
    about = ["score", "benchmark", "higher_is_better", "trained_model"]
    of_score = scores.reindex(columns=about).drop_duplicates("score")
    benchmark_of = dict(zip(of_score["score"], of_score["benchmark"], strict=True))
    higher_of = dict(zip(of_score["score"], of_score["higher_is_better"], strict=True))
    model_of = dict(zip(of_score["score"], _trained_models(of_score), strict=True))
    with_family = scores[["architecture", "family"]].dropna().drop_duplicates("architecture")
    family_of = dict(zip(with_family["architecture"], with_family["family"], strict=True))
    position_of = scores.groupby("layer")["layer_position"].min().astype(float).to_dict()
    names = sorted(benchmark_of, key=lambda name: (benchmark_order(benchmark_of[name]), name))
    layers = sorted(
        map(str, position_of), key=lambda x: (np.nan_to_num(position_of[x], nan=np.inf), x)
    )
    architectures = sorted(scores["architecture"].unique())
    index = tuple(
        pd.Index(labels).get_indexer(pd.Index(scores[column]))
        for labels, column in ((architectures, "architecture"), (layers, "layer"), (names, "score"))
    )
    shape = (len(architectures), len(layers), len(names))
    higher = [higher_of[name] is pd.NA or bool(higher_of[name]) for name in names]
    return ScoreCube(
        values=to_digits(
            _cell_means(shape, index, scores["value"].to_numpy(float, na_value=np.nan))
        ),
        signs=np.where(higher, 1.0, -1.0),
        architectures=tuple(architectures),
        families=tuple(family_of.get(name) for name in architectures),
        layers=tuple(layers),
        positions=np.array([position_of[name] for name in layers], dtype=float),
        scores=tuple(names),
        benchmarks=tuple(benchmark_of[name] for name in names),
        trained_models=tuple(model_of[name] for name in names),
    )


def units_of(trained_models: Sequence[str | None]) -> list[NDArray[np.intp]]:
    """Which scores could have come out otherwise together: those of one trained model.

    One array of positions for each trained model; a score of which nothing is trained is alone.

    >>> [unit.tolist() for unit in units_of(["unet", None, "unet", None])]
    [[0, 2], [1], [3]]
    """
    names = [model or score for score, model in enumerate(trained_models)]
    of = np.array([names.index(name) for name in names], dtype=np.intp)
    return [np.flatnonzero(of == first) for first in dict.fromkeys(of.tolist())]


def _trained_models(of_score: pd.DataFrame) -> list[str | None]:
    """The trained models of some scores; where none is known each score stands alone."""
    return [name if isinstance(name, str) and name else None for name in of_score["trained_model"]]


def _cell_means(
    shape: tuple[int, int, int], index: tuple[NDArray[np.intp], ...], values: Floats
) -> Floats:
    """Mean of the given values in each cell of an array, NaN where none was given."""
    cells = np.full(shape, np.nan)
    given = ~np.isnan(values)
    index = tuple(axis[given] for axis in index)
    values = values[given]
    flat = np.ravel_multi_index(index, shape) if values.size else np.empty(0, dtype=np.intp)
    if len(np.unique(flat)) == len(flat):
        cells[index] = values
        return cells
    for cell in np.unique(flat):
        cells.flat[cell] = values[flat == cell].mean()
    return cells


def complete_block(matrix: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns that are left when the emptiest are taken away until no cell is missing.

    Columns go first where a row and a column miss the same share; the later one goes first
    among equals.
    """
    rows, columns = np.arange(matrix.shape[0]), np.arange(matrix.shape[1])
    missing = np.isnan(matrix)
    while rows.size and columns.size and missing[np.ix_(rows, columns)].any():
        block = missing[np.ix_(rows, columns)]
        by_row, by_column = block.mean(axis=1), block.mean(axis=0)
        if by_column.max() >= by_row.max():
            columns = np.delete(columns, len(columns) - 1 - int(by_column[::-1].argmax()))
        else:
            rows = np.delete(rows, len(rows) - 1 - int(by_row[::-1].argmax()))
    return rows, columns


def result(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with exactly these columns; `note` is empty where nothing is to be said.

    >>> result(["w", "note"], [{"w": 0.5}]).to_dict("records")
    [{'w': 0.5, 'note': ''}]
    """
    listed = list(rows)
    frame = pd.DataFrame(listed, columns=list(columns))
    notes = [row.get("note") or "" for row in listed]
    return frame.assign(note=pd.Series(notes, index=frame.index, dtype=str))


def not_computable(reason: str) -> dict[str, str]:
    """A row's note that says why its numbers are missing."""
    return {"note": f"not computable, because {reason}"}


def left_out(kind: str, names: Iterable[str]) -> str:
    """A note that names what a study had to leave out, empty if nothing.

    >>> left_out("architectures", ["vgg11"])
    'left out for missing scores: architectures vgg11'
    """
    listed = ", ".join(names)
    return f"left out for missing scores: {kind} {listed}" if listed else ""


def join_notes(*notes: str) -> str:
    """Notes joined by semicolons, empty ones skipped."""
    return "; ".join(note for note in notes if note)
