"""Made-up frames for the studies of attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from lossnets.analysis.frames.frames import LAYERS, Frames


def _names(count: int) -> list[str]:
    return [f"net{index:02}" for index in range(count)]


def _scores(cells: np.ndarray) -> pd.DataFrame:
    """Rows of `score_means` from cells (architectures, layers, scores)."""
    architectures, layers, scores = cells.shape
    grid = pd.MultiIndex.from_product(
        [_names(architectures), LAYERS[:layers], [f"score{s}" for s in range(scores)]],
        names=["architecture", "layer", "score"],
    ).to_frame(index=False)
    grid["value"] = cells.ravel()
    grid["benchmark"] = "delineation"
    grid["higher_is_better"] = True
    grid["family"] = "Other"
    grid["layer_position"] = grid["layer"].map({la: i + 1 for i, la in enumerate(LAYERS)})
    return grid.assign(sd=np.nan, runs=1)


@pytest.fixture
def made_frames() -> Callable[..., Frames]:
    """Frames from cells (architectures, layers, scores) and attributes by name.

    An attribute is (kind, values): one value per architecture, or (architectures, layers).
    """

    def make(cells: np.ndarray, attributes: Mapping[str, tuple[str, object]]) -> Frames:
        names = _names(cells.shape[0])
        whole = pd.DataFrame({"architecture": names, "family": "Other"})
        parts = pd.MultiIndex.from_product(
            [names, LAYERS[: cells.shape[1]]], names=["architecture", "layer"]
        ).to_frame(index=False)
        catalog = []
        for name, (kind, values) in attributes.items():
            values = np.asarray(values)
            level = "architecture" if values.ndim == 1 else "loss_network"
            table = whole if values.ndim == 1 else parts
            table[name] = values.ravel()
            catalog.append({"attribute": name, "level": level, "kind": kind})
        return Frames(
            source="made",
            scores=_scores(cells),
            loss_networks=parts,
            architectures=whole,
            score_catalog=pd.DataFrame(),
            attribute_catalog=pd.DataFrame(catalog, columns=["attribute", "level", "kind"]),
            paper_tables={},
        )

    return make
