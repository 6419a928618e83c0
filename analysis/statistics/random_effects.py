"""Crossed random effects and their variances by Gibbs sampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lossnets.analysis.frames.cube import Floats

Codes = NDArray[np.intp]

TINY = 1e-9  # least variance of a residual


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Draws from the posterior: variances (factors + 1, draws), the residual's last; effects of
    each factor (levels, draws); chains: how many chains the draws are of, one after another."""

    variances: Floats
    effects: list[Floats]
    chains: int


def gibbs(
    values: Floats,
    factors: Sequence[Codes],
    rng: np.random.Generator,
    *,
    chains: int = 32,
    burn: int = 150,
    kept: int = 320,
) -> Draws:
    """Posterior of values = sum of one effect a factor + residual, all normal with mean 0.

    factors: the level of each value, 0 to levels − 1. Effects are a scale times raw effects, which
    gives their standard deviation a half-Cauchy prior of scale 1 and lets it come near to nought
    and leave again (Gelman 2006): values should be of unit order. All chains go side by side.
    """
    n, size = len(values), len(factors)
    levels = [int(codes.max()) + 1 for codes in factors]
    gather = [
        csr_array((np.ones(n), (c, range(n))), (k, n)) for c, k in zip(factors, levels, strict=True)
    ]
    counts = [
        np.bincount(codes, minlength=k)[:, None] for codes, k in zip(factors, levels, strict=True)
    ]
    raw = [rng.standard_normal((k, chains)) for k in levels]
    scale, spread = rng.uniform(0.1, 1.0, (2, size, chains))
    rest = values[:, None] - sum(scale[f] * raw[f][c] for f, c in enumerate(factors))
    error = np.maximum((rest**2).mean(axis=0), TINY)
    variances: list[Floats] = []
    effects: list[list[Floats]] = []
    for step in range(burn + kept):
        for f, codes in enumerate(factors):
            rest += (scale[f] * raw[f])[codes]
            sums = gather[f] @ rest
            raw[f] = _normal(
                scale[f] * sums / error, counts[f] * scale[f] ** 2 / error + 1 / spread[f], rng
            )
            spread[f] = _inverse_gamma(levels[f] + 1, (raw[f] ** 2).sum(axis=0) + 1, rng)
            squares = (counts[f] * raw[f] ** 2).sum(axis=0)
            scale[f] = _normal((raw[f] * sums).sum(axis=0) / error, squares / error + 1, rng)
            rest -= (scale[f] * raw[f])[codes]
        error = np.maximum(_inverse_gamma(n, (rest**2).sum(axis=0), rng), TINY)
        if step >= burn:
            variances.append(np.vstack([scale**2 * spread, error]))
            effects.append([a * e for a, e in zip(scale, raw, strict=True)])
    return Draws(
        variances=_stacked(variances),
        effects=[_stacked([drawn[f] for drawn in effects]) for f in range(size)],
        chains=chains,
    )


def _normal(weighted: Floats, precision: Floats, rng: np.random.Generator) -> Floats:
    """Draws from normals given their precision and their mean times it."""
    return weighted / precision + rng.standard_normal(weighted.shape) / np.sqrt(precision)


def _inverse_gamma(twice_shape: int, twice_scale: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(twice_scale / 2 / rng.standard_gamma(twice_shape / 2, twice_scale.shape))


def _stacked(steps: list[Floats]) -> Floats:
    """(levels, chains) at each step → (levels, draws), one chain after another."""
    return np.stack(steps, axis=-1).reshape(len(steps[0]), -1)


def spread_of_chains(draws: Floats, chains: int) -> float:
    """Gelman and Rubin's R̂ of one quantity: 1 where the chains agree.

    >>> round(spread_of_chains(np.array([1.0, 2.0, 1.0, 2.0]), 2), 2)
    0.71
    """
    split = draws.reshape(chains, -1)
    within = split.var(axis=1, ddof=1).mean()
    steps = split.shape[1]
    between = split.mean(axis=1).var(ddof=1)
    return float(np.sqrt((steps - 1) / steps + between / within)) if within > 0 else 1.0
