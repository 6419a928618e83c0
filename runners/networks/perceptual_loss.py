"""A loss network as the loss of anybody's training loop.

loss = PerceptualLoss("vgg11", "early")
loss(output, target).backward()             # (N, 3, H, W) both, in [0, 1]
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from weakref import WeakValueDictionary

import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.networks import pretrained
from lossnets.runners.networks.feature_distances import (
    EPSILON,
    as_in_memory,
    distances_to_first,
    single,
    unit_at_positions,
)
from lossnets.runners.networks.kernels import rearranged
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.layers import turned
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.sources import Preprocessing, module
from lossnets.warehouse.errors import UserError

DISTANCES = ("mse", "l1", "unit")
REDUCTIONS = ("mean", "sum", "none")
CPU = torch.device("cpu")
_built: WeakValueDictionary[tuple[object, ...], LossNetwork] = WeakValueDictionary()


class PerceptualLoss(nn.Module):
    """How far images are from others, by the features of a frozen loss network.

    network: as the `architecture` of `LossNetwork`: a name, `timm:NAME`, `module:FILE:FUNCTION`,
    or an nn.Module, which is copied. layer: a layer's name, several (their distances are summed,
    also as `early+late`), or {name: weight}.
    distance: `mse` and `l1`, the mean squared and absolute difference of features (the former is
    Eq. 3 and 6); `unit`, Eq. 1: the squared difference of feature vectors of unit length, mean
    over positions.
    reduction: over the batch: `mean`, `sum`, or `none`, (N,). spatial: instead of one number an
    image a map of its pixels, (N, 1, H, W), each layer's distance at its positions enlarged
    bilinearly; not reduced.
    input_range: the values of black and white in the images. weights, seed, normalise: as of
    `LossNetwork`. rearrange: False leaves sums and products in torch's own order, which is slower
    on a CPU and has gradients as near to the exact ones as torch's (default: as `rearranged` says).

    `forward(output, target)` takes images (N, 3, H, W), or grey ones (N, 1, H, W), of any floating
    point type. It is differentiable in both, twice too; features are compared in single precision
    or better. What the target needs no gradient of is computed without.

    The network belongs to no state dict and to no parameters of a model that holds the loss, goes
    where the images are, stays in eval mode, and is shared by losses and copies of the same.

    Errors: UserError on values that are not valid, and as of `LossNetwork`.

    >>> loss = PerceptualLoss("alexnet", {"early": 1, "late": 0.5}, weights="random")
    >>> images = torch.rand(2, 3, 64, 96)
    >>> loss(images, images)
    tensor(0.)
    >>> len(loss.state_dict()), len(list(loss.parameters()))
    (0, 0)
    """

    def __init__(
        self,
        network: str | nn.Module,
        layer: str | Sequence[str] | Mapping[str, float],
        *,
        distance: str = "mse",
        reduction: str | None = None,
        spatial: bool = False,
        input_range: tuple[float, float] = (0.0, 1.0),
        weights: str | Path | None = None,
        seed: int = 0,
        normalise: bool | Preprocessing = True,
        rearrange: bool | None = None,
    ) -> None:
        super().__init__()
        _check("distance", distance, DISTANCES)
        reduction = reduction or ("none" if spatial else "mean")
        _check("reduction", reduction, ("none",) if spatial else REDUCTIONS)
        self.layers = _weighted(layer)
        self.distance, self.spatial, self.reduction = distance, spatial, reduction
        self.rearrange = rearranged() if rearrange is None else rearrange
        if isinstance(network, nn.Module):
            self._given = module.Given(network)
            network = self._given.name
        by = _normalisation(network, normalise, input_range)
        names = tuple(self.layers)
        self._networks = {CPU: _network(network, names, weights, seed, by, self.rearrange)}
        self._channels_last = {name: self.network.channels_are_last(name) for name in names}

    @property
    def network(self) -> LossNetwork:
        """The loss network."""
        return next(iter(self._networks.values()))

    def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of images against others, both (N, 3, H, W); see the class."""
        if output.shape != target.shape:
            raise UserError(
                f"found output of shape {tuple(output.shape)} and target of shape "
                f"{tuple(target.shape)}; they must be alike"
            )
        network = self._where(output.device)
        features = self._features(network, output), self._features(network, target)
        parts = []
        for layer, weight in self.layers.items():
            self._check_spatial(layer, features[0][layer])
            y, y0 = (turned(f[layer], self._channels_last[layer], layer) for f in features)
            parts.append(weight * self._distance(y, y0, output))
        return torch.stack(parts).sum(0)

    def _check_spatial(self, layer: str, features: torch.Tensor) -> None:
        if self.spatial and features.ndim != 4:
            raise UserError(
                f"found features of shape {tuple(features.shape)[1:]} at {layer} of "
                f"{self.network.architecture}, which are no map of rows and columns"
            )

    def _features(self, network: LossNetwork, images: torch.Tensor) -> dict[str, torch.Tensor]:
        if images.ndim == 4 and images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        if images.is_floating_point():
            images = images.to(network.mean.dtype)
        if images.requires_grad:
            return cast(dict[str, torch.Tensor], network(images))
        with torch.no_grad():
            return cast(dict[str, torch.Tensor], network(images))

    def _distance(self, y: torch.Tensor, y0: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """Of a layer's features (N, C, h, w): of a batch (), of images (N,), of pixels."""
        y, y0 = single(y), single(y0)
        if self.spatial:
            return _enlarged(self._at_positions(y, y0), images)
        if self.reduction == "mean" and self.distance != "unit":
            of_all = functional.mse_loss if self.distance == "mse" else functional.l1_loss
            return of_all(*(as_in_memory(y, y0) if self.rearrange else (y, y0)))
        needs_gradient = torch.is_grad_enabled() and (y.requires_grad or y0.requires_grad)
        if self.distance == "unit" and self.rearrange and not needs_gradient:
            of_images = distances_to_first(torch.cat([y0, y]), 2, EPSILON)[0]
        else:
            of_images = self._at_positions(y, y0).mean(dim=(1, 2))  # (N,)
        return of_images if self.reduction == "none" else getattr(of_images, self.reduction)()

    def _at_positions(self, y: torch.Tensor, y0: torch.Tensor) -> torch.Tensor:
        """(N, h, w)"""
        if self.distance == "unit":
            return unit_at_positions(y, y0)
        difference = y - y0
        return (difference.square() if self.distance == "mse" else difference.abs()).mean(dim=1)

    def _where(self, device: torch.device) -> LossNetwork:
        """The network on a device, brought there once."""
        if device not in self._networks:
            self._networks[device] = copy.deepcopy(self.network).to(device)
        return self._networks[device]

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> PerceptualLoss:
        """Move the loss, as `to` and its like ask: to networks of its own, as others share it."""
        moved = copy.deepcopy(self.network)._apply(fn, recurse)
        self._networks = {moved.mean.device: moved}
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> PerceptualLoss:
        """A copy with the same network, which never changes."""
        copied = self.__class__.__new__(self.__class__)
        memo[id(self)] = copied
        memo[id(self._networks)] = dict(self._networks)
        copied.__dict__ = copy.deepcopy(self.__dict__, memo)
        return copied

    def extra_repr(self) -> str:
        layers = ", ".join(
            layer if weight == 1 else f"{weight:g} × {layer}"
            for layer, weight in self.layers.items()
        )
        return f"{self.network.architecture}, {layers}, {self.distance}, {self.network.weights}"


def _network(
    name: str,
    layers: tuple[str, ...],
    weights: str | Path | None,
    seed: int,
    normalise: bool | Preprocessing,
    rearrange: bool,
) -> LossNetwork:
    """A loss network in the form in which it is fastest; the one that is there, if it is alive."""
    weights = pretrained.default_weights(name) if weights is None else weights
    what = (name, layers, pretrained.identity(name, weights, seed), normalise, rearrange)
    network = _built.get(what)
    if network is None:
        network = LossNetwork(name, layers, weights=weights, seed=seed, normalise=normalise)
        if rearrange:
            network = on_device(network, CPU, "fp32", rearrange=True).eval()
        _built[what] = network
    return network


def _normalisation(
    name: str, normalise: bool | Preprocessing, input_range: tuple[float, float]
) -> bool | Preprocessing:
    """Of images in a range; of those in [0, 1] as it is."""
    black, white = (float(value) for value in input_range)
    if not black < white:
        raise UserError(f"found input range {input_range}; valid are two values, black below white")
    if (black, white) == (0, 1):
        return normalise
    by = normalise if isinstance(normalise, Preprocessing) else pretrained.preprocessing(name)
    if normalise is False:
        by = replace(by, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    span = white - black
    return replace(
        by,
        mean=tuple(black + span * value for value in by.mean),
        std=tuple(span * value for value in by.std),
    )


def _weighted(layer: str | Sequence[str] | Mapping[str, float]) -> dict[str, float]:
    if isinstance(layer, Mapping):
        return {name: float(weight) for name, weight in layer.items()}
    return dict.fromkeys(layer.split("+") if isinstance(layer, str) else layer, 1.0)


def _enlarged(maps: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """(N, h, w) → (N, 1, H, W)"""
    size = (images.shape[2], images.shape[3])
    return functional.interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)


def _check(what: str, value: str, valid: Sequence[str]) -> None:
    if value not in valid:
        raise UserError(f"found {what} {value!r}; valid are {', '.join(valid)}")
