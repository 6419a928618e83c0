"""Files in the log that are torn, damaged, foreign or gone: told, left out, and in nobody's way."""

from __future__ import annotations

from pathlib import Path

import acts
import chapters
import duckdb
import pytest
from invariant import check
from kills import Killer

from lossnets.runners.runs.recorded import Recorded
from lossnets.warehouse.store import Warehouse

LINE = acts.record(5).to_json().encode()


def _parquet(sql: str) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        duckdb.execute(f"copy ({sql}) to '{path}' (format parquet)")
        return path.read_bytes()


FOREIGN = _parquet("select range as x, 'diary' as entry from range(100)")
BAD = {
    "empty": b"",
    "blank": b"\n\n  \n",
    "torn in the middle": LINE[:200],
    "torn in its second line": LINE + b"\n" + LINE[: len(LINE) // 2],
    "of zeros, as after a power cut": bytes(4096),
    "with zeros at its end": LINE + b"\n" + bytes(100),
    "UTF-16": LINE.decode().encode("utf-16"),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "other JSON": b'{"name": "package", "version": "1.0.0"}\n',
    "a list": b"[1, 2, 3]\n",
    "a page": b"<!doctype html><title>Not found</title>\n",
    "of a later format": LINE.replace(b'"format": 1', b'"format": 99'),
    "of a score that is none": LINE.replace(b"svhn_accuracy", b"svhn_accurate"),
    "very deep": b"[" * 100_000,
    "an empty table": (".parquet", b""),
    "a torn table": (".parquet", FOREIGN[: len(FOREIGN) // 2]),
    "a table without its start": (".parquet", FOREIGN[len(FOREIGN) // 2 :]),
    "somebody else's table": (".parquet", FOREIGN),
    "a CSV under the name of a table": (".parquet", b"architecture,layer\nvgg11,late\n"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_entry_is_told_and_hides_no_other(warehouse, name):
    content = BAD[name]
    suffix, content = (".jsonl", content) if isinstance(content, bytes) else content
    warehouse.append(acts.record(1))
    for date in ("1999", "2999"):  # before all others, and after them
        (warehouse.home / "records" / f"{date}{suffix}").write_bytes(content)
    warehouse.append(acts.record(2))
    assert check(warehouse.home, {1, 2}, faults=2) == {1, 2}
    ids = set(warehouse.rows("select run_id from runs")[1])
    assert {(run_id,) for run_id in Recorded(warehouse.home, database=False).ids()} <= ids
    for date in ("1999", "2999"):
        (warehouse.home / "records" / f"{date}{suffix}").unlink()
    assert check(warehouse.home, {1, 2}) == {1, 2}


def test_other_files_and_folders_beside_the_entries_are_left_alone(warehouse):
    log = warehouse.append(acts.record(1)).parent
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "x.jsonl~", "x.jsonl.bak"):
        (log / name).write_bytes(b"mine")
    (log / "old").mkdir()
    (log / "old" / "x.jsonl").write_bytes(LINE)
    store = Warehouse.open(warehouse.home)
    assert store.skipped() == []
    assert store.rows("select seed from runs where source = 'measured'")[1] == [(1,)]
    assert (log / ".DS_Store").read_bytes() == b"mine"


def test_a_folder_or_a_dead_link_under_the_name_of_an_entry_hides_no_other(warehouse):
    log = warehouse.append(acts.record(1)).parent
    (log / "2999.jsonl").mkdir()
    (log / "2999a.parquet").mkdir()
    (log / "2999b.jsonl").symlink_to(log / "nowhere")
    assert check(warehouse.home, {1}, faults=3) == {1}


def test_an_entry_that_was_torn_and_is_mended_is_back_once(warehouse):
    entries = [warehouse.append([acts.record(seed), acts.record(seed + 1)]) for seed in (1, 3, 5)]
    whole = entries[1].read_bytes()
    entries[1].write_bytes(whole[: len(whole) * 2 // 3])
    assert check(warehouse.home, {1, 2, 5, 6}, faults=1) == {1, 2, 5, 6}
    entries[1].write_bytes(whole)
    assert check(warehouse.home, range(1, 7)) == set(range(1, 7))


def test_an_entry_that_is_copied_here_slowly_is_there_once_it_is_whole(warehouse):
    content = b"".join(acts.record(seed).to_json().encode() + b"\n" for seed in range(3))
    (warehouse.home / "records").mkdir()
    with (warehouse.home / "records" / "copied.jsonl").open("wb", buffering=0) as file:
        for part in range(4):
            file.write(content[part * len(content) // 5 : (part + 1) * len(content) // 5])
            Warehouse.open(warehouse.home)
        file.write(content[4 * len(content) // 5 :])
    assert check(warehouse.home, range(3)) == {0, 1, 2}


def test_whatever_is_done_to_a_file_the_next_command_works(warehouse):
    chapters.damage(Killer(warehouse.home, seed=11), 30)
