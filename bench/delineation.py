"""Delineation: a training step and an evaluation, beside a straightforward implementation.

`python -m bench.delineation [ARCHITECTURE:LAYER …]`, on the CPU. Random weights; eight random
images of 224×224, three iterations of the U-net, fp32, the threads that torch takes.

Straightforward is the same protocol as one writes it down first: the map is repeated to three
channels and goes through the loss network with its normalisation, autograd does the rest, tensors
lie as torch puts them, test images come one by one. It lives in a process of its own, so that its
memory is as the system manages it. Both start from the same weights and see the same images: equal
losses and equal scores are seen to first.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.nn import functional

from bench._timing import Worker, in_turn, ratio
from lossnets.runners.benchmarks import delineation
from lossnets.runners.benchmarks.delineation import Config
from lossnets.runners.metrics.delineation import SCORES, delineation_scores
from lossnets.runners.models.road_batches import Batch, split
from lossnets.runners.models.unet import UNet
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.map_features import MapFeatures
from lossnets.runners.runs.devices import keep_memory

CHOSEN = ("vgg11:early", "vgg11:late", "alexnet:early")
ROUNDS = 5
IMAGES, SIZE = 8, 224
CPU = torch.device("cpu")
EQUAL = {"training": 1e-4, "evaluation": 0.01}  # the greatest relative difference of answers


def main(chosen: list[str] | None = None) -> None:
    """Print the table."""
    print(f"{torch.get_num_threads()} threads, {IMAGES} images of {SIZE} px")
    print(f"{'loss network':<24}{'step':<12}{'straight s':>11}{'ours s':>9}{'ratio':>7}")
    for name in chosen or CHOSEN:
        architecture, layer = name.split(":")
        for what, equal in EQUAL.items():
            steps = {who: Worker(f"bench.delineation:{who}", architecture, layer, what)
                     for who in ("straight", "ours")}  # fmt: skip
            for _ in range(2):
                expected, found = (step() for step in steps.values())
                if not abs(found - expected) <= equal * abs(expected):
                    raise SystemExit(f"error: found {what} {found}, straightforward {expected}")
            _print(name, what, in_turn(steps, ROUNDS))
            for step in steps.values():
                step.end()


def _print(name: str, what: str, seconds: Mapping[str, list[float]]) -> None:
    straight, fast = (statistics.median(values) for values in seconds.values())
    times = ratio(*seconds.values())
    print(f"{name:<24}{what:<12}{straight:>11.3f}{fast:>9.3f}{times:>7.2f}", flush=True)


def ours(architecture: str, layer: str, what: str) -> Callable[[], float]:
    """A step as the benchmark does it: returns the loss, or the mean of the scores."""
    keep_memory()
    config, form = Config(), torch.channels_last
    images, maps = split(_scenes())
    network = LossNetwork(architecture, layer, weights="random")
    features = on_device(MapFeatures(network), CPU, config.precision)
    unet = _unet().to(memory_format=form)
    adam = torch.optim.Adam(unet.parameters(), lr=config.lr)
    batch = Batch(places=list(range(IMAGES)), images=images, maps=maps)

    def train() -> float:
        logits = delineation.iterate(unet, images, config.iterations)
        loss, _ = delineation.topological_loss(logits, maps, features, config.mu)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    def evaluate() -> float:
        logits = delineation.answers(unet.eval(), batch, config.test_iterations, config, CPU)[-1]
        found = torch.sigmoid(logits[:, 0]) > config.threshold
        scores = delineation_scores(found, maps[:, 0] > 0.5)
        return statistics.mean(scores[name].mean().item() for name in SCORES)

    return train if what == "training" else evaluate


def straight(architecture: str, layer: str, what: str) -> Callable[[], float]:
    """A step as one writes it down first: returns the loss, or the mean of the scores."""
    config = Config()
    pixels = _scenes().permute(0, 3, 1, 2).contiguous().float() / 255  # (N, 4, H, W)
    images, maps = pixels[:, :3].contiguous(), pixels[:, 3:].contiguous()
    network = LossNetwork(architecture, layer, weights="random")
    unet = _unet()
    adam = torch.optim.Adam(unet.parameters(), lr=config.lr)

    def features(planes: torch.Tensor) -> torch.Tensor:
        return network(torch.cat([planes, planes, planes], 1))[layer]

    def train() -> float:
        found, loss = torch.zeros_like(maps), torch.zeros(())
        wanted = features(maps)
        for k in range(1, config.iterations + 1):
            found = torch.sigmoid(unet(images, found))
            weight = 2 * k / (config.iterations * (config.iterations + 1))
            entropy = functional.binary_cross_entropy(found, maps)
            topology = functional.mse_loss(features(found), wanted)
            loss = loss + weight * (entropy + config.mu * topology)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    @torch.no_grad()
    def evaluate() -> float:
        unet.eval()
        scores = []
        for image, road_map in zip(images.split(1), maps.split(1), strict=True):
            found = torch.zeros_like(road_map)
            for _ in range(config.test_iterations):
                found = torch.sigmoid(unet(image, found))
            scores.append(_scores(found.numpy() > config.threshold, road_map.numpy() > 0.5))
        return float(np.mean(scores))

    return train if what == "training" else evaluate


def _scores(found: np.ndarray, truth: np.ndarray) -> list[float]:
    """Correctness, completeness and quality in percent."""
    tp = np.logical_and(found, truth).sum()
    fp, fn = np.logical_and(found, ~truth).sum(), np.logical_and(~found, truth).sum()
    return [100 * tp / (tp + fp), 100 * tp / (tp + fn), 100 * tp / (tp + fp + fn)]


def _unet() -> UNet:
    torch.manual_seed(0)
    return UNet()


def _scenes() -> torch.Tensor:
    """Random images, and blocks for roads: uint8 (N, H, W, 4)."""
    draws = torch.Generator().manual_seed(0)
    shape = (IMAGES, SIZE, SIZE, 3)
    images = torch.randint(0, 256, shape, generator=draws, dtype=torch.uint8)
    blocks = torch.rand(IMAGES, SIZE // 8, SIZE // 8, generator=draws) < 0.1
    maps = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)[..., None]
    return torch.cat([images, maps.byte() * 255], 3)


if __name__ == "__main__":
    main(sys.argv[1:])
