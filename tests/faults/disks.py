"""Disks with little room or none, or read-only, and the commands that meet them."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import acts
import numpy as np
import pandas as pd

from lossnets.runners.runs.run_folder import ItemValues, RunFolder
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.loading import saved_studies
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

BLOCK = 4096
REASONS = ("No space left on device", "File too large")


@contextmanager
def disk(folder: Path, size: str) -> Iterator[bool]:
    """A small disk of its own, True; where none can be mounted a mere folder."""
    folder.mkdir()
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
    ).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def little_room(folder: Path, mounted: bool, room: int = 0) -> Iterator[None]:
    """Leave so many bytes on the disk, or let no file grow beyond so many (and one)."""
    if mounted:
        filler = folder / "filler"
        free = os.statvfs(folder).f_bavail * BLOCK
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            file.write(bytes(max(0, free - room)))
            while not room:
                file.write(bytes(BLOCK))
        yield
        filler.unlink()
        return
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room + 1, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def read_only(folder: Path, mounted: bool) -> Iterator[None]:
    """Let nothing below the folder be written, by root neither."""
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        yield
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    elif os.geteuid():
        shutil.chown(folder)
        folders = (folder, *(path for path in folder.rglob("*") if path.is_dir()))
        for path in folders:
            path.chmod(0o555)
        yield
        for path in folders:
            path.chmod(0o755)
    else:
        paths = [folder, *folder.rglob("*")]
        subprocess.run(["chattr", "+i", *paths], check=True)
        yield
        subprocess.run(["chattr", "-i", *paths], check=True)


def _items(store: Warehouse, seed: int) -> None:
    values = np.random.default_rng(seed).random(2000)
    names = [f"image {i}" for i in range(2000)]
    part = ItemValues(layer="late", dataset="svhn", quantity="c", items=names, values=values)
    RunFolder(store.home / "runs" / acts.record(0).run_id).write_items([part])
    store.refresh()


def _attributes() -> list[attribute_files.Attribute]:
    values = tuple(("vgg11", layer, 1.0) for layer in acts.LAYERS)
    return [
        attribute_files.Attribute(
            attribute=name,
            label=name,
            level="loss_network",
            kind="numeric",
            values=values,
            description="long " * 1000,
        )
        for name in ("a", "b")
    ]


def _studies() -> list[saved_studies.Result]:
    frame = pd.DataFrame({"x": np.random.default_rng(0).random(5000)})
    return [saved_studies.Result(name="a", title="A", columns={"x": "x"}, frame=frame)]


COMMANDS: dict[str, Callable[[Warehouse, int], object]] = {
    "append": lambda store, seed: store.append(acts.record(seed)),
    "append without DuckDB": lambda store, seed: write_entry(store.home, [acts.record(seed)]),
    "import": lambda store, seed: import_records(store, acts.table([acts.record(seed)])),
    "load": lambda store, seed: store.refresh(),
    "rebuild": lambda store, seed: store.rebuild(),
    "keep values per item": lambda store, seed: _items(store, seed),
    "register an attribute": lambda store, seed: attribute_files.write(store.home, _attributes()),
    "keep a study": lambda store, seed: saved_studies.save(store.home, _studies(), "0"),
}
RECORDING = ("append", "append without DuckDB", "import")


def names_the_disk(message: str) -> bool:
    """Whether a refusal is a sentence that says what the disk lacks."""
    begins = message.startswith(("cannot write", "cannot import", "the warehouse in"))
    return begins and any(reason in message for reason in REASONS)
