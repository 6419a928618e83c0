"""SVHN and STL-10: unlabelled images to learn from, labelled ones to be told apart.

svhn     extra_32x32.mat  train_32x32.mat  test_32x32.mat
stl10    stl10_binary/unlabeled_X.bin  train_X.bin  train_y.bin  test_X.bin  test_y.bin
either   unlabelled/*.png  train/<class>/*.png  test/<class>/*.png     images of one's own
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossnets.runners.data import class_folders, packs
from lossnets.runners.data.digit_archives import (
    AT_ONCE,
    CLASSES,
    archive_of,
    published_splits,
)
from lossnets.runners.data.packs import Pack, Progress
from lossnets.warehouse.sources.records import hash_of


@dataclass(frozen=True, kw_only=True)
class Digits:
    """The images of the three splits, uint8 (N, side, side, 3), memory-mapped, and their labels.

    labels: (N,) int64 below `classes`, of "train" and "test". items: the names of the images.
    padding: pixels to add on each side. own: images of one's own, whose scores are no data set's.
    """

    name: str
    images: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    classes: int
    items: dict[str, tuple[str, ...]]
    padding: int
    identity: str
    own: bool

    @property
    def dataset(self) -> str:
        """Whose scores those of these images are."""
        return "own" if self.own else self.name

    @property
    def size(self) -> int:
        """Pixels a side of an image as the autoencoder sees it."""
        return int(self.images["train"].shape[1]) + 2 * self.padding


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


def load(
    name: str, root: Path, *, folder: Path, published: bool = True, progress: Progress = _silent
) -> Digits:
    """The data set `name` (svhn or stl10) at `root`, or images of one's own there.

    folder: where its packs are kept. published: the files must be those that the authors
    published, by their MD5. Errors: UserError on missing, damaged or other files, and on labels
    outside the classes.
    """
    archive = archive_of(name)
    own = (root / "train").is_dir()
    if own:
        sources = class_folders.sources(root, archive.side)
        classes: tuple[object, ...] = class_folders.class_names(root)
    else:
        sources = published_splits(archive, root, published=published)
        classes = tuple(range(CLASSES))
    place = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    found = {
        split: packs.load(folder / f"{name}-{split}-{place}", source, progress)
        for split, source in sources.items()
    }
    what = hash_of({split: pack.digest for split, pack in found.items()})[:12]
    return Digits(
        name=name,
        images={split: pack.images for split, pack in found.items()},
        labels={split: _labels(found[split], classes) for split in ("train", "test")},
        classes=len(classes),
        items={split: pack.names for split, pack in found.items()},
        padding=archive.padding,
        identity=f"{'images' if own else name}:{what}",
        own=own,
    )


def check(name: str, root: Path, progress: Progress = _silent) -> str:
    """Read every file of the data set at `root` and say what is there.

    Errors: UserError as for `load`.
    """
    sources = published_splits(archive_of(name), root, published=True)
    total = sum(len(source.names) for source in sources.values())
    done = 0
    for split, source in sources.items():
        for _ in source.decoded():
            done += 1
            if done % AT_ONCE == 0:
                progress(done, total, f"reading {split}")
    counts = [f"{len(source.names):,} {split}" for split, source in sources.items()]
    return ", ".join(counts) + " images"


def _labels(pack: Pack, classes: Sequence[object]) -> np.ndarray:
    index = {name: place for place, name in enumerate(classes)}
    return np.array([index[label] for label in pack.labels], np.int64)
