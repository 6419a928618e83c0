"""What is measured on traced networks, against counts made another way."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from lossnets import warehouse
from lossnets.runners.attributes import catalog, graph, rules
from lossnets.runners.networks import pretrained
from lossnets.runners.networks.extraction import cut_out

pytestmark = pytest.mark.torch

MEASURED = Path(warehouse.__file__).parent / "shipped" / "measured"


def _shipped(name: str) -> list[dict[str, str]]:
    text = (MEASURED / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_the_shipped_files_are_what_the_networks_give():
    written = catalog.tables()
    others = {"scores.csv", "definitions.csv", "evidence.csv"}  # not measured on a network
    assert written.keys() == {path.name for path in MEASURED.glob("*.csv")} - others
    for name, text in written.items():
        assert (MEASURED / name).read_text(encoding="utf-8") == text, name


def test_every_loss_network_has_every_attribute():
    rows = _shipped("loss_networks.csv")
    assert len(rows) == 56
    assert all(value != "" for row in rows for value in row.values())


def test_totals_are_those_that_torchvision_publishes():
    for row in _shipped("architectures.csv"):
        published = models.get_model_weights(row["architecture"])["IMAGENET1K_V1"].meta
        if row["imagenet_crop"] == "224":
            assert round(int(row["macs"]) / 1e9, 3) == published["_ops"], row["architecture"]
        if row["architecture"] != "inception_v3":  # published with its auxiliary classifier
            assert int(row["params"]) == published["num_params"], row["architecture"]


@pytest.mark.parametrize("architecture", ["googlenet", "efficientnet_b0", "densenet121"])
def test_macs_and_parameters_up_to_a_layer_are_those_of_the_cut_out_network(architecture):
    rows = [r for r in _shipped("loss_networks.csv") if r["architecture"] == architecture]
    for row in rows:
        extractor = cut_out(pretrained.shapes_only(architecture), (row["node"],))
        images = torch.empty(1, 3, 224, 224, device="meta")
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            features = extractor(images)[row["node"]]
        assert int(row["macs_to_layer"]) == counter.get_total_flops() // 2
        assert int(row["params_to_layer"]) == sum(p.numel() for p in extractor.parameters())
        shape = tuple(int(row[name]) for name in ("channels", "height", "width"))
        assert shape == features.shape[1:]
        assert int(row["features"]) == features.numel()


class _Residual(nn.Module):
    """Two 3×3 convolutions and a shortcut, projected or not, then a linear layer."""

    def __init__(self, *, project: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.shortcut = nn.Conv2d(4, 4, 1) if project else nn.Identity()
        self.classifier = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = self.second(self.norm(self.first(x)).relu()) + self.shortcut(x)
        return self.classifier(x.mean((2, 3)))


class _Branches(nn.Module):
    """A squeeze, two branches of unlike depth, and a pooled vector that gates the result."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(3, 2, 1)
        self.short = nn.Conv2d(2, 3, 1)
        self.long = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 3, 3, padding=1))
        self.gate = nn.Conv2d(6, 6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze(x)
        x = torch.cat([self.short(x), self.long(x)], 1)
        return x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()


class _Gated(nn.Module):
    """Its one 1×1 convolution sees a pooled vector."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)
        self.gate = nn.Conv2d(2, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()


class _Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 3)
        self.pad = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        return torch.cat([x, self.pad(x)], 1)


def _yes(module: nn.Module) -> dict[str, bool]:
    traced = graph.trace_module(module, "small", size=8)
    names = ("skip_connections", "branching", "conv_1x1", "batch_norm")
    return {name: getattr(rules, name)(traced) for name in names}


def test_yes_no_attributes_of_small_networks_worked_by_hand():
    residual = {
        "skip_connections": True, "branching": False, "conv_1x1": False, "batch_norm": True,
    }  # fmt: skip
    assert _yes(_Residual()) == residual
    projected = residual | {"skip_connections": False}  # nothing joins what it was made from
    assert _yes(_Residual(project=True)) == projected
    assert _yes(_Branches()) == {
        "skip_connections": False, "branching": True, "conv_1x1": True, "batch_norm": False,
    }  # fmt: skip
    assert not any(_yes(_Gated()).values())
    assert _yes(_Dense()) == {
        "skip_connections": True, "branching": False, "conv_1x1": False, "batch_norm": False,
    }  # fmt: skip


def test_counts_of_a_small_network_worked_by_hand():
    traced = graph.trace_module(_Residual(), "small", size=8)
    assert rules.depth(traced) == 4  # stem, first, second, classifier
    # 8·8·4·27, then 8·8·4·36 twice, then 4·2
    assert rules.macs(traced) == 6912 + 9216 + 9216 + 8
    # 4·27 + 4, twice 4·36 + 4, twice 4 of the norm, 4·2 + 2
    assert rules.params(traced) == 112 + 148 + 148 + 8 + 10
    at_first = traced.position("first")
    assert at_first is not None
    assert rules.depth(traced, at_first) == 2
    assert rules.macs(traced, at_first) == 6912 + 9216
    assert rules.params(traced, at_first) == 112 + 148
    gated = graph.trace_module(_Branches(), "small", size=8)
    assert rules.depth(gated) == 4  # squeeze, long, long, gate
    assert rules.depth_between_activations(gated) == 1
    assert rules.depth(rules.only(gated, lambda product: product.positions > 1)) == 3


def _reference_depth(traced: graph.Graph) -> int:
    """The longest of all paths, one by one."""

    def longest(i: int) -> float:
        if i == 0:
            return 0
        before = max((longest(j) for j in traced.operations[i].inputs), default=float("-inf"))
        return before + len(traced.operations[i].products)

    return int(longest(len(traced.operations) - 1))


@pytest.mark.parametrize("architecture", ["alexnet", "resnet18", "squeezenet1_1", "vgg16_bn"])
def test_depth_is_the_longest_of_all_paths(architecture):
    traced = graph.trace(architecture)
    assert rules.depth(traced) == _reference_depth(traced)


def _reference_receptive_field(module: nn.Module, size: int) -> tuple[int, int]:
    """How far apart lie the rows, and the columns, that change one feature in the middle."""
    for parameter in module.parameters():
        nn.init.uniform_(parameter, 0.1, 1)
    images = torch.rand(1, 3, size, size, requires_grad=True)
    features = module(images)
    features[0, :, features.shape[2] // 2, features.shape[3] // 2].sum().backward()
    assert images.grad is not None
    reached = images.grad.abs().sum((0, 1)).nonzero()
    height, width = (reached.max(0).values - reached.min(0).values + 1).tolist()
    return height, width


@pytest.mark.parametrize(
    ("module", "height", "width"),
    [
        (nn.Conv2d(3, 4, 5), 5, 5),
        (nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, (1, 7))), 3, 3 + 2 * 6),
        (nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.Conv2d(4, 4, (7, 1))), 3 + 2 * 6, 3),
        (
            nn.Sequential(
                nn.Conv2d(3, 4, 5, stride=2, padding=2),
                nn.AvgPool2d(3, stride=2, padding=1),
                nn.Conv2d(4, 4, 3, padding=2, dilation=2),
            ),
            5 + 2 * 2 + 4 * 4,
            5 + 2 * 2 + 4 * 4,
        ),
    ],
)
def test_the_receptive_field_is_as_far_as_gradients_reach(module, height, width):
    traced = graph.trace_module(module, "small", size=64)
    at_output = len(traced.operations) - 1
    assert rules.receptive_field(traced, at_output) == max(height, width)
    assert _reference_receptive_field(module, 64) == (height, width)


def test_global_pooling_reaches_the_whole_image_and_a_gate_is_left_out():
    traced = graph.trace_module(_Branches(), "small", size=8)
    output = len(traced.operations) - 1
    assert rules.receptive_field(traced, output) == 5  # two 3×3 convolutions
    pooled = traced.position("mean")
    assert pooled is not None
    assert rules.receptive_field(traced, pooled) is None
