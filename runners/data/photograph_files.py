"""Where photographs lie: training ones, validation ones, and the test sets of the field.

    coco/{train2014,val2014}      set5/  set14/  bsd100/        as `lossnets data fetch` leaves them
    train/  [validation/]  [test/  set5/  set14/  bsd100/]      photographs of one's own
    a folder of photographs and nothing else                    split by a fixed rule

A test set is a folder of images, or one as the SelfExSR repository has it
(`image_SRF_4/img_001_SRF_4_HR.png`), or as BSDS300 has it (`BSDS300/images/test/*.jpg`). Where
there is nothing to validate with, the 4th, 9th, 14th … photograph by name is taken from the
training for it; where there is nothing to test on, the 5th, 10th, 15th … is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lossnets.runners.data.catalog import Progress, locate
from lossnets.runners.data.image_files import check_names, read_image, reading
from lossnets.warehouse.errors import UserError

TEST_SETS = {"set5": 5, "set14": 14, "bsd100": 100}  # images of each
OWN = "own"  # the test set made of one's own photographs
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm")
LAYOUT = (
    "a folder of photographs, or one that holds train, or coco/train2014 and coco/val2014, "
    "and test sets beside it"
)


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where the photographs are; coco: whether they are MS-COCO's."""

    training: list[Path]
    validation: list[Path]
    tests: dict[str, list[Path]]
    coco: bool


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
    images = sorted(path for path in files if path.name[0] != "." and not path.stem.endswith("_LR"))
    check_names(images)
    return images


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


def check(root: Path, progress: Progress) -> str:
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
