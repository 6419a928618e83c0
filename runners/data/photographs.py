"""Photographs to learn super-resolution from: targets, and what is made of them to be upscaled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import nn
from torchvision.transforms.v2.functional import gaussian_blur

from lossnets.runners.data import packs
from lossnets.runners.data.image_files import read_image
from lossnets.runners.data.packs import Progress, Source
from lossnets.runners.data.photograph_files import draw, find
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import hash_of

Images = Sequence[np.ndarray] | np.ndarray  # uint8 (H, W, 3) each
Packed = Callable[[str, packs.Items], packs.Pack]


class Wanted(Protocol):
    """What of photographs a config asks for; its fields are explained there."""

    @property
    def factor(self) -> int: ...

    @property
    def images(self) -> int: ...

    @property
    def validation_images(self) -> int: ...

    @property
    def drawn_with(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def inputs(self) -> str: ...

    @property
    def test_images(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Photographs: inputs, uint8 (h, w, 3), to be upscaled to targets, uint8 (H, W, 3).

    Crops have one size, (N, H, W, 3) in all, memory-mapped; whole ones any, each a multiple of the
    factor. digest: of names and pixels.
    """

    name: str
    items: tuple[str, ...]
    targets: Images
    inputs: Images
    digest: str

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, kw_only=True)
class Photographs:
    """What a run of super-resolution reads."""

    training: ImageSet
    validation: ImageSet
    tests: tuple[ImageSet, ...]

    @property
    def identity(self) -> str:
        """The same wherever it lies: `photographs:` and a hash of names and pixels."""
        sets = (self.training, self.validation, *self.tests)
        return "photographs:" + hash_of([[one.name, one.digest] for one in sets])[:12]


def load(config: Wanted, root: Path, home: Path, progress: Progress) -> Photographs:
    """The photographs below `root` that a config asks for; decoded ones are kept in `home`/packs.

    Errors: UserError where `find` has one, on a file that is no whole image, and on photographs
    that are smaller than a target (of MS-COCO, which is enlarged where it must be, than can be
    scored).
    """
    files = find(root, home)

    def packed(name: str, items: packs.Items) -> packs.Pack:
        return packs.load(home / "packs" / f"photographs-{name}", items, progress)

    def crops(name: str, chosen: Sequence[Path], least: int = 1) -> ImageSet:
        return _crops(name, chosen, config, packed, least=least)

    least = 1 if files.coco else config.size
    training = draw(files.training, config.images, config.drawn_with)
    validation = draw(files.validation, config.validation_images, config.drawn_with)
    tests = [
        crops(name, found) if config.test_images == "crops" else _whole(name, found, config.factor)
        for name, found in files.tests.items()
    ]
    return Photographs(
        training=crops("training", training, least),
        validation=crops("validation", validation, least),
        tests=tuple(tests),
    )


@dataclass(frozen=True, kw_only=True)
class _Degraded:
    """What a pack of inputs is made of: the pack of their targets."""

    targets: packs.Pack
    factor: int

    @property
    def names(self) -> Sequence[str]:
        return self.targets.names

    @property
    def shape(self) -> tuple[int, ...]:
        _, height, width, channels = self.targets.images.shape
        return height // self.factor, width // self.factor, channels

    def listing(self) -> str:
        return hash_of([self.targets.digest, self.factor])

    def decoded(self) -> Iterator[tuple[np.ndarray, None]]:
        for target in self.targets.images:
            yield degrade(target, self.factor), None


def _crops(
    name: str, files: Sequence[Path], config: Wanted, packed: Packed, *, least: int
) -> ImageSet:
    """Photographs resized and cropped to one size, and their inputs, as packs."""
    size, small = config.size, config.size // config.factor
    names = [path.name for path in files]
    sources = [(path,) for path in files]
    key = hash_of([str(path.resolve()) for path in files])[:8]

    def target(paths: tuple[Path, ...]) -> tuple[np.ndarray, None]:
        return read_target(paths[0], size, least=least), None

    def photograph(paths: tuple[Path, ...]) -> tuple[np.ndarray, None]:
        return read_input(paths[0], small), None

    shape = (size, size, 3)
    targets = packed(
        f"{name}-{key}-{size}", Source(names=names, files=sources, shape=shape, read=target)
    )
    degraded: packs.Items = _Degraded(targets=targets, factor=config.factor)
    if config.inputs == "photograph":
        shape = (small, small, 3)
        degraded = Source(names=names, files=sources, shape=shape, read=photograph)
    inputs = packed(f"{name}-{key}-{size}-{config.inputs}-{small}", degraded)
    return ImageSet(
        name=name,
        items=tuple(map(_item, files)),
        targets=targets.images,
        inputs=inputs.images,
        digest=hash_of([targets.digest, inputs.digest]),
    )


def _whole(name: str, files: Sequence[Path], factor: int) -> ImageSet:
    """Photographs as they are, less what is beyond a multiple of the factor."""
    least = max(5 * factor, 11 + 2 * factor)  # for the network's padding, and for SSIM's window
    digest = hashlib.sha256()
    targets = []
    for path in files:
        pixels = read_image(path)  # (H, W, 3)
        _check_size(path, pixels, least)
        height, width = (side - side % factor for side in pixels.shape[:2])
        targets.append(pixels[:height, :width])
        digest.update(f"{path.name} {height} {width}".encode() + targets[-1].tobytes())
    return ImageSet(
        name=name,
        items=tuple(map(_item, files)),
        targets=targets,
        inputs=[degrade(target, factor) for target in targets],
        digest=digest.hexdigest()[:16],
    )


def degrade(target: np.ndarray, factor: int) -> np.ndarray:
    """What is to be upscaled: the image blurred (Gaussian, σ = 1 px), then downsampled bicubically.

    target: uint8 (H, W, 3), sides multiples of the factor. Returns uint8 (H/factor, W/factor, 3):
    an image of 8 bits, as whoever wants one upscaled has it, and as in the reference. Borders are
    reflected in the blur; the downsampling is antialiased. Source: paper, Sec. IV-B.

    >>> degrade(np.full((8, 12, 3), 77, np.uint8), 4)[..., 0]
    array([[77, 77, 77],
           [77, 77, 77]], dtype=uint8)
    """
    image = torch.from_numpy(target.transpose(2, 0, 1).astype(np.float32)).unsqueeze(0)
    blurred = gaussian_blur(image, kernel_size=[9, 9], sigma=[1.0, 1.0])  # (1, 3, H, W)
    size = [side // factor for side in target.shape[:2]]
    small = nn.functional.interpolate(blurred, size, mode="bicubic", antialias=True)
    return small.round().clamp(0, 255).byte().squeeze(0).permute(1, 2, 0).numpy()  # (h, w, 3)


def read_target(path: Path, size: int, *, least: int = 1) -> np.ndarray:
    """A photograph with its shorter side resized to `size`, and of that the centre: uint8.

    Bilinear and antialiased, as torchvision's Resize does it to an image of Pillow in the
    reference; the paper names no method. Returns (size, size, 3).
    """
    pixels = read_image(path)
    _check_size(path, pixels, least)
    return _resized(Image.fromarray(pixels), size, Image.Resampling.BILINEAR)


def read_input(path: Path, size: int) -> np.ndarray:
    """A photograph blurred at its own size, then resized bicubically and cropped (reference)."""
    photograph = Image.fromarray(read_image(path))
    blurred = photograph.filter(ImageFilter.GaussianBlur(1))
    return _resized(blurred, size, Image.Resampling.BICUBIC)


def _resized(image: Image.Image, size: int, how: Image.Resampling) -> np.ndarray:
    width, height = image.size
    shorter = min(width, height)
    width, height = size * width // shorter, size * height // shorter
    left, top = round((width - size) / 2), round((height - size) / 2)
    resized = image.resize((width, height), how)
    return np.asarray(resized.crop((left, top, left + size, top + size)))  # (size, size, 3)


def _check_size(path: Path, pixels: np.ndarray, least: int) -> None:
    height, width, _ = pixels.shape
    if min(height, width) < least:
        raise UserError(
            f"found {path} of {height}×{width} pixels; at least {least}×{least} are needed"
        )


def _item(path: Path) -> str:
    """What an image is called: `img_001` of img_001_SRF_4_HR.png."""
    return path.stem.split("_SRF_")[0]
