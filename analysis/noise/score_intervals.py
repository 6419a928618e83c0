"""How much a measured score would move with other images, and whether its items give it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats, Row, not_computable, result
from lossnets.analysis.frames.frames import SEED, Frames, Study
from lossnets.analysis.frames.item_values import MeasuredRun
from lossnets.analysis.noise.item_scores import (
    CELLS,
    Times,
    resampled_means,
    resampled_precisions,
    times_drawn,
    weighted,
)
from lossnets.analysis.statistics.intervals import CONFIDENCE
from lossnets.warehouse.sources.judgements import average_precision, two_afc

RESAMPLES = 2_000
TOLERANCE = 1e-6  # of the value, or of 1 where it is less
TRIPLETS = ("traditional", "cnn", "superres", "deblur", "color", "frameinterp")
PAIRS = ("jnd_traditional", "jnd_cnn")

COLUMNS = {
    "run_id": "run that measured it",
    "benchmark": "benchmark id",
    "architecture": "architecture, missing for a baseline",
    "layer": "extraction layer, missing for a baseline",
    "baseline": "what was run in place of a loss network, missing where there is one",
    "preset": "preset of the run, whose scores mean nothing; missing for a real one",
    "score": "score id",
    "value": "the score as it was recorded, in its unit",
    "recomputed": "the same from the run's values per item",
    "low": "lower end of the 95 % interval for other images of the kind, in the score's unit",
    "high": "its upper end",
    "items": "images, pairs or triplets that the score is made of",
    "resamples": "times that the items were drawn anew",
    "note": "what is missing or does not agree, and why",
}


class Missing(Exception):  # noqa: N818, it is no error
    """What a score cannot be computed for want of."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a score is made of: the mean over data sets of `per_item`'s mean, or, without it,
    the average precision over the pairs of all data sets."""

    datasets: tuple[str, ...]
    quantities: tuple[str, ...]
    per_item: Callable[..., Floats] | None = field(default=lambda values: values)


def made_of(score: str) -> Made | None:
    """What a score is made of; None for one that is not known.

    >>> made_of("sr_x4_set5_psnr").datasets, made_of("svhn_accuracy").quantities
    (('set5_x4',), ('correct',))
    """
    if found := re.fullmatch(r"(bapps|own)_2afc(?:_(\w+))?", score):
        triplets: tuple[str, ...] = TRIPLETS if found[1] == "bapps" else ("own",)
        triplets = (found[2],) if found[2] else triplets
        return Made(
            datasets=triplets, quantities=("distance_0", "distance_1", "judge"), per_item=two_afc
        )
    if found := re.fullmatch(r"(bapps|own)_jnd(?:_(\w+))?", score):
        pairs: tuple[str, ...] = PAIRS if found[1] == "bapps" else ("jnd_own",)
        pairs = (f"jnd_{found[2]}",) if found[2] else pairs
        return Made(datasets=pairs, quantities=("distance", "same"), per_item=None)
    if found := re.fullmatch(r"sr_(x\d+)_(\w+)_(psnr|ssim)", score):
        return Made(datasets=(f"{found[2]}_{found[1]}",), quantities=(found[3],))
    if found := re.fullmatch(r"(\w+)_accuracy", score):
        return Made(datasets=(found[1],), quantities=("correct",))
    if found := re.fullmatch(r"(mrd|own)_(\w+)", score):
        return Made(datasets=(found[1],), quantities=(found[2],))
    return None


def score_intervals(
    runs: Iterable[MeasuredRun], rng: np.random.Generator, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Each measured score again from its items, with a percentile interval over them.

    Columns: COLUMNS. Items are drawn with replacement within each data set (Efron 1979), the
    same ones for all runs on as many items. So the interval is about the images, as they were
    drawn; it takes training, and its seed, as it is.
    """
    draws = Draws(seed=int(rng.integers(2**32)), resamples=resamples)
    rows = [row for run in runs for row in _rows(run, draws)]
    return result(COLUMNS, rows or [not_computable("no run has values per item")])


def _rows(run: MeasuredRun, draws: Draws) -> Iterator[Row]:
    for layer, score, value in run.scores.itertuples(index=False):
        layer = layer if isinstance(layer, str) else None
        row: Row = {**run.about, "layer": layer, "score": score, "value": value}
        if layer is None:
            row["architecture"] = None
        try:
            yield row | _recomputed(run, layer or "", score, value, draws)
        except Missing as missing:
            yield row | not_computable(str(missing))


def _recomputed(run: MeasuredRun, layer: str, score: str, value: float, draws: Draws) -> Row:
    made = made_of(score)
    if made is None:
        raise Missing("how it is made of items is not known")
    strata = [items_of(run, layer, dataset, made) for dataset in made.datasets]
    again, drawn = draws.means(strata) if made.per_item else draws.precisions(strata)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(drawn[~np.isnan(drawn)], [tail, 100 - tail])
    agrees = abs(again - value) <= TOLERANCE * max(1.0, abs(value))
    return {
        "recomputed": again,
        "low": low,
        "high": high,
        "items": sum(len(items[0]) for items in strata),
        "resamples": draws.resamples,
        "note": "" if agrees else "its items give another value than the one recorded",
    }


def items_of(run: MeasuredRun, layer: str, dataset: str, made: Made) -> tuple[Floats, ...]:
    """A value per item of a data set, or the distances and labels of its pairs."""
    series = [
        run.series.get((layer, dataset, quantity)) or run.series.get(("", dataset, quantity))
        for quantity in made.quantities
    ]
    found = [each for each in series if each is not None]
    if len(found) < len(series) or not len(found[0].values):
        raise Missing(f"there are no values for each item of {dataset}")
    if len({(each.items, len(each.values)) for each in found}) > 1:
        raise Missing(f"its values of {dataset} are of different items")
    values = [each.values for each in found]
    if any(np.isnan(each).any() for each in values):
        raise Missing(f"an item of {dataset} has no value")
    return (made.per_item(*values),) if made.per_item else tuple(values)


@dataclass(kw_only=True)
class Draws:
    """Resamples that depend on the seed and the items alone: the same for every run."""

    seed: int
    resamples: int
    times: dict[tuple[int, ...], Times] = field(default_factory=dict)

    def means(self, strata: list[tuple[Floats, ...]]) -> tuple[float, Floats]:
        """The mean over strata of their means, and the same of each resample."""
        drawn = [self._means(values, number) for number, (values,) in enumerate(strata)]
        again = np.mean([values.mean() for (values,) in strata])
        return float(again), np.mean(drawn, axis=0)

    def precisions(self, strata: list[tuple[Floats, ...]]) -> tuple[float, Floats]:
        """The average precision over all pairs, and the same of each resample."""
        distance, same = (np.concatenate(parts) for parts in zip(*strata, strict=True))
        again = average_precision(distance, same)
        if np.isnan(again):
            raise Missing("no judge called any pair the same")
        times = self._times(*(len(each) for each, _ in strata))
        return again, resampled_precisions(distance, same, times)

    def _means(self, values: Floats, number: int) -> Floats:
        """By distinct values where these are few, or the items too many to count their draws."""
        n, distinct = len(values), len(np.unique(values))
        if 16 * distinct < n or n * self.resamples > CELLS:
            rng = np.random.default_rng([self.seed, n, number])
            return resampled_means(values, rng, self.resamples)
        return weighted(values, self._times(n)) / n

    def _times(self, *sizes: int) -> Times:
        if sizes not in self.times:
            rng = np.random.default_rng([self.seed, *sizes])
            self.times[sizes] = times_drawn(sizes, rng, self.resamples)
        return self.times[sizes]


def _compute(frames: Frames) -> pd.DataFrame:
    return score_intervals(frames.runs(), np.random.default_rng(SEED))


STUDIES = (
    Study(
        name="score_intervals",
        title="Measured scores from their items, with intervals over images",
        columns=COLUMNS,
        compute=_compute,
        of_runs=True,
    ),
)
