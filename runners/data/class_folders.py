"""Images of one's own, a folder for each class.

unlabelled/*.png    train/<class>/*.png    test/<class>/*.png
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lossnets.runners.data.image_files import read_image, reading
from lossnets.runners.data.packs import Items, Source
from lossnets.warehouse.errors import UserError

CLASSES = 10  # at most
LEAST = 10  # images of a split
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def class_names(root: Path) -> tuple[str, ...]:
    """The classes: the folders in `train/`, and no others in `test/`.

    Errors: UserError on too few, too many, and on one that is only to be tested.
    """
    classes = _folders(root / "train")
    if not 2 <= len(classes) <= CLASSES:
        raise UserError(
            f"found {len(classes)} classes in {root / 'train'}; valid are 2 to {CLASSES} folders"
        )
    strange = [name for name in _folders(root / "test") if name not in classes]
    if strange:
        raise UserError(
            f"found class {strange[0]!r} in {root / 'test'}; train has {', '.join(classes)}"
        )
    return classes


def sources(root: Path, side: int) -> dict[str, Items]:
    """The images of every split, with their classes' names as labels.

    Without `unlabelled/` the training images stand in for them. side: pixels a side that they
    are resized to. Errors: UserError as for `class_names`, and on fewer than ten images in a
    split.
    """
    classes = class_names(root)
    files = {split: {name: _images(root / split / name) for name in classes}
             for split in ("train", "test")}  # fmt: skip
    free = root / "unlabelled"
    if free.is_dir():
        files = {"unlabelled": {"": _images(free)}, **files}
    else:
        files = {"unlabelled": files["train"], **files}
    for split, found in files.items():
        count = sum(map(len, found.values()))
        if count < LEAST:
            raise UserError(f"found {count} images in {root / split}; at least {LEAST} are needed")
    return {split: _source(root, found, side) for split, found in files.items()}


def _source(root: Path, files: dict[str, list[Path]], side: int) -> Source:
    labels = {path: name for name, paths in files.items() for path in paths}

    def read(files: tuple[Path, ...]) -> tuple[np.ndarray, str]:
        return resized(read_image(files[0]), side), labels[files[0]]

    return Source(
        names=[path.relative_to(root).as_posix() for path in labels],
        files=[(path,) for path in labels],
        shape=(side, side, 3),
        read=read,
    )


def resized(image: np.ndarray, side: int) -> np.ndarray:
    """The middle square of an image, resized: (H, W, 3) → (side, side, 3), uint8.

    >>> resized(np.zeros((50, 80, 3), np.uint8), 32).shape
    (32, 32, 3)
    """
    from PIL import Image

    height, width, _ = image.shape
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    box = (left, top, left + edge, top + edge)
    middle = Image.fromarray(image).crop(box)
    return np.asarray(middle.resize((side, side), Image.Resampling.BICUBIC))


def _folders(folder: Path) -> tuple[str, ...]:
    with reading(folder):
        return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with reading(folder):
        return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
