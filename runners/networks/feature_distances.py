"""Distances between features: the losses of Eq. 3, 5 and 6, and the unit length of Eq. 1.

The four benchmarks and `PerceptualLoss` compare features with these.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

Features = Mapping[str, torch.Tensor]  # layer → (N, C, H, W)
EPSILON = 1e-12  # least length of a feature vector to divide by


def feature_loss(outputs: Features, targets: Features) -> torch.Tensor:
    """Squared distance per feature, mean over the batch, summed over layers (Eq. 3 and 6).

    >>> outputs = {"early": torch.zeros(2, 1, 1, 2)}
    >>> feature_loss(outputs, {"early": torch.tensor([[[[1.0, 3.0]]], [[[0.0, 0.0]]]])})
    tensor(2.5000)
    """
    return torch.stack([mean_squared(outputs[layer], y) for layer, y in targets.items()]).sum()


def mean_squared(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared difference, in single precision or better."""
    return functional.mse_loss(*as_in_memory(single(output), single(target)))


def as_in_memory(output: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features with their axes in the order in which they lie in memory, channels last.

    Else the gradient of their difference comes with the channels first, and what it meets on its
    way back is read across.
    """
    if output.ndim == 4 and output.is_contiguous(memory_format=torch.channels_last):
        return output.movedim(1, -1), target.movedim(1, -1)  # (N, H, W, C)
    return output, target


def single(features: torch.Tensor) -> torch.Tensor:
    """Features in single precision, where they have less."""
    return features.float() if features.dtype in (torch.bfloat16, torch.float16) else features


def distance(y: torch.Tensor, y0: torch.Tensor, *, epsilon: float = EPSILON) -> torch.Tensor:
    """The distance between the features of images, as Eq. 1 is written. (N,)

    y, y0: (N, C, H, W). At each position both are divided by their length over channels, by
    `epsilon` where they are shorter; the squared differences are summed over channels and
    averaged over positions. `distances_to_first` gives the same, faster.

    Source: paper, Eq. 1 with all importance weights 1.

    >>> y, y0 = torch.tensor([[3.0, 0.0], [0.0, 2.0]]).view(2, 2, 1, 1)
    >>> distance(y[None], y0[None])
    tensor([2.])
    """
    unit, unit0 = (f / f.norm(dim=1, keepdim=True).clamp(min=epsilon) for f in (y, y0))
    return (unit - unit0).square().sum(dim=1).mean(dim=(1, 2))


def distances_to_first(features: torch.Tensor, sets: int, epsilon: float) -> torch.Tensor:
    """Eq. 1 between the first N features and each N that follow. (sets − 1, N)

    With the lengths a of y and b of y0, the summand of Eq. 1 is ‖y − y0·a/b‖² / a², which reads
    and writes the features once where Eq. 1 as it is written does so five times. No gradients.
    """
    features = features.float()  # (sets·N, C, H, W)
    length = torch.linalg.vector_norm(features, dim=1, keepdim=True).clamp_min_(epsilon)
    (y0, *others), (b, *lengths) = features.chunk(sets), length.chunk(sets)
    of_sets = []
    for y, a in zip(others, lengths, strict=True):
        difference = torch.addcmul(y, y0, a / b, value=-1)  # (N, C, H, W)
        at_positions = torch.linalg.vector_norm(difference, dim=1, keepdim=True) / a
        of_sets.append(at_positions.square_().mean(dim=(1, 2, 3)))  # (N,)
    return torch.stack(of_sets)


def unit_at_positions(y: torch.Tensor, y0: torch.Tensor) -> torch.Tensor:
    """The summand of Eq. 1 at each position, with gradients of any order. (N, H, W)

    Positions without features, such as a ReLU leaves, have the gradient 0, which that of a norm
    has not in the second order.

    >>> y, y0 = torch.tensor([[3.0, 0.0], [0.0, 2.0]]).view(2, 2, 1, 1)
    >>> unit_at_positions(y[None], y0[None])
    tensor([[[2.]]])
    """
    unit, unit0 = (f / _length(f) for f in (y, y0))
    return (unit - unit0).square().sum(dim=1)


def _length(features: torch.Tensor) -> torch.Tensor:
    return features.square().sum(dim=1, keepdim=True).clamp(min=EPSILON**2).sqrt()
