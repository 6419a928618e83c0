"""What an autoencoder is to do: reproduce images, by the features of a loss network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from lossnets.runners.models.image_batches import Images, room
from lossnets.runners.models.training import Shared
from lossnets.runners.networks.feature_distances import feature_loss
from lossnets.runners.runs.devices import autocast

Features = dict[str, torch.Tensor]  # layer → (N, C, H, W)
Progress = Callable[[int, int, str], None]
TARGETS = Shared[Features | None]()  # of runs that differ in their seed alone


class Pixels(nn.Module):
    """In the place of a loss network: its features are the images."""

    def forward(self, images: torch.Tensor) -> Features:
        return {"pixels": images}


class Reproduction:
    """The loss of some images, at most `batch` at once.

    The features of the images are computed once and kept where they cannot change (`fixed`) and
    fit. The images that go through the network together are then the same in every run, so that
    one that goes on after it was killed has the same features to the bit. With `depends_on`, all
    that the features depend on, the next run in the process that has the same shares them.
    """

    def __init__(
        self,
        network: nn.Module,
        images: Images,
        *,
        batch: int,
        precision: str = "fp32",
        fixed: bool = True,
    ) -> None:
        self.network, self.images = network, images
        self.batch, self.precision = batch, precision
        self.fixed = fixed and not isinstance(network, Pixels)
        self.kept: Features | None = None

    def keep(self, progress: Progress, depends_on: tuple[object, ...] = ()) -> Reproduction:
        """With the features of all images kept, if that is of use."""
        if self.fixed:
            self.kept = (
                TARGETS.get(depends_on, lambda: self._all_features(progress))
                if depends_on
                else self._all_features(progress)
            )
        return self

    def loss(self, model: nn.Module, index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Eq. 6 for the images at some indices, and the outputs (N, 3, H, H)."""
        images = self.images[index]  # (N, 3, H, H)
        with autocast(self.precision, self.images.device):
            targets = self._features(images, index)
            outputs = model(images)
            return feature_loss(self.network(outputs), targets), outputs

    @torch.no_grad()
    def mean_loss(self, model: nn.Module, index: torch.Tensor) -> tuple[float, torch.Tensor]:
        """The loss over all images at some indices, and the first batch of outputs (N, 3, H, H)."""
        model.eval()
        self.network.eval()
        total, first = 0.0, None
        for part in index.split(self.batch):
            loss, outputs = self.loss(model, part)
            total += float(loss) * len(part)
            first = outputs if first is None else first
        assert first is not None
        return total / len(index), first

    @torch.no_grad()
    def _features(self, images: torch.Tensor, index: torch.Tensor) -> Features:
        if self.kept is None:
            computed: Features = self.network(images)
            return computed
        return {layer: kept[index.to(kept.device)] for layer, kept in self.kept.items()}

    @torch.no_grad()
    def _all_features(self, progress: Progress) -> Features | None:
        """The features of all images, in batches, or None where they take too much memory."""
        kept: Features = {}
        parts = torch.arange(len(self.images)).split(self.batch)
        for done, index in enumerate(parts):
            with autocast(self.precision, self.images.device):
                of_batch: Features = self.network(self.images[index])
            if not kept:
                size = sum(f.nbytes for f in of_batch.values()) / len(index) * len(self.images)
                if size > room(self.images.device):
                    return None
                kept = {k: _room_for(len(self.images), f) for k, f in of_batch.items()}
            progress(done, len(parts), "features of the images")
            for layer, features in of_batch.items():
                kept[layer][index.to(features.device)] = features
        return kept


def _room_for(n: int, features: torch.Tensor) -> torch.Tensor:
    """Memory for the features of `n` images, in the layout of some of them."""
    last = features.ndim == 4 and features.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if last else torch.contiguous_format
    kind, where = features.dtype, features.device
    return torch.empty((n, *features.shape[1:]), dtype=kind, device=where, memory_format=layout)
