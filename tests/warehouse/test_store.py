"""Opening, filling, rebuilding: the database is derived and comes back the same."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from lossnets.warehouse import store
from lossnets.warehouse.loading import database, lacking
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse, default_home


def _content(warehouse: Warehouse) -> dict[str, list]:
    """Every view's rows, in a fixed order."""
    return {
        view: warehouse.rows(f"select * from {view} order by all")[1] for view in warehouse.tables()
    }


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
        ('{"measurements": [{"architecture": "vgg11", "layer": "late", "score": "elo", '
         '"value": 1}], "benchmark": "chess"}',
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


def test_saved_studies_are_tables_until_others_are_saved(warehouse):
    import pandas as pd

    from lossnets.warehouse.loading import saved_studies

    result = saved_studies.Result(
        name="toy", title="A toy.", columns={"x": "a number"}, frame=pd.DataFrame({"x": [1, 2]})
    )
    saved_studies.save(warehouse.home, [result], "inputs")
    warehouse.refresh()
    assert warehouse.rows("select sum(x) from study_toy")[1] == [(3,)]
    assert "study_toy" in warehouse.tables()
    saved_studies.save(warehouse.home, [], "inputs")
    warehouse.refresh()
    assert "study_toy" not in warehouse.tables()


def test_adding_a_record_opens_and_compares_the_database_once(warehouse, record, monkeypatch):
    calls = []
    for module, name in ((database, "_connect"), (store, "compare"), (lacking, "compare")):
        called = getattr(module, name)

        def counted(*arguments, called=called, name=name, **options):
            calls.append(name)
            return called(*arguments, **options)

        monkeypatch.setattr(module, name, counted)
    warehouse.append(record(seed=1))
    assert calls == ["_connect", "compare"]
    assert warehouse.rows("select count(*) from runs where source = 'measured'")[1] == [(1,)]
