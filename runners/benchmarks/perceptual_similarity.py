"""Benchmark 1, perceptual similarity: do a loss network's distances agree with what people see?

    lossnets run perceptual-similarity --architecture vgg11           # the paper's four layers
    lossnets run perceptual-similarity --architecture all --device cuda
    lossnets run perceptual-similarity --architecture vgg11 --layer early+late
    lossnets run perceptual-similarity --architecture mobilenet_v2 --layer features.3
    lossnets run perceptual-similarity --baseline l2 --baseline psnr --baseline ssim
    lossnets run perceptual-similarity --architecture all --preset smoke       # no download

The data are BAPPS (`lossnets data fetch bapps`); nothing is trained. One forward pass over the
images of a batch gives the distances at every layer. Source: paper, Sec. IV-A.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lossnets.runners.data import bapps, generated
from lossnets.runners.data.catalog import default_folder
from lossnets.runners.metrics.distances import (
    dissimilarity,
    l2,
    negative_psnr,
)
from lossnets.runners.networks.feature_distances import distances_to_first
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.devices import autocast
from lossnets.runners.runs.run import Progress, Result, Run, Work
from lossnets.runners.runs.run_folder import ItemValues
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.judgements import average_precision, two_afc
from lossnets.warehouse.sources.records import Measurement

FEATURE_BYTES = {"cpu": 2**27, "cuda": 2**30, "mps": 2**28}  # of a batch, at all layers together
LARGEST_BATCH = {"cpu": 32, "cuda": 512, "mps": 512}  # triplets
SUBSETS = (*bapps.SUBSETS["2afc"], *(f"jnd_{name}" for name in bapps.SUBSETS["jnd"]))


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the scores, with the paper's values."""

    normalise: bool = True  # images by ImageNet's mean and standard deviation (Sec. III)
    epsilon: float = 1e-12  # least length of a feature vector to divide by (Eq. 1)
    subsets: tuple[str, ...] = SUBSETS  # of BAPPS (Sec. IV-A); JND's are named jnd_…
    baseline: str | None = None  # l2, psnr or ssim in place of a loss network
    precision: str = "fp32"  # fp32, tf32 or bf16

    def __post_init__(self) -> None:
        if self.baseline is not None and self.baseline not in BASELINES:
            raise UserError(f"found baseline {self.baseline!r}; valid are {', '.join(BASELINES)}")
        unknown = [repr(name) for name in self.subsets if name not in SUBSETS]
        if unknown or not self.subsets:
            what = f"subset {unknown[0]}" if unknown else "no subset to score"
            raise UserError(f"found {what}; valid are {', '.join(SUBSETS)}")
        in_order = tuple(name for name in SUBSETS if name in self.subsets)
        object.__setattr__(self, "subsets", in_order)
        if not self.epsilon > 0:
            raise UserError(f"found epsilon {self.epsilon:g}; valid is a number above 0")


PROTOCOLS: dict[str, dict[str, object]] = {
    "paper": {},
    "reference": {},  # what differs, the order of equal distances, is random there
}
PRESETS: dict[str, dict[str, object]] = {"smoke": {}}


# ---- data --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Data:
    """The subsets to score, in the order of `SUBSETS`, and what they are.

    own: judgements of one's own, in BAPPS' layout, whose scores are not BAPPS'.
    """

    subsets: tuple[bapps.Subset, ...]
    identity: str
    own: bool = False

    def dataset(self, subset: bapps.Subset) -> str:
        """What values per item are kept under."""
        return _name(subset.part, "own" if self.own else subset.name)

    def items(self, subset: bapps.Subset) -> tuple[str, ...]:
        """The names of a subset's items in their data set."""
        return tuple(f"{subset.name}/{one}" for one in subset.items) if self.own else subset.items


def load(
    config: Config, folder: Path | None, *, preset: str | None, home: Path, progress: Progress
) -> Data:
    """The subsets of BAPPS that the config names, from `folder`, else from the home's.

    Errors: UserError as of `bapps.load`.
    """
    generated_here = folder is None and preset == "smoke"
    if generated_here:
        folder = generated.folder("bapps", home)
    folder = folder or default_folder("bapps", home)
    subsets = []
    for part, names in bapps.SUBSETS.items():
        wanted = [name for name in names if _name(part, name) in config.subsets]
        if wanted:
            subsets += bapps.load(folder, part, wanted, folder=home / "packs", progress=progress)
    return Data(
        subsets=tuple(subsets),
        identity=bapps.identity(subsets),
        own=not (generated_here or all(subset.is_published for subset in subsets)),
    )


def _name(part: str, name: str) -> str:
    return name if part == "2afc" else f"jnd_{name}"


# ---- distance ----------------------------------------------------------------------------------


def distances(
    network: LossNetwork, images: torch.Tensor, *, epsilon: float = 1e-12
) -> dict[str, torch.Tensor]:
    """Distances of images to the first of their set, at every layer: {layer: (K − 1, N)}.

    images: (K, N, 3, H, W), H = W: N sets of K images, such as the triplets ref, p0, p1. All of
    them go through the network at once, the first once for all others.

    Errors: UserError if a layer's features are not (N, C, H, W).

    >>> network = LossNetwork("alexnet", ["early", "late"], weights="random")
    >>> triplets = torch.rand(3, 5, 3, 64, 64)
    >>> {layer: tuple(d.shape) for layer, d in distances(network, triplets).items()}
    {'early': (2, 5), 'late': (2, 5)}
    """
    features = network(images.flatten(0, 1))
    return {
        layer: distances_to_first(network.as_maps(layer, f), len(images), epsilon)
        for layer, f in features.items()
    }


BASELINES = {"l2": l2, "psnr": negative_psnr, "ssim": dissimilarity}


# ---- score -------------------------------------------------------------------------------------

Measure = Callable[[torch.Tensor], dict[str | None, torch.Tensor]]


def run(what: Run[Config], data: Data, work: Work) -> Result:
    """Score every layer of a loss network, or a baseline, on each subset and over all of a part.

    Errors: UserError if features are not (N, C, H, W), or distances no numbers.
    """
    by_subset = list(zip(data.subsets, _all_distances(what, data, work), strict=True))
    layers = what.layers or (None,)
    for layer in layers:
        if any(np.isnan(by_layer[layer]).any() for _, by_layer in by_subset):
            raise UserError(
                f"found distances that are no numbers at {layer} of {what.architecture}; "
                "its weights or its precision give features without a value"
            )
    return Result(
        measurements=tuple(
            Measurement(architecture=what.architecture, layer=layer, score=score, value=value, n=n)
            for layer in layers
            for score, value, n in scored([(s, d[layer]) for s, d in by_subset], own=data.own)
        ),
        items=tuple(values for s, d in by_subset for values in _items(data, s, d)),
    )


def _all_distances(
    what: Run[Config], data: Data, work: Work
) -> Iterator[dict[str | None, np.ndarray]]:
    """Of each subset the distances at every layer: {layer: (K − 1, N)}."""
    measure, batch = _measure(what, work)
    total, done = sum(len(subset) for subset in data.subsets), 0
    for subset in data.subsets:
        tell = partial(_tell, work.progress, done, total, _name(subset.part, subset.name))
        yield subset_distances(measure, subset, batch, work.device, tell)
        done += len(subset)


def _tell(progress: Progress, before: int, total: int, dataset: str, count: int) -> None:
    progress(before + count, total, dataset)


def _measure(what: Run[Config], work: Work) -> tuple[Measure, int]:
    """How a run measures sets of images (K, N, 3, H, W), and how many sets it takes at once."""
    config = what.config
    if what.architecture is None:
        baseline = BASELINES[str(config.baseline)]
        return lambda images: {None: torch.stack([baseline(x, images[0]) for x in images[1:]])}, 64
    if config.baseline is not None:
        raise UserError(
            f"found baseline {config.baseline!r} for {what.name}; a baseline has no loss network",
            hint=f"lossnets run perceptual-similarity --baseline {config.baseline}",
        )
    network = on_device(what.loss_network(), work.device, config.precision)

    def measure(images: torch.Tensor) -> dict[str | None, torch.Tensor]:
        with autocast(config.precision, work.device):
            single = distances(network, images, epsilon=config.epsilon)
        return {
            layer: torch.stack([single[part] for part in layer.split("+")]).sum(dim=0)
            for layer in what.layers
        }

    return measure, batch_of(network, work.device)


def batch_of(network: LossNetwork, where: torch.device) -> int:
    """How many triplets at once: so many that their features take about FEATURE_BYTES."""
    with torch.inference_mode():
        features = network(torch.zeros(1, 3, bapps.SIZE, bapps.SIZE, device=where))
    triplet = 3 * sum(f.nbytes for f in features.values())
    return min(max(FEATURE_BYTES[where.type] // triplet, 1), LARGEST_BATCH[where.type])


@torch.inference_mode()
def subset_distances(
    measure: Measure,
    subset: bapps.Subset,
    batch: int,
    where: torch.device,
    tell: Callable[[int], None] = lambda done: None,
) -> dict[str | None, np.ndarray]:
    """Distances to the first image of each item, in the order of items: {layer: (K − 1, N)}.

    measure: from images (K, n, 3, H, W) of n ≤ `batch` items. Of all that is computed only the
    distances are kept from batch to batch; a GPU is not waited for in between.
    """
    parts: dict[str | None, list[torch.Tensor]] = {}
    for start in range(0, len(subset), batch):
        tell(start)
        copied = np.array(subset.images[start : start + batch].swapaxes(0, 1), order="C")
        pixels = torch.from_numpy(copied)  # (K, n, H, W, 3)
        if where.type == "cuda":
            pixels = pixels.pin_memory()
        pixels = pixels.to(where, non_blocking=True).permute(0, 1, 4, 2, 3)
        images = pixels.float().div_(255)  # (K, n, 3, H, W), channels last
        for layer, distance_ in measure(images).items():
            parts.setdefault(layer, []).append(distance_)
    tell(len(subset))
    return {layer: torch.cat(some, dim=1).cpu().numpy() for layer, some in parts.items()}


def scored(
    distances_of: Sequence[tuple[bapps.Subset, np.ndarray]], *, own: bool = False
) -> Iterator[tuple[str, float, int]]:
    """(score, value, number of items) of one layer's distances (K − 1, N) to subsets' first images.

    Of each subset, and over a part where all of its subsets are there: the mean of the subsets'
    2AFC scores, the average precision of all JND pairs together. Of one's own data, over all
    triplets and all pairs.
    """
    triplets: dict[str, np.ndarray] = {}
    pairs: dict[str, np.ndarray] = {}
    for subset, d in distances_of:
        judged = subset.labels.astype(np.float64)
        if subset.part == "2afc":
            triplets[subset.name] = two_afc(d[0], d[1], judged)  # (N,)
        else:
            pairs[subset.name] = np.stack([d[0], judged])  # (2, N)
    if own:
        yield from _own_scores(list(triplets.values()), list(pairs.values()))
        return
    for name, agreement in triplets.items():
        yield f"bapps_2afc_{name}", float(agreement.mean()), len(agreement)
    if len(triplets) == len(bapps.SUBSETS["2afc"]):
        means = [agreement.mean() for agreement in triplets.values()]
        yield "bapps_2afc", float(np.mean(means)), sum(map(len, triplets.values()))
    for name, pair in pairs.items():
        yield f"bapps_jnd_{name}", average_precision(*pair), pair.shape[1]
    if len(pairs) == len(bapps.SUBSETS["jnd"]):
        together = np.concatenate(list(pairs.values()), axis=1)
        yield "bapps_jnd", average_precision(*together), together.shape[1]


def _own_scores(
    triplets: Sequence[np.ndarray], pairs: Sequence[np.ndarray]
) -> Iterator[tuple[str, float, int]]:
    if triplets:
        agreement = np.concatenate(triplets)
        yield "own_2afc", float(agreement.mean()), len(agreement)
    if pairs:
        together = np.concatenate(pairs, axis=1)
        yield "own_jnd", average_precision(*together), together.shape[1]


def scores(config: Config, data: Data) -> list[str]:
    """2AFC and JND of each subset, and over a part where all of its subsets are there."""
    nothing = [(subset, np.zeros((2, len(subset)))) for subset in data.subsets]
    return [score for score, _, _ in scored(nothing, own=data.own)]


def _items(
    data: Data, subset: bapps.Subset, by_layer: Mapping[str | None, np.ndarray]
) -> Iterator[ItemValues]:
    """What is kept per item: what the judges said, and each layer's distances."""
    quantities = ("distance_0", "distance_1") if subset.part == "2afc" else ("distance",)

    def values(layer: str | None, quantity: str, array: np.ndarray) -> ItemValues:
        return ItemValues(
            layer=layer,
            dataset=data.dataset(subset),
            quantity=quantity,
            items=data.items(subset),
            values=array,
        )

    yield values(None, bapps.LABEL[subset.part], subset.labels)
    for layer, distances_ in by_layer.items():
        for quantity, array in zip(quantities, distances_, strict=True):
            yield values(layer, quantity, array)


BENCHMARK = Benchmark(
    config=Config,
    protocols=PROTOCOLS,
    presets=PRESETS,
    baselines=tuple(BASELINES),
    separate=False,  # one pass scores every layer of an architecture
    load=load,
    scores=scores,
    run=run,
)
