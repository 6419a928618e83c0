"""Attributes and measured tables: from files of the data folder to columns."""

from __future__ import annotations

import json

import pytest

from lossnets.warehouse.sources import fingerprint


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


def test_what_is_derived_in_many_steps_is_computed_once_a_step(warehouse):
    """A step that is written out within the next doubles the work with every step."""
    plans = []
    for number in range(1, 13):
        before = f"step_{number - 1}" if number > 1 else "depth"
        _attribute(
            warehouse.home, f"step_{number}", origin="derived", values=[],
            expression=f"{before} + {before}",
        )  # fmt: skip
        if number in (6, 12):
            warehouse.refresh()
            _, [(_, plan)] = warehouse.rows(f"explain select step_{number} from loss_networks")
            plans.append(plan.count("isfinite"))
    assert plans[1] <= 2 * plans[0]
    assert warehouse.rows("select max(step_12 / depth) from loss_networks")[1] == [(4096,)]


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
