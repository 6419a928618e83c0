"""The network of benchmark 3 that finds roads, applied again and again to its own last answer."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

STRIDE = 16  # sides of images are multiples of this


class UNet(nn.Module):
    """A U-net of four steps down and four up, for images and the map found before.

    images: (N, 3, H, W) in [0, 1]; found: (N, 1, H, W), the previous map; H and W multiples of
    16. Returns logits of the next map, (N, 1, H, W); its sigmoid is the map. slope: of the leaky
    ReLU on the way down. Source: paper, Sec. IV-C; Ronneberger et al., U-Net, 2015.

    >>> tuple(UNet()(torch.rand(2, 3, 32, 48), torch.zeros(2, 1, 32, 48)).shape)
    (2, 1, 32, 48)
    """

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope
        self.down = nn.ModuleList(
            _step(nn.Conv2d, *channels) for channels in ((4, 8), (8, 16), (16, 32), (32, 32))
        )
        self.up = nn.ModuleList(
            _step(nn.ConvTranspose2d, *channels)
            for channels in ((32, 32), (64, 16), (32, 8), (16, 1))
        )

    def forward(self, images: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
        x = torch.cat([images, found], 1)  # (N, 4, H, W)
        passed = []
        for step in self.down:
            x = step(functional.leaky_relu(x, self.slope))
            passed.append(x)  # (N, 8, H/2, W/2) … (N, 32, H/16, W/16)
        x = self.up[0](functional.relu(passed.pop()))
        for step in self.up[1:]:
            x = step(functional.relu(torch.cat([x, passed.pop()], 1)))
        return x  # (N, 1, H, W)


def iterate(unet: nn.Module, images: torch.Tensor, iterations: int) -> list[torch.Tensor]:
    """The logits of every iteration, each fed the image and the last map; of zeros at first."""
    found = torch.zeros_like(images[:, :1])
    logits = []
    for _ in range(iterations):
        logits.append(unet(images, found))
        found = torch.sigmoid(logits[-1])
    return logits  # K × (N, 1, H, W)


def _step(convolution: type[nn.Module], before: int, after: int) -> nn.Sequential:
    """A halving or doubling of the sides."""
    return nn.Sequential(
        convolution(before, after, kernel_size=4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
    )
