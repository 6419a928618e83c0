"""Registered attributes survive whole or are named as broken."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.sources.attribute_files import Attribute

YEAR = Attribute(
    attribute="year",
    label="Année <b>",
    level="loss_network",
    kind="numeric",
    unit="a",
    values=(("vgg11", "late", 2014.0), ("vgg16", "late", 0.1)),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    attribute_files.write(tmp_path, [YEAR, replace(YEAR, attribute="age", values=())])
    age, year = attribute_files.paths(tmp_path)
    assert (age.stem, attribute_files.read(year)) == ("age", YEAR)


def test_the_file_is_the_agreed_json(tmp_path: Path) -> None:
    [path] = attribute_files.write(tmp_path, [YEAR])
    assert path == tmp_path / "attributes" / "year.json"
    assert json.loads(path.read_text("utf-8")) == {
        "format": 1,
        "attribute": "year",
        "label": "Année <b>",
        "level": "loss_network",
        "kind": "numeric",
        "unit": "a",
        "description": "",
        "origin": "added",
        "expression": None,
        "values": [["vgg11", "late", 2014.0], ["vgg16", "late", 0.1]],
    }


def test_a_full_disk_leaves_nothing_of_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full(_: int) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"^cannot write to .*: No space left on device$"):
        attribute_files.write(tmp_path, [YEAR, replace(YEAR, attribute="age")])
    assert list((tmp_path / "attributes").iterdir()) == []


def test_no_files_are_no_attributes(tmp_path: Path) -> None:
    assert attribute_files.paths(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xff", "it is not UTF-8"),
        (b"{\n", "line 2 is not JSON"),
        (b"[]", "its format is None where 1 is known"),
        (b'{"format": 2}', "its format is 2 where 1 is known"),
        (b'{"format": 1}', "a field is wrong or missing ('values')"),
    ],
)
def test_a_file_that_is_no_attribute_is_named(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "year.json"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        attribute_files.read(path)
    assert caught.value.message == f"{path} is no attribute: {fault}"
    assert caught.value.hint == "move the file away, or: lossnets attribute remove year"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"attribute": "age"}, "it holds the attribute 'age'"),
        ({"level": "model"}, "its level is 'model', valid are architecture and loss_network"),
        ({"kind": 3}, "its kind is 3, valid are numeric and binary and categorical"),
        (
            {"values": [["vgg11", None, "x"]]},
            "a field is wrong or missing ('x' is no finite number)",
        ),
        (
            {"values": [[1, None, 2]]},
            "a field is wrong or missing ([1, None, 2] is no [architecture, layer, value])",
        ),
        ({"values": [["vgg11", "late", 1]] * 2}, "it has 2 values for vgg11 late"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, object], fault: str) -> None:
    [path] = attribute_files.write(tmp_path, [YEAR])
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change))
    with pytest.raises(UserError) as caught:
        attribute_files.read(path)
    assert caught.value.message == f"{path} is no attribute: {fault}"
