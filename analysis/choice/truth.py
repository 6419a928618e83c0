"""What the true values may be, as far as the noise of a training lets the given ones tell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from lossnets.analysis.choice.places import Places, all_places
from lossnets.analysis.frames.cube import Floats, not_computable
from lossnets.analysis.frames.frames import SEED, Frames
from lossnets.analysis.frames.once import once
from lossnets.analysis.noise.training_noise import noises, training_noise

DRAWS = 200
CELLS = 2_000_000  # drawn at once at most: bounds time and memory

UNKNOWN = not_computable("nothing tells the noise of a training")["note"]


def noise_of(frames: Frames, found: Places) -> Floats:
    """Standard deviation of a training's noise by score, in its unit; NaN where it is not known."""
    data, _ = noises(frames)
    spread = dict(zip(data.scores, data.spread, strict=True))
    sizes = training_noise(frames)
    unknown = [np.nan] * len(found.scores)
    pairs = zip(found.scores, found.models, unknown, strict=True)
    return np.array(
        [
            0.0 if model is None else sizes.get(s, nan) * spread.get(s, nan)
            for s, model, nan in pairs
        ]
    )


def true_ranks(frames: Frames, found: Places) -> Floats | None:
    """Mean ranks by benchmark of true values drawn given the values: (draws, networks, benchmarks).

    A value is a true one and noise, so the truth lies nearer to the mean of its layer: it is
    normal around there with what the noise leaves of the layer's variance. The noise of a training
    reaches all scores of a network together. None where the noise is not known.
    """
    noise = noise_of(frames, found)
    if not (np.isfinite(noise).all() and np.isfinite(found.values).all()):
        return None
    layers = pd.factorize(found.networks["layer"])[0]
    count = np.bincount(layers)
    size = np.abs(found.values).max(axis=0)
    size = np.where(size > 0, size, 1.0)
    values, noise = found.values / size, (noise / size) ** 2
    sums = np.zeros((len(count), values.shape[1]))
    np.add.at(sums, layers, values)
    centre = (sums / count[:, None])[layers]
    total = ((values - centre) ** 2).sum(axis=0) / max(len(values) - len(count), 1)
    noise = np.minimum(noise, total)
    kept = 1 - noise / np.where(total > 0, total, 1.0)
    draws = int(np.clip(CELLS // max(values.size, 1), 20, DRAWS))
    rng = np.random.default_rng(SEED)
    drawn = rng.standard_normal((draws, len(values), len(found.units)))
    moved = np.empty((draws, *values.shape))
    for number, unit in enumerate(found.units):
        moved[..., unit] = drawn[..., number, None] * np.sqrt(noise * kept)[unit]
    return found.mean_ranks(centre + kept * (values - centre) + moved)


@once
def all_truth(frames: Frames) -> Floats | None:
    """`true_ranks` on all benchmarks, computed once."""
    return true_ranks(frames, all_places(frames))


def beaten_in_truth(ranks: Floats) -> Floats:
    """Expected share of the others that beat each: (networks, benchmarks)."""
    places = np.asarray(rankdata(ranks, axis=1))
    return np.asarray((places.mean(axis=0) - 1) / max(ranks.shape[1] - 1, 1))


def chance_of_best(means: Floats) -> Floats:
    """Share of the draws in which each has the least mean rank, ties shared.

    >>> chance_of_best(np.array([[1.0, 2.0], [1.5, 1.5]])).tolist()
    [0.75, 0.25]
    """
    first = means == means.min(axis=1, keepdims=True)
    return np.asarray((first / first.sum(axis=1, keepdims=True)).mean(axis=0))
