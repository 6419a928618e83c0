"""What is registered together is there together or not at all, and by one process only."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import acts
import pytest
from kills import Process

from lossnets.warehouse import durable
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.store import Warehouse

CALLS = ("mkdir", "open", "fsync", "rename", "replace", "rmdir", "unlink")


def _attribute(name: str) -> attribute_files.Attribute:
    return attribute_files.Attribute(
        attribute=name,
        label=name,
        level="architecture",
        kind="numeric",
        values=(("vgg11", None, 1.0),),
    )


def _killed_at(nth: int, home: Path) -> bool:
    """Write two attributes and be killed before the n-th call; False where it takes fewer."""
    process = os.fork()
    if process:
        return bool(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    left = iter(range(nth - 1))
    for name in CALLS:
        call = getattr(os, name)

        def counted(*arguments, call=call, **options):
            if next(left, None) is None:
                os._exit(9)
            return call(*arguments, **options)

        setattr(os, name, counted)
    attribute_files.write(home, [_attribute("one"), _attribute("two")])
    os._exit(0)


def test_a_file_of_two_attributes_killed_at_any_call_leaves_both_or_none(tmp_path):
    found = set()
    for nth in itertools.count(1):
        home = tmp_path / str(nth)
        home.mkdir()
        killed = _killed_at(nth, home)
        with attribute_files.alone(home):
            found.add(tuple(path.stem for path in attribute_files.paths(home)))
        durable.clear(home / "attributes")
        left = {path.name for path in (home / "attributes").iterdir()}
        assert left <= {".lock", "one.json", "two.json"}
        if not killed:
            break
    assert found == {(), ("one", "two")}
    assert nth > 10


def test_what_was_cut_short_is_finished_by_the_next_command(warehouse):
    ready = warehouse.home / "attributes" / f"{durable.READY}0a"
    attribute_files.write(warehouse.home, [_attribute("one"), _attribute("two")])
    ready.mkdir()
    (warehouse.home / "attributes" / "two.json").rename(ready / "two.json")
    assert Warehouse.open(warehouse.home).rows("select count(one), count(two) from architectures")[
        1
    ] == [(1, 1)]
    assert not ready.exists()


@pytest.mark.parametrize("kind", ["attributes", "score", "benchmark"])
def test_of_eight_processes_that_add_one_name_one_succeeds(warehouse, tmp_path, kind):
    table = tmp_path / "table.csv"
    table.write_text("architecture,mine,other\nvgg11,1,2\nvgg16,3,4\n")
    processes = [Process(acts.Adding(kind, str(table)), warehouse.home) for _ in range(8)]
    for process in processes:
        process.wait()
    assert sum(process.said == ["added"] for process in processes) == 1
    told = [message for process in processes for message in process.told]
    assert len(told) == 7
    assert all(" mine already" in message for message in told), told
