"""Loss networks from timm, from a file of one's own and from a module given in Python."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from lossnets.cli import terminal
from lossnets.cli.main import cli
from lossnets.runners.attributes import running
from lossnets.runners.attributes.graph import trace
from lossnets.runners.attributes.rules import macs, params
from lossnets.runners.benchmarks.perceptual_similarity import distances
from lossnets.runners.networks import pretrained
from lossnets.runners.networks.feature_distances import distance
from lossnets.runners.networks.layers import is_traced, node_of
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.sources import Preprocessing
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.store import Warehouse

pytestmark = pytest.mark.torch

VIT = "timm:vit_tiny_patch16_224"
FILE = """from torch import nn

def build():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(inplace=True),
        nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(inplace=True),
    )
"""


@pytest.fixture(scope="module")
def vit() -> LossNetwork:
    return LossNetwork(VIT, ["blocks.1", "blocks.3"], weights="random")


@pytest.fixture
def own(tmp_path, monkeypatch) -> str:
    """A network in a file of the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("my_file.py").write_text(FILE, "utf-8")
    return "module:my_file.py:build"


def test_tokens_of_a_transformer_are_the_models_own_at_the_size_of_patches(vit):
    assert not is_traced(VIT)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    features = vit(images)
    assert features["blocks.3"].shape == (2, 17, 192)  # 4 · 4 patches and the class token
    model = vit.extractor.model
    tokens = model._pos_embed(model.patch_embed((images - 0.5) / 0.5))
    for block in model.blocks[:4]:
        tokens = block(tokens)
    assert torch.allclose(features["blocks.3"], tokens, atol=1e-6)
    assert vit.as_maps("blocks.3", tokens).shape == (2, 192, 17, 1)


def test_the_distance_of_tokens_is_over_channels_at_each_token(vit):
    images = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        y, y0 = (vit(x)["blocks.3"].transpose(1, 2).unsqueeze(-1) for x in images)
        of_tokens = distances(vit, images)["blocks.3"]
    assert torch.allclose(of_tokens[0], distance(y, y0), rtol=1e-5)


def test_gradients_pass_through_hooks_and_a_copy_is_frozen(vit):
    copied = copy.deepcopy(vit).train()
    assert not any(module.training for module in copied.modules())
    assert not any(parameter.requires_grad for parameter in copied.parameters())
    images = torch.rand(1, 3, 32, 32, requires_grad=True)
    copied(images)["blocks.1"].square().mean().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_maps_with_channels_behind_positions_are_turned_round():
    network = LossNetwork("timm:swin_tiny_patch4_window7_224", "layers.0", weights="random")
    features = network(torch.rand(1, 3, 64, 64))["layers.0"]
    assert features.shape == (1, 16, 16, 96)
    assert network.as_maps("layers.0", features).shape == (1, 96, 16, 16)


def test_what_torch_fx_traces_of_timm_has_nodes():
    network = LossNetwork("timm:resnet18", ["conv1", "act1"], weights="random")
    features = network(torch.rand(1, 3, 32, 32))
    assert features["conv1"].min() < 0  # act1 works in place
    assert node_of("timm:resnet18", "layer1") == "layer1.1.act2"


def test_a_module_given_in_python_is_copied_and_keeps_its_weights():
    given = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))
    network = LossNetwork(given, ["0", "1"], normalise=False)
    images = torch.rand(1, 3, 8, 8)
    features = network(images)
    assert torch.equal(features["0"], given[0](images))
    assert torch.equal(features["1"], given[0](images).relu())
    assert all(parameter.requires_grad for parameter in given.parameters())


def test_normalisation_is_the_models_own_or_as_asked():
    given = nn.Sequential(nn.Conv2d(3, 3, 1))
    given.mean, given.std = (0.1, 0.2, 0.3), [2.0, 2.0, 2.0]
    images = torch.rand(1, 3, 4, 4)
    by_hand = (images - torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)) / 2
    assert torch.allclose(LossNetwork(given, "0")(images)["0"], given[0](by_hand))
    asked = LossNetwork(given, "0", normalise=Preprocessing((0.5,) * 3, (0.25,) * 3))
    assert torch.allclose(asked(images)["0"], given[0]((images - 0.5) / 0.25))


def test_weights_of_a_file_of_ones_own_change_with_the_file(own):
    before = [pretrained.identity(own, weights) for weights in ("own", "random")]
    assert [name[:9] for name in before] == ["own:" + before[0][4:9], "random:0:"]
    Path("my_file.py").write_text(FILE.replace("16", "12"), "utf-8")
    after = [pretrained.identity(own, weights) for weights in ("own", "random")]
    assert set(before).isdisjoint(after)


def test_names_that_are_not_valid_are_one_sentence(own):
    for name, message in (
        (
            "timm:convnext_ato",
            "found architecture 'timm:convnext_ato', which is no model of timm; close names are: "
            "timm:convnext_atto, timm:convnextv2_atto, timm:convnext_nano, timm:convnext_femto, "
            "timm:convnext_atto_ols",
        ),
        (
            "timm:convnext_atto.in1",
            "found weights 'in1' for timm:convnext_atto.in1; valid are: d2_in1k, random, or the "
            "path of a state dict",
        ),
        ("module:my_file.py", "found architecture 'module:my_file.py'; valid is "
         "module:FILE:FUNCTION, such as module:my_file.py:build"),
        ("module:other.py:build", "found no file other.py to read the architecture "
         "module:other.py:build from"),
        ("module:my_file.py:make", "found no function make in my_file.py; there are: build"),
    ):  # fmt: skip
        with pytest.raises(UserError) as error:
            LossNetwork(name, "0", weights="random")
        assert error.value.message == message


def test_what_is_counted_by_running_is_what_the_graph_counts():
    graph, ran = trace("resnet18"), running.run("resnet18")
    for layer in ("layer1", "layer3.1", ""):
        position = graph.position(layer) if layer else -1
        assert position is not None
        assert ran[layer].macs == macs(graph, position)
        assert ran[layer].params == params(graph, position)


@pytest.mark.parametrize("network", [VIT, "module:my_file.py:build"])
def test_by_commands_alone_it_is_run_recorded_and_measured(own, network):
    layer = "blocks.0" if network == VIT else "1"
    named = ["--network", network, "--layer", layer]
    for command in (
        ["run", "perceptual-similarity", "--preset", "smoke"],
        ["attribute", "measure"],
    ):
        assert terminal.run(cli, ["--home", "home", *command, *named]) == 0
    warehouse = Warehouse.open(Path("home"))
    rows = warehouse.query(
        "select architecture, layer, channels, features, params_to_layer, depth "
        "from loss_networks where layer_position is null"
    ).to_dict("records")
    expected = {
        VIT: {"channels": 192, "features": 197 * 192, "params_to_layer": 630_528},
        own: {"channels": 8, "features": 8 * 111 * 111, "params_to_layer": 3 * 8 * 9 + 8},
    }[network]
    assert [{name: row[name] for name in expected} for row in rows] == [expected]
    weights = warehouse.query("select weights from runs where preset = 'smoke'")["weights"].tolist()
    assert [name[:8] for name in weights] == ["random:0"]
