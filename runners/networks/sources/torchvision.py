"""Torchvision's classification models, by its names."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from urllib.error import URLError

import torch
from torch import nn
from torchvision import models

from lossnets.runners.networks.sources import Preprocessing
from lossnets.runners.networks.sources.close_names import close_names
from lossnets.warehouse.errors import UserError

WEIGHTS = "IMAGENET1K_V1"  # what the paper used (Sec. III)


@cache
def architectures() -> tuple[str, ...]:
    """Every classification model of the installed torchvision, by name."""
    return tuple(sorted(models.list_models(module=models)))


@dataclass(frozen=True)
class WeightsMetadata:
    """What torchvision publishes about a set of weights; None where it has no such set."""

    top1: float | None  # accuracy on ImageNet, %
    crop: int | None  # pixels a side it was measured at


def weights_metadata(architecture: str, weights: str = WEIGHTS) -> WeightsMetadata:
    """Accuracy and crop size of an architecture's weights, from torchvision's metadata.

    >>> weights_metadata("vgg11")
    WeightsMetadata(top1=69.02, crop=224)
    """
    member = models.get_model_weights(architecture).__members__.get(weights)
    if member is None:
        return WeightsMetadata(None, None)
    metrics = member.meta["_metrics"]["ImageNet-1K"]
    return WeightsMetadata(metrics["acc@1"], member.transforms().crop_size[0])


def check(architecture: str) -> None:
    """Raise UserError, with close names, if torchvision has no such classification model."""
    if architecture not in architectures():
        raise UserError(
            f"found architecture {architecture!r}, which is no classification model of "
            f"torchvision; close names are: {close_names(architecture, architectures())}",
            hint="lossnets attribute measure --architecture "
            + close_names(architecture, architectures(), at_most=1),
        )


def build(architecture: str, *, initialise: bool) -> nn.Module:
    """One of torchvision's models as it initialises it, or with `initialise=False` unfilled.

    Some models take `init_weights`, and warn when it is left out.
    """
    check(architecture)
    try:
        return models.get_model(architecture, weights=None, init_weights=initialise)
    except TypeError:
        return models.get_model(architecture, weights=None)


def default_weights(architecture: str) -> str:
    """What the paper used, of every architecture."""
    check(architecture)
    return WEIGHTS


def weights_name(architecture: str, weights: str) -> str:
    """The name of one of torchvision's sets; of DEFAULT, the set it stands for."""
    return weights_of(architecture, weights).name


def weights_of(architecture: str, weights: str) -> models.WeightsEnum:
    """One of torchvision's sets of weights by name; UserError, with the valid ones, if none."""
    check(architecture)
    enum = models.get_model_weights(architecture)
    if weights not in enum.__members__:
        valid = ", ".join([*(m.name for m in enum), "random", "or the path of a state dict"])
        raise UserError(f"found weights {weights!r} for {architecture}; valid are: {valid}")
    return enum[weights]


def version(name: str) -> str:
    """Nothing: a name is one network."""
    return ""


def with_weights(architecture: str, weights: str) -> nn.Module:
    """One of torchvision's models with the weights of one of its enums, such as IMAGENET1K_V1.

    Errors: UserError if there is no such set of weights, or its file is neither in torch's
    folder nor to be had.
    """
    member = weights_of(architecture, weights)
    try:
        with torch.random.fork_rng(devices=[]):  # it initialises before it loads
            return models.get_model(architecture, weights=member)
    except (URLError, OSError) as fault:
        file = Path(torch.hub.get_dir()) / "checkpoints" / member.url.rsplit("/", 1)[-1]
        reason = getattr(fault, "reason", None) or fault
        raise UserError(
            f"found no {file.name} in {file.parent}, and it could not be fetched ({reason}); "
            f"weights 'random' need no file",
            hint=f"curl --create-dirs -o {file} {member.url}",
        ) from None
    except (RuntimeError, EOFError, ValueError) as fault:
        raise UserError(
            f"found a damaged file of the weights {weights} of {architecture} in "
            f"{Path(torch.hub.get_dir()) / 'checkpoints'} ({_first_line(fault)}); delete it"
        ) from None


def preprocessing(architecture: str) -> Preprocessing:
    """ImageNet's: torchvision's weights state no other."""
    return Preprocessing()


@cache
def family(architecture: str) -> str:
    """The paper's family of the architectures in the same module of torchvision, else Other.

    >>> family("resnet101"), family("vgg13"), family("convnext_tiny")
    ('ResNet', 'VGG', 'Other')
    """
    table = resources.files("lossnets.warehouse") / "shipped" / "paper" / "architectures.csv"
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    families = {_module(row["architecture"]): row["family"] for row in rows}
    return families.get(_module(architecture), "Other")


def _module(name: str) -> str:
    return str(models.get_model_builder(name).__module__)


def _first_line(fault: BaseException) -> str:
    return (str(fault) or type(fault).__name__).splitlines()[0]
