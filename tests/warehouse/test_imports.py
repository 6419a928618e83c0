"""Importing: everything that is right, or one sentence and nothing."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources.records import write_entry
from lossnets.warehouse.store import Warehouse

REGISTER = "correct it, or register what is new with --new-architectures"
MEASURED = (
    "select architecture, layer, score, value, n, seed from scores where source = 'measured' "
    "order by all"
)


def _table(**columns) -> pd.DataFrame:
    """Two rows: 2AFC of vgg11 early and late, some columns changed or added."""
    base = {
        "architecture": ["vgg11", "vgg11"],
        "layer": ["early", "late"],
        "score": ["bapps_2afc", "bapps_2afc"],
        "value": [0.5, 0.75],
    }
    return pd.DataFrame(base | columns)


def _csv(tmp_path, text: str):
    path = tmp_path / "scores.csv"
    path.write_text(text, "utf-8")
    return path


def _nothing_written(warehouse: Warehouse) -> bool:
    return (
        not (warehouse.home / "records").exists()
        and warehouse.rows(MEASURED)[1] == []
        and not list(warehouse.home.glob(".import*"))
    )


def test_a_csv_is_imported_and_comes_back_after_a_rebuild(warehouse, tmp_path):
    path = _csv(
        tmp_path,
        "architecture,layer,score,value,n,seed\n"
        "vgg11,late,bapps_2afc,0.75,36344,1\n"
        'vgg11,"early",bapps_2afc, 0.5 ,,1\n',
    )
    assert import_records(warehouse, path) == (2, 0)
    expected = [
        ("vgg11", "early", "bapps_2afc", 0.5, None, 1),
        ("vgg11", "late", "bapps_2afc", 0.75, 36344, 1),
    ]
    assert warehouse.rows(MEASURED)[1] == expected
    warehouse.rebuild()
    assert warehouse.rows(MEASURED)[1] == expected
    assert [path.suffix for path in (warehouse.home / "records").iterdir()] == [".parquet"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_capitals_in_headers_are_understood(warehouse, tmp_path, delimiter):
    text = "Architecture, Layer ,score,VALUE\nvgg11,late,bapps_2afc,0.75\n"
    path = _csv(tmp_path, text.replace(",", delimiter))
    assert import_records(warehouse, path) == (1, 0)


def test_parquet_and_frames_are_imported(warehouse, tmp_path):
    path = tmp_path / "scores.parquet"
    given = _table(seed=[1.0, float("nan")])
    assert len(given) == 2
    duckdb.from_df(given).write_parquet(str(path))
    assert import_records(warehouse, path) == (2, 0)
    assert import_records(warehouse, given) == (0, 2)
    assert [row[5] for row in warehouse.rows(MEASURED)[1]] == [1, None]


def test_what_was_imported_before_is_known(warehouse):
    assert import_records(warehouse, _table()[:1]) == (1, 0)
    assert import_records(warehouse, _table()) == (1, 1)
    assert import_records(warehouse, _table()) == (0, 2)
    assert len(warehouse.rows(MEASURED)[1]) == 2


def test_another_seed_is_another_run(warehouse):
    import_records(warehouse, _table(seed=1))
    assert import_records(warehouse, _table(seed=2, value=[0.5, 0.8])) == (2, 0)
    assert warehouse.rows(
        "select layer, value, runs from score_means where source = 'measured' order by 1"
    )[1] == [("early", 0.5, 2), ("late", 0.775, 2)]


def test_a_run_id_of_ones_own_is_kept(warehouse):
    import_records(warehouse, _table(run_id="mine", device="cpu", config='{"a": 1}'))
    assert warehouse.rows(
        "select run_id, device, config->>'a', layers from runs where source = 'measured'"
    )[1] == [("mine", "cpu", "1", ["early", "late"])]


def test_what_scores_gives_comes_back_as_known(warehouse, record, tmp_path):
    warehouse.append(record({"late": 0.5}, seed=1))
    path = tmp_path / "scores.csv"
    warehouse.query("from scores").to_csv(path, index=False)
    assert import_records(warehouse, path) == (0, 1065)


def test_what_another_home_gave_is_the_same_run_here(warehouse, record, tmp_path):
    path = tmp_path / "scores.csv"
    other = Warehouse.open(tmp_path / "other")
    other.append(record({"late": 0.5, "early": 0.25}, seed=1))
    other.query("from scores where source = 'measured'").to_csv(path, index=False)
    assert import_records(warehouse, path) == (2, 0)
    found = "select run_id, recorded_at, layer, value from scores where source = 'measured'"
    assert warehouse.rows(found + " order by 3")[1] == other.rows(found + " order by 3")[1]


def test_new_architectures_are_taken_where_they_are_wanted(warehouse):
    given = _table(architecture="convnext_tiny", layer=["late", "features.1"])
    with pytest.raises(UserError):
        import_records(warehouse, given)
    assert import_records(warehouse, given, new_architectures=True) == (2, 0)
    assert warehouse.rows(
        "select layer, layer_position, node from loss_networks where architecture = 'convnext_tiny'"
    )[1] == [("late", 4, None), ("features.1", None, "features.1")]


WRONG = [
    ({"architecture": ["vgg11", "vgg12"]},
     "row 2 names the architecture 'vgg12', which is unknown: did you mean 'vgg19' or 'vgg16' or "
     "'vgg11'?", REGISTER),
    ({"layer": ["early", "quite early"]},
     "row 2 names the layer 'quite early' of vgg11, valid are early, semi_early, middle, late",
     REGISTER),
    ({"score": ["bapps_2fac", "bapps_2afc"]},
     "row 1 names the score 'bapps_2fac', which is unknown: did you mean 'bapps_2afc' or "
     "'bapps_2afc_cnn' or 'bapps_2afc_color'?", None),
    ({"value": ["0.5", "n/a"]}, "row 2 has the value 'n/a', valid are finite numbers", None),
    ({"value": ["NaN", "0.5"]}, "row 1 has the value 'NaN', valid are finite numbers", None),
    ({"value": [0.5, float("inf")]}, "row 2 has the value 'inf', valid are finite numbers", None),
    ({"value": ["0,5", "0.5"]}, "row 1 has the value '0,5', valid are finite numbers", None),
    ({"value": ["0.5", "0.7_5"]}, "row 2 has the value '0.7_5', valid are finite numbers", None),
    ({"value": ["", "0.5"]}, "row 1 has no value", None),
    ({"architecture": ["vgg11", None]}, "row 2 has no architecture", None),
    ({"layer": [" ", "late"]}, "row 1 has no layer", None),
    ({"score": ["bapps_2afc", ""]}, "row 2 has no score", None),
    ({"value": [0.5, 68.2]},
     "row 2 has the value 68.2 for bapps_2afc, valid are 0 to 1", None),
    ({"layer": "late"}, "row 2 repeats bapps_2afc of vgg11 late from row 1",
     "give repeated measurements a column seed or run_id that tells them apart"),
    ({"n": [1, 0]}, "row 2: n is 0, valid are whole numbers from 1", None),
    ({"n": [1.5, 2]}, "row 1: n is '1.5', valid are whole numbers from 1", None),
    ({"seed": ["one", "2"]}, "row 1: seed is 'one', valid are whole numbers of 64 bits", None),
    ({"seed": [1, 2.5]}, "row 2: seed is '2.5', valid are whole numbers of 64 bits", None),
    ({"recorded_at": ["2026-01-31", "31.1.2026 noon"]},
     "row 2: recorded_at is '31.1.2026 noon', valid is a time like 2026-01-31T12:00:00Z", None),
    ({"config": ["{}", "{"]}, "row 2: config is '{', valid is an object of JSON", None),
    ({"config": ["{}", "[1]"]}, "row 2: config is [1], valid is an object", None),
    ({"versions": ["{}", '{"torch": 2}']},
     "row 2: versions of torch is 2, valid is a text of 1 to 200 characters", None),
    ({"duration_s": [1, -1]}, "row 2: duration_s is -1.0, valid are seconds from 0", None),
    ({"run_id": ["a", "b\nc"]}, "row 2: run_id is 'b\\nc', which does not print", None),
    ({"weights": ["a", "b\u200bc"]}, "row 2: weights is 'b\\u200bc', which does not print", None),
    ({"device": ["a", "b" * 201]},
     f"row 2: device is {'b' * 201!r}, valid is a text of 1 to 200 characters", None),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "message", "hint"), WRONG)
def test_a_wrong_row_is_named_and_nothing_is_imported(warehouse, columns, message, hint):
    with pytest.raises(UserError) as error:
        import_records(warehouse, _table(**columns))
    assert (error.value.message, error.value.hint) == (f"the table, {message}", hint)
    assert _nothing_written(warehouse)


def test_the_first_wrong_row_of_many_is_named(warehouse, tmp_path):
    """Rows are read in parallel blocks; the numbers must be those of the file all the same."""
    rows = [f"vgg11,late,bapps_2afc,0.5,{seed}" for seed in range(300_000)]
    rows[271_827] = "vgg11,late,bapps_2afc,oops,1"
    rows[290_000] = "vgg11,late,bapps_2afc,worse,1"
    path = _csv(tmp_path, "architecture,layer,score,value,seed\n" + "\n".join(rows) + "\n")
    with pytest.raises(UserError) as error:
        import_records(warehouse, path)
    assert (
        error.value.message == f"{path}, line 271829 has the value 'oops', valid are finite numbers"
    )


def test_another_value_for_a_known_measurement_is_no_silent_loss(warehouse):
    import_records(warehouse, _table())
    with pytest.raises(UserError) as error:
        import_records(warehouse, _table(value=[0.5, 0.8]))
    assert (error.value.message, error.value.hint) == (
        "the table, row 2 gives 0.8 for bapps_2afc of vgg11 late, where the same run has 0.75 "
        "already",
        "give another measurement its own seed or run_id, or add --replace",
    )
    assert len(warehouse.rows(MEASURED)[1]) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is empty: a header and at least one row are needed"),
        ("architecture,layer,score,value\n", " has no rows"),
        ("architecture,layer,score,vlue\na,b,c,1\n",
         " has a column 'vlue' that is unknown: did you mean 'value'?"),
        ("a,b\n1,2\n", " has no column 'architecture': it has a, b"),
        ("architecture,layer,score,value,sed\na,b,c,1,2\n",
         " has a column 'sed' that is unknown: did you mean 'seed'?"),
        ("architecture,layer,score,value\nvgg11,late,<b>&'\"\"; drop table x --,1\n",
         ", line 2 names the score '<b>&\\'\"\"; drop table x --', which is unknown, valid are "),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told(warehouse, tmp_path, text, message):
    path = _csv(tmp_path, text)
    with pytest.raises(UserError) as error:
        import_records(warehouse, path)
    assert error.value.message.startswith(f"{path}{message}")
    assert _nothing_written(warehouse)


@pytest.mark.parametrize(
    "content",
    [
        b"architecture,layer,score,value\nvgg11,late,bapps_2afc,0.5,extra,more\n",
        b"architecture,layer,score,value\nvgg11,late\n",
        b"architecture,layer,score,value\n\xff\xfe,late,bapps_2afc,0.5\n",
        b'architecture,layer,score,value\n"vgg11,late,bapps_2afc,0.5\n',
        b"\x00\x01\x02",
    ],
)
def test_a_torn_csv_is_refused_in_one_sentence(warehouse, tmp_path, content):
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        import_records(warehouse, path)
    assert "\n" not in error.value.message
    assert _nothing_written(warehouse)


def test_files_that_are_none_are_refused(warehouse, tmp_path):
    missing, odd, torn = (tmp_path / name for name in ("none.csv", "odd.xlsx", "torn.parquet"))
    odd.write_bytes(b"x")
    torn.write_bytes(b"PAR1 and no more")
    for path, message in (
        (missing, f"cannot read {missing}: No such file or directory"),
        (odd, f"{odd} is of no known kind, valid are .csv, .tsv, .parquet, .json, .jsonl"),
        (torn, f"cannot read {torn}: "),
    ):
        with pytest.raises(UserError) as error:
            import_records(warehouse, path)
        assert error.value.message.startswith(message)


def test_records_come_as_json_lines(warehouse, record, tmp_path):
    path = write_entry(tmp_path, [record({"late": 0.5, "early": 0.25}, seed=1), record(seed=2)])
    assert import_records(warehouse, path) == (3, 0)
    assert import_records(warehouse, path) == (0, 3)
    more = write_entry(tmp_path, [record(seed=2), record(seed=3), record(seed=4, preset="smoke")])
    assert import_records(warehouse, more) == (2, 1)
    assert import_records(warehouse, more) == (0, 3)
    assert warehouse.rows("select seed from runs where source = 'measured' order by 1")[1] == [
        (1,), (2,), (3,), (4,),
    ]  # fmt: skip


def test_a_record_of_an_unknown_network_is_refused_unless_it_is_wanted(warehouse, record, tmp_path):
    path = write_entry(tmp_path, [record(), record(architecture="convnext_tiny")])
    with pytest.raises(UserError) as error:
        import_records(warehouse, path)
    assert error.value.hint == REGISTER
    assert error.value.message.startswith(
        f"{path}, record 2 names the architecture 'convnext_tiny', which is unknown"
    )
    assert _nothing_written(warehouse)
    assert import_records(warehouse, path, new_architectures=True) == (2, 0)


def test_a_broken_line_refuses_the_file(warehouse, record, tmp_path):
    path = write_entry(tmp_path, [record()])
    path.write_text(path.read_text() + "{\n")
    with pytest.raises(UserError, match=r", line 2: it is not JSON"):
        import_records(warehouse, path)
    assert _nothing_written(warehouse)


def test_tables_and_records_are_loaded_together(warehouse, record):
    warehouse.append(record(seed=1))
    import_records(warehouse, _table(seed=[2, 2]))
    warehouse.append(record(seed=3))
    import_records(warehouse, _table(seed=[4, 4]))
    warehouse.rebuild()
    assert warehouse.skipped() == []
    sql = "select seed from runs where source = 'measured' order by seed"
    assert warehouse.rows(sql)[1] == [(1,), (2,), (3,), (4,)]
