"""Bits that flip on a disk or on the way: noticed wherever they are in the log."""

from __future__ import annotations

import re

import acts
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.loading import compaction
from lossnets.warehouse.sources import checksums
from lossnets.warehouse.sources.records import RunRecord, read_entry, write_entry

VALUES = "select layer, value from scores where source = 'measured' order by layer_position"


def test_a_flipped_bit_anywhere_in_a_record_is_noticed():
    whole = acts.record(3).to_json().encode()
    accepted = [
        (place, bit)
        for place in range(len(whole))
        for bit in range(8)
        if _is_accepted(_flipped(whole, place, bit))
    ]
    assert accepted == []


def _is_accepted(line: bytes) -> bool:
    try:
        RunRecord.from_json(line.decode())
    except (UserError, UnicodeDecodeError):
        return False
    return True


@pytest.mark.parametrize("bit", range(8))
def test_a_line_break_that_is_none_any_more_is_noticed(tmp_path, bit):
    path = write_entry(tmp_path, [acts.record(3), acts.record(4)])
    whole = path.read_bytes()
    path.write_bytes(_flipped(whole, whole.index(b"\n"), bit))
    with pytest.raises(UserError):
        read_entry(path)


def test_a_record_from_before_checksums_is_read_and_one_that_is_damaged_is_told(warehouse):
    path = warehouse.append(acts.record(3))
    line = path.read_text()
    before = warehouse.rows(VALUES)[1]
    path.write_text(re.sub(r', "checksum": "\w+"', "", line))
    warehouse.refresh()
    assert (warehouse.rows(VALUES)[1], warehouse.skipped()) == (before, [])
    value = str(acts.values(3)[0])
    path.write_text(line.replace(value, value[:-1] + ("1" if value[-1] != "1" else "2")))
    warehouse.refresh()
    assert warehouse.rows(VALUES)[1] == []
    assert warehouse.skipped() == [(f"records/{path.name}", f"line 1: {checksums.DAMAGED}")]


def test_an_id_that_is_not_of_what_was_run_is_refused():
    line = re.sub(r', "checksum": "\w+"', "", acts.record(3).to_json())
    assert RunRecord.from_json(line) == acts.record(3)
    for changed in (line.replace('"seed": 3', '"seed": 4'), line.replace("vgg11", "vgg13")):
        with pytest.raises(UserError, match="what was run gives"):
            RunRecord.from_json(changed)


@pytest.mark.parametrize("kind", ["imported", "compacted"])
def test_a_flipped_bit_in_a_parquet_entry_leaves_it_out(warehouse, monkeypatch, kind):
    monkeypatch.setattr(compaction, "LEAST", 3)
    if kind == "imported":
        import_records(warehouse, acts.table([acts.record(3)]))
    else:
        for seed in range(3):
            warehouse.append(acts.record(seed))
    (path,) = (warehouse.home / "records").iterdir()
    checksums.check_named(path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(_flipped(whole, place))
        with pytest.raises(UserError, match="damaged"):
            checksums.check_named(path)
    path.write_bytes(_flipped(whole, whole.index(b"vgg11")))
    warehouse.rebuild()
    assert warehouse.skipped() == [(f"records/{path.name}", checksums.DAMAGED)]
    path.write_bytes(whole)
    warehouse.refresh()
    assert warehouse.skipped() == []
    assert len(warehouse.rows(VALUES)[1]) == (4 if kind == "imported" else 12)


def _flipped(whole: bytes, place: int, bit: int = 2) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
