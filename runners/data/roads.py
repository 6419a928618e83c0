"""Aerial images and the maps of their roads: the Massachusetts Roads data set, or one's own.

    {train,valid,test}/{sat,map}/*.tif*      as `lossnets data fetch mrd` leaves them
    {sat,map}/*.png                          of one's own, split by a fixed rule

A map has its image's name and size and two values, 0 and 255 (or 1) where there is a road, a
crack, a vessel. Without folders for the splits, the 4th, 9th, 14th … image by name validates, the
5th, 10th, 15th … tests, and the others train.

Source: Mnih, Machine Learning for Aerial Image Labeling, 2013.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossnets.runners.data import packs
from lossnets.runners.data.image_files import check_names, read_image, read_map, reading
from lossnets.runners.data.packs import Progress, Source
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import hash_of

SPLITS = ("train", "valid", "test")
SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")
LAYOUT = "{train,valid,test}/{sat,map} or {sat,map}"
MRD_COUNTS, MRD_SIZE = (1108, 14, 49), (1500, 1500)  # images of each split, pixels
ROAD = 255  # of a map's pixel, once read

Pair = tuple[Path, Path]  # an image and its map


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """The images of a split with their maps, by name; `scenes[i]` is uint8 (H, W, 4).

    Of its four planes three are the image, RGB, and the last is the map, 0 or 255.
    """

    names: tuple[str, ...]
    pixels: Sequence[np.ndarray]  # rows of memory-mapped packs, one pack for each size
    digest: str

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.pixels[index]

    @property
    def smallest(self) -> tuple[int, str]:
        """The least side of all images, in pixels, and the name of the image that has it."""
        return min(
            (min(one.shape[:2]), name) for one, name in zip(self.pixels, self.names, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class Roads:
    """A data set in three splits; name: "mrd", or "own" for images of one's own."""

    name: str
    train: Scenes
    valid: Scenes
    test: Scenes

    @property
    def identity(self) -> str:
        """The same wherever it lies: `roads:` and a hash of names and pixels."""
        return "roads:" + hash_of({name: getattr(self, name).digest for name in SPLITS})[:12]


def load(root: Path, folder: Path, progress: Progress) -> Roads:
    """The data set below `root`; its decoded images are kept in `folder`.

    Errors: UserError on another layout, an empty folder, an image without a map or a map without
    an image, a file that is no whole image, a map of another size, and a map that is not binary.
    """
    splits = {
        split: _scenes(f"roads-{split}-{_place(root)}", pairs, folder, progress)
        for split, pairs in find(root).items()
    }
    return Roads(name=_data_set(splits), **splits)


def _data_set(splits: Mapping[str, Scenes]) -> str:
    """Whose scores those of some images are: MRD's, or one's own."""
    counts = tuple(len(splits[split]) for split in SPLITS)
    whole = all(scene.shape[:2] == MRD_SIZE for split in splits.values() for scene in split.pixels)
    return "mrd" if counts == MRD_COUNTS and whole else "own"


def find(root: Path) -> dict[str, list[Pair]]:
    """{split: its images and maps, by name}, in either layout. Errors: as for `load`."""
    if any((root / split).is_dir() for split in SPLITS):
        return {split: _pairs(root / split) for split in SPLITS}
    every = _pairs(root)
    if len(every) < 5:
        raise UserError(
            f"found {len(every)} images in {root / 'sat'}; at least 5 are needed, of which the "
            "fourth of five validates and the fifth tests"
        )
    training = [pair for place, pair in enumerate(every) if place % 5 < 3]
    return {"train": training, "valid": every[3::5], "test": every[4::5]}


def check(root: Path, progress: Progress) -> str:
    """Read every image and map below `root` and say what is there. Errors: as for `load`."""
    counts, roads, pixels = [], 0, 0
    for split, pairs in find(root).items():
        for pair in pairs:
            scene, _ = read_scene(pair)
            roads += int((scene[..., 3] == ROAD).sum())
            pixels += scene[..., 3].size
        counts.append(f"{len(pairs):,} {split}")
    return f"{', '.join(counts)}, roads cover {roads / pixels:.1%}"


def read_scene(pair: Sequence[Path]) -> tuple[np.ndarray, None]:
    """An image and its map as uint8 (H, W, 4), and no label. Errors: as for `load`."""
    image, road_map = read_image(pair[0]), read_map(pair[1])  # (H, W, 3)
    if image.shape != road_map.shape:
        found, valid = (f"{one.shape[1]}×{one.shape[0]}" for one in (road_map, image))
        raise UserError(f"found the map {pair[1]} of {found} pixels; its image has {valid}")
    values = np.unique(road_map)
    coloured = (road_map != road_map[..., :1]).any()
    if coloured or not ({*values.tolist()} <= {0, 1} or {*values.tolist()} <= {0, 255}):
        what = "colours" if coloured else f"{len(values)} values from {values[0]} to {values[-1]}"
        raise UserError(f"found {what} in the map {pair[1]}; valid are 0 and 255, or 0 and 1")
    roads = np.where(road_map[..., :1] > 0, ROAD, 0).astype(np.uint8)  # (H, W, 1)
    return np.concatenate([image, roads], 2), None


def _scenes(name: str, pairs: Sequence[Pair], folder: Path, progress: Progress) -> Scenes:
    """The scenes of a split, from one pack for each size of image."""
    by_size: dict[tuple[int, int], list[Pair]] = {}
    for pair in pairs:
        by_size.setdefault(_size(pair[0]), []).append(pair)
    found: dict[str, np.ndarray] = {}
    digests = []
    for (height, width), chosen in sorted(by_size.items()):
        source = Source(
            names=[image.stem for image, _ in chosen],
            files=chosen,
            shape=(height, width, 4),
            read=read_scene,
        )
        pack = packs.load(folder / f"{name}-{height}x{width}", source, progress)
        found |= dict(zip(pack.names, pack.images, strict=True))
        digests.append(pack.digest)
    names = tuple(image.stem for image, _ in pairs)
    return Scenes(names=names, pixels=[found[one] for one in names], digest=hash_of(digests))


def _size(image: Path) -> tuple[int, int]:
    """Height and width of an image as it is read, from the head of the file."""
    from PIL import Image
    from PIL.ExifTags import Base

    try:
        with Image.open(image) as opened:
            if opened.getexif().get(Base.Orientation, 1) <= 4:  # not on its side
                return opened.height, opened.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        pass  # reading it says what is wrong with it
    return read_image(image).shape[:2]


def _pairs(folder: Path) -> list[Pair]:
    """Every image in `sat` with its map in `map`, by name."""
    images, maps = (_images(folder, kind) for kind in ("sat", "map"))
    for some, others, what in ((images, maps, "map"), (maps, images, "image")):
        if alone := sorted(some.keys() - others.keys()):
            path = some[alone[0]]
            lacking = "sat" if what == "image" else "map"
            raise UserError(
                f"found no {what} for {path} in {folder / lacking}; "
                "an image and its map have the same name"
            )
    return [(images[name], maps[name]) for name in sorted(images)]


def _images(folder: Path, kind: str) -> Mapping[str, Path]:
    """{name without its end: path} of the images in a folder."""
    place = folder / kind
    if not place.is_dir():
        raise UserError(f"found no folder {place}; valid is {LAYOUT}, with images in each")
    with reading(place):
        paths = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise UserError(f"found no images in {place}; valid are files in {', '.join(SUFFIXES)}")
    check_names(paths)
    return {path.stem: path for path in paths}


def _place(root: Path) -> str:
    """Tells the packs of one folder from those of another."""
    return hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
