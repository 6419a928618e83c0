"""Disks with little room: every command does its work or says why not, and nothing is lost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable

import acts
import numpy as np
import pandas as pd
import pytest
from disks import disk, little_room
from invariant import check, check_rebuilt

from runners.run_folder import ItemValues, RunFolder
from warehouse import attribute_files, studies
from warehouse.errors import UserError
from warehouse.records import write_entry
from warehouse.store import Warehouse

COMMANDS: dict[str, Callable[[Warehouse, int], object]] = {
    "append": lambda store, seed: store.append(acts.record(seed)),
    "append without DuckDB": lambda store, seed: write_entry(store.home, [acts.record(seed)]),
    "import": lambda store, seed: store.import_records(acts.table([acts.record(seed)])),
    "load": lambda store, seed: store.refresh(),
    "rebuild": lambda store, seed: store.rebuild(),
    "keep values per item": lambda store, seed: _items(store, seed),
    "register an attribute": lambda store, seed: attribute_files.write(store.home, _attributes()),
    "keep a study": lambda store, seed: studies.save(store.home, _studies(), "0"),
}
WRITES_RECORDS = ("append", "append without DuckDB", "import")


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


def _studies() -> list[studies.Result]:
    frame = pd.DataFrame({"x": np.random.default_rng(0).random(5000)})
    return [studies.Result(name="a", title="A", columns={"x": "x"}, frame=frame)]


@pytest.mark.parametrize("name", COMMANDS)
def test_with_little_room_a_command_does_its_work_or_says_why_not(tmp_path, paper_warehouse, name):
    sizes, told, kept = random.Random(5), [], set()
    with disk(tmp_path / "disk", "32m") as mounted:
        home = tmp_path / "disk" / "data"
        home.mkdir()
        shutil.copy(paper_warehouse.path, home)
        store = Warehouse.open(home)
        for seed, room in enumerate([0, *(int(10 ** sizes.uniform(2, 6.5)) for _ in range(7))]):
            write_entry(home, [acts.record(1000 + seed)])
            kept.add(1000 + seed)
            with little_room(tmp_path / "disk", mounted, room):
                try:
                    COMMANDS[name](store, seed)
                    kept |= {seed} if name in WRITES_RECORDS else set()
                except UserError as error:
                    told.append(error.message)
                assert store.rows("select 42")[1] == [(42,)]
            assert check(home, kept) - kept <= {seed}
        check_rebuilt(home, tmp_path / "anew")
    assert told
    assert all(_names_the_disk(message) for message in told), told


def _names_the_disk(message: str) -> bool:
    reasons = ("No space left on device", "File too large")
    return message.startswith(("cannot write", "cannot import", "the warehouse in")) and any(
        reason in message for reason in reasons
    )
