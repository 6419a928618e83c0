"""Photographs to learn super-resolution from, and the test sets of the field.

    coco/{train2014,val2014}      set5/  set14/  bsd100/        as `lossnets data fetch` leaves them
    train/  [validation/]  [test/  set5/  set14/  bsd100/]      photographs of one's own
    a folder of photographs and nothing else                    split by a fixed rule

A test set is a folder of images, or one as the SelfExSR repository has it
(`image_SRF_4/img_001_SRF_4_HR.png`), or as BSDS300 has it (`BSDS300/images/test/*.jpg`). Where
there is nothing to validate with, the 4th, 9th, 14th … photograph by name is taken from the
training for it; where there is nothing to test on, the 5th, 10th, 15th … is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import nn
from torchvision.transforms.v2.functional import gaussian_blur

from lossnets.runners.data import packs
from lossnets.runners.data.catalog import locate
from lossnets.runners.data.packs import Progress, Source, read_image, reading
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import hash_of

if TYPE_CHECKING:
    from lossnets.runners.benchmarks.super_resolution import Config

TEST_SETS = {"set5": 5, "set14": 14, "bsd100": 100}  # images of each
OWN = "own"  # the test set made of one's own photographs
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm")
LAYOUT = (
    "a folder of photographs, or one that holds train, or coco/train2014 and coco/val2014, "
    "and test sets beside it"
)
Images = Sequence[np.ndarray] | np.ndarray  # uint8 (H, W, 3) each
Packed = Callable[[str, packs.Items], packs.Pack]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where the photographs are; coco: whether they are MS-COCO's."""

    training: list[Path]
    validation: list[Path]
    tests: dict[str, list[Path]]
    coco: bool


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


def load(config: Config, root: Path, home: Path, progress: Progress) -> Photographs:
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


def find(root: Path, home: Path) -> Files:
    """The photographs below `root`, in any of the layouts above.

    Errors: UserError where there are none or too few, or a test set lacks some.
    """
    tests = {name: _test_set(root / name) for name in TEST_SETS if (root / name).is_dir()}
    for coco in (root / "coco", root):
        if (coco / "train2014").is_dir():
            for name in TEST_SETS.keys() - tests.keys():
                locate(name, root / name, home)
            parts = (_images(coco / "train2014"), _images(coco / "val2014"))
            return Files(training=parts[0], validation=parts[1], tests=tests, coco=True)
    return _own(root, tests)


def _own(root: Path, tests: dict[str, list[Path]]) -> Files:
    folder = root / "train" if (root / "train").is_dir() else root
    every = _images(folder)
    if (root / "test").is_dir():
        tests = tests | {OWN: _images(root / "test")}
    tests = tests or {OWN: every[4::5]}
    apart = (root / "validation").is_dir()
    validation = _images(root / "validation") if apart else every[3::5]
    held_out = {*validation, *(path for images in tests.values() for path in images)}
    training = [path for path in every if path not in held_out]
    if not (training and validation and all(tests.values())):
        raise UserError(
            f"found {len(every)} images in {folder}; at least 5 are needed, of which "
            "every fourth of five validates and every fifth tests",
        )
    return Files(training=training, validation=validation, tests=tests, coco=False)


def _images(folder: Path) -> list[Path]:
    """The images of a folder, by name; UserError if it has none."""
    if not folder.is_dir():
        raise UserError(f"found no folder {folder}; valid is {LAYOUT}")
    images = _listed(folder)
    if not images:
        raise UserError(f"found no images in {folder}; valid is {LAYOUT}")
    return images


def _listed(folder: Path) -> list[Path]:
    """The images of a folder; of SelfExSR's pairs, those of high resolution."""
    with reading(folder):
        files = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    return sorted(path for path in files if path.name[0] != "." and not path.stem.endswith("_LR"))


def _test_set(folder: Path) -> list[Path]:
    """The images of one of the field's test sets: all of them."""
    places = [folder, *sorted(folder.glob("image_SRF_*"), reverse=True)]
    places += [folder / "BSDS300" / "images" / "test", folder / "images" / "test"]
    holding = [place for place in places if place.is_dir() and any(_listed(place))]
    images = _listed(holding[0]) if holding else []
    if len(images) != TEST_SETS[folder.name]:
        raise UserError(
            f"found {len(images)} images in {folder}; {folder.name} has {TEST_SETS[folder.name]}",
            hint=f"lossnets data fetch {folder.name}",
        )
    return images


def draw(files: Sequence[Path], count: int, seed: int) -> list[Path]:
    """So many of the files, or all, by name; drawn as scikit-learn's `train_test_split` does.

    >>> [path.name for path in draw([Path(name) for name in "abcdef"], 3, seed=42)]
    ['c', 'd', 'e']
    """
    chosen = np.random.RandomState(seed).permutation(len(files))[-count:]
    return sorted(files[place] for place in chosen)


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
    name: str, files: Sequence[Path], config: Config, packed: Packed, *, least: int
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


def check(root: Path) -> str:
    """Read every image of a folder and say what is there.

    Errors: UserError on a folder without images, and on a file that is no whole image.
    """
    parts = [root / part for part in ("train2014", "val2014") if (root / part).is_dir()]
    if not parts and root.name in TEST_SETS:
        files = _test_set(root)
    else:
        files = [path for part in parts or [root] for path in _images(part)]
    sides = [side for path in files for side in read_image(path).shape[:2]]
    return f"{len(files):,} images, {min(sides)} to {max(sides)} pixels a side"


def make_smoke(root: Path, seed: int = 0) -> None:
    """Write tiny photographs in the real layout: overlapping shapes with sharp edges."""
    counts = {"coco/train2014": 24, "coco/val2014": 4, **TEST_SETS}
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for item in range(count):
            rng = np.random.default_rng([seed, item, *folder.encode()])
            image = Image.fromarray(_shapes(rng, 72, 48 if folder in TEST_SETS else 64))
            image.save(root / folder / f"{item:03d}.png")


def _shapes(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """An image (H, W, 3) of discs and half planes, one over the other."""
    rows, columns = np.mgrid[:height, :width]
    image = np.full((height, width, 3), rng.integers(40, 216, 3))
    for _ in range(12):
        y, x, angle = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0, 2 * np.pi)
        inside = np.hypot(rows - y, columns - x) < rng.uniform(4, 16)
        if rng.random() < 0.3:
            inside &= (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle) > 0
        image[inside] = rng.integers(0, 256, 3)
    return image.astype(np.uint8)
