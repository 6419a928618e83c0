"""Where architectures come from: torchvision, timm (`timm:NAME`), or a module of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from torch import nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects of images in [0, 1]: (x − mean) / std, and pixels a side."""

    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    size: int = 224


class Source(Protocol):
    """A place that architectures come from. Names are whole: with `timm:` or `module:`.

    Every function raises UserError on a name that is not valid.
    """

    def check(self, name: str) -> None:
        """Raise UserError if there is no such architecture."""

    def build(self, name: str, *, initialise: bool) -> nn.Module:
        """The network without trained weights; not `initialise`: with any values."""

    def default_weights(self, name: str) -> str:
        """The set of weights that is meant where none is named."""

    def weights_name(self, name: str, weights: str) -> str:
        """The name of a set of weights as a record states it."""

    def version(self, name: str) -> str:
        """What sets apart networks of one name: empty, or `:` and a hash of what defines it."""

    def with_weights(self, name: str, weights: str) -> nn.Module:
        """The network with one of its sets of weights."""

    def preprocessing(self, name: str) -> Preprocessing:
        """How its images are normalised."""

    def family(self, name: str) -> str:
        """What family it belongs to, for people."""


def source_of(architecture: str) -> Source:
    """The source of an architecture, told from its name.

    >>> source_of("timm:convnext_atto").__name__
    'lossnets.runners.networks.sources.timm'
    """
    prefix, colon, _ = architecture.partition(":")
    kind = prefix if colon and prefix in ("timm", "module") else "torchvision"
    return cast(Source, import_module(f"lossnets.runners.networks.sources.{kind}"))
