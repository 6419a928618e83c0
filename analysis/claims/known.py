"""What frames say about architectures and scores, looked up by name."""

from __future__ import annotations

from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.once import once


@once
def families_of(frames: Frames) -> dict[str, str]:
    """Family of each architecture."""
    table = frames.architectures
    return dict(zip(table["architecture"], table["family"], strict=True))


@once
def catalog_of(frames: Frames) -> dict[str, dict[str, object]]:
    """What the catalog says about each score."""
    rows = frames.score_catalog.drop_duplicates("score").to_dict("records")
    return {row["score"]: {str(name): value for name, value in row.items()} for row in rows}


@once
def attributes_of(frames: Frames) -> dict[str, dict[str, float]]:
    """Numeric columns of the architectures by id: {attribute: {architecture: value}}."""
    table = frames.architectures
    numbers = table.select_dtypes("number")
    return {
        str(column): dict(zip(table["architecture"], numbers[column].astype(float), strict=True))
        for column in numbers
    }
