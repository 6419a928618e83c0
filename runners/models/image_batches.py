"""Images of a data set as batches on a device."""

from __future__ import annotations

import numpy as np
import torch

from lossnets.runners.data.digits import Digits
from lossnets.runners.models.training import generator


class Images:
    """The images of a split, or the `most` of them that a seed draws, as batches on a device.

    There they are held as uint8 where they fit. Elsewhere they stay in their file, and a batch is
    all that is in memory.
    """

    def __init__(
        self, data: Digits, name: str, *, most: int | None, seed: int | None, device: torch.device
    ) -> None:
        self.pixels, self.padding, self.device = data.images[name], data.padding, device
        drawn = torch.randperm(len(self.pixels), generator=generator(seed, 0, name))
        self.chosen = drawn[:most].sort().values  # indices into the split
        self.held: torch.Tensor | None = None  # (N, side, side, 3), uint8
        if device.type == "cuda" and self.pixels.nbytes <= room(device):
            self.held = torch.from_numpy(np.array(self.pixels)).to(device)

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: torch.Tensor) -> torch.Tensor:
        """Images in [0, 1], with their padding: (N, 3, H, H), channels last."""
        index = self.chosen[index]
        if self.held is not None:
            return as_input(self.held[index.to(self.device)], self.padding)
        pixels = torch.from_numpy(self.pixels[index.numpy()])
        return as_input(pixels.to(self.device), self.padding)


def as_input(pixels: torch.Tensor, padding: int) -> torch.Tensor:
    """Images in [0, 1], padded by reflection: uint8 (N, side, side, 3) → (N, 3, H, H).

    The edge itself is not repeated; channels are last in memory.

    >>> as_input(torch.arange(48).view(1, 4, 4, 3).byte(), 2)[0, 0, 2].mul(255).int().tolist()
    [6, 3, 0, 3, 6, 9, 6, 3]
    """
    side = pixels.shape[1]
    place = torch.arange(-padding, side + padding, device=pixels.device).abs()
    place = (side - 1) - ((side - 1) - place).abs()  # (H,)
    return pixels[:, place][:, :, place].permute(0, 3, 1, 2).float().div_(255)  # (N, 3, H, H)


def room(device: torch.device) -> int:
    """How many bytes of a device's memory what is kept may take: a quarter on CUDA, else 2 GiB.

    It depends on the machine alone, not on what else runs there: so nor do the results.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory // 4
    return 2 << 30
