"""What runs keep beside their records: loaded with them, noted where it is damaged."""

from __future__ import annotations

import gzip
import json
import shutil
from functools import partial

import pytest

from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.loading import lacking, run_files
from lossnets.warehouse.store import Warehouse

ITEMS = """layer,dataset,item,quantity,value
,jnd_cnn,a,same,1.0
,jnd_cnn,b,same,0.25
late,jnd_cnn,a,distance,0.5
late,jnd_cnn,b,distance,
"""
CURVES = "epoch,split,quantity,value\n1,train,loss,0.5\n1,validation,loss,0.75\n2,train,loss,\n"
VALUES = (
    "select layer, dataset, item, quantity, value from item_values "
    "order by layer nulls first, dataset, item, quantity"
)


@pytest.fixture
def folder(warehouse):
    """Write files into the folder of a run: `folder(record, items=…, curves=…, note=…)`."""

    def write(record, *, items=None, curves=None, note=None):
        path = warehouse.home / "runs" / record.run_id
        path.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("items.csv.gz", items and gzip.compress(items.encode())),
            ("curves.csv", curves and curves.encode()),
            ("note.json", note and json.dumps(note).encode()),
        ):
            if content is not None:
                (path / f".{name}.new").write_bytes(content)  # whole or not at all, as runs do
                (path / f".{name}.new").replace(path / name)
        return path

    return write


def test_what_a_run_keeps_is_loaded_with_its_record(warehouse, folder, record):
    run = record({"late": 0.5}, score="bapps_jnd")
    folder(run, items=ITEMS, curves=CURVES, note={"collapsed": "a constant output"})
    warehouse.append(run)
    assert warehouse.rows(VALUES)[1] == [
        (None, "jnd_cnn", "a", "same", 1.0),
        (None, "jnd_cnn", "b", "same", 0.25),
        ("late", "jnd_cnn", "a", "distance", 0.5),
        ("late", "jnd_cnn", "b", "distance", None),
    ]
    about = "select distinct run_id, benchmark, architecture, preset from item_values"
    assert warehouse.rows(about)[1] == [(run.run_id, "perceptual_similarity", "vgg11", None)]
    assert warehouse.rows("select * exclude (run_id) from learning_curves order by all")[1] == [
        ("perceptual_similarity", "vgg11", "late", None, 1, "train", "loss", 0.5),
        ("perceptual_similarity", "vgg11", "late", None, 1, "validation", "loss", 0.75),
        ("perceptual_similarity", "vgg11", "late", None, 2, "train", "loss", None),
    ]
    assert warehouse.rows("select collapsed from runs where source = 'measured'")[1] == [
        ("a constant output",)
    ]
    assert warehouse.skipped() == []


def test_a_rebuild_gives_the_same(warehouse, folder, record):
    for seed in (1, 2):
        run = record({"late": 0.5}, score="bapps_jnd", seed=seed)
        folder(run, items=ITEMS, curves=CURVES, note={"collapsed": None})
        warehouse.append(run)
    before = [warehouse.rows(f"from {view} order by all") for view in warehouse.tables()]
    assert warehouse.rows("select count(*) from item_values")[1] == [(8,)]
    warehouse.rebuild()
    assert [warehouse.rows(f"from {view} order by all") for view in warehouse.tables()] == before


def test_a_folder_without_a_record_is_of_a_run_that_goes_on(warehouse, folder, record):
    run = record({"late": 0.5}, score="bapps_jnd")
    folder(run, items=ITEMS)
    warehouse.refresh()
    assert not lacking.lacking(warehouse.home, warehouse.path)
    assert warehouse.rows(VALUES)[1] == []
    assert warehouse.skipped() == []


def test_a_folder_that_comes_after_its_record_is_loaded_by_the_next_open(warehouse, folder, record):
    run = record({"late": 0.5}, score="bapps_jnd")
    warehouse.append(run)
    folder(run, items=ITEMS, curves=CURVES)
    assert len(Warehouse.open(warehouse.home).rows(VALUES)[1]) == 4
    before = warehouse.path.stat().st_mtime_ns
    Warehouse.open(warehouse.home)
    assert warehouse.path.stat().st_mtime_ns == before


def test_a_file_that_changes_or_goes_takes_its_rows_with_it(warehouse, folder, record):
    runs = [record({"late": 0.5}, score="bapps_jnd", seed=seed) for seed in (1, 2)]
    for run in runs:
        folder(run, items=ITEMS, curves=CURVES, note={"collapsed": "nan"})
    warehouse.append(runs)
    path = folder(runs[0], items="layer,dataset,item,quantity,value\nlate,mrd,c,tp,3\n")
    shutil.rmtree(folder(runs[1]))
    warehouse.refresh()
    assert warehouse.rows(VALUES)[1] == [("late", "mrd", "c", "tp", 3.0)]
    assert warehouse.rows("select distinct run_id from learning_curves")[1] == [(path.name,)]
    assert warehouse.rows("select run_id from runs where collapsed is not null")[1] == [
        (path.name,)
    ]
    assert warehouse.rows("select count(*) from scores where source = 'measured'")[1] == [(2,)]


HEADER = "does not start with the line layer,dataset,item,quantity,value"


zipped = partial(gzip.compress, mtime=0)  # the time would be in the names of the tests


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (zipped(ITEMS.encode())[:-9], "is torn or damaged"),
        (zipped(ITEMS.encode())[:-8] + bytes(8), "is torn or damaged"),
        (b"", HEADER),
        (ITEMS.encode(), "is torn or damaged"),
        (zipped(b"a,b,c,d,e\n"), HEADER),
        (zipped(ITEMS.encode() + b"late,jnd_cnn,c\n"), "line 6 is not as it should be"),
        (zipped(ITEMS.encode() + b"late,mrd,c,tp,many\n"), "line 6 is not as it should be"),
        (zipped(ITEMS.encode() + b"late,mrd,\xff,tp,1\n"), "line 6 is not as it should be"),
        (zipped(ITEMS.encode() + b"late,mrd,c,,1\n"),
         "Constraint Error: NOT NULL constraint failed: series.quantity"),
        (zipped(ITEMS.encode() + b"early,mrd,c,tp,1\n"),
         "names the layer early, which the run did not score"),
        (zipped(ITEMS.encode() + b"late,jnd_cnn,a,distance,1\n"),
         "has two values of one item"),
    ],
)  # fmt: skip
def test_damaged_items_are_noted_and_the_scores_stay(warehouse, folder, record, content, fault):
    run = record({"late": 0.5}, score="bapps_jnd")
    path = folder(run, curves=CURVES) / "items.csv.gz"
    path.write_bytes(content)
    warehouse.append(run)
    assert warehouse.skipped() == [(f"runs/{run.run_id}/items.csv.gz", fault)]
    assert warehouse.rows(VALUES)[1] == []
    assert warehouse.rows("select count(*) from learning_curves")[1] == [(3,)]
    assert warehouse.rows("select value from scores where source = 'measured'")[1] == [(0.5,)]
    path.write_bytes(gzip.compress(ITEMS.encode()))
    warehouse.refresh()
    assert warehouse.skipped() == []
    assert len(warehouse.rows(VALUES)[1]) == 4


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("curves.csv", "epoch,loss\n1,2\n",
         "does not start with the line epoch,split,quantity,value"),
        ("curves.csv", CURVES + "x,train,loss,1\n", "line 5 is not as it should be"),
        ("curves.csv", CURVES + "3,test,loss,1\n",
         'Constraint Error: CHECK constraint failed on table "curves" with expression '
         "CHECK((split IN ('train', 'validation')))"),
        ("curves.csv", CURVES + "1,train,loss,1\n", "has two values of one quantity"),
        ("note.json", "{", "is not JSON"),
        ("note.json", "[]", 'is no note: an object with "collapsed", a reason'),
        ("note.json", '{"collapsed": true}', 'is no note: an object with "collapsed", a reason'),
    ],
)  # fmt: skip
def test_damaged_curves_and_notes_are_noted(warehouse, folder, record, name, content, fault):
    run = record({"late": 0.5}, score="bapps_jnd")
    (folder(run, items=ITEMS) / name).write_text(content)
    warehouse.append(run)
    assert warehouse.skipped() == [(f"runs/{run.run_id}/{name}", fault)]
    assert len(warehouse.rows(VALUES)[1]) == 4


def test_a_row_of_a_baseline_says_which(warehouse, folder, record):
    from lossnets.warehouse.sources.records import Measurement, RunRecord

    run = RunRecord(
        benchmark="perceptual_similarity",
        config={"baseline": "l2"},
        measurements=(Measurement(architecture=None, layer=None, score="bapps_jnd", value=0.5),),
    )
    folder(run, items=ITEMS.replace("late", ""))
    warehouse.append([run, record({"late": 0.5}, score="bapps_jnd", config={"baseline": None})])
    found = "select baseline, architecture from scores where source = 'measured' order by all"
    assert warehouse.rows(found)[1] == [("l2", None), (None, "vgg11")]
    assert warehouse.rows("select baseline from runs where architecture is null")[1] == [("l2",)]
    assert warehouse.rows("select distinct architecture, layer from item_values")[1] == [
        (None, None)
    ]


def test_scores_of_presets_stand_apart(warehouse, record):
    warehouse.append([record(preset="smoke"), record(seed=1)])
    assert warehouse.rows("select seed from scores where source = 'measured'")[1] == [(1,)]
    assert warehouse.rows("select preset, layer, value from preset_scores")[1] == [
        ("smoke", "late", 0.5)
    ]


def test_scores_with_a_baseline_column_can_come_back(warehouse, record, tmp_path):
    warehouse.append(record(seed=1))
    frame = warehouse.query("select * from scores where source = 'measured'")
    assert import_records(warehouse, frame) == (0, 1)


def test_what_the_runners_write_is_what_is_loaded(warehouse, record):
    np = pytest.importorskip("numpy")
    from lossnets.runners.runs.run_folder import ItemValues, RunFolder

    run = record({"late": 0.5}, score="bapps_jnd")
    written = RunFolder(warehouse.home / "runs" / run.run_id)
    pairs = ['a,"b"', "c"]
    written.write_items([
        ItemValues(layer=None, dataset="jnd_cnn", quantity="same", items=pairs,
                   values=np.array([1 / 3, np.nan])),
        ItemValues(layer="late", dataset="jnd_cnn", quantity="distance", items=pairs,
                   values=np.array([0.1, 2e-30], dtype=np.float32)),
    ])  # fmt: skip
    written.write_curves(
        [(1, "train", "loss", 0.1), (1, "validation", "accuracy_64", float("nan"))]
    )
    written.write_json("note.json", {"collapsed": "the loss is not a number"})
    warehouse.append(run)
    assert warehouse.skipped() == []
    assert warehouse.rows(VALUES)[1] == [
        (None, "jnd_cnn", 'a,"b"', "same", 1 / 3),
        (None, "jnd_cnn", "c", "same", None),
        ("late", "jnd_cnn", 'a,"b"', "distance", float(np.float32(0.1))),
        ("late", "jnd_cnn", "c", "distance", float(np.float32(2e-30))),
    ]
    curves = "select epoch, split, quantity, value from learning_curves order by all"
    assert warehouse.rows(curves)[1] == [
        (1, "train", "loss", 0.1), (1, "validation", "accuracy_64", None),
    ]  # fmt: skip
    assert warehouse.rows("select collapsed from runs where collapsed is not null")[1] == [
        ("the loss is not a number",)
    ]


def test_of_many_runs_only_what_is_damaged_is_left_out(warehouse, folder, record):
    runs = [record({"late": 0.5}, score="bapps_jnd", seed=seed) for seed in range(4)]
    for run in runs:
        folder(run, items=ITEMS, curves=CURVES)
    (folder(runs[2]) / "curves.csv").write_text("torn")
    warehouse.append(runs)
    assert [file for file, _ in warehouse.skipped()] == [f"runs/{runs[2].run_id}/curves.csv"]
    assert warehouse.rows("select count(*) from item_values")[1] == [(16,)]
    assert warehouse.rows("select count(*) from learning_curves")[1] == [(9,)]


def test_of_a_load_that_is_interrupted_the_next_open_loads_the_rest(
    warehouse, folder, record, monkeypatch
):
    run = record({"late": 0.5}, score="bapps_jnd")
    folder(run, items=ITEMS, curves=CURVES)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(run_files.LOADERS, "curves.csv", interrupted)
        with pytest.raises(KeyboardInterrupt):
            warehouse.append(run)
    assert warehouse.rows("select value from scores where source = 'measured'")[1] == [(0.5,)]
    warehouse.refresh()
    assert len(warehouse.rows(VALUES)[1]) == 4
    assert warehouse.rows("select count(*) from learning_curves")[1] == [(3,)]


def test_many_runs_are_read_together_and_quotes_and_odd_ends_of_files_change_nothing(
    warehouse, folder, record
):
    runs = [record({"late": 0.5}, score="bapps_jnd", seed=seed) for seed in range(5)]
    header, rows = ITEMS.split("\n", 1)
    for run, items in zip(
        runs,
        (ITEMS, ITEMS.rstrip("\n"), f"{header}\n", f"{header}\r\n{rows}", ITEMS),
        strict=True,
    ):
        folder(run, items=items)
    warehouse.append(runs)
    counts = "select run_id, count(*), sum(value) from item_values group by all order by all"
    expected = sorted((run.run_id, 4, 1.75) for run in (*runs[:2], *runs[3:]))
    assert warehouse.rows(counts)[1] == expected
    folder(runs[2], items=f'{header}\n,jnd_cnn,"a\n1,""b",same,1\n')
    folder(runs[4], items=ITEMS.replace("0.25", "0.5"))
    warehouse.refresh()
    assert warehouse.rows(VALUES.replace("order", f"where run_id = '{runs[2].run_id}' order"))[
        1
    ] == [(None, "jnd_cnn", 'a\n1,"b', "same", 1.0)]
    assert warehouse.skipped() == []
    assert list(warehouse.home.glob(".building*")) == []
