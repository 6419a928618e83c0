"""Aerial images and their maps as batches: random crops to train on, whole ones to evaluate on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from lossnets.runners.data.roads import Scenes
from lossnets.runners.models.training import generator
from lossnets.runners.models.unet import STRIDE

AT_ONCE = 8 * 224 * 224  # pixels that are computed at once in evaluation


def draw_crops(n: int, seed: int | None, epoch: int) -> torch.Tensor:
    """What an epoch's crops are drawn with: (n, 3), upper edge, left edge and flip, in [0, 1)."""
    return torch.rand(n, 3, generator=generator(seed, epoch, "crops"))


def crops(
    scenes: Scenes, batch: torch.Tensor, draws: torch.Tensor, *, side: int, flip: float
) -> torch.Tensor:
    """Random crops of some scenes, mirrored with a probability: uint8 (B, side, side, 4)."""
    pixels = np.empty((len(batch), side, side, 4), np.uint8)
    for crop, place in zip(pixels, batch.tolist(), strict=True):
        scene = scenes[place % len(scenes)]  # (H, W, 4)
        down, right, mirrored = draws[place].tolist()
        top, left = (
            int(share * (length - side + 1))
            for share, length in zip((down, right), scene.shape, strict=False)
        )
        part = scene[top : top + side, left : left + side]
        crop[:] = part[:, ::-1] if mirrored < flip else part
    return torch.from_numpy(pixels)


def split(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes (N, H, W, 4), uint8, as images (N, 3, H, W) and maps (N, 1, H, W) in [0, 1]."""
    planes = pixels.permute(0, 3, 1, 2).float() / 255  # (N, 4, H, W)
    return planes[:, :3], planes[:, 3:]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images to evaluate on, of one size; padded ones, with maps that are not."""

    places: list[int]  # which images of the split
    images: torch.Tensor  # (N, 3, H, W)
    maps: torch.Tensor  # (N, 1, h, w), h ≤ H, w ≤ W


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """How a split is evaluated on.

    size: pixels a side that images are resized to; None for whole ones. antialias: in resizing.
    one_by_one: an image at a time.
    """

    size: int | None
    antialias: bool
    one_by_one: bool

    def batches(self, scenes: Scenes) -> Iterator[Batch]:
        """A split's images and maps in batches of one size.

        Maps are resized as images are (bilinear), so that their pixels are shares of road. Whole
        images are padded by reflection to the sides that the U-net takes.
        """
        by_size: dict[tuple[int, ...], list[int]] = {}
        for place in range(len(scenes)):
            by_size.setdefault(scenes[place].shape, []).append(place)
        for (height, width, _), places in by_size.items():
            pixels = self.size**2 if self.size else height * width
            count = 1 if self.one_by_one else max(1, AT_ONCE // pixels)
            for start in range(0, len(places), count):
                some = places[start : start + count]
                yield self._batch(some, np.stack([scenes[place] for place in some]))

    def _batch(self, places: list[int], pixels: np.ndarray) -> Batch:
        images, maps = split(torch.from_numpy(pixels))
        height, width = images.shape[2:]
        if self.size is None:
            margins = (0, -width % STRIDE, 0, -height % STRIDE)
            images = functional.pad(images, margins, mode="reflect")
        else:
            images, maps = self._resized(images, self.size), self._resized(maps, self.size)
        return Batch(places=places, images=images, maps=maps)

    def _resized(self, planes: torch.Tensor, size: int) -> torch.Tensor:
        return functional.interpolate(
            planes, (size, size), mode="bilinear", antialias=self.antialias
        )  # (N, C, size, size)
