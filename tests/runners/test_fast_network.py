"""On a device a network is a faster one with the same features."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lossnets.runners.benchmarks.perceptual_similarity import distances
from lossnets.runners.networks.kernels.fast_convolution import FastConvolution
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.loss_network import LossNetwork

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
        ("vgg11", 0, 0),
        ("alexnet", 0, 0),
        ("resnet18", 20, 0),
        ("efficientnet_b0", 48, 0),  # inside operations of the graph
        ("densenet121", 120, 61),  # the others come before their convolution
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


def test_only_convolutions_that_it_pays_for_are_replaced():
    kept = [
        nn.Conv2d(32, 256, 3, padding=1),
        nn.Conv2d(256, 256, 3, padding=1, stride=2),
        nn.Conv2d(256, 256, 3, padding=2, dilation=2),
        nn.Conv2d(256, 256, 3, padding=1, groups=2),
        nn.Conv2d(256, 256, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(256, 256, 3),
        nn.Conv2d(256, 256, 1),
        nn.Conv2d(256, 256, (3, 5), padding=(1, 2)),
    ]
    replaced = [nn.Conv2d(64, 192, 5, padding=2), nn.Conv2d(128, 256, 3, padding=1)]
    network = nn.Sequential(*kept, nn.Sequential(*replaced))

    on_device(network, CPU, "fp32")

    assert [type(module) for module in network[:-1]] == [nn.Conv2d] * len(kept)
    assert [type(module) for module in network[-1]] == [FastConvolution] * 2


def test_other_precisions_keep_their_convolutions_and_batch_norms():
    network = on_device(LossNetwork("vgg16_bn", "late", weights="random"), CPU, "bf16")

    assert not any(isinstance(module, FastConvolution) for module in network.modules())
    assert _count(network, nn.BatchNorm2d) == 13
