"""How large the noise of a training is: from structural twins, and from repeated runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lossnets.analysis.frames.cube import Floats, score_cube, units_of
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.once import once
from lossnets.analysis.frames.paper_frames import paper_alone
from lossnets.analysis.noise.conclusions import Standardised, standardise

TWINS, RUNS = "structural twins", "repeated runs"

Network = tuple[str, str]  # architecture, layer


@dataclass(frozen=True, kw_only=True)
class Noise:
    """The noise of one training against the variance between architectures.

    scores: positions of the scores of the trained model; ratio: variance of the noise over the
    variance between architectures at their best layer, mean over the scores; freedom: its degrees
    of freedom; without: the ratio when each architecture is left out, NaN where none is left.
    """

    method: str
    scores: NDArray[np.intp]
    ratio: float
    freedom: int
    networks: int
    groups: int
    without: Floats


def twin_groups(frames: Frames) -> list[list[Network]]:
    """Loss networks whose graphs are the same up to their layer, two or more in a group.

    Found from what is measured of the graph: attributes of loss networks that are whole numbers
    (depth, operations and parameters up to the layer, shape and reach of the features). Named
    extraction layers alone take part, one of an architecture in a group: what lies before and
    what after an activation agrees in all of these. Twins have pretrained weights of their own.
    """
    columns = _of_the_graph(frames)
    if not columns:
        return []
    named = frames.scores.loc[frames.scores["layer_position"].notna(), "layer"]
    table = frames.loss_networks
    known = table[columns].notna().all(axis=1) & table["layer"].isin(named)
    rows = table[known].sort_values(["architecture", "layer"])
    groups = rows.groupby(columns, sort=True)[["architecture", "layer"]]
    found = [own.drop_duplicates("architecture").to_numpy().tolist() for _, own in groups]
    return [[(a, layer) for a, layer in own] for own in found if len(own) > 1]


def _of_the_graph(frames: Frames) -> list[str]:
    """Measured attributes of loss networks that are whole numbers, as counts of a graph are."""
    table, catalog = frames.loss_networks, paper_alone(frames).attribute_catalog
    about = catalog.reindex(columns=["attribute", "level", "origin"])
    measured = about[(about["level"] == "loss_network") & (about["origin"] == "measured")]
    names = [name for name in measured["attribute"] if name in table]
    values = {name: table[name].to_numpy(float, na_value=np.nan) for name in names}
    return [name for name, x in values.items() if not np.any(x[np.isfinite(x)] % 1)]


def noise_of_twins(data: Standardised, groups: Sequence[Sequence[Network]]) -> list[Noise]:
    """Pooled variance between twins, for the scores of each trained model (`units_of`).

    Twins differ in pretrained weights and seed, so this bounds the noise of a training from above.
    Where nothing is trained, it is what pretrained weights alone change.
    """
    row = {name: a for a, name in enumerate(data.architectures)}
    layer = {name: i for i, name in enumerate(data.layers)}
    members = [
        np.array([(layer[at], row[name]) for name, at in own if name in row and at in layer])
        for own in groups
    ]
    return [_of_unit(data, unit, members) for unit in units_of(data.trained_models)]


def _of_unit(
    data: Standardised, unit: NDArray[np.intp], members: Sequence[NDArray[np.intp]]
) -> Noise:
    """Noise of one trained model; `members`: of each group (layer, architecture) of its twins."""
    best = np.fmax.reduce(data.cells[..., unit], axis=0)  # (architectures, scores)
    n = len(best)
    within, freedom, networks, used = np.zeros(len(unit)), 0, 0, 0
    removed, fewer = np.zeros_like(best), np.zeros(n)
    for group in members:
        cells = np.array([data.cells[i, a, unit] for i, a in group]).reshape(-1, len(unit))
        whole = np.isfinite(cells).all(axis=1)
        size = int(whole.sum())
        if size < 2:
            continue
        squares = (cells[whole] - cells[whole].mean(axis=0)) ** 2
        of = group[whole, 1]
        within += squares.sum(axis=0)
        removed[of] += squares * size / (size - 1)
        fewer[of] += 1
        freedom, networks, used = freedom + size - 1, networks + size, used + 1
    squares = (best - best.mean(axis=0)) ** 2
    between = squares.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # no twins, or two architectures: NaN
        ratios = within / freedom / (between / (n - 1))
        left = np.maximum(within - removed, 0) / (freedom - fewer)[:, None]
        others = (between - squares * n / (n - 1)) / (n - 2)
        without = np.where(others > 0, left / others, np.nan).mean(axis=1)
    return Noise(
        method=TWINS,
        scores=unit,
        ratio=float(ratios.mean()) if freedom else np.nan,
        freedom=freedom,
        networks=networks,
        groups=used,
        without=np.where(freedom - fewer > 0, without, np.nan),
    )


def noise_of_runs(data: Standardised, scores: pd.DataFrame) -> list[Noise]:
    """Pooled variance between the runs of a loss network, where some were repeated.

    `scores`: rows of `score_means`, whose `sd` is that between `runs`.
    """
    sd = scores["sd"].astype(float)
    freedom = (scores["runs"].astype(float) - 1).where(sd.notna())
    cells = []
    for values in (sd, freedom):
        cube = score_cube(scores.assign(value=values))
        index = np.ix_(
            [cube.architectures.index(name) for name in data.architectures],
            [cube.layers.index(name) for name in data.layers],
            [cube.scores.index(name) for name in data.scores],
        )
        cells.append(np.nan_to_num(cube.values[index]))  # (architectures, layers, scores)
    squares = np.sum(cells[1] * (cells[0] / data.spread) ** 2, axis=1)
    runs = cells[1].sum(axis=1)
    units = units_of(data.trained_models)
    return [_of_runs(unit, squares[:, unit], runs[:, unit].mean(axis=1)) for unit in units]


def _of_runs(unit: NDArray[np.intp], squares: Floats, freedom: Floats) -> Noise:
    """Noise from squares (architectures, scores) and degrees of freedom (architectures,)."""
    total, left = freedom.sum(), freedom.sum() - freedom
    by_score = squares.mean(axis=1)
    known = left > 0
    return Noise(
        method=RUNS,
        scores=unit,
        ratio=float(by_score.sum() / total) if total > 0 else np.nan,
        freedom=int(total),
        networks=int(np.sum(freedom > 0)),
        groups=int(np.sum(freedom > 0)),
        without=np.where(known, (by_score.sum() - by_score) / np.where(known, left, 1), np.nan),
    )


@once
def noises(frames: Frames) -> tuple[Standardised, list[list[Noise]]]:
    """The standardised scores, and of each trained model its noise by every method at hand."""
    data = standardise(frames.scores)
    if not data.scores:
        return data, []
    methods = (noise_of_runs(data, frames.scores), noise_of_twins(data, twin_groups(frames)))
    return data, [[one for one in found if one.freedom] for found in zip(*methods, strict=True)]


def training_noise(frames: Frames) -> dict[str, float]:
    """Standard deviation of a training's noise by score, in those between architectures.

    The unit is the standard deviation of the architectures' values at their best layer. Repeated
    runs tell it where there are some, else structural twins, as an upper bound; 0 where nothing
    is trained, NaN where nothing tells it. The noise of one training moves all scores of its
    trained model together.
    """
    data, by_unit = noises(frames)
    found = {}
    for unit, own in zip(units_of(data.trained_models), by_unit, strict=True):
        for s in unit:
            trained = data.trained_models[s] is not None
            ratio = own[0].ratio if own else np.nan
            found[data.scores[s]] = float(np.sqrt(ratio)) if trained else 0.0
    return found
