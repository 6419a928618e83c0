"""Packs: images decoded once into one memory-mapped array, reused while their sources stay.

A pack is two files, `<name>.npy` (uint8, one row an item) and `<name>.json` (names, labels, and
what it was made of). It is made anew where a source file or the pack itself was touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lossnets.runners.data.image_files import reading
from lossnets.warehouse.durable import cannot_write, clear, make_folder, publish, unfinished
from lossnets.warehouse.errors import UserError

FORMAT = 1
CHUNK = 256  # items decoded at once: all that is held in memory
Progress = Callable[[int, int, str], None]


class Items(Protocol):
    """What a pack is made of: items with names, whose pixels have one shape."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def listing(self) -> str:
        """A hash of the names, sizes and times of all files: what is compared, not read."""

    def decoded(self) -> Iterator[tuple[np.ndarray, Any]]:
        """Every item's pixels (uint8, of `shape`) and label (JSON-able, or None), in order."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Items of which each is read from files of its own.

    files: what each item is read from. shape: of an item's pixels, such as (3, 64, 64, 3).
    read: an item's files → its pixels (uint8, of `shape`) and its label (JSON-able, or None).
    """

    names: Sequence[str]
    files: Sequence[tuple[Path, ...]]
    shape: tuple[int, ...]
    read: Callable[[tuple[Path, ...]], tuple[np.ndarray, Any]]

    def listing(self) -> str:
        """A hash of the names, sizes and times of all files: what is compared, not read."""
        text = hashlib.sha256(repr((tuple(self.names), self.shape)).encode())
        for files in self.files:
            for path in files:
                with reading(path):
                    found = path.stat()
                text.update(f"{path.name} {found.st_size} {found.st_mtime_ns}\n".encode())
        return text.hexdigest()

    def decoded(self) -> Iterator[tuple[np.ndarray, Any]]:
        """Every item's pixels and label, a chunk of them decoded at once."""
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(self.files), CHUNK):
                yield from pool.map(self.read, self.files[start : start + CHUNK])


@dataclass(frozen=True, kw_only=True)
class Pack:
    """images: (N, *shape) uint8, memory-mapped; labels: N; digest: of names, pixels and labels."""

    images: np.ndarray
    names: tuple[str, ...]
    labels: tuple[Any, ...]
    digest: str


def load(path: Path, source: Items, progress: Progress) -> Pack:
    """The pack at `path` (without an end), made first where it is missing, outdated or torn.

    Several processes may ask for the same pack: one makes it, the others wait. Whether it is
    still good is told by sizes and times; `is_whole` reads it all.
    Errors: UserError from `source.decoded`, and where the disk is full or read-only.
    """
    listing = source.listing()
    found = _read(path, listing)
    if found is None:
        with _alone(path):
            found = _read(path, listing)  # unless another process was faster
            if found is None:
                _make(path, source, listing, progress)
                found = _read(path, listing)
    if found is None:
        raise UserError(f"{path}.npy changed while it was made; run one lossnets at a time on it")
    return found


def is_whole(path: Path) -> bool:
    """Whether the pack at `path` (without an end) holds, byte for byte, what was decoded."""
    about = _about(path)
    if about is None:
        return False
    try:
        images = np.load(f"{path}.npy", mmap_mode="r")
    except (OSError, EOFError, ValueError):
        return False
    digest = _new_digest(about["names"], tuple(images.shape[1:]))
    for image in images:
        digest.update(image.tobytes())
    return _finished(digest, about["labels"]) == about["digest"]


def verify(folder: Path) -> tuple[int, list[str]]:
    """Read every pack of a folder: (how many are whole, the others by name, which are removed)."""
    whole, removed = 0, []
    for sidecar in sorted(folder.glob("*.json")):
        path = sidecar.with_suffix("")
        with _alone(path):
            if is_whole(path):
                whole += 1
                continue
            for file in (sidecar, Path(f"{path}.npy")):
                file.unlink(missing_ok=True)
            removed.append(path.name)
    return whole, removed


def _about(path: Path) -> dict[str, Any] | None:
    try:
        about = json.loads(Path(f"{path}.json").read_text("utf-8"))
    except (OSError, EOFError, ValueError):
        return None
    return about if isinstance(about, dict) and about.get("format") == FORMAT else None


def _read(path: Path, listing: str) -> Pack | None:
    """The pack if it is there and made of these sources."""
    about = _about(path)
    if about is None or about["listing"] != listing:
        return None
    try:
        if about["pack"] != _stamp(Path(f"{path}.npy")):
            return None
        images = np.load(f"{path}.npy", mmap_mode="r")
    except (OSError, EOFError, ValueError):
        return None
    return Pack(
        images=images,
        names=tuple(about["names"]),
        labels=tuple(about["labels"]),
        digest=about["digest"],
    )


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _make(path: Path, source: Items, listing: str, progress: Progress) -> None:
    array, sidecar = Path(f"{path}.npy"), Path(f"{path}.json")
    clear(path.parent)
    try:
        with unfinished(array) as new_array, unfinished(sidecar) as new_sidecar:
            digest, labels = _write_array(new_array, source, progress, path.name)
            about = {
                "format": FORMAT,
                "names": list(source.names),
                "labels": labels,
                "digest": digest,
                "listing": listing,
                "pack": _stamp(new_array),
            }
            new_sidecar.write_text(json.dumps(about), "utf-8")
            publish(new_array, array)
            publish(new_sidecar, sidecar)
    except OSError as error:
        raise cannot_write(path.parent, error) from None


def _write_array(path: Path, source: Items, progress: Progress, name: str) -> tuple[str, list[Any]]:
    """Decode every item into an `.npy` file; the digest and the labels."""
    count = len(source.names)
    _check_room(path.parent, count * int(np.prod(source.shape)))
    digest, labels = _new_digest(source.names, source.shape), []
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (count, *source.shape)}
        )
        for done, (pixels, label) in enumerate(source.decoded()):
            if done % CHUNK == 0:
                progress(done, count, f"decoding {name}")
            content = np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()
            file.write(content)
            digest.update(content)
            labels.append(label)
    return _finished(digest, labels), labels


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{folder} has {free / 1e9:.2f} GB free, its decoded images need {needed / 1e9:.2f} GB",
            hint="make room or choose another folder with --home or LOSSNETS_HOME",
        )


def _new_digest(names: Sequence[str], shape: tuple[int, ...]) -> hashlib._Hash:
    return hashlib.sha256(json.dumps([list(names), list(shape)]).encode())


def _finished(digest: hashlib._Hash, labels: Sequence[Any]) -> str:
    digest.update(json.dumps(list(labels)).encode())
    return digest.hexdigest()[:16]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the right to make a pack; waits for who holds it."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        make_folder(path.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise cannot_write(path.parent, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
