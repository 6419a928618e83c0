"""Photographs as batches on a device: whole, or cropped at random; and upscaled, size by size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from lossnets.runners.data.photographs import Images, ImageSet
from lossnets.runners.models.training import generator
from lossnets.runners.runs.devices import autocast

AT_ONCE = 4 * 288 * 288  # output pixels that are computed at once in evaluation
Upscale = Callable[[torch.Tensor], torch.Tensor]  # (N, 3, h, w) → (N, 3, H, W)


class Pixels:
    """Images (N, H, W, 3), uint8, as batches (B, 3, H, W) in [0, 1], channels last, on a device.

    On a GPU they are held as a whole where they fit.
    """

    def __init__(self, images: Images, device: torch.device) -> None:
        self.images = images
        self.device = device
        self.held: torch.Tensor | None = None  # (N, H, W, 3), uint8
        if device.type == "cuda" and isinstance(images, np.ndarray) and fits(images, device):
            self.held = torch.from_numpy(np.array(images)).to(device)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, batch: Sequence[int] | torch.Tensor) -> torch.Tensor:
        if self.held is not None:
            chosen = self.held[torch.as_tensor(batch, device=self.device)]
        else:
            chosen = torch.from_numpy(np.stack([self.images[int(i)] for i in batch]))
        return chosen.to(self.device).permute(0, 3, 1, 2).float() / 255  # (B, 3, H, W)


def fits(images: np.ndarray, device: torch.device) -> bool:
    """Whether images take at most a quarter of a GPU's memory."""
    return images.nbytes <= torch.cuda.get_device_properties(device).total_memory // 4


def draw_corners(n: int, room: int, seed: int | None, epoch: int) -> torch.Tensor:
    """The upper left corners of an epoch's crops, from 0 to `room`: (n, 2), y and x."""
    return torch.randint(room + 1, (n, 2), generator=generator(seed, epoch, "crops"))


def cropped(
    small: torch.Tensor, target: torch.Tensor, corners: Sequence[tuple[int, int]], side: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each input and its target the same square, `side` pixels of the target from its corner.

    corners: in pixels of the inputs.
    """
    factor = target.shape[2] // small.shape[2]
    squares = []
    for images, k in ((small, 1), (target, factor)):
        size = side * k // factor
        some = [
            image[:, y * k : y * k + size, x * k : x * k + size]
            for image, (y, x) in zip(images, corners, strict=True)
        ]
        squares.append(torch.stack(some).contiguous(memory_format=torch.channels_last))
    return squares[0], squares[1]  # (B, 3, side / factor, …), (B, 3, side, side)


@torch.no_grad()
def upscaled(
    upscale: Upscale, images: ImageSet, precision: str, device: torch.device
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """In batches of one size: which images, their outputs, their targets, (B, 3, H, W) in [0, 1].

    Outputs and targets are on the CPU, in single precision.
    """
    inputs, targets = Pixels(images.inputs, device), Pixels(images.targets, torch.device("cpu"))
    of_size: dict[tuple[int, ...], list[int]] = {}
    for place, target in enumerate(images.targets):
        of_size.setdefault(target.shape, []).append(place)
    for (height, width, _), places in of_size.items():
        count = max(1, AT_ONCE // (height * width))
        for batch in (places[start : start + count] for start in range(0, len(places), count)):
            with autocast(precision, device):
                outputs = upscale(inputs[batch])
            yield batch, outputs.float().cpu(), targets[batch]
