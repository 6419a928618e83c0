"""The autoencoder of benchmark 4."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

ENCODER = (3, 32, 64, 128, 256)  # channels, with 4×4 kernels
DECODER = (1024, 128, 64, 32, 3)  # channels, with the kernels of
KERNELS = (5, 5, 6, 6)


class Autoencoder(nn.Module):
    """Images (N, 3, H, H) in [0, 1] to embeddings (N, Z) and back; H is 64, 80, 96 …

    Source: paper, Sec. IV-D; its layers as in the reference implementation.

    >>> model = Autoencoder(96, z=64)
    >>> images = torch.rand(2, 3, 96, 96)
    >>> model.encode(images).shape, model(images).shape
    (torch.Size([2, 64]), torch.Size([2, 3, 96, 96]))
    """

    def __init__(self, size: int, z: int) -> None:
        super().__init__()
        if size < 64 or size % 16:
            raise ValueError(f"size is {size}, valid are 64, 80, 96 …")
        self.side = (size - 64) // 16 + 1  # pixels a side that the decoder starts from
        encoder: list[nn.Module] = []
        for i, o in pairwise(ENCODER):
            encoder += [nn.Conv2d(i, o, 4, stride=2), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
            size = size // 2 - 1
        self.encoder = nn.Sequential(*encoder)
        self.embedding = nn.Linear(ENCODER[-1] * size * size, z)
        self.expansion = nn.Linear(z, DECODER[0] * self.side**2)
        decoder: list[nn.Module] = []
        for (i, o), kernel in zip(pairwise(DECODER), KERNELS, strict=True):
            layer = nn.ConvTranspose2d(i, o, kernel, stride=2)
            decoder += [AsProduct(layer) if i == DECODER[0] else layer]
            decoder += [nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
        self.decoder = nn.Sequential(*decoder[:-2], nn.Sigmoid())

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings: (N, 3, H, H) → (N, Z)."""
        return self.embedding(self.encoder(images).flatten(1))

    def decode(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Images in [0, 1]: (N, Z) → (N, 3, H, H)."""
        start = functional.relu(self.expansion(embeddings))  # (N, 1024·s·s)
        return self.decoder(start.view(-1, DECODER[0], self.side, self.side))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(images))


class AsProduct(nn.Module):
    """A transposed convolution of few pixels with many channels, as one matrix product.

    The sums are the same; torch takes six times as long for them on a CPU where the pixels are
    1×1. The weight is flat, so that no memory format transposes it.
    """

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.kernel, self.stride = layer.kernel_size[0], layer.stride[0]
        self.weight = nn.Parameter(layer.weight.detach().flatten(1))  # (I, O·k·k)
        self.bias = layer.get_parameter("bias")  # (O,)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        side = (images.shape[2] - 1) * self.stride + self.kernel
        pixels = images.flatten(2).transpose(1, 2)  # (N, s·s, I)
        patches = (pixels @ self.weight).transpose(1, 2)  # (N, O·k·k, s·s)
        sums = functional.fold(patches, (side, side), self.kernel, stride=self.stride)
        return sums + self.bias.view(1, -1, 1, 1)  # (N, O, side, side)
