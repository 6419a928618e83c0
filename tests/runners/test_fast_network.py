"""On a device a network is a faster one with the same features."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lossnets.runners.benchmarks.perceptual_similarity import distances
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.kernels.few_channels import FirstConvolution
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.map_features import MapFeatures

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")
LAYERS = ("early", "middle", "late")


def _count(network: nn.Module, kind: type[nn.Module]) -> int:
    """How many operations of its graph and parts of them are of a kind."""
    parts = []
    for node in network.extractor.graph.nodes:
        if node.op == "call_module":
            parts += network.extractor.get_submodule(node.target).modules()
    return sum(isinstance(part, kind) for part in parts)


@pytest.mark.parametrize(
    ("architecture", "norms", "left"),
    [
        ("alexnet", 0, 0),
        ("resnet18", 20, 0),
        ("efficientnet_b0", 48, 0),  # inside operations of the graph
    ],
)
def test_distances_of_a_network_are_the_same_with_it(architecture, norms, left):
    plain = LossNetwork(architecture, LAYERS, weights="random")
    quick = LossNetwork(architecture, LAYERS, weights="random")
    assert _count(quick, nn.BatchNorm2d) == norms
    quick = on_device(quick, CPU, "fp32")
    triplets = torch.rand(3, 6, 3, 64, 64, generator=torch.Generator().manual_seed(1))

    with torch.no_grad():
        expected, found = distances(plain, triplets), distances(quick, triplets)

    assert _count(quick, nn.BatchNorm2d) == left
    for layer in LAYERS:
        assert torch.allclose(found[layer], expected[layer], rtol=0, atol=1e-5)


def test_features_of_a_convolution_are_those_before_its_batch_norm():
    layers = ["layer1.0.conv1", "early", "late"]
    plain = LossNetwork("resnet18", layers, weights="random")
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    expected = plain(images)

    quick = on_device(plain, CPU, "fp32")

    assert _count(quick, nn.BatchNorm2d) == 1
    for layer, features in quick(images).items():
        assert torch.allclose(features, expected[layer], rtol=1e-4, atol=1e-4)


def test_a_fast_network_stays_as_it_is():
    network = on_device(LossNetwork("alexnet", "late", weights="random"), CPU, "fp32")
    parts, images = list(network.state_dict()), torch.rand(16, 3, 64, 64)
    expected = network(images)["late"]

    again = on_device(network, CPU, "fp32")

    assert list(again.state_dict()) == parts
    assert torch.equal(again(images)["late"], expected)


def test_batch_norms_that_learn_along_stay():
    network = LossNetwork("resnet18", "late", weights="random", mode="train")

    assert _count(on_device(network, CPU, "fp32"), nn.BatchNorm2d) == 20


def test_only_convolutions_of_images_are_replaced():
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3), nn.Conv2d(4, 4, 3, groups=2))

    on_device(network, CPU, "fp32")

    assert [type(module) for module in network] == [FirstConvolution, nn.Conv2d, nn.Conv2d]


def test_other_precisions_keep_their_convolutions_and_batch_norms():
    network = on_device(LossNetwork("resnet18", "early", weights="random"), CPU, "bf16")

    assert not any(isinstance(module, FirstConvolution) for module in network.modules())
    assert _count(network, nn.BatchNorm2d) == 1


def _stem() -> LossNetwork:
    return LossNetwork("resnet18", "early", weights="random")


def test_a_switch_leaves_torchs_own_arithmetic(monkeypatch):
    plain = _stem()
    images = torch.rand(2, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    expected = plain.to(memory_format=torch.channels_last)(images)["early"]

    asked = on_device(_stem(), CPU, "fp32", rearrange=False)
    monkeypatch.setenv("LOSSNETS_REARRANGED", "0")
    by_environment = on_device(_stem(), CPU, "fp32")
    folded = MapFeatures(_stem()).folded

    assert not folded
    assert torch.equal(asked(images)["early"], expected)
    assert torch.equal(by_environment(images)["early"], expected)
