"""Autoencoding: training steps, validation and the seven predictors, beside straightforward code.

`python -m bench.autoencoding [ARCHITECTURE:LAYER[:stl10] …]`, on the CPU. Random weights and
images; batches of 256, as in the paper.

A step and a validation batch are timed from bytes in memory to the changed autoencoder, or to the
loss. The straightforward implementation reads through torchvision's transforms and a DataLoader,
puts images and outputs through the loss network and compares all features; it lives in a process
of its own, so that its memory is as the system manages it. Losses are seen to be equal first.
Of the predictors one after the other is trained by autograd over a DataLoader.
"""

from __future__ import annotations

import itertools
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision.transforms import Compose, Pad, ToTensor

from bench._timing import Worker, in_turn, ratio
from lossnets.runners.benchmarks.autoencoding import Config
from lossnets.runners.data.digit_archives import ARCHIVES
from lossnets.runners.data.digits import Digits
from lossnets.runners.models.autoencoder import DECODER, ENCODER, KERNELS, Autoencoder
from lossnets.runners.models.image_batches import Images, room
from lossnets.runners.models.predictors import Fitting, Labelled, Predictors, fit
from lossnets.runners.models.reproduction import Reproduction
from lossnets.runners.models.training import order
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.devices import keep_memory

CHOSEN = ("vgg11:early", "vgg11:late", "resnet18:early", "squeezenet1_1:middle", "vgg11:late:stl10")
ROUNDS = 5
SMALL = 4000  # images of the small preset: whether their features are kept decides
EMBEDDINGS = 10_240  # a fifth to validate with
# The greatest relative difference between losses of the first batch, and of the second: a first
# step of Adam is as large where a gradient is nearly zero, and mostly rounding, as anywhere.
EQUAL = (1e-4, 1e-3)


def main(chosen: list[str] | None = None) -> None:
    """Print the tables."""
    print(f"{'loss network':<28}{'step':<12}{'straight s':>11}{'ours s':>9}{'ratio':>7}")
    for name in chosen or CHOSEN:
        architecture, layer, dataset = [*name.split(":"), "svhn"][:3]
        for what in ("training", "validation"):
            steps = {who: Worker(f"bench.autoencoding:{who}", architecture, layer, dataset, what)
                     for who in ("straight", "ours")}  # fmt: skip
            for equal in EQUAL:  # each batch the first time
                expected, found = (step() for step in steps.values())
                if not abs(found - expected) <= equal * abs(expected):
                    raise SystemExit(f"error: found loss {found}, straightforward {expected}")
            seconds = in_turn(steps, ROUNDS)
            for step in steps.values():
                step.end()
            _print(f"{architecture} {layer} {dataset}", what, seconds)
    _print("seven predictors", "2 epochs", in_turn(_fits(), ROUNDS))


def _print(name: str, what: str, seconds: dict[str, list[float]]) -> None:
    straight, fast = (statistics.median(values) for values in seconds.values())
    times = ratio(*seconds.values())
    print(f"{name:<28}{what:<12}{straight:>11.3f}{fast:>9.3f}{times:>7.2f}", flush=True)


def ours(architecture: str, layer: str, dataset: str, what: str) -> Callable[[], float]:
    """A step as the benchmark does it: returns the loss."""
    keep_memory()
    config, device = Config(), torch.device("cpu")
    images = Images(_data(dataset), "unlabelled", most=None, seed=0, device=device)
    network = on_device(LossNetwork(architecture, layer, weights="random"), device, "fp32")
    task = Reproduction(network, images, batch=config.batch).keep(lambda *_: None)
    kept = sum(features.nbytes for features in (task.kept or {}).values())
    if kept * SMALL / len(images) > room(device):
        task.kept = None
    torch.manual_seed(0)
    model = Autoencoder(images[torch.arange(1)].shape[2], config.z)
    model = model.to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    batches = itertools.cycle(torch.arange(len(images)).split(config.batch))

    def train() -> float:
        loss, _ = task.loss(model, next(batches))
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    @torch.no_grad()
    def validate() -> float:
        return task.loss(model, next(batches))[0].item()

    return train if what == "training" else validate


def straight(architecture: str, layer: str, dataset: str, what: str) -> Callable[[], float]:
    """A step as one writes it down first: returns the loss."""
    data, config = _data(dataset), Config()
    network = LossNetwork(architecture, layer, weights="random")
    torch.manual_seed(0)
    model = _Plain(data.images["unlabelled"].shape[1] + 2 * data.padding, config.z)
    adam = torch.optim.Adam(model.parameters(), lr=config.lr)
    loader = DataLoader(_Pictures(data), config.batch)

    def batches() -> Iterator[torch.Tensor]:
        while True:
            yield from loader

    source = batches()

    def loss_of(images: torch.Tensor) -> torch.Tensor:
        targets, outputs = network(images)[layer], network(model(images))[layer]
        return functional.mse_loss(outputs.flatten(1), targets.flatten(1))

    def train() -> float:
        loss = loss_of(next(source))
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    @torch.no_grad()
    def validate() -> float:
        return loss_of(next(source)).item()

    return train if what == "training" else validate


class _Plain(nn.Module):
    """The autoencoder as a list of torch's layers, with the same first weights."""

    def __init__(self, size: int, z: int) -> None:
        super().__init__()
        self.side = (size - 64) // 16 + 1
        layers: list[nn.Module] = []
        for i, o in itertools.pairwise(ENCODER):
            layers += [nn.Conv2d(i, o, 4, 2), nn.BatchNorm2d(o), nn.ReLU()]
            size = size // 2 - 1
        layers += [nn.Flatten(), nn.Linear(256 * size * size, z)]
        layers += [nn.Linear(z, 1024 * self.side**2), nn.ReLU()]
        layers += [nn.Unflatten(1, (1024, self.side, self.side))]
        for (i, o), kernel in zip(itertools.pairwise(DECODER), KERNELS, strict=True):
            layers += [nn.ConvTranspose2d(i, o, kernel, 2), nn.BatchNorm2d(o), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-2], nn.Sigmoid())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class _Pictures(Dataset[torch.Tensor]):
    """Images read as torchvision's data sets are."""

    def __init__(self, data: Digits) -> None:
        self.images = data.images["unlabelled"]
        pad = [Pad(data.padding, 0, "reflect")] if data.padding else []
        self.transform = Compose([*pad, ToTensor()])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.fromarray(self.images[index]))


def _data(dataset: str) -> Digits:
    """Random images of the data set's size."""
    archive = ARCHIVES[dataset]
    shape = (len(EQUAL) * Config().batch, archive.side, archive.side, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Digits(
        name=dataset,
        images={"unlabelled": images},
        labels={},
        classes=10,
        items={},
        padding=archive.padding,
        identity="random",
        own=False,
    )


def _fits() -> dict[str, Callable[[], object]]:
    """The seven predictors one after the other, and together; equal losses."""
    draws = torch.Generator().manual_seed(0)
    inputs = torch.randn(EMBEDDINGS, 64, generator=draws)
    data, how = Labelled(inputs, inputs[:, :10].argmax(1)), Fitting(epochs=2)
    train, validation = data.at(torch.arange(EMBEDDINGS)[2048:]), data.at(torch.arange(2048))

    def one_by_one() -> list[float]:
        theirs = _with_targets(train), _with_targets(validation)
        return [_fit_plainly(network, *theirs, how) for network in _networks(Predictors(64, 10))]

    def together() -> Any:
        return fit(train, validation, outputs=10, how=how).losses[-1].tolist()

    expected, found = one_by_one(), together()
    if not np.allclose(expected, found, rtol=1e-3):
        raise SystemExit(f"error: found losses {found}, straightforward {expected}")
    return {"straight": one_by_one, "ours": together}


def _with_targets(data: Labelled) -> TensorDataset:
    return TensorDataset(data.inputs, functional.one_hot(data.labels, 10).float())


def _fit_plainly(
    network: nn.Module, train: TensorDataset, validation: TensorDataset, how: Fitting
) -> float:
    """Train by autograd over a DataLoader, and validate after each epoch; the loss in the end."""
    adam = torch.optim.Adam(network.parameters(), lr=how.lr)
    for epoch in range(1, how.epochs + 1):
        sampler = order(len(train), how.seed, epoch).tolist()
        for x, y in DataLoader(train, how.batch, sampler=sampler):
            loss = functional.mse_loss(network(x), y)
            adam.zero_grad()
            loss.backward()
            adam.step()
        with torch.no_grad():
            losses = [
                functional.mse_loss(network(x), y) for x, y in DataLoader(validation, how.batch)
            ]
    return statistics.mean(loss.item() for loss in losses)


def _networks(group: Predictors) -> list[nn.Sequential]:
    """The same predictors as torch's own modules."""
    networks = []
    for layers in group.layers:
        modules: list[nn.Module] = []
        for weight, bias in layers:
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            linear.load_state_dict({"weight": weight.clone(), "bias": bias.clone()})
            modules += [linear, nn.LeakyReLU()]
        networks.append(nn.Sequential(*modules[:-1]))
    return networks


if __name__ == "__main__":
    main(sys.argv[1:])
