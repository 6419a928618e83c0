"""Features of maps: what is folded is exact, and gradients are those of the formula."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.map_features import MapFeatures

pytestmark = pytest.mark.torch


def _maps(*size: int) -> torch.Tensor:
    return torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(5))


def _reference_loss(features: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]):
    """L_top as Eq. 5 reads: channels summed, divided by M W H, averaged over layers and maps."""
    per_layer = []
    for layer, feature in features.items():
        _, channels, height, width = feature.shape
        norms = (feature - targets[layer]).square().sum((1, 2, 3))  # (N,)
        per_layer.append(norms / (channels * height * width))
    return torch.stack(per_layer).mean(0).mean()


@pytest.mark.parametrize("architecture", ["alexnet", "vgg11", "resnet18", "efficientnet_b0"])
def test_a_folded_map_has_the_features_of_the_repeated_and_normalised_one(architecture):
    network = LossNetwork(architecture, "early", weights="random")
    maps = _maps(39, 44)
    expected = network(maps.expand(-1, 3, -1, -1))["early"]
    folded = MapFeatures(network)
    assert folded.folded
    found = folded(maps)["early"]
    # To the last row and column: the borders are where a mere bias would be wrong.
    assert torch.allclose(found, expected, atol=2e-6 * expected.abs().max().item(), rtol=0)


def test_a_map_folds_into_a_network_that_does_not_normalise():
    network = LossNetwork("squeezenet1_1", "early", weights="random", normalise=False)
    maps = _maps(33, 40)
    expected = network(maps.expand(-1, 3, -1, -1))["early"]
    assert torch.allclose(MapFeatures(network)(maps)["early"], expected, atol=1e-5)


def test_a_network_that_begins_otherwise_gets_the_map_repeated():
    layer = "encoder.layers.encoder_layer_0"
    network = LossNetwork("vit_b_16", layer, weights="random")
    maps = _maps(224, 224)[:1]
    features = MapFeatures(network)
    assert not features.folded
    assert torch.equal(features(maps)[layer], network(maps.expand(-1, 3, -1, -1))[layer])


@pytest.mark.parametrize("layers", [["early"], ["early", "middle"]])
def test_the_loss_is_eq_5_and_its_gradient_that_of_autograd(layers):
    plain = LossNetwork("alexnet", layers, weights="random")
    true = _maps(64, 80).round()
    draws = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 1, 64, 80, generator=draws, requires_grad=True)
    targets = plain(true.expand(-1, 3, -1, -1))
    expected = _reference_loss(plain(maps.expand(-1, 3, -1, -1)), targets)
    (expected_gradient,) = torch.autograd.grad(3 * expected, maps)

    features = MapFeatures(LossNetwork("alexnet", layers, weights="random"))
    loss = features.loss(maps, features(true))
    (3 * loss).backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert maps.grad is not None
    error = (maps.grad - expected_gradient).abs().max() / expected_gradient.abs().max()
    assert error < 1e-4
    assert all(p.grad is None and not p.requires_grad for p in features.parameters())


def test_the_loss_of_equal_maps_is_zero():
    features = MapFeatures(LossNetwork("squeezenet1_1", "early", weights="random"))
    maps = _maps(40, 40)
    assert features.loss(maps, features(maps)).item() == 0


def test_batch_norms_keep_their_statistics_unless_asked_to_train():
    for mode in ("eval", "train"):
        network = LossNetwork("efficientnet_b0", "early", weights="random", mode=mode)
        features = MapFeatures(network)
        before = {name: value.clone() for name, value in features.state_dict().items()}
        parent = nn.ModuleList([features]).train()
        maps = _maps(40, 40).requires_grad_()
        parent[0].loss(maps, features(_maps(40, 40).round())).backward()
        changed = [n for n, v in features.state_dict().items() if not torch.equal(v, before[n])]
        assert bool(changed) == (mode == "train")
        assert all("running" in name or "num_batches" in name for name in changed)


def test_batch_statistics_are_used_in_train_mode():
    def features(mode: str) -> torch.Tensor:
        network = LossNetwork("efficientnet_b0", "early", weights="random", mode=mode)
        return MapFeatures(network).train()(_maps(40, 40))["early"]

    network = LossNetwork("efficientnet_b0", "early", weights="random", mode="train").train()
    expected = network(_maps(40, 40).expand(-1, 3, -1, -1))["early"]
    assert functional.mse_loss(features("train"), expected) < 1e-10
    assert functional.mse_loss(features("eval"), expected) > 1e-3
