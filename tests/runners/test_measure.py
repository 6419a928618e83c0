"""Attributes measured on request: further networks, and functions of one's own."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import torch

from lossnets.cli import terminal
from lossnets.cli.main import cli
from lossnets.runners.attributes import custom, measure
from lossnets.runners.attributes.custom import attribute
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.store import Warehouse

pytestmark = pytest.mark.torch

PAPER_LAYERS = ("early", "semi_early", "middle", "late")
EXTENDING = Path(__file__).parents[2] / "docs" / "extending.md"


def test_a_further_network_stands_beside_the_papers(home):
    # features.3: 96·147 + 96 of the stem, then (96·16 + 16) + (16·64 + 64) + (144·64 + 64)
    rows = measure.measure(["squeezenet1_0"], home=home, layers=["features.3", "features.7"])
    assert [tuple(row) for row in rows] == [measure.COLUMNS] * 25
    found = Warehouse.open(home).query(
        "select layer, node, family, depth, depth_to_layer, channels, params_to_layer, "
        "depth_fraction from loss_networks where architecture = 'squeezenet1_0' order by layer"
    )
    assert found.to_dict("records") == [
        {
            "layer": "features.3", "node": "features.3.cat", "family": "Other", "depth": 18,
            "depth_to_layer": 3, "channels": 128, "params_to_layer": 26128,
            "depth_fraction": 3 / 18,
        },
        {
            "layer": "features.7", "node": "features.7.cat", "family": "Other", "depth": 18,
            "depth_to_layer": 9, "channels": 256, "params_to_layer": 133344,
            "depth_fraction": 9 / 18,
        },
    ]  # fmt: skip


def test_measuring_again_adds_layers_and_keeps_what_is_there(home):
    for layer in ("features.3", "features.7", "features.3"):
        measure.measure(["squeezenet1_0"], home=home, layers=[layer])
    path = home / "attributes" / "measured" / "squeezenet1_0.json"
    content = json.loads(path.read_text("utf-8"))
    assert content["layers"] == [
        ["features.3", None, "features.3.cat"],
        ["features.7", None, "features.7.cat"],
    ]
    assert len(content["values"]) == 9 + 2 * 8
    assert [p.name for p in path.parent.iterdir()] == ["squeezenet1_0.json"]


def test_the_papers_networks_are_shipped_and_only_further_layers_written(home):
    rows = measure.measure(["alexnet"], home=home)
    assert {row["note"] for row in rows} == {"shipped with lossnets"}
    assert len(rows) == 9 + 4 * 8
    assert not home.exists()
    measure.measure(["alexnet"], home=home, layers=["early", "features.12"])
    found = Warehouse.open(home).query(
        "select layer, layer_position, depth_to_layer from loss_networks "
        "where architecture = 'alexnet' and layer like 'features%'"
    )
    assert found["layer"].tolist() == ["features.12"]
    assert found["depth_to_layer"].tolist() == [5]


def test_all_goes_on_past_what_cannot_be_measured_and_says_why(home, monkeypatch):
    names = ("alexnet", "mnasnet0_5", "squeezenet1_0")
    trace_graph = measure.trace_graph

    def trace(name: str) -> object:
        if name == "mnasnet0_5":
            raise RuntimeError("symbolically traced variables cannot be used here\nat line 3")
        return trace_graph(name)

    monkeypatch.setattr(measure, "architectures", lambda: names)
    monkeypatch.setattr(measure, "trace_graph", trace)
    told = []
    rows = measure.measure(
        [], home=home, all_models=True, progress=lambda *progress: told.append(progress)
    )
    assert [row for row in rows if row["attribute"] is None] == [
        {
            "architecture": "mnasnet0_5", "layer": None, "attribute": None, "value": None,
            "note": "not measured, because symbolically traced variables cannot be used here",
        }
    ]  # fmt: skip
    assert {row["architecture"] for row in rows} == set(names)
    assert told == [
        (0, 3, "alexnet"), (1, 3, "mnasnet0_5"), (2, 3, "squeezenet1_0"), (3, 3, "measured"),
    ]  # fmt: skip


def test_what_cannot_be_measured_is_one_sentence_and_writes_nothing(home):
    for names, layers, message in (
        ([], [], "found no architecture to measure"),
        (
            ["squeezenet1_0", "resnext"],
            [],
            "found architecture 'resnext', which is no classification model of torchvision; "
            "close names are: resnet18, resnet34, resnet50, resnet101, resnet152",
        ),
        (
            ["squeezenet1_0"],
            ["features.14"],
            "found layer 'features.14', which squeezenet1_0 does not have; close names are: "
            "features.1, features.11, features.0, features.2, features.6; "
            "its last node is flatten",
        ),
        (
            ["shufflenet_v2_x0_5"],
            ["stage2.1.chunk"],
            "found layer 'stage2.1.chunk', which in shufflenet_v2_x0_5 yields no tensor of "
            "features",
        ),
    ):
        with pytest.raises(UserError) as error:
            measure.measure(names, home=home, layers=layers)
        assert error.value.message == message
    assert not home.exists()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder, with a module of the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_channels_behind_positions_are_channels(home):
    rows = measure.measure(["swin_t"], home=home, layers=["features.0"])
    shape = {row["attribute"]: row["value"] for row in rows if row["layer"] == "features.0"}
    assert [shape[name] for name in ("channels", "height", "width")] == [96, 56, 56]


def test_the_loss_network_of_the_page_is_recorded_and_measured(folder, capsys):
    page = EXTENDING.read_text("utf-8").partition("## A loss network of one's own")[2]
    source = re.search(r"`(my_network\.py)`:\n\n```python\n(.*?)```\n", page, re.DOTALL)
    assert source is not None
    (folder / source[1]).write_text(source[2], "utf-8")
    for command in re.findall(r"^\$ lossnets (.*)$", page, re.MULTILINE)[:2]:
        assert terminal.run(cli, shlex.split(command)) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    # 3·3·3·8 and 3·3·8·16 products at 112² and 56² positions
    assert ["0", "0.2", "8", "1", str(27 * 8 * 112**2)] in rows
    assert ["1", "1", "16", "2", str(27 * 8 * 112**2 + 72 * 16 * 56**2)] in rows
    warehouse = Warehouse.open(folder / "data")
    ((name, family, params),) = warehouse.rows(
        "select name, family, params from architectures where architecture like 'module:%'"
    )[1]
    assert (name, family) == ("my_network.py:build (module)", "Other")
    assert params == 27 * 8 + 8 + 16 + 72 * 16 + 16


def test_the_example_of_the_page_runs_and_lies_within_the_receptive_field(folder, capsys):
    page = EXTENDING.read_text("utf-8").partition("## An attribute from a Python function")[2]
    page = page.partition("\n## ")[0]
    source = re.search(r"`(\w+\.py)`[^\n]*\n\n```python\n(.*?)```\n", page, re.DOTALL)
    commands = re.findall(r"^\$ lossnets (.*)$", page, re.MULTILINE)
    assert source is not None
    assert len(commands) == 2
    (folder / source[1]).write_text(source[2], "utf-8")
    for command in commands:
        assert terminal.run(cli, shlex.split(command)) == 0
        printed = capsys.readouterr().out.split()
        assert [cell for cell in printed if cell in PAPER_LAYERS] == list(PAPER_LAYERS)
    warehouse = Warehouse.open(folder / "data")
    found = warehouse.query(
        "select receptive_field, effective_receptive_field from loss_networks "
        "where architecture = 'alexnet' order by layer_position"
    )
    effective = found["effective_receptive_field"]
    assert (effective > 1).all()
    assert (effective <= found["receptive_field"]).all()
    assert effective.is_monotonic_increasing
    catalog = warehouse.query(
        "select label, level, unit, origin from attribute_catalog "
        "where attribute = 'effective_receptive_field'"
    )
    assert catalog.to_dict("records") == [
        {
            "label": "Effective receptive field", "level": "loss_network", "unit": "px",
            "origin": "measured",
        }
    ]  # fmt: skip


def _module(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.py").write_text(
        "from lossnets.runners.attributes.custom import attribute\n\n"
        f"@attribute(unit='', description='', {body}\n",
        "utf-8",
    )


def test_an_architecture_attribute_has_one_value_and_further_networks_may_have_it(folder, home):
    _module(
        folder, "deep", "level='architecture', kind='binary')\n"
        "def is_alexnet(network): return network.architecture == 'alexnet'",
    )  # fmt: skip
    for names, layers in ((["alexnet"], []), (["squeezenet1_0"], ["features.3"])):
        measure.measure_function(
            "deep:is_alexnet", names, home=home, layers=layers, weights="random"
        )
    found = Warehouse.open(home).query(
        "select architecture, is_alexnet from architectures "
        "where is_alexnet is not null order by architecture"
    )
    assert found["architecture"].tolist() == ["alexnet", "squeezenet1_0"]
    assert found["is_alexnet"].tolist() == [1, 0]


def test_wrong_functions_are_told_in_one_sentence(folder, home):
    _module(folder, "wrong", ")\ndef endless(network): return float('inf')")
    _module(folder, "wrong_two", "kind='binary')\ndef two(network): return 2")
    for function, names, message in (
        ("wrong", ["alexnet"], "found 'wrong' for a function; valid is module:name"),
        (
            "nowhere:name",
            ["alexnet"],
            f"found no module nowhere in {folder} or among those installed",
        ),
        ("wrong:other", ["alexnet"], "found no other in wrong; attributes there: endless"),
        (
            "wrong:attribute",
            ["alexnet"],
            "found that attribute in wrong is no attribute; decorate it with "
            "@attribute(unit=…, description=…) from lossnets.runners.attributes.custom",
        ),
        (
            "wrong:endless",
            ["alexnet"],
            "endless gave inf for early of alexnet; valid is a finite number",
        ),
        (
            "wrong_two:two",
            ["alexnet"],
            "two is binary and gave 2 for early of alexnet; valid are 0 and 1",
        ),
        (
            "wrong:endless",
            ["squeezenet1_0"],
            "found no layer to measure squeezenet1_0 at: it is not one of the paper's "
            "architectures",
        ),
    ):
        with pytest.raises(UserError) as error:
            measure.measure_function(function, names, home=home, weights="random")
        assert error.value.message == message
    assert not home.exists()


def test_a_decorated_function_can_still_be_called():
    @attribute(unit="layers", description="How many.", label="Layers")
    def layer_count(network):
        return len(network.layers)

    assert isinstance(layer_count, custom.AttributeFunction)
    assert (layer_count.label, layer_count.level, layer_count.kind) == (
        "Layers", "loss_network", "numeric",
    )  # fmt: skip
    assert layer_count(type("Network", (), {"layers": ("early",)})()) == 1
    assert torch.is_grad_enabled()
    with pytest.raises(UserError) as error:
        attribute(unit="", description="", level="layer")
    assert error.value.message == (
        "found level 'layer' of an attribute; valid are loss_network and architecture"
    )


def test_a_network_that_fails_loses_nothing_and_a_value_may_be_unknown(folder, home):
    _module(
        folder, "partly", ")\ndef half(network):\n"
        "    if network.architecture == 'squeezenet1_0': raise ValueError('no such thing')\n"
        "    return {'semi_early': None, 'middle': float('nan')}.get(network.layers[0], 2)",
    )  # fmt: skip
    rows = measure.measure_function("partly:half", ["alexnet"], home=home, weights="random")
    assert [(row["layer"], row["value"]) for row in rows] == [
        ("early", 2.0), ("semi_early", None), ("middle", None), ("late", 2.0),
    ]  # fmt: skip
    assert [row["note"] for row in rows[1:3]] == ["unknown: it gave None", "unknown: it gave nan"]
    rows = measure.measure_function(
        "partly:half",
        ["squeezenet1_1", "squeezenet1_0"],
        home=home,
        layers=["features.0"],
        weights="random",
    )
    assert [(row["architecture"], row["value"], row["note"][:34]) for row in rows[1:]] == [
        ("squeezenet1_0", None, "not measured, because no such thing"[:34])
    ]
    known = Warehouse.open(home).query(
        "select architecture, layer, half from loss_networks where half is not null order by all"
    )
    assert known.to_dict("records") == [
        {"architecture": "alexnet", "layer": "early", "half": 2.0},
        {"architecture": "alexnet", "layer": "late", "half": 2.0},
        {"architecture": "squeezenet1_1", "layer": "features.0", "half": 2.0},
    ]
