"""SVHN and STL-10 as their authors publish them: many images in one file.

Sources: Netzer et al., Reading Digits in Natural Images with Unsupervised Feature Learning, 2011;
Coates et al., An Analysis of Single-Layer Networks in Unsupervised Feature Learning, 2011.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io

from lossnets.runners.data import packs
from lossnets.runners.data.catalog import archives
from lossnets.runners.data.image_files import reading
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import hash_of

CLASSES = 10
AT_ONCE = 256  # images of an archive


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A data set as its authors publish it: per split the files, per file the MD5.

    side: pixels of an image as stored. padding: reflected pixels added on each side (paper,
    Sec. IV-D).
    """

    name: str
    title: str
    side: int
    padding: int
    files: dict[str, tuple[str, ...]]
    md5: dict[str, str]


SVHN = Archive(
    name="svhn",
    title="SVHN",
    side=32,
    padding=16,
    files={
        "unlabelled": ("extra_32x32.mat",),
        "train": ("train_32x32.mat",),
        "test": ("test_32x32.mat",),
    },
    md5={
        one.url.rpartition("/")[2]: str(one.checksum).removeprefix("md5:")
        for one in archives()["svhn"]
    },
)


STL10 = Archive(
    name="stl10",
    title="STL-10",
    side=96,
    padding=0,
    files={
        "unlabelled": ("stl10_binary/unlabeled_X.bin",),
        "train": ("stl10_binary/train_X.bin", "stl10_binary/train_y.bin"),
        "test": ("stl10_binary/test_X.bin", "stl10_binary/test_y.bin"),
    },
    md5={
        "stl10_binary/unlabeled_X.bin": "5242ba1fed5e4be9e1e742405eb56ca4",
        "stl10_binary/train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
        "stl10_binary/train_y.bin": "5a34089d4802c674881badbb80307741",
        "stl10_binary/test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
        "stl10_binary/test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
    },
)


ARCHIVES = {archive.name: archive for archive in (SVHN, STL10)}


def archive_of(name: str) -> Archive:
    """The data set of that name; UserError if there is none.

    >>> archive_of("stl10").side
    96
    """
    if name not in ARCHIVES:
        raise UserError(f"found dataset {name!r}; valid are {', '.join(ARCHIVES)}")
    return ARCHIVES[name]


@dataclass(frozen=True, kw_only=True)
class _Split:
    """One split of an archive: many images in one file."""

    archive: Archive
    paths: tuple[Path, ...]
    count: int
    read: Callable[[Sequence[Path], int], Iterator[tuple[np.ndarray, int]]]
    md5: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [f"{index:06d}" for index in range(self.count)]

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.archive.side, self.archive.side, 3)

    def listing(self) -> str:
        found = [path.stat() for path in self.paths]
        return hash_of([self.md5, self.count, [[one.st_size, one.st_mtime_ns] for one in found]])

    def decoded(self) -> Iterator[tuple[np.ndarray, int]]:
        """Every image, (side, side, 3), and its label from 0."""
        for path, wanted in zip(self.paths, self.md5, strict=False):
            _check_md5(path, wanted, self.archive)
        yield from self.read(self.paths, self.count)


def published_splits(archive: Archive, root: Path, *, published: bool) -> dict[str, packs.Items]:
    """The splits as their authors' files hold them."""
    missing = [name for names in archive.files.values() for name in names
               if not (root / name).is_file()]  # fmt: skip
    if missing:
        raise UserError(
            f"found no {missing[0]} in {root}; valid is a folder with "
            f"{', '.join(archive.md5)}, or with images in unlabelled/, train/<class>/ and "
            "test/<class>/",
            hint=f"lossnets data fetch {archive.name}",
        )
    sources: dict[str, packs.Items] = {}
    for split, names in archive.files.items():
        paths = tuple(root / name for name in names)
        count, read = _svhn(paths[0]) if archive.name == "svhn" else _stl10(paths[0])
        md5 = tuple(archive.md5[name] for name in names) if published else ()
        sources[split] = _Split(archive=archive, paths=paths, count=count, read=read, md5=md5)
    return sources


def _check_md5(path: Path, wanted: str, archive: Archive) -> None:
    with reading(path), path.open("rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != wanted:
        raise UserError(
            f"found {path} with the MD5 checksum {found}; {archive.title}'s is {wanted}",
            hint=f"lossnets data fetch {archive.name}",
        )


_Reader = Callable[[Sequence[Path], int], Iterator[tuple[np.ndarray, int]]]


def _svhn(path: Path) -> tuple[int, _Reader]:
    with _matlab(path):
        arrays = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path)}
    if "X" not in arrays:
        raise UserError(f"found in {path} {', '.join(arrays)}; X is needed")
    shape, kind = arrays["X"]
    if shape[:3] != (32, 32, 3) or kind != "uint8":
        raise UserError(
            f"found in {path} X of shape {shape} and type {kind}; valid is (32, 32, 3, N), uint8"
        )
    return int(np.prod(shape[3:])), _read_svhn


def _read_svhn(paths: Sequence[Path], count: int) -> Iterator[tuple[np.ndarray, int]]:
    (path,) = paths
    with _matlab(path):
        content = scipy.io.loadmat(path, variable_names=("X", "y"))
        pixels, labels = content["X"], content["y"].ravel()
    _check_labels(path, labels, count)
    images = pixels.reshape(32, 32, 3, count).transpose(3, 0, 1, 2)  # (N, H, W, 3)
    digits = labels.astype(int) % CLASSES  # 10 stands for 0
    yield from zip(images, digits.tolist(), strict=True)


@contextmanager
def _matlab(path: Path) -> Iterator[None]:
    """What SciPy says of a file that is no whole MATLAB 5 file, as one sentence."""
    with reading(path):
        path.open("rb").close()
    try:
        yield
    except Exception:  # of many kinds, as the damage is
        raise UserError(
            f"{path} is damaged, ends early, or is no MATLAB 5 file; fetch it anew",
            hint="lossnets data fetch svhn",
        ) from None


def _stl10(path: Path) -> tuple[int, _Reader]:
    with reading(path):
        size = path.stat().st_size
    count, rest = divmod(size, 96 * 96 * 3)
    if rest or not count:
        raise UserError(
            f"found {path} of {size:,} bytes; valid are multiples of 27,648: 96×96 pixels, 3 bytes",
            hint="lossnets data fetch stl10",
        )
    return count, _read_stl10


def _read_stl10(paths: Sequence[Path], count: int) -> Iterator[tuple[np.ndarray, int]]:
    labels = np.ones(count, np.uint8)  # the unlabelled ones have none
    for path in paths[1:]:
        with reading(path):
            labels = np.frombuffer(path.read_bytes(), np.uint8)
        _check_labels(path, labels, count)
    with reading(paths[0]), paths[0].open("rb") as file:
        for start in range(0, count, AT_ONCE):
            content = file.read(AT_ONCE * 96 * 96 * 3)
            images = np.frombuffer(content, np.uint8).reshape(-1, 3, 96, 96)  # (N, 3, W, H)
            classes = labels[start : start + AT_ONCE].astype(int) - 1
            yield from zip(images.transpose(0, 3, 2, 1), classes.tolist(), strict=True)


def _check_labels(path: Path, labels: np.ndarray, count: int) -> None:
    if len(labels) != count:
        raise UserError(f"found {len(labels):,} labels in {path} for {count:,} images")
    wrong = labels[~np.isin(labels, np.arange(1, CLASSES + 1))]
    if len(wrong):
        raise UserError(f"found label {wrong[0]:g} in {path}; valid are 1 to {CLASSES}")
