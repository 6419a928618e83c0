"""Tables that could have come out instead: shuffled, with an effect planted, or with noise."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from lossnets.analysis.claims.evidence import Evidence
from lossnets.analysis.claims.rules import SIZE
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import LAYERS

TEMPLATE_PAIR = ("vgg11", "vgg16")  # the pair that differs where a template's difference is planted


def shuffled(e: Evidence, rng: np.random.Generator, draws: int) -> Evidence:
    """Cells shuffled over all loss networks, scores of one trained model together: nothing true."""
    flat = e.cells.reshape(-1, len(e.scores))
    cells = np.empty((draws, *flat.shape))
    for unit in e.units:
        orders = rng.permuted(np.tile(np.arange(len(flat)), (draws, 1)), axis=1)
        cells[..., unit] = flat[:, unit][orders]
    return e.with_cells(cells.reshape(draws, *e.cells.shape))


def noisy(e: Evidence, rng: np.random.Generator, draws: int, fraction: float) -> Evidence:
    """Noise of some size added to each trained model, alike in its scores; none where none is.

    `fraction`: its standard deviation, in those between architectures at their best layer.
    """
    noise = np.zeros((draws, *e.cells.shape))
    for unit in e.units:
        if not e.untrained[unit].any():
            noise[..., unit] = rng.standard_normal((draws, *e.cells.shape[:2], 1))
    return e.with_cells(e.cells + fraction * _spread(e.best) * noise)


def planted(
    e: Evidence, what: str, rng: np.random.Generator, draws: int, strength: float = 1.0
) -> Evidence:
    """Shuffled cells with a true effect of SIZE in all scores.

    `what`: an attribute, with which all best layers correlate by SIZE; `accuracy_square`, its
    square; `template`, two networks of one apart by a difference of SIZE; `benchmarks`, whose
    placings go together; `positions`, those of the best layers do. `strength`: how much, of the
    last two (see `severity.strength_for`).
    """
    nothing = shuffled(e, rng, draws)
    if what in ("benchmarks", "positions"):
        common = rng.standard_normal((draws, len(e.architectures), 1, 1))
        slope = np.arange(len(LAYERS)) - (len(LAYERS) - 1) / 2 if what == "positions" else 1.0
        effect = strength * common * np.reshape(slope, (-1, 1)) / _models_of_benchmark(e)
    else:
        effect = SIZE / np.sqrt(1 - SIZE**2) * _of_architectures(e, what)[:, None, None]
    return nothing.with_cells(nothing.cells + _spread(nothing.best) * effect)


def _of_architectures(e: Evidence, what: str) -> Floats:
    """An effect of variance 1 between the architectures, or 1 and −1 of two of them."""
    if what == "template":
        effect = np.zeros(len(e.architectures))
        effect[e.index(*TEMPLATE_PAIR)] = 1.0, -1.0
        return effect
    if what == "accuracy_square":
        x = e.attribute("accuracy")
        x = (x - x.mean()) / x.std()
        bend = np.polyval(np.polyfit(x, x**2, 1), x) - x**2
        return np.asarray(bend / bend.std())
    ranks = rankdata(e.attribute(what))
    effect = ndtri((ranks - 0.5) / len(ranks))
    return np.asarray((effect - effect.mean()) / effect.std())


def _models_of_benchmark(e: Evidence) -> Floats:
    """√ of how many trained models the benchmark of each score has (scores)."""
    of = [e.benchmarks[unit[0]] for unit in e.units]
    return np.sqrt([float(of.count(benchmark)) for benchmark in e.benchmarks])


def _spread(best: Floats) -> Floats:
    """Standard deviation between architectures (…, 1, 1, scores)."""
    return np.asarray(best.std(axis=-2, ddof=1)[..., None, None, :])
