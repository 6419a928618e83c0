"""Tiny data sets in the layouts of the real ones, for the preset smoke: nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from lossnets.runners.data import bapps, digit_archives, photograph_files, roads, segments
from lossnets.warehouse.durable import cannot_write, make_folder


def folder(name: str, home: Path) -> Path:
    """The folder of a data set's generated version, made where it is missing.

    It is there whole or not at all, whoever else makes it at the same time.
    """
    place = home / "datasets" / "smoke" / name
    if place.is_dir():
        return place
    temporary = place.with_name(f".{name}.{os.getpid()}.new")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        make_folder(temporary)
        MAKE[name](temporary)
        temporary.rename(place)
    except OSError as error:
        if not place.is_dir():  # else another process was faster
            raise cannot_write(place.parent, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return place


def make_bapps(root: Path, seed: int = 0, *, items: int = 8) -> None:
    """Write a tiny BAPPS in the real layout: the stronger distortion is judged as farther.

    Patches are smooth random images; p0 and p1 are distorted by noise of different strength.
    """
    for part, name in ((part, name) for part, names in bapps.SUBSETS.items() for name in names):
        rng = np.random.default_rng([seed, *f"{part}/{name}".encode()])
        for role in (*bapps.IMAGES[part], bapps.LABEL[part]):
            (root / part / "val" / name / role).mkdir(parents=True, exist_ok=True)
        for item in range(items):
            images, label = _judged_item(part, rng)
            folder = root / part / "val" / name
            for role, image in zip(bapps.IMAGES[part], images, strict=True):
                Image.fromarray(image).save(folder / role / f"{item:06d}.png")
            np.save(folder / bapps.LABEL[part] / f"{item:06d}.npy", np.array([label], np.float32))


def _judged_item(part: str, rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    """The images of a triplet or a pair, and what judges would say."""
    blocks = rng.uniform(40, 215, (8, 8, 3)).repeat(8, 0).repeat(8, 1)  # (64, 64, 3)
    strengths = rng.uniform(1, 40, 2)

    def distorted(strength: float) -> np.ndarray:
        noisy = blocks + rng.normal(0, strength, blocks.shape)
        return noisy.clip(0, 255).astype(np.uint8)  # (64, 64, 3)

    clean = blocks.astype(np.uint8)
    if part == "jnd":
        same = max(0.0, 1 - strengths[0] / 40)
        return [clean, distorted(strengths[0])], round(same * 3) / 3
    farther = strengths[0] / strengths.sum()  # p0's share of the distortion
    return [clean, *map(distorted, strengths)], round(farther * 5) / 5


def make_photographs(root: Path, seed: int = 0) -> None:
    """Write tiny photographs in the real layout: overlapping shapes with sharp edges."""
    counts = {"coco/train2014": 24, "coco/val2014": 4, **photograph_files.TEST_SETS}
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for item in range(count):
            rng = np.random.default_rng([seed, item, *folder.encode()])
            width = 48 if folder in photograph_files.TEST_SETS else 64
            Image.fromarray(_shapes(rng, 72, width)).save(root / folder / f"{item:03d}.png")


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


def make_roads(root: Path, seed: int = 0, *, size: int = 96) -> None:
    """Write a small data set in the real layout: winding roads over patchy ground.

    Roads are greyer than the ground, but so are the squares that stand about; noise is on both.
    """
    for split, count in zip(roads.SPLITS, (24, 4, 8), strict=True):
        rng = np.random.default_rng([seed, *split.encode()])
        for kind in ("sat", "map"):
            (root / split / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            image, road_map = _scene(rng, size)
            Image.fromarray(image).save(root / split / "sat" / f"{number:02d}.tiff")
            Image.fromarray(road_map).save(root / split / "map" / f"{number:02d}.tif")


def _scene(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, 3) and the map of its roads (H, W)."""
    patch = size // 8
    green = rng.uniform(60, 130, (patch, patch)).repeat(8, 0).repeat(8, 1)  # (H, W)
    image = np.stack([green * 0.8, green, green * 0.6], 2)
    for _ in range(4):
        top, left = rng.integers(0, size - 12, 2)
        image[top : top + 12, left : left + 12] = rng.uniform(140, 180)
    streets = np.zeros((size, size), bool)
    along = np.arange(size)
    for number in range(rng.integers(2, 4)):
        bend = rng.uniform(4, 10) * np.sin(along / rng.uniform(10, 20) + rng.uniform(0, 6))
        centre = rng.uniform(0.15, 0.85) * size + rng.uniform(-0.4, 0.4) * (along - size / 2) + bend
        band = np.abs(along[:, None] - centre) < 2.5  # (across, along)
        streets |= band if number % 2 else band.T
    image[streets] = 160
    image += rng.normal(0, 12, image.shape)
    return image.clip(0, 255).astype(np.uint8), np.where(streets, roads.ROAD, 0).astype(np.uint8)


def make_digits(name: str, root: Path, seed: int = 0) -> None:
    """Write a tiny data set of generated digits in the real layout: 256, 512 and 256 images."""
    archive = digit_archives.archive_of(name)
    (root / archive.files["train"][0]).parent.mkdir(parents=True, exist_ok=True)
    for index, (split, count) in enumerate({"unlabelled": 256, "train": 512, "test": 256}.items()):
        rng = np.random.default_rng([seed, index])
        labels = rng.integers(0, digit_archives.CLASSES, count)
        images = np.stack(
            [segments.drawn(label, archive.side, rng) for label in labels]
        )  # (N, H, W, 3)
        paths = [root / file for file in archive.files[split]]
        if archive.name == "svhn":
            y = np.where(labels == 0, 10, labels).astype(np.uint8)[:, None]  # (N, 1)
            content = {"X": images.transpose(1, 2, 3, 0), "y": y}
            scipy.io.savemat(paths[0], content, do_compression=True)
        else:
            paths[0].write_bytes(images.transpose(0, 3, 2, 1).tobytes())  # (N, 3, W, H)
            for path in paths[1:]:
                path.write_bytes((labels + 1).astype(np.uint8).tobytes())


MAKE: dict[str, Callable[[Path], None]] = {
    "bapps": make_bapps,
    "photographs": make_photographs,
    "mrd": make_roads,
    **{name: partial(make_digits, name) for name in digit_archives.ARCHIVES},
}
