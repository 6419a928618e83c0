from __future__ import annotations

import json

import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import (
    Measurement,
    RunRecord,
    hash_of,
    read_entry,
    write_entry,
)


def _measurement(**fields):
    base = {"architecture": "vgg11", "layer": "late", "score": "svhn_accuracy", "value": 0.5}
    return Measurement(**base | fields)


def _run(**fields):
    base = {"benchmark": "autoencoding", "measurements": (_measurement(),)}
    return RunRecord(**base | fields)


def test_a_record_comes_back_from_json_as_it_was():
    record = _run(
        config={"epochs": 3, "lr": 1e-3}, seed=7, weights="IMAGENET1K_V1", data="sha256:1",
        preset="smoke", versions={"torch": "2.15"}, device="cpu", duration_s=1.5,
        peak_memory_bytes=10, nodes={"late": "features.19"},
        measurements=(_measurement(n=26032), _measurement(architecture=None, layer=None)),
    )  # fmt: skip
    assert RunRecord.from_json(record.to_json()) == record


def test_the_run_id_is_the_hash_of_what_was_run():
    what = {
        "benchmark": "autoencoding",
        "loss_networks": [["vgg11", "late"]],
        "weights": None,
        "config": {},
        "seed": None,
        "data": None,
        "preset": None,
    }
    assert _run().run_id == hash_of(what)
    assert len(_run().run_id) == 16


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1}, {"weights": "other"}, {"config": {"epochs": 1}}, {"data": "x"},
        {"preset": "smoke"}, {"measurements": (_measurement(layer="early"),)},
    ],
)  # fmt: skip
def test_another_run_has_another_id(other):
    assert _run(**other).run_id != _run().run_id


@pytest.mark.parametrize(
    "other",
    [
        {"recorded_at": "2026-01-31T12:00:00Z"}, {"duration_s": 3.0}, {"device": "cpu"},
        {"versions": {"torch": "1"}}, {"measurements": (_measurement(value=0.6),)},
    ],
)  # fmt: skip
def test_what_came_of_a_run_does_not_change_its_id(other):
    assert _run(**other).run_id == _run().run_id


def test_the_order_of_config_and_measurements_does_not_change_the_id():
    late, early = _measurement(), _measurement(layer="early")
    one = _run(config={"a": 1, "b": 2}, measurements=(late, early))
    assert one.run_id == _run(config={"b": 2, "a": 1}, measurements=(early, late)).run_id


def test_times_are_kept_in_utc():
    assert _run(recorded_at="2026-01-31T12:00:00+02:00").recorded_at == "2026-01-31T10:00:00+00:00"
    assert _run(recorded_at="2026-01-31T12:00:00").recorded_at == "2026-01-31T12:00:00+00:00"
    assert _run().recorded_at.endswith("+00:00")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": float("nan")}, "svhn_accuracy is nan, valid are finite numbers"),
        ({"value": float("inf")}, "svhn_accuracy is inf, valid are finite numbers"),
        ({"value": "0.5"}, "svhn_accuracy is '0.5', valid are finite numbers"),
        ({"value": True}, "svhn_accuracy is True, valid are finite numbers"),
        ({"score": None}, None),
        ({"layer": None}, "a measurement has both an architecture and a layer, or neither"),
        ({"layer": " "}, "layer is ' ', valid is a text of 1 to 200 characters"),
        ({"layer": "a\x00b"}, "layer is 'a\\x00b', which does not print"),
        ({"architecture": 3}, "architecture is 3, valid is a text of 1 to 200 characters"),
        ({"n": 0}, "n is 0, valid are whole numbers from 1"),
        ({"n": 1.5}, "n is 1.5, valid are whole numbers from 1"),
    ],
)
def test_a_wrong_measurement_is_refused(fields, message):
    with pytest.raises(UserError) as error:
        _measurement(**fields)
    assert message is None or error.value.message == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"measurements": ()}, "a run without measurements is no run"),
        ({"measurements": (_measurement(), _measurement(value=0.6))},
         "svhn_accuracy of vgg11 late stands twice"),
        ({"config": [1]}, "config is [1], valid is an object"),
        ({"config": {"lr": float("nan")}},
         "config is {'lr': nan}, which JSON cannot hold"),
        ({"versions": {"torch": 2}},
         "versions of torch is 2, valid is a text of 1 to 200 characters"),
        ({"recorded_at": "yesterday"},
         "recorded_at is 'yesterday', valid is a time like 2026-01-31T12:00:00Z"),
        ({"seed": 2**63}, f"seed is {2**63}, valid are whole numbers of 64 bits"),
        ({"duration_s": -1}, "duration_s is -1, valid are seconds from 0"),
        ({"weights": ""}, "weights is '', valid is a text of 1 to 200 characters"),
        ({"run_id": "\n"}, "run_id is '\\n', valid is a text of 1 to 200 characters"),
    ],
)  # fmt: skip
def test_a_wrong_run_is_refused(fields, message):
    with pytest.raises(UserError) as error:
        _run(**fields)
    assert error.value.message == message


def test_a_config_that_no_file_can_hold_is_refused():
    with pytest.raises(UserError, match=r"which JSON cannot hold$"):
        _run(config={"name": "\ud800"})


def test_an_entry_holds_one_record_a_line(tmp_path):
    path = write_entry(tmp_path, [_run(seed=1), _run(seed=2)])
    assert path.parent == tmp_path / "records"
    assert [json.loads(line)["seed"] for line in path.read_text().splitlines()] == [1, 2]
    assert [record.seed for record in read_entry(path)] == [1, 2]
    assert list(path.parent.iterdir()) == [path]  # no temporary file is left


def test_entries_sort_by_when_they_were_written(tmp_path):
    paths = [write_entry(tmp_path, [_run(seed=seed)]) for seed in range(5)]
    assert sorted(paths) == paths


def test_nothing_is_written_for_no_record(tmp_path):
    with pytest.raises(UserError, match=r"^there is no record to write$"):
        write_entry(tmp_path, [])
    assert not (tmp_path / "records").exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", " holds no record"),
        (b"\xff\xfe", " is not UTF-8 text"),
        (b"{", ", line 1: it is not JSON (Expecting property name enclosed in double quotes: "
         "line 1 column 2 (char 1))"),
        (b"[]\n", ", line 1: it is no run: a JSON object with benchmark and measurements"),
        (b'{"format": 2, "measurements": []}\n',
         ", line 1: its format is 2, this lossnets reads 1"),
        (b'{"benchmark": "autoencoding", "measurements": [{"value": NaN}]}\n',
         ", line 1: it is not JSON (NaN is no JSON number)"),
        (b'{"benchmark": "autoencoding", "measurements": [{"valu": 1}]}\n',
         ", line 1: a field is wrong or missing (got an unexpected keyword argument 'valu')"),
        (b'{"measurements": [], "colour": 1}\n',
         ", line 1: a field is wrong or missing (got an unexpected keyword argument 'colour')"),
        (b'{"measurements": 3}\n',
         ", line 1: a field is wrong or missing ('int' object is not iterable)"),
        (b"[" * 100_000, ", line 1: it is nested too deeply"),
    ],
)  # fmt: skip
def test_a_broken_entry_is_named_with_line_and_fault(tmp_path, content, fault):
    path = tmp_path / "entry.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_entry(path)
    assert error.value.message == f"{path}{fault}"


def test_the_line_of_a_torn_record_is_named(tmp_path):
    path = tmp_path / "entry.jsonl"
    text = _run(seed=1).to_json()
    path.write_text(f"{text}\n{text[:100]}")
    with pytest.raises(UserError, match=r"entry.jsonl, line 2: it is not JSON"):
        read_entry(path)


def test_a_missing_entry_is_told(tmp_path):
    with pytest.raises(UserError) as error:
        read_entry(tmp_path / "none.jsonl")
    assert (
        error.value.message == f"cannot read {tmp_path / 'none.jsonl'}: No such file or directory"
    )


def test_records_need_neither_duckdb_nor_pandas():
    import subprocess
    import sys

    code = (
        "import sys, lossnets.warehouse.sources.records, lossnets.warehouse.store;"
        " assert not {'duckdb', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
