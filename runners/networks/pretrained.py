"""Architectures by name, whatever source they come from, with the weights a user names."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from lossnets.runners.networks.sources import Preprocessing, source_of, torchvision
from lossnets.runners.networks.sources.close_names import close_names
from lossnets.runners.networks.sources.torchvision import (
    WEIGHTS,
    WeightsMetadata,
    architectures,
)
from lossnets.runners.networks.weights import identity_of, is_path
from lossnets.warehouse.errors import UserError

__all__ = [
    "WEIGHTS",
    "architectures",
    "check_architecture",
    "close_names",
    "default_weights",
    "display_name",
    "extraction_layers",
    "family",
    "identity",
    "is_path",
    "preprocessing",
    "random_seed",
    "randomly",
    "shapes_only",
    "weights_metadata",
    "with_weights",
    "without_weights",
]


@cache
def extraction_layers() -> dict[str, dict[str, str]]:
    """The paper's extraction layers (Table II): {architecture: {layer: node}}, in its order.

    >>> extraction_layers()["vgg11"]
    {'early': 'features.1', 'semi_early': 'features.4', 'middle': 'features.9', \
'late': 'features.19'}
    """
    table = resources.files("lossnets.warehouse") / "shipped" / "paper" / "extraction_layers.csv"
    nodes: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()):
        nodes.setdefault(row["architecture"], {})[row["layer"]] = row["node"]
    return nodes


def check_architecture(architecture: str) -> None:
    """Raise UserError, with close names, if its source has no such architecture."""
    source_of(architecture).check(architecture)


def weights_metadata(architecture: str, weights: str = WEIGHTS) -> WeightsMetadata:
    """Accuracy and crop size of a set of weights, where its source publishes them.

    >>> weights_metadata("vgg11")
    WeightsMetadata(top1=69.02, crop=224)
    """
    if source_of(architecture) is not torchvision:
        return WeightsMetadata(None, None)
    return torchvision.weights_metadata(architecture, weights)


def default_weights(architecture: str) -> str:
    """The weights that are meant where none are named.

    >>> default_weights("vgg11"), default_weights("timm:convnext_atto")
    ('IMAGENET1K_V1', 'd2_in1k')
    """
    return source_of(architecture).default_weights(architecture)


def preprocessing(architecture: str) -> Preprocessing:
    """How an architecture's images are normalised, by its source."""
    return source_of(architecture).preprocessing(architecture)


def family(architecture: str) -> str:
    """The family that an architecture belongs to, Other where none is known."""
    return source_of(architecture).family(architecture)


def display_name(architecture: str) -> str:
    """What an architecture is called for people.

    >>> display_name("resnet101"), display_name("timm:convnext_atto")
    ('resnet101', 'convnext_atto (timm)')
    """
    kind, colon, name = architecture.partition(":")
    return f"{name} ({kind})" if colon else architecture


def without_weights(architecture: str, *, initialise: bool = True) -> nn.Module:
    """An architecture as its source initialises it, or with `initialise=False` unfilled."""
    check_architecture(architecture)
    return source_of(architecture).build(architecture, initialise=initialise)


def with_weights(architecture: str, weights: str) -> nn.Module:
    """An architecture with one of its source's sets of weights, such as IMAGENET1K_V1.

    Errors: UserError if there is no such set, or it is neither on this machine nor to be had.
    """
    return source_of(architecture).with_weights(architecture, weights)


class _EmptyOnMeta(TorchFunctionMode):
    """Parameters are made without memory; what is computed while building is computed."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        extra = {"device": "meta"} if func is torch.empty else {}
        return func(*args, **{**(kwargs or {}), **extra})


def shapes_only(architecture: str) -> nn.Module:
    """An architecture on the meta device: shapes, no values, no memory."""
    with _EmptyOnMeta(), torch.random.fork_rng(devices=[]):
        return without_weights(architecture, initialise=False).to("meta")


def randomly(architecture: str, seed: int, *, initialise: bool = True) -> nn.Module:
    """An architecture as its source initialises it, the same for the same seed.

    The generators of the caller are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # the CPU's alone: models are made there
        return without_weights(architecture, initialise=initialise)


def identity(architecture: str, weights: str | Path, seed: int = 0) -> str:
    """What weights are, as a record states it, told without building the network.

    The name of one of its source's sets (DEFAULT: of the set it stands for), `random:SEED`, or
    the name of a file and the first 12 digits of its SHA-256. Errors: as for `LossNetwork`.

    >>> identity("vgg11", "DEFAULT"), identity("vgg11", "random", 3), identity("vgg11", "random:4")
    ('IMAGENET1K_V1', 'random:3', 'random:4')
    """
    if is_path(weights):
        return identity_of(Path(weights))
    drawn = random_seed(str(weights), seed)
    if drawn is not None:
        return f"random:{drawn}{source_of(architecture).version(architecture)}"
    return source_of(architecture).weights_name(architecture, str(weights))


def random_seed(weights: str | Path, seed: int) -> int | None:
    """The seed of `random` (the one given) and `random:SEED`; None for weights of another kind."""
    kind, colon, number = str(weights).partition(":")
    if is_path(weights) or kind != "random":
        return None
    number = number.partition(":")[0]
    if colon and not number.isdecimal():
        raise UserError(f"found weights {weights!r}; valid is random:SEED, such as random:0")
    return int(number) if colon else seed
