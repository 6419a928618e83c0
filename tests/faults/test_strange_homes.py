"""A home made by a stranger: nothing runs, nothing is removed, one bad file stops nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import acts
import duckdb
import pytest

from lossnets.runners.attributes import measured_tables
from lossnets.runners.sweeps import state
from lossnets.runners.sweeps.executors.executor import failure_of
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

ATTRIBUTE = {
    "format": 1, "attribute": "bad", "label": "Bad", "level": "architecture", "kind": "numeric",
    "unit": "", "description": "", "origin": "added", "expression": None,
    "values": [["vgg11", None, 1.0]],
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one record that is not loaded yet."""
    folder = tmp_path / "home"
    for name in ("records", "attributes/measured", "studies", "catalog/scores"):
        (folder / name).mkdir(parents=True)
    write_entry(folder, [acts.record(0)])
    return folder


def opens(home: Path) -> list[str]:
    """The files that are left out, of a home that opens and has its record."""
    warehouse = Warehouse.open(home)
    assert warehouse.rows("select count(*) from runs where source = 'measured'")[1] == [(1,)]
    assert Warehouse.open(home).rows("select 42")[1] == [(42,)]
    return [file for file, _ in warehouse.skipped()]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", None), ("label", 5), ("label", "\ud800"), ("unit", "\x1b[31m"),
        ("description", None), ("expression", 5), ("values", [["vgg11", None, 10**400]]),
        ("values", {"vgg11": 1}), ("kind", []), ("level", None), ("attribute", 'x" as y; --'),
    ],
)  # fmt: skip
def test_an_attribute_with_a_wrong_field_is_left_out_and_named(home, field, value):
    (home / "attributes" / "bad.json").write_text(json.dumps(ATTRIBUTE | {field: value}))
    assert opens(home) == ["attributes/bad.json"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b"[]", b"null"])
@pytest.mark.parametrize("name", ["attributes/bad.json", "attributes/measured/bad.json"])
def test_what_is_no_json_object_is_left_out_and_named(home, name, content):
    (home / name).write_bytes(content)
    assert opens(home) == [name]


@pytest.mark.parametrize(
    "name",
    ["records/0.jsonl", "records/0.parquet", "attributes/bad.json", "attributes/measured/bad.json",
     "studies/study_bad.parquet", "catalog/scores/bad.json"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["link to nothing", "pipe", "folder", "no utf-8"])
def test_what_is_no_file_is_left_out_and_named(home, name, kind):
    path = home / name
    if kind == "link to nothing":
        path.symlink_to(home / "nothing")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = path.with_stem(os.fsdecode(b"study_\xff"))
        path.write_text("{}")
        name = f"{Path(name).parent}/study_\\udcff{path.suffix}"
    assert opens(home) == [name]


def study(home: Path, about: str, columns: str = "1 as x") -> None:
    """A saved study that says something about itself."""
    quoted = about.replace("'", "''")
    path = home / "studies" / "study_bad.parquet"
    duckdb.execute(
        f"copy (select {columns}) to '{path}' (format parquet, kv_metadata {{study: '{quoted}'}})"
    )


@pytest.mark.parametrize(
    "about",
    ["", "[]", "{}", "null", '{"title": null, "columns": {}, "inputs": ""}',
     '{"title": "T", "columns": {"x": 5}, "inputs": ""}',
     '{"title": "T", "columns": {"no such": "column"}, "inputs": ""}'],
)  # fmt: skip
def test_a_study_that_says_nonsense_about_itself_is_left_out(home, about):
    study(home, about)
    assert opens(home) == []
    assert "study_bad" not in Warehouse.open(home).tables()


def test_names_in_a_saved_study_are_names_and_no_sql(home, tmp_path):
    target = tmp_path / "written"
    column = f"x\" is 'y'; copy (select 1) to '{target}'; comment on column study_bad.\"x"
    about = {"title": "T'; select 1", "columns": {column: "m'"}, "inputs": ""}
    study(home, json.dumps(about), f'1 as "{column.replace(chr(34), chr(34) * 2)}"')
    assert opens(home) == []
    assert "study_bad" in Warehouse.open(home).tables()
    assert not target.exists()


def test_an_entry_that_says_it_replaces_a_file_elsewhere_removes_nothing(home, tmp_path):
    diary = tmp_path / "diary.jsonl"
    diary.write_text("mine")
    names = ["../diary.jsonl", str(diary), "records/../../diary.jsonl"]
    about = {"lossnets_compacted": {"entries": [[n, 4, 0] for n in names], "runs": ["r"]}}
    path = home / "records" / "20200101T000000.000000Z-abc.parquet"
    duckdb.execute(
        f"copy (select 1 as x) to '{path}' "
        f"(format parquet, kv_metadata {{about: '{json.dumps(about)}'}})"
    )
    opens(home)
    opens(home)
    assert diary.read_text() == "mine"


STATE = {"pid": 1, "host": "elsewhere", "rows": 3}
STRANGE = {
    "deep": "[" * 100_000,
    "no object": "[]",
    "a text for a number": json.dumps(STATE | {"pid": "1"}),
    "a time that is none": json.dumps(STATE | {"updated_at": "soon"}),
    "a time without a zone": json.dumps(STATE | {"updated_at": "2026-01-01"}),
    "runs that are none": json.dumps(STATE | {"running": [1]}),
    "runs since never": json.dumps(STATE | {"running": [{"run_id": "a", "name": "b"}]}),
    "failures that are none": json.dumps(STATE | {"failures": {"a": 1}}),
    "a rest that is none": json.dumps(STATE | {"remaining_s": "long"}),
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_a_strange_state_of_a_sweep_is_none(home, content):
    (home / "sweeps").mkdir()
    (home / "sweeps" / "elsewhere-1.json").write_text(content)
    os.mkfifo(home / "sweeps" / "elsewhere-2.json")
    assert state.read_states(home) == []
    state.SweepState().write(home)
    assert len(state.read_states(home)) == 1


def test_in_the_folder_of_a_run_what_is_no_file_is_left_out_and_named(home):
    folder = home / "runs" / acts.record(0).run_id
    folder.mkdir(parents=True)
    os.mkfifo(folder / "items.csv.gz")
    (folder / "curves.csv").mkdir()
    os.mkfifo(folder / "failure.json")
    assert opens(home) == [f"runs/{folder.name}/{name}" for name in ("curves.csv", "items.csv.gz")]
    assert failure_of(folder) is None


def test_a_broken_table_of_measured_attributes_is_not_written_over(home):
    path = home / "attributes" / "measured" / "resnet34.json"
    path.write_text('{"layers": 5}')
    with pytest.raises(UserError, match="is no measured table"):
        measured_tables.write("resnet34", {}, [], home)
    assert path.read_text() == '{"layers": 5}'
