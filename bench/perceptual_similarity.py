"""Perceptual similarity: triplets/s for all four layers, beside other implementations.

`python -m bench.perceptual_similarity [ARCHITECTURE …]`, on a GPU where there is one. Random
weights; every ratio is of implementations that take turns on the same triplets, once their
distances were seen to be equal to 1e-5.

First, per architecture, against the straightforward implementation: each layer and each pair of
images by themselves, by Eq. 1 as it is written. It has its images ready as floats, ours has bytes
to begin with. Then against packages, on the networks and layers that they have, each as it is
meant to be called: two pairs of images a triplet. piq has VGG-16 alone. Ours has an allocator
that keeps memory, as in every run; the others have a process of their own with the system's.
pyiqa, whose licence is for non-commercial use, is no dependency and is measured where it is
installed.
"""

from __future__ import annotations

import ctypes
import re
import statistics
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import nn

from bench._timing import Worker, in_turn, ratio
from lossnets.runners.benchmarks import perceptual_similarity as ours
from lossnets.runners.data.bapps import SIZE, Subset
from lossnets.runners.networks.feature_distances import distance
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.pretrained import extraction_layers
from lossnets.runners.runs.devices import device, keep_memory, matmul_precision, peak_memory_bytes

TRIPLETS = {"cpu": 32, "cuda": 2048, "mps": 256}
AT_ONCE = 32  # triplets that the others take at a time
ROUNDS = 5
EPSILON = 1e-30  # random networks without batch statistics have features as small as 1e-14
EQUAL = 1e-5  # the greatest difference between distances

PACKAGE_LAYERS = {
    "alexnet": ("alex", (1, 4, 7, 9, 11)),
    "vgg16": ("vgg", (3, 8, 15, 22, 29)),
    "squeezenet1_1": ("squeeze", (1, 4, 7, 9, 10, 11, 12)),
}  # their name, and their layers as indices of `features`

Found = dict[str, np.ndarray]  # {layer: (2, N)}
Pair = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # (n, 3, H, W) twice → (n,)


def main(architectures: list[str] | None = None) -> None:
    """Print both tables."""
    keep_memory()
    where = device()
    chosen = architectures or list(extraction_layers())
    with matmul_precision("fp32"), torch.no_grad():
        against_straightforward(chosen, where)
        against_packages([name for name in chosen if name in PACKAGE_LAYERS], where)


def against_straightforward(architectures: Iterable[str], where: torch.device) -> None:
    """Print triplets/s of both, their ratio, the greatest difference and our peak of memory."""
    images = f"{'images/s':>10}" if where.type == "cuda" else ""
    print(f"{'architecture':<18}{'straight/s':>11}{'ours/s':>9}{'ratio':>7}"
          f"{'difference':>12}{'peak MB':>9}{images}")  # fmt: skip
    triplets, ratios = Triplets(where), []
    for architecture in architectures:
        layers = list(extraction_layers()[architecture])
        straight = Worker("bench.perceptual_similarity:straightforward", architecture)
        fast = triplets.by_ours(_network(architecture, layers, where))
        difference = _difference(straight(), fast())
        peak = _peak_bytes(fast, where)
        seconds = in_turn({"straight": straight, "fast": fast}, ROUNDS)
        straight.end()
        ratios.append(ratio(seconds["straight"], seconds["fast"]))
        rates = [triplets.count / statistics.median(s) for s in seconds.values()]
        images = f"{3 * rates[1]:>10,.0f}" if where.type == "cuda" else ""
        print(f"{architecture:<18}{rates[0]:>11,.1f}{rates[1]:>9,.1f}{ratios[-1]:>7.2f}"
              f"{difference:>12.1e}{peak:>9}{images}", flush=True)  # fmt: skip
    print(f"ratio: least {min(ratios):.2f}, median {statistics.median(ratios):.2f}")


def against_packages(architectures: Iterable[str], where: torch.device) -> None:
    """Print triplets/s of each package and ours, and ours over the best of them."""
    triplets = Triplets(where)
    for architecture in architectures:
        name, indices = PACKAGE_LAYERS[architecture]
        layers = triplets.by_ours(_network(architecture, _nodes(indices), where))

        def fast(layers: Callable[[], Found] = layers) -> Found:
            return {"sum": np.sum(list(layers().values()), axis=0)}

        others = {}
        for package in PACKAGES:
            if package == "piq" and name != "vgg":
                continue
            if find_spec(package) is None:
                print(f"{architecture}: {package} is not installed")
                continue
            others[package] = Worker("bench.perceptual_similarity:packaged", package, architecture)
        things: dict[str, Callable[[], Found]] = {"ours": fast, **others}
        for package, thing in things.items():
            _difference(fast(), thing(), package)
        seconds = in_turn(things, ROUNDS, calls=2)
        for other in others.values():
            other.end()
        rates = {k: triplets.count / statistics.median(s) for k, s in seconds.items()}
        best = max((k for k in rates if k != "ours"), key=lambda k: rates[k])
        listed = ", ".join(f"{k} {v:,.1f}" for k, v in rates.items())
        times = ratio(seconds[best], seconds["ours"])
        print(f"{architecture}: triplets/s {listed}; ours over {best} {times:.2f}", flush=True)


def straightforward(architecture: str) -> Callable[[], Found]:
    """The distances at each layer by a network, and a forward pass of each image, of its own."""
    where = device()
    layers = list(extraction_layers()[architecture])
    whole = _network(architecture, layers, where).state_dict()
    alone = {layer: _network(architecture, [layer], where) for layer in layers}
    for network in alone.values():
        network.load_state_dict(whole, strict=False)
    triplets = Triplets(where)

    def found() -> Found:
        return {layer: triplets.by_pairs(_eq_1(one, layer)) for layer, one in alone.items()}

    return _exactly(found)


def packaged(package: str, architecture: str) -> Callable[[], Found]:
    """The distances summed over its layers, by a package with our weights."""
    where = device()
    name, indices = PACKAGE_LAYERS[architecture]
    network = _network(architecture, _nodes(indices), where)
    state = {k.removeprefix("extractor."): v for k, v in network.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's, of its arguments' old names
        pair = PACKAGES[package](name, state, indices, where)
    triplets = Triplets(where)
    return _exactly(lambda: {"sum": triplets.by_pairs(pair)})


def _exactly(thing: Callable[[], Found]) -> Callable[[], Found]:
    """A thing without gradients, in single precision."""

    def found() -> Found:
        with matmul_precision("fp32"), torch.no_grad():
            return thing()

    return found


def _nodes(indices: Iterable[int]) -> list[str]:
    return [f"features.{index}" for index in indices]


class Triplets:
    """Random triplets, as bytes for ours and as floats for the others."""

    def __init__(self, where: torch.device) -> None:
        self.where = where
        self.count = TRIPLETS[where.type]
        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (self.count, 3, SIZE, SIZE, 3), dtype=np.uint8)
        # p0 and p1 share half of their blend with ref: neither equal nor unrelated to it
        pixels[:, 1:] = pixels[:, 1:] // 2 + pixels[:, :1] // 2
        self.subset = Subset(
            part="2afc",
            name="random",
            items=tuple(map(str, range(self.count))),
            images=pixels,
            labels=np.zeros(self.count, np.float32),
            digest="",
        )
        floats = torch.from_numpy(pixels).permute(1, 0, 4, 2, 3).float().div(255)
        self.images = floats.contiguous().to(where)  # (3, N, 3, H, W)

    def by_ours(self, network: LossNetwork) -> Callable[[], Found]:
        """As the benchmark does it; what it does once for all subsets is done before."""
        network = on_device(network, self.where, "fp32")
        batch = ours.batch_of(network, self.where)

        def measure(images: torch.Tensor) -> dict[str | None, torch.Tensor]:
            return dict(ours.distances(network, images, epsilon=EPSILON))

        def found() -> Found:
            by_layer = ours.subset_distances(measure, self.subset, batch, self.where)
            return {str(layer): values for layer, values in by_layer.items()}

        return found

    def by_pairs(self, pair: Pair) -> np.ndarray:
        """(ref, p0) and (ref, p1) each by themselves, some triplets at a time. (2, N)"""
        parts = [
            torch.stack([pair(x, batch[0]).flatten() for x in batch[1:]])
            for batch in self.images.split(AT_ONCE, dim=1)
        ]
        return torch.cat(parts, dim=1).cpu().numpy()


def _network(architecture: str, layers: list[str], where: torch.device) -> LossNetwork:
    """A loss network as torchvision initialises it.

    The batch statistics of random images, which random weights are otherwise given, make deep
    networks amplify rounding errors beyond measure: the distances of no two orders of summation
    would be equal.
    """
    network = LossNetwork(architecture, layers, weights="random")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    return network.to(where)


def _eq_1(network: LossNetwork, layer: str) -> Pair:
    return lambda x, x0: distance(network(x)[layer], network(x0)[layer], epsilon=EPSILON)


def _difference(one: Found, other: Found, whose: str = "the straightforward one") -> float:
    greatest = max(float(np.abs(one[layer] - other[layer]).max()) for layer in one)
    if not greatest <= EQUAL:
        raise SystemExit(f"error: distances differ by {greatest:.1e} from those of {whose}")
    return greatest


def _peak_bytes(thing: Callable[[], object], where: torch.device) -> str:
    """MB that a thing takes beyond what is held before; – where the system does not tell."""
    if where.type == "cuda":
        before = torch.cuda.memory_allocated(where)
        torch.cuda.reset_peak_memory_stats(where)
        thing()
        return f"{(peak_memory_bytes(where) - before) / 1e6:,.0f}"
    if where.type != "cpu" or not Path("/proc/self/clear_refs").exists():
        return "–"
    ctypes.CDLL(None).malloc_trim(0)  # what is kept goes back, else nothing new would be asked for
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is resident now
    before = _resident("VmRSS")
    thing()
    return f"{(_resident('VmHWM') - before) / 1e3:,.0f}"


def _resident(name: str) -> int:
    """A line of /proc/self/status, in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


State = dict[str, torch.Tensor]


def _lpips(name: str, state: State, _: tuple[int, ...], where: torch.device) -> Pair:
    import lpips

    model = lpips.LPIPS(net=name, lpips=False, pnet_rand=True, verbose=False)
    return _filled(model, state, where)


def _torchmetrics(name: str, state: State, _: tuple[int, ...], where: torch.device) -> Pair:
    from torchmetrics.functional.image.lpips import _NoTrainLpips

    model = _NoTrainLpips(net=name, pnet_rand=True)
    for lin in model.lins:  # its learned importance weights, all 1 here
        nn.init.ones_(lin.model[-1].weight)
    return _filled(model, state, where)


def _pyiqa(name: str, state: State, _: tuple[int, ...], where: torch.device) -> Pair:
    from pyiqa.archs.lpips_arch import LPIPS
    from torchvision import models

    makers = {make: getattr(models, make) for make in PACKAGE_LAYERS}
    bare = {key: lambda make=make, **_: make() for key, make in makers.items()}
    with mock.patch.multiple(models, **bare):  # it fetches weights even where it needs none
        model = LPIPS(net=name, lpips=False, pretrained=False, pnet_rand=True)
    return _filled(model, state, where)


def _piq(name: str, state: State, indices: tuple[int, ...], where: torch.device) -> Pair:
    from piq.perceptual import ContentLoss
    from torchvision.models import vgg16

    model = vgg16().features
    model.load_state_dict({k.removeprefix("features."): v for k, v in state.items()})
    channels = (64, 128, 256, 512, 512)
    return ContentLoss(  # what its LPIPS is made of, which fetches its weights
        model,
        layers=[str(index) for index in indices],
        weights=[torch.ones(1, count, 1, 1) for count in channels],
        reduction="none",
        normalize_features=True,
    ).to(where)


def _filled(model: nn.Module, state: State, where: torch.device) -> Pair:
    """A package's model with our weights, of images in [0, 1]."""
    for name, parameter in model.net.named_parameters():  # slice2.3.weight or slices.1.3.weight
        inside = re.sub(r"^slices?\.?\d+\.", "", name)
        parameter.data = state[f"features.{inside}"].contiguous()
    model = model.to(where).eval()
    return lambda x, x0: model(x, x0, normalize=True)


PACKAGES = {"lpips": _lpips, "torchmetrics": _torchmetrics, "piq": _piq, "pyiqa": _pyiqa}


if __name__ == "__main__":
    main(sys.argv[1:])
