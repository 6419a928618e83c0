"""What is kept beside the record of a run: values per item, curves, images, a checkpoint."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lossnets.warehouse.durable import cannot_write, clear, make_folder, replacing
from lossnets.warehouse.sources.run_values import CURVES, ITEMS

ROLES = ("input", "target", "output")
SHOWN_SIDE = 128  # pixels a side, at most, of images in a gallery


@dataclass(frozen=True, kw_only=True)
class ItemValues:
    """One quantity for all items of one data set.

    layer: None where it belongs to no loss network (a label, a baseline). values: (N,), one per
    item; NaN where an item has none.
    """

    layer: str | None
    dataset: str
    quantity: str
    items: Sequence[str]
    values: np.ndarray


class RunFolder:
    """The folder `runs/<run_id>` of a home. Every file in it is whole or not there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write_items(self, items: Iterable[ItemValues]) -> Path:
        """Write `items.csv.gz`: layer (empty for none), dataset, item, quantity, value."""
        rows = (
            (part.layer or "", part.dataset, item, part.quantity, value)
            for part in items
            for item, value in zip(part.items, part.values.tolist(), strict=True)
        )
        return self._write(ITEMS.file, ITEMS.pack(rows))

    def write_curves(self, rows: Iterable[tuple[int, str, str, float]]) -> Path:
        """Write `curves.csv`: epoch (from 1), split (train or validation), quantity, value."""
        return self._write(CURVES.file, CURVES.pack(rows))

    def write_image(self, item: str, role: str, image: np.ndarray) -> Path:
        """Write `gallery/<item>.<role>.png`: uint8 (H, W, 3) or (H, W); role input, target, output.

        >>> import tempfile
        >>> folder = RunFolder(Path(tempfile.mkdtemp()))
        >>> folder.write_image("a b", "target", np.zeros((4, 4), np.uint8)).name
        'a_b.target.png'
        """
        from PIL import Image

        if role not in ROLES:
            raise ValueError(f"role is {role!r}, valid are {', '.join(ROLES)}")
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG", optimize=True)
        name = re.sub(r"[^\w-]+", "_", item)
        return self._write(f"gallery/{name}.{role}.png", content.getvalue())

    def write_json(self, name: str, content: dict[str, Any]) -> Path:
        """Write a small file of JSON."""
        return self._write(name, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """A temporary path to write to; once the block ends it is the file `name`, durably."""
        path = self.path / name
        try:
            make_folder(path.parent)
            with replacing(path) as temporary:
                yield temporary
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def remove_unneeded(self) -> None:
        """Remove what a run needs no more that is recorded."""
        for name in ("checkpoint.pt", "failure.json"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self.path}/{name}")  # noqa: PTH108, a sweep asks it of every run

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the run for this process; False where another one holds it.

        The lock goes with the process that holds it, however that ends.
        """
        try:
            make_folder(self.path)
            descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                for folder in (self.path, self.path / "gallery"):
                    clear(folder)
                yield True
        finally:
            os.close(descriptor)

    def _write(self, name: str, content: bytes) -> Path:
        with self.replacing(name) as temporary:
            temporary.write_bytes(content)
        return self.path / name


def middle(image: np.ndarray) -> np.ndarray:
    """The central square of an image (C, H, W) in [0, 1], at most SHOWN_SIDE a side, as 8 bits.

    >>> middle(np.ones((3, 200, 100), np.float32)).shape, middle(np.ones((1, 9, 9))).max()
    ((128, 100, 3), np.uint8(255))
    """
    _, height, width = image.shape
    top, left = max(0, height - SHOWN_SIDE) // 2, max(0, width - SHOWN_SIDE) // 2
    central = image[:, top : top + SHOWN_SIDE, left : left + SHOWN_SIDE].transpose(1, 2, 0)
    pixels = (central * 255).round().astype(np.uint8)  # (h, w, C)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels
