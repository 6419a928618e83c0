"""Opening, filling, rebuilding: the database is derived and comes back the same."""

from __future__ import annotations

import json
import shutil

import duckdb
import pytest

from warehouse import database, fingerprint
from warehouse.errors import UserError
from warehouse.records import write_entry
from warehouse.store import Warehouse, default_home

KEPT = "move it away, or: lossnets rebuild (it keeps the file under another name)"


def _content(warehouse: Warehouse) -> dict[str, list]:
    """Every view's rows, in a fixed order."""
    return {
        view: warehouse.rows(f"select * from {view} order by all")[1] for view in warehouse.tables()
    }


def _attribute(home, name: str, **fields) -> None:
    base = {
        "format": 1, "attribute": name, "label": name, "level": "architecture",
        "kind": "numeric", "unit": "px", "description": "A number.", "origin": "added",
        "expression": None, "values": [["vgg11", None, 2]],
    }  # fmt: skip
    path = home / "attributes" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(base | fields))


def _measured_table(home, architecture: str, **fields) -> None:
    base = {
        "format": 1, "architecture": architecture, "name": "ConvNeXt tiny", "family": "Other",
        "layers": [["early", 1, "features.1"], ["features.3", None, "features.3"]],
        "values": [["depth", None, 18], ["channels", "early", 96]],
    }  # fmt: skip
    path = home / "attributes" / "measured" / f"{architecture}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(base | fields))


def test_the_home_is_an_argument_or_an_environment_variable_or_data(monkeypatch, tmp_path):
    monkeypatch.delenv("LOSSNETS_HOME", raising=False)
    assert str(default_home()) == "data"
    monkeypatch.setenv("LOSSNETS_HOME", str(tmp_path))
    assert Warehouse().path == tmp_path / "warehouse.duckdb"
    assert Warehouse("elsewhere").home.name == "elsewhere"


def test_opening_again_writes_nothing(warehouse):
    before = warehouse.path.stat()
    Warehouse.open(warehouse.home)
    after = warehouse.path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_appended_record_is_there_at_once_and_after_a_rebuild(warehouse, record):
    entry = warehouse.append(record({"late": 0.75}, seed=3, config={"epochs": 2}))
    assert entry.parent == warehouse.home / "records"
    before = _content(warehouse)
    assert warehouse.rows(
        "select architecture, layer, value, seed, config->>'epochs' from scores "
        "join runs using (run_id, source, architecture, seed) where source = 'measured'"
    )[1] == [("vgg11", "late", 0.75, 3, "2")]
    warehouse.rebuild()
    assert _content(warehouse) == before


def test_the_database_can_be_deleted_at_any_time(warehouse, record):
    warehouse.append(record())
    before = _content(warehouse)
    warehouse.path.unlink()
    assert _content(warehouse) == before


def test_without_its_data_folder_a_warehouse_is_the_papers_again(warehouse, record):
    warehouse.append(record())
    shutil.rmtree(warehouse.home)
    assert warehouse.rows("select source, count(*) from scores group by 1")[1] == [("paper", 1064)]


def test_the_same_run_twice_is_one_run_and_the_first_stays(warehouse, record):
    warehouse.append(record({"late": 0.5}))
    warehouse.append(record({"late": 0.75}))
    found = "select value from scores where source = 'measured'"
    assert warehouse.rows(found)[1] == [(0.5,)]
    warehouse.rebuild()
    assert warehouse.rows(found)[1] == [(0.5,)]


def test_a_run_that_comes_again_adds_what_it_lacked(warehouse, record):
    warehouse.append(record({"late": 0.5}, run_id="run"))
    warehouse.append(record({"late": 0.75, "early": 0.25}, run_id="run"))
    found = "select layer, value from scores where source = 'measured' order by 1"
    assert warehouse.rows(found)[1] == [("early", 0.25), ("late", 0.5)]


def test_an_earlier_entry_that_arrives_later_is_still_the_first(warehouse, record):
    """Say, from another machine: what is loaded must be what a rebuild would load."""
    warehouse.append(record({"late": 0.75}, run_id="run"))
    late_comer = write_entry(warehouse.home, [record({"late": 0.5}, run_id="run")])
    late_comer.rename(late_comer.with_name("20000101T000000.000000Z-x.jsonl"))
    warehouse.refresh()
    found = "select value from scores where source = 'measured'"
    assert warehouse.rows(found)[1] == [(0.5,)]


def test_entries_of_other_machines_are_loaded_by_the_next_open(warehouse, record):
    for seed in range(3):
        write_entry(warehouse.home, [record(seed=seed)])
    count = "select count(*) from scores where source = 'measured'"
    assert warehouse.rows(count)[1] == [(0,)]
    assert Warehouse.open(warehouse.home).rows(count)[1] == [(3,)]


def test_a_deleted_entry_is_gone(warehouse, record):
    warehouse.append(record(seed=1)).unlink()
    warehouse.append(record(seed=2))
    assert warehouse.rows("select seed from runs where source = 'measured'")[1] == [(2,)]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "holds no record"),
        ("{", "line 1: it is not JSON (Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1))"),
        ('{"measurements": [], "benchmark": "chess"}',
         "line 1: 'chess' is no benchmark, valid are perceptual_similarity, super_resolution, "
         "delineation, autoencoding"),
    ],
)  # fmt: skip
def test_a_broken_entry_is_skipped_and_remembered_and_kept(warehouse, record, content, fault):
    broken = write_entry(warehouse.home, [record(seed=1)])
    broken.write_text(content)
    warehouse.append(record(seed=2))
    assert warehouse.rows("select seed from runs where source = 'measured'")[1] == [(2,)]
    assert warehouse.skipped() == [(f"records/{broken.name}", fault)]
    assert broken.read_text() == content


def test_a_broken_entry_that_is_mended_is_loaded(warehouse, record):
    broken = write_entry(warehouse.home, [record(seed=1)])
    whole = broken.read_text()
    broken.write_text(whole[:50])
    warehouse.refresh()
    assert len(warehouse.skipped()) == 1
    broken.write_text(whole)
    warehouse.refresh()
    assert warehouse.skipped() == []
    assert warehouse.rows("select seed from runs where source = 'measured'")[1] == [(1,)]


def test_files_that_are_no_entries_are_left_alone(warehouse, record):
    warehouse.append(record())
    for name in ("notes.txt", ".hidden.jsonl", "records.jsonl.bak"):
        (warehouse.home / "records" / name).write_text("mine")
    (warehouse.home / "records" / "folder.jsonl").mkdir()
    warehouse.refresh()
    assert [file for file, _ in warehouse.skipped()] == ["records/folder.jsonl"]


@pytest.mark.parametrize("content", [b"not parquet", b"PAR1", b""])
def test_a_parquet_entry_that_is_none_is_skipped(warehouse, record, content):
    broken = write_entry(warehouse.home, [record(seed=1)]).with_suffix(".parquet")
    broken.write_bytes(content)
    warehouse.refresh()
    assert [file for file, _ in warehouse.skipped()] == [f"records/{broken.name}"]
    assert warehouse.rows("select count(*) from runs where source = 'measured'")[1] == [(1,)]


def test_a_parquet_entry_with_a_value_out_of_place_is_skipped_whole(warehouse, record, tmp_path):
    columns = (
        "'r' as run_id, 'autoencoding' as benchmark, null as preset, null as seed, "
        "null as weights, null as config, null as data, null as versions, null as device, "
        "null as recorded_at, null as duration_s, null as peak_memory_bytes, "
        "'vgg11' as architecture, null as node, null as n"
    )
    (warehouse.home / "records").mkdir()
    target = warehouse.home / "records" / "20260101T000000.000000Z-x.parquet"
    duckdb.sql(
        f"copy (select {columns}, 'late' as layer, 'svhn_accuracy' as score, 0.5 as value "
        f"union all select {columns}, 'early', 'svhn_accuracy', 'nan'::double) to '{target}'"
    )
    warehouse.refresh()
    ((file, fault),) = warehouse.skipped()
    assert file == f"records/{target.name}"
    assert fault.startswith("Constraint Error: CHECK constraint failed")
    assert warehouse.rows("select count(*) from runs where source = 'measured'")[1] == [(0,)]


def test_a_record_may_bring_an_architecture_and_its_layers(warehouse, record):
    warehouse.append(
        record({"late": 0.5, "features.1": 0.4}, architecture="convnext_tiny",
               nodes={"late": "features.7"})
    )  # fmt: skip
    assert warehouse.rows(
        "select name, family, layer, layer_position, node, printed, depth from loss_networks "
        "where architecture = 'convnext_tiny'"
    )[1] == [
        ("convnext_tiny", "Other", "late", 4, "features.7", None, None),
        ("convnext_tiny", "Other", "features.1", None, "features.1", None, None),
    ]
    assert warehouse.rows("select position, family from architectures where position > 14")[1] == [
        (15, "Other")
    ]


def test_a_measured_table_brings_an_architecture_its_layers_and_values(warehouse):
    _measured_table(warehouse.home, "convnext_tiny")
    warehouse.refresh()
    assert warehouse.rows(
        "select name, layer, layer_position, node, depth, channels from loss_networks "
        "where architecture = 'convnext_tiny'"
    )[1] == [
        ("ConvNeXt tiny", "early", 1, "features.1", 18.0, 96.0),
        ("ConvNeXt tiny", "features.3", None, "features.3", 18.0, None),
    ]
    assert warehouse.skipped() == []


def test_a_broken_measured_table_is_skipped_and_remembered(warehouse):
    _measured_table(warehouse.home, "good")
    _measured_table(warehouse.home, "bad", layers=3)
    _measured_table(warehouse.home, "odd", values=[["no_such", None, 1]])
    warehouse.refresh()
    assert warehouse.skipped() == [
        ("attributes/measured/bad.json",
         "it is no measured table ('int' object is not iterable)"),
        ("attributes/measured/odd.json", "it has values of no_such, which is no attribute"),
    ]  # fmt: skip
    assert warehouse.rows(
        "select architecture from architectures where position > 14 order by position"
    )[1] == [("good",), ("odd",)]


def test_an_attribute_becomes_a_column_with_a_comment(warehouse):
    _attribute(warehouse.home, "year", unit="AD", description="When it was published.")
    warehouse.refresh()
    assert warehouse.rows("select architecture, year from architectures where year > 0")[1] == [
        ("vgg11", 2.0)
    ]
    assert warehouse.rows("select count(year) from loss_networks")[1] == [(4,)]
    _, rows = warehouse.rows(
        "select table_name, comment from duckdb_columns() where column_name = 'year' order by all"
    )
    comment = "When it was published. Unit: AD."
    assert rows == [("architectures", comment), ("loss_networks", comment)]


def test_an_attribute_that_is_gone_is_no_column(warehouse):
    _attribute(warehouse.home, "year")
    warehouse.refresh()
    (warehouse.home / "attributes" / "year.json").unlink()
    warehouse.refresh()
    assert "year" not in warehouse.rows("from architectures")[0]


def test_registering_an_attribute_does_not_load_the_log_again(warehouse, record):
    warehouse.append(record())
    inode = warehouse.path.stat().st_ino
    _attribute(warehouse.home, "year")
    warehouse.refresh()
    assert warehouse.path.stat().st_ino == inode
    assert "year" in warehouse.rows("from architectures")[0]


def test_derived_attributes_are_computed_from_one_another(warehouse):
    _attribute(warehouse.home, "a_ratio", origin="derived", values=[], expression="z_base * 2")
    _attribute(warehouse.home, "z_base", origin="derived", values=[], expression="depth + 1")
    warehouse.refresh()
    assert warehouse.rows(
        "select depth, z_base, a_ratio from architectures where architecture = 'vgg11'"
    )[1] == [(11.0, 12.0, 24.0)]


def test_a_derived_attribute_of_layers_stands_in_loss_networks_alone(warehouse):
    _attribute(
        warehouse.home, "per_channel", origin="derived", level="loss_network", values=[],
        expression="features / channels",
    )  # fmt: skip
    warehouse.refresh()
    assert "per_channel" in warehouse.rows("from loss_networks")[0]
    assert "per_channel" not in warehouse.rows("from architectures")[0]


@pytest.mark.parametrize("expression", ["1 / (depth - 11)", "ln(depth - 12)", "exp(depth * 1000)"])
def test_where_an_expression_has_no_finite_value_there_is_none(warehouse, expression):
    _attribute(warehouse.home, "odd", origin="derived", values=[], expression=expression)
    warehouse.refresh()
    assert warehouse.skipped() == []
    assert warehouse.rows("select odd from architectures where architecture = 'vgg11'")[1] == [
        (None,)
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"attribute": "depth"}, None),
        ({"values": [["vgg11", None, 1], ["vgg12", None, 1]]},
         "its value for vgg12 is left out: no such network"),
        ({"origin": "derived", "values": [], "expression": "depth + no_such"},
         "its expression uses no_such, which is not there"),
        ({"origin": "derived", "values": [], "expression": "mine + 1"},
         "its expression uses mine, which is not there"),
        ({"origin": "derived", "values": [], "expression": "read_csv('/etc/passwd')"}, None),
        ({"origin": "derived", "values": [], "expression": "1); drop table store.runs; select (1"},
         None),
        ({"values": [["vgg11", None, "x"]]}, None),
        ({"format": 2}, None),
    ],
)  # fmt: skip
def test_a_wrong_attribute_file_is_remembered_and_the_rest_works(warehouse, fields, fault):
    _attribute(warehouse.home, "mine", **fields)
    _attribute(warehouse.home, "year")
    warehouse.refresh()
    ((file, found),) = warehouse.skipped()
    assert file == "attributes/mine.json"
    assert fault in (None, found)
    assert warehouse.rows("select count(year) from architectures")[1] == [(1,)]


def test_an_attribute_of_a_shipped_name_leaves_the_shipped_one(warehouse):
    _attribute(warehouse.home, "depth", values=[["vgg11", None, 99]])
    warehouse.refresh()
    assert warehouse.skipped() == [
        ("attributes/depth.json", "the attribute depth is there already")
    ]
    assert warehouse.rows("select depth from architectures where position = 1")[1] == [(11.0,)]


def test_a_value_for_a_network_that_records_bring_later_is_taken_then(warehouse, record):
    _attribute(warehouse.home, "year", values=[["convnext_tiny", None, 2022]])
    warehouse.refresh()
    assert len(warehouse.skipped()) == 1
    warehouse.append(record(architecture="convnext_tiny"))
    assert warehouse.skipped() == []
    assert warehouse.rows("select year from architectures where position = 15")[1] == [(2022.0,)]


def test_a_file_that_is_no_database_is_told_and_left(home):
    home.mkdir()
    path = home / "warehouse.duckdb"
    path.write_text("my diary, which has more than a few words in it" * 100)
    with pytest.raises(UserError) as error:
        Warehouse.open(home)
    assert (error.value.message, error.value.hint) == (f"{path} is not a database", KEPT)
    assert path.read_text().startswith("my diary")


def test_a_database_of_somebody_else_is_told_and_left(home):
    home.mkdir()
    path = home / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table diary as select 'dear diary' as entry")
    with pytest.raises(UserError) as error:
        Warehouse.open(home)
    assert (error.value.message, error.value.hint) == (
        f"{path} is a database, but not one that lossnets made",
        KEPT,
    )
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("from diary").fetchall() == [("dear diary",)]


def test_a_rebuild_keeps_what_is_not_ours_under_another_name(home):
    home.mkdir()
    for diary in ("one", "two"):
        (home / "warehouse.duckdb").write_text(diary)
        Warehouse(home).rebuild()
    assert (home / "warehouse.duckdb.1").read_text() == "one"
    assert (home / "warehouse.duckdb.2").read_text() == "two"
    assert Warehouse.open(home).rows("select count(*) from scores")[1] == [(1064,)]


def test_a_newer_database_is_told_and_left(warehouse):
    with database.writing(warehouse.path, 0) as connection:
        connection.execute("update store.meta set format = format + 1")
    with pytest.raises(UserError) as error:
        Warehouse.open(warehouse.home)
    assert (error.value.message, error.value.hint) == (
        f"{warehouse.path} was made by a newer lossnets than this one",
        "update lossnets, or: lossnets rebuild (it keeps the file under another name)",
    )


def test_a_file_of_a_newer_duckdb_is_told(warehouse):
    content = bytearray(warehouse.path.read_bytes())
    assert content[8:12] == b"DUCK"
    content[12:20] = (10_000).to_bytes(8, "little")  # the version of the storage
    warehouse.path.write_bytes(content)
    with pytest.raises(UserError) as error:
        Warehouse.open(warehouse.home)
    assert error.value.message.startswith(f"{warehouse.path} ")


def test_an_older_database_of_ours_is_made_anew(warehouse):
    with database.writing(warehouse.path, 0) as connection:
        connection.execute("update store.meta set format = 0")
    warehouse.refresh()
    assert warehouse.rows("select format from store.meta")[1] == [(1,)]


def test_a_database_of_other_shipped_files_is_made_anew(warehouse):
    with database.writing(warehouse.path, 0) as connection:
        connection.execute("update store.meta set shipped = 'other'")
        connection.execute("create table main.left_over as select 1")
    warehouse.refresh()
    assert warehouse.rows("select shipped from store.meta")[1] == [(fingerprint.shipped(),)]
    assert "left_over" not in warehouse.tables()


def test_an_empty_file_in_its_place_is_nobodys(home):
    home.mkdir()
    (home / "warehouse.duckdb").touch()
    assert Warehouse.open(home).rows("select count(*) from scores")[1] == [(1064,)]


def test_the_fingerprint_follows_everything_the_report_derives_from(warehouse, record):
    seen = [fingerprint.inputs(warehouse.home)]
    warehouse.append(record())
    seen.append(fingerprint.inputs(warehouse.home))
    _attribute(warehouse.home, "year")
    seen.append(fingerprint.inputs(warehouse.home))
    _measured_table(warehouse.home, "convnext_tiny")
    seen.append(fingerprint.inputs(warehouse.home))
    assert len(set(seen)) == 4
    warehouse.rebuild()
    assert fingerprint.inputs(warehouse.home) == seen[-1]


def test_saved_studies_are_tables_until_others_are_saved(warehouse):
    import pandas as pd

    from warehouse import studies

    result = studies.Result(
        name="toy", title="A toy.", columns={"x": "a number"}, frame=pd.DataFrame({"x": [1, 2]})
    )
    studies.save(warehouse.home, [result], "inputs")
    warehouse.refresh()
    assert warehouse.rows("select sum(x) from study_toy")[1] == [(3,)]
    assert "study_toy" in warehouse.tables()
    studies.save(warehouse.home, [], "inputs")
    warehouse.refresh()
    assert "study_toy" not in warehouse.tables()
