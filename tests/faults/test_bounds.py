"""What is too much is refused in a sentence where it comes in, and is in no later command's way."""

from __future__ import annotations

import json
from dataclasses import replace

import acts
import duckdb
import pytest

from lossnets.warehouse.answers.answer import Session
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attributes
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources.fields import DEEPEST
from lossnets.warehouse.sources.records import LONGEST_LINE

RECORDED = "select count(*) from runs where source = 'measured'"


def _nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_a_record_that_is_too_long_is_refused_and_one_in_the_log_is_left_out(warehouse, tmp_path):
    long = replace(acts.record(1), config={"a": "x" * LONGEST_LINE}, run_id="")
    with pytest.raises(UserError, match="longer than 16 MiB"):
        warehouse.append(long)
    line = long.to_json() + "\n"
    (tmp_path / "long.jsonl").write_text(line)
    with pytest.raises(UserError, match="a line is longer than 16 MiB"):
        import_records(warehouse, tmp_path / "long.jsonl")
    entry = warehouse.append(acts.record(2))
    entry.with_name("1999.jsonl").write_text(line)
    warehouse.refresh()
    assert warehouse.rows(RECORDED)[1] == [(1,)]
    [(file, fault)] = warehouse.skipped()
    assert (file, fault) == (
        "records/1999.jsonl",
        "a line is longer than 16 MiB, the most of a record",
    )


def test_a_config_is_as_deep_as_is_said_and_no_deeper(warehouse):
    record = replace(acts.record(1), config=_nested(DEEPEST), run_id="")
    warehouse.append(record)
    [(config,)] = warehouse.rows("select config::varchar from runs where source = 'measured'")[1]
    assert json.loads(config) == record.config
    for levels in (DEEPEST + 1, 5_000):
        with pytest.raises(UserError, match="deeper than 100 levels"):
            replace(record, config=_nested(levels), run_id="")


@pytest.mark.parametrize("levels", [501, 5_000, 100_000])
def test_a_table_with_deep_json_is_refused_in_a_sentence(warehouse, tmp_path, levels):
    deep = '{"a":' * levels + "1" + "}" * levels
    path = tmp_path / "deep.csv"
    quoted = deep.replace('"', '""')
    path.write_text(
        f'architecture,layer,score,value,config\nvgg11,late,svhn_accuracy,0.5,"{quoted}"\n'
    )
    with pytest.raises(UserError, match=r"than 100 levels|an object of JSON|field limit"):
        import_records(warehouse, path)
    entry = warehouse.home / "records" / "1999.parquet"
    entry.parent.mkdir()
    duckdb.execute(
        "copy (select 'r' as run_id, 'autoencoding' as benchmark, 'vgg11' as architecture, "
        "'late' as layer, null as node, 'svhn_accuracy' as score, 0.5 as value, null as n, "
        "null as preset, null as seed, null as weights, $1 as config, null as data, "
        "null as versions, null as device, now() as recorded_at, null as duration_s, "
        f"null as peak_memory_bytes) to '{entry}' (format parquet)",
        [deep],
    )
    warehouse.refresh()
    fault = "a config or versions has over 500 braces"
    assert warehouse.skipped() == [("records/1999.parquet", fault)]
    assert warehouse.rows(RECORDED)[1] == [(0,)]


def test_of_a_result_of_a_billion_rows_the_first_come_at_once(warehouse):
    with Session(warehouse) as session:
        for answer in session.answers("select range as a from range(1_000_000_000)"):
            assert [next(answer.rows) for _ in range(3)] == [(0,), (1,), (2,)]
            break


def test_a_thousand_attributes_are_columns_like_any_other(warehouse, tmp_path):
    names = [f"a{number}" for number in range(1000)]
    table = tmp_path / "table.csv"
    table.write_text(
        f"architecture,{','.join(names)}\nvgg11,{','.join(map(str, range(1, 1001)))}\n"
    )
    attributes.add(warehouse, table)
    attributes.derive(warehouse, "sum_of_two", "a0 + a999")
    asked = "select a0, a999, sum_of_two from loss_networks where architecture = 'vgg11'"
    assert set(warehouse.rows(asked)[1]) == {(1.0, 1000.0, 1001.0)}
