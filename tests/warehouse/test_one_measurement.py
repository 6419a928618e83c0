"""A deterministic measurement counts once, however it was asked for when runs were passes."""

from __future__ import annotations

from dataclasses import replace

from lossnets.warehouse.sources.records import Measurement, RunRecord
from lossnets.warehouse.store import Warehouse

VALUES = {"early": 0.6, "middle": 0.7, "late": 0.8}


def _asked_for(*layers: str, **what) -> RunRecord:
    scores = tuple(
        Measurement(architecture="vgg11", layer=layer, score="bapps_2afc", value=VALUES[layer])
        for layer in layers
    )
    known = {"benchmark": "perceptual_similarity", "weights": "w", "data": "bapps:1"}
    return RunRecord(**(known | what), measurements=scores)


def _rows(warehouse, sql: str) -> list[tuple]:
    return warehouse.rows(sql)[1]


def test_what_was_asked_for_three_times_is_one_run_and_one_value_a_layer(warehouse):
    first = _asked_for("early", "late")
    for run in (first, _asked_for("early"), _asked_for("late", "early")):
        warehouse.append(run)
    more = _asked_for("early", "middle", "late")
    warehouse.append(more)
    sql = "select layer, run_id from scores where source = 'measured' order by all"
    expected = [("early", first.run_id), ("late", first.run_id), ("middle", more.run_id)]
    assert _rows(warehouse, sql) == expected
    runs = "select run_id from runs where source = 'measured' order by recorded_at"
    assert _rows(warehouse, runs) == [(first.run_id,), (more.run_id,)]
    warehouse.rebuild()
    assert _rows(Warehouse.open(warehouse.home), sql) == expected


def test_what_differs_in_anything_stays_apart(warehouse):
    one = _asked_for("early")
    others = ({"weights": "v"}, {"data": "bapps:2"}, {"preset": "smoke"}, {"seed": 0},
              {"config": {"epsilon": 1}})  # fmt: skip
    warehouse.append(one)
    for other in others:
        warehouse.append(replace(_asked_for("early", "late"), run_id="", **other))
    assert _rows(warehouse, "select count(*) from runs where source = 'measured'") == [(6,)]


def test_of_imports_whose_data_are_not_known_each_stays(warehouse):
    for run_id in ("a", "b"):
        warehouse.append(_asked_for("early", data=None, run_id=run_id))
    assert _rows(warehouse, "select count(*) from scores where source = 'measured'") == [(2,)]
