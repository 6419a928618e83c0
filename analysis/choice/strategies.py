"""Ways to choose a loss network, and which networks each of them chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from lossnets.analysis.frames.cube import Floats

Indices = NDArray[np.intp]
RANDOM, OTHERS, ADVICE = "random", "best_on_others", "paper_advice"
FIXED, LAYERS, TRIES = "fixed", "try_layers", "try_random"
CHOSEN_LAYERS = "try_layers_of_best"
SOME = (2, 4, 8, 16)  # how many random networks are tried

ADVISED = ("vgg11", "vgg16", "vgg19")  # Sections VI-A, VII: VGG networks without batch norm
ADVISED_LAYERS = {  # Section VI-A; of similarity it names none
    "super_resolution": ("early", "semi_early"),
    "delineation": ("middle", "late"),
    "autoencoding": ("middle", "late"),
}


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The networks to choose from, and what is known of them when choosing.

    places: (networks, benchmarks) mean ranks; benchmarks; architectures, layers: one a network.
    """

    places: Floats
    benchmarks: tuple[str, ...]
    architectures: NDArray[np.object_]
    layers: NDArray[np.object_]

    def take(self, kept: Indices) -> Pool:
        """The pool of some of its networks."""
        return Pool(
            places=self.places[kept],
            benchmarks=self.benchmarks,
            architectures=self.architectures[kept],
            layers=self.layers[kept],
        )


@dataclass(frozen=True, kw_only=True)
class Way:
    """What one strategy chooses for one benchmark: networks of the pool, with weights.

    strategy; tried: how many networks are tried on the task; architecture, layer: what it names,
    None where nothing; chosen, weights: what is chosen on average.
    """

    strategy: str
    tried: int
    chosen: Indices
    weights: Floats
    architecture: str | None = None
    layer: str | None = None


def best_of(tried: int, among: int) -> Floats:
    """How probable each of `among` networks, in order, is the best of `tried` random ones.

    >>> best_of(2, 3).round(3).tolist()
    [0.667, 0.333, 0.0]
    """
    after = np.arange(among - 1, -1, -1.0)  # how many come after each
    possible = after >= tried - 1
    left = np.where(possible, after, tried - 1)
    ways = gammaln(left + 1) - gammaln(left - tried + 2) - gammaln(tried)
    total = gammaln(among + 1) - gammaln(among - tried + 1) - gammaln(tried + 1)
    return np.asarray(np.where(possible, np.exp(ways - total), 0.0))


def ways(pool: Pool, benchmark: int) -> Iterator[Way]:
    """Every strategy's choice for one benchmark; the others are known, and what is tried there."""
    order = np.argsort(pool.places[:, benchmark], kind="stable")
    for tried in (1, *(m for m in SOME if m < len(order))):
        name = RANDOM if tried == 1 else TRIES
        yield Way(strategy=name, tried=tried, chosen=order, weights=best_of(tried, len(order)))
    others = np.delete(pool.places, benchmark, axis=1)
    if others.shape[1]:
        yield _best(OTHERS, pool, others)
    yield _best(FIXED, pool, pool.places)
    advised = _advised(pool, pool.benchmarks[benchmark])
    if len(advised):
        yield _evenly(ADVICE, advised)
    groups = of_architectures(pool.architectures, pool.places[:, benchmark])
    for name, own in groups.items():
        yield Way(
            strategy=LAYERS,
            tried=len(own),
            architecture=name,
            chosen=own[:1],
            weights=np.ones(1),
        )
    if others.shape[1]:
        best = best_architecture(pool.architectures, others)
        own = groups[best]
        for tried in range(1, len(own) + 1):
            yield Way(
                strategy=CHOSEN_LAYERS,
                tried=tried,
                architecture=best,
                chosen=own,
                weights=best_of(tried, len(own)),
            )


def of_architectures(architectures: NDArray[np.object_], means: Floats) -> dict[str, Indices]:
    """The networks of each architecture, the best first."""
    names, codes = np.unique(architectures.astype(str), return_inverse=True)
    order = np.lexsort((means, codes))
    starts = np.searchsorted(codes[order], np.arange(1, len(names)))
    return dict(zip(names.tolist(), np.split(order, starts), strict=True))


def best_architecture(architectures: NDArray[np.object_], places: Floats) -> str:
    """Whose best layers, one a benchmark, have the least mean place; the first by name of several.

    >>> names = np.array(["a", "a", "b"], dtype=object)
    >>> best_architecture(names, np.array([[1.0, 3.0], [3.0, 1.0], [2.0, 2.0]]))
    'a'
    """
    names, codes = np.unique(architectures.astype(str), return_inverse=True)
    least = np.full((len(names), places.shape[1]), np.inf)
    np.minimum.at(least, codes, places)
    return str(names[int(np.argmin(least.mean(axis=1).round(9)))])


def _best(strategy: str, pool: Pool, places: Floats) -> Way:
    """The network with the least mean place, named where there is one alone."""
    means = places.mean(axis=1).round(9)
    first = np.flatnonzero(means == means.min())
    named = {"architecture": str(pool.architectures[first[0]]), "layer": str(pool.layers[first[0]])}
    return _evenly(strategy, first, **(named if len(first) == 1 else {}))


def _evenly(strategy: str, chosen: Indices, **named: str) -> Way:
    weights = np.full(len(chosen), 1 / len(chosen))
    return Way(strategy=strategy, tried=0, chosen=chosen, weights=weights, **named)


def _advised(pool: Pool, benchmark: str) -> Indices:
    """The networks that the paper advises for a benchmark, at any layer where it names none."""
    layers: Sequence[str] | None = ADVISED_LAYERS.get(benchmark)
    fits = np.isin(pool.architectures.astype(str), ADVISED)
    if layers is not None:
        fits &= np.isin(pool.layers.astype(str), layers)
    return np.flatnonzero(fits)
