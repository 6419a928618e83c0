"""A loss network: a pretrained architecture and its extraction layers, giving features.

    network = LossNetwork("vgg16", ["early", "late"])
    features = network(images)              # {"early": (N, 64, H, W), "late": (N, 512, H/16, W/16)}

The paper's 56 loss networks are named as in its Table II (`early` … `late`); any other node of any
classification model of torchvision or timm, or of a module of one's own, by its traced name, or by
its module's where torch.fx does not trace it, see `node_names`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lossnets.runners.networks import pretrained
from lossnets.runners.networks import weights as weights_files
from lossnets.runners.networks.extraction import (
    PROBE,
    HookedExtractor,
    cut_out,
    overwritten,
    settle_batch_norm,
)
from lossnets.runners.networks.layers import (
    channels_are_last,
    is_traced,
    node_names,
    node_of,
    on_meta,
    turned,
)
from lossnets.runners.networks.sources import Preprocessing, module
from lossnets.warehouse.errors import UserError

MODES = ("eval", "train")


class LossNetwork(nn.Module):
    """Features of images at one or several extraction layers, in one forward pass.

    architecture: torchvision's name, `timm:NAME`, `module:FILE:FUNCTION`, or an nn.Module, which
    is copied. layers: one name or several, each `early`, `semi_early`, `middle`, `late` (the
    paper's architectures), a traced node or a module. Everything past the deepest of them is not
    computed.
    weights: the name of one of its source's sets (default: what the paper used; timm's default; a
    module's own), the path of a state dict, or `random` (its source's initialisation with the
    batch-norm statistics of random images, without which deep features vanish; the same for the
    same `seed`, which `random:SEED` says too).
    normalise: take images in [0, 1] and normalise them with the mean and standard deviation that
    the network was trained with (those of ImageNet where none are known), or with those of a
    `Preprocessing`; False: images go in as they are. GoogLeNet's and Inception v3's own second
    transform of their input is never applied.
    mode: `eval` keeps the network in eval mode whatever a parent module is put into; `train`
    lets it follow its parent, so that batch statistics are used, and running ones updated, in
    training, as in the paper's reference implementation (docs/fidelity.md).

    `forward` takes (N, 3, H, W), floating point, never changes it, and returns {layer: features}
    in the order of `layers`: (N, C, H, W), or what else the layer yields (after the classifier's
    pooling (N, C); tokens of a vision transformer (N, L, C); maps with channels behind positions
    (N, H, W, C)); `as_maps` puts all of them as (N, C, H, W). No later in-place operation changes
    what was returned. Parameters are frozen; gradients reach the images. A copy is frozen too, and
    in eval mode.

    Errors: UserError on a name that is not valid (with close ones), on a node that yields no
    tensor, on weights that cannot be had, on images of another shape or too small.

    Source: paper, Sec. III and Table II.

    >>> network = LossNetwork("alexnet", ["early", "late"], weights="random")
    >>> {layer: tuple(f.shape) for layer, f in network(torch.rand(1, 3, 64, 64)).items()}
    {'early': (1, 64, 15, 15), 'late': (1, 256, 3, 3)}
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        architecture: str | nn.Module,
        layers: str | Sequence[str],
        *,
        weights: str | Path | None = None,
        seed: int = 0,
        normalise: bool | Preprocessing = True,
        mode: str = "eval",
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise UserError(f"found loss network mode {mode!r}; valid are eval and train")
        if isinstance(architecture, nn.Module):
            self._given = module.Given(architecture)
            architecture = self._given.name
        weights = pretrained.default_weights(architecture) if weights is None else weights
        self.architecture = architecture
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        self.nodes = {layer: node_of(architecture, layer) for layer in self.layers}
        if not self.nodes:
            raise UserError(f"found no layer of {architecture} to extract features at")
        self.normalise = bool(normalise)
        self.mode = mode
        model, self.weights = _pretrained_model(architecture, weights, seed)
        self.extractor: Any = _extractor(architecture, model, tuple(self.nodes.values()))
        if pretrained.is_path(weights):
            _load(self.extractor, Path(weights), model, architecture)
        if (drawn := pretrained.random_seed(weights, seed)) is not None:
            settle_batch_norm(self.extractor, drawn)
        by = normalise if isinstance(normalise, Preprocessing) else None
        by = by or pretrained.preprocessing(architecture)
        self.register_buffer("mean", torch.tensor(by.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(by.std).view(1, 3, 1, 1), persistent=False)
        self._freeze(training=False)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features at every extraction layer: {layer: (N, C, H, W)}."""
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise UserError(
                f"found images of shape {tuple(images.shape)} and type {images.dtype}; "
                f"valid is (N, 3, H, W), floating point"
            )
        x = (images - self.mean) / self.std if self.normalise else images  # (N, 3, H, W)
        try:
            features = self.extractor(x)
        except (RuntimeError, AssertionError) as fault:
            self._explain_size(images, fault)
            raise
        return {layer: features[node] for layer, node in self.nodes.items()}

    def as_maps(self, layer: str, features: torch.Tensor) -> torch.Tensor:
        """The features of a layer as (N, C, H, W): see `as_maps`."""
        last = features.ndim == 4 and self.channels_are_last(layer)
        return turned(features, last, f"{layer} of {self.architecture}")

    def channels_are_last(self, layer: str) -> bool:
        """Whether a layer's features are (N, H, W, C)."""
        return channels_are_last(self.architecture, tuple(self.nodes.values()))[self.nodes[layer]]

    def __deepcopy__(self, memo: dict[int, Any]) -> LossNetwork:
        """A copy as frozen, and in the same mode, as this one."""
        copied = self.__class__.__new__(self.__class__)
        memo[id(self)] = copied
        copied.__dict__ = copy.deepcopy(self.__dict__, memo)
        copied._freeze(training=self.training)
        return copied

    def _freeze(self, *, training: bool) -> None:
        self.requires_grad_(False)
        self.train(training)

    def train(self, mode: bool = True) -> LossNetwork:
        """Stay in eval mode, whatever a parent module asks, unless `mode` was "train"."""
        super().train(mode and self.mode == "train")
        return self

    def extra_repr(self) -> str:
        return f"{self.architecture}, {', '.join(self.layers)}, weights={self.weights}"

    def _explain_size(self, images: torch.Tensor, fault: Exception) -> None:
        """Raise UserError if the size of the images is at fault."""
        if isinstance(fault, torch.OutOfMemoryError):
            return
        height, width = images.shape[2:]
        found = f"found images of {height}×{width} pixels"
        least = least_size(self)
        if least is not None and min(height, width) < least:
            names = node_names(self.architecture)
            deepest = max(self.layers, key=lambda layer: names.index(self.nodes[layer]))
            raise UserError(
                f"{found}, too small for {deepest} of {self.architecture}; "
                f"at least {least}×{least} are needed"
            ) from None
        if isinstance(fault, AssertionError):  # vision transformers take one size alone
            valid = "other sizes" if least is None else f"{least}×{least}"
            raise UserError(f"{found}; {self.architecture} takes {valid}") from None


def least_size(network: LossNetwork, *, at_most: int = PROBE) -> int | None:
    """The smallest square images, in pixels a side, that reach every extraction layer.

    None if not even `at_most` pixels do.

    >>> least_size(LossNetwork("alexnet", "late", weights="random"))
    31
    """
    extractor = on_meta(network.architecture, tuple(network.nodes.values()))
    at_most = max(at_most, pretrained.preprocessing(network.architecture).size)
    if not _fits(extractor, at_most):
        return None
    fails, fits = 0, at_most
    while fits - fails > 1:
        middle = (fails + fits) // 2
        fails, fits = (fails, middle) if _fits(extractor, middle) else (middle, fits)
    return fits


def _pretrained_model(architecture: str, weights: str | Path, seed: int) -> tuple[nn.Module, str]:
    """A model and the identity of its weights, as a record states it."""
    drawn = pretrained.random_seed(weights, seed)
    if pretrained.is_path(weights):
        weights_files.read_state_dict(Path(weights))
        model = pretrained.randomly(architecture, seed, initialise=False)
    elif drawn is not None:
        model = pretrained.randomly(architecture, drawn)
    else:
        model = pretrained.with_weights(architecture, str(weights))
    return model, pretrained.identity(architecture, weights, seed)


def _extractor(architecture: str, model: nn.Module, nodes: tuple[str, ...]) -> nn.Module:
    if not is_traced(architecture):
        return HookedExtractor(model.eval(), nodes)
    return cut_out(model, nodes, _overwritten(architecture, nodes))


def _load(extractor: nn.Module, path: Path, model: nn.Module, architecture: str) -> None:
    """Load a state dict; a network that is run by hooks may lack what it does not come to."""
    if not isinstance(extractor, HookedExtractor):
        weights_files.load_state_dict(extractor, path, whole=model, architecture=architecture)
        return
    names, shapes = node_names(architecture), pretrained.shapes_only(architecture)
    reached = names[: 1 + max(names.index(node) for node in extractor.wanted)]
    spare = frozenset(
        f"{name}.{key}"
        for name in names
        if name not in reached and not any(one.startswith(f"{name}.") for one in reached)
        for key in shapes.get_submodule(name).state_dict()
    )
    weights_files.load_state_dict(model, path, whole=model, architecture=architecture, spare=spare)


@cache
def _overwritten(architecture: str, nodes: tuple[str, ...]) -> frozenset[str]:
    size = pretrained.preprocessing(architecture).size
    return overwritten(on_meta(architecture, nodes), nodes, architecture, size=size)


def _fits(extractor: nn.Module, size: int) -> bool:
    """Whether square images of so many pixels a side go through."""
    try:
        with torch.no_grad():
            extractor.eval()(torch.empty(2, 3, size, size, device="meta"))
    except (RuntimeError, AssertionError):
        return False
    return True
