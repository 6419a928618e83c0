"""A loss network as a loss: its values, its gradients, and what it does to the model around it."""

from __future__ import annotations

import copy
import pickle
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional

from lossnets import LossNetwork, PerceptualLoss
from lossnets.runners.networks.feature_distances import distance
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

RANDOM = {"weights": "random"}


class Small(nn.Module):
    """Convolution, batch norm, an activation in place, convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu_(self.norm(self.first(x))))


def _small() -> Small:
    torch.manual_seed(0)
    return Small()


def _pair(*shape: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(1)
    one, other = (torch.rand(shape, generator=draws, dtype=dtype) for _ in range(2))
    return one.requires_grad_(), other.requires_grad_()


def _by_hand(kind: str, y: torch.Tensor, y0: torch.Tensor) -> torch.Tensor:
    """(N,)"""
    if kind == "unit":
        return distance(y, y0)
    difference = y - y0
    return (difference.square() if kind == "mse" else difference.abs()).mean(dim=(1, 2, 3))


@pytest.mark.parametrize("kind", ["mse", "l1", "unit"])
def test_layers_are_weighted_and_images_reduced_as_asked(kind):
    output, target = _pair(3, 3, 41, 66)
    network = LossNetwork("alexnet", ["early", "late"], **RANDOM)
    y, y0 = network(output), network(target)
    expected = _by_hand(kind, y["early"], y0["early"]) + 0.5 * _by_hand(kind, y["late"], y0["late"])

    def found(**options: object) -> torch.Tensor:
        layers = {"early": 1, "late": 0.5}
        return PerceptualLoss("alexnet", layers, distance=kind, **RANDOM, **options)(output, target)

    assert torch.allclose(found(reduction="none"), expected, rtol=1e-5)
    assert torch.allclose(found(reduction="sum"), expected.sum(), rtol=1e-5)
    assert torch.allclose(found(), expected.mean(), rtol=1e-5)
    with torch.no_grad():
        assert torch.allclose(found(), expected.mean(), rtol=1e-5)


def test_a_map_shows_where_images_differ():
    output, target = _pair(2, 3, 64, 96)
    same = target.detach().clone()
    same[:, :, :32, :32] = output.detach()[:, :, :32, :32]

    shown = PerceptualLoss("alexnet", "early", spatial=True, **RANDOM)(same, target)

    assert shown.shape == (2, 1, 64, 96)
    assert shown[..., :32, :32].mean() > 0
    assert shown[..., 48:, 64:].abs().max() == 0


def test_images_of_another_range_and_grey_ones_are_the_same_images():
    output, target = _pair(2, 1, 33, 40)
    expected = PerceptualLoss("alexnet", "early", **RANDOM)(
        output.expand(-1, 3, -1, -1), target.expand(-1, 3, -1, -1)
    )

    signed = PerceptualLoss("alexnet", "early", input_range=(-1, 1), **RANDOM)
    bytes_ = PerceptualLoss("alexnet", "early", input_range=(0, 255), **RANDOM)

    assert torch.allclose(signed(2 * output - 1, 2 * target - 1), expected, rtol=1e-4)
    assert torch.allclose(bytes_(255 * output, 255 * target), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["mse", "unit"])
@pytest.mark.parametrize("rearrange", [False, True])
def test_gradients_are_right_in_both_arguments_and_twice(kind, rearrange):
    layers = ["norm", "second"]
    loss = PerceptualLoss(_small(), layers, distance=kind, rearrange=rearrange).double()
    pair = _pair(1, 3, 4, 6, dtype=torch.float64)

    assert torch.autograd.gradcheck(loss, pair, fast_mode=True)
    assert torch.autograd.gradgradcheck(loss, pair, fast_mode=True)


def test_positions_without_features_and_equal_images_have_gradients():
    loss = PerceptualLoss("alexnet", "early", distance="unit", **RANDOM)
    black = torch.zeros(1, 3, 32, 32, requires_grad=True)
    for other in (black.detach().clone(), _pair(1, 3, 32, 32)[0]):
        (gradient,) = torch.autograd.grad(loss(black, other), black, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), black)
        assert gradient.isfinite().all()
        assert second.isfinite().all()


def test_without_rearranging_the_gradient_is_torchs_own_to_the_bit():
    output, target = _pair(2, 3, 48, 40)
    model = _small().eval()
    mean, std = ((torch.tensor(v).view(1, 3, 1, 1)) for v in (LossMean, LossStd))
    y, y0 = (model((images - mean) / std) for images in (output, target.detach()))
    (expected,) = torch.autograd.grad(functional.mse_loss(y, y0), output)

    loss = PerceptualLoss(_small(), "second", rearrange=False)
    (found,) = torch.autograd.grad(loss(output, target.detach()), output)

    assert torch.equal(found, expected)


LossMean, LossStd = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("kind", ["mse", "unit"])
def test_half_precision_goes_in_and_single_precision_comes_out(kind):
    loss = PerceptualLoss(_small(), "second", distance=kind)
    output, target = _pair(2, 3, 40, 32)
    expected = loss(output, target)
    (slope,) = torch.autograd.grad(expected, output)

    with torch.autocast("cpu", torch.bfloat16):
        under_autocast = loss(output, target)
    whole = copy.deepcopy(loss).bfloat16()(output.bfloat16(), target.bfloat16())
    (found,) = torch.autograd.grad(under_autocast, output)

    for value in (under_autocast, loss(output.bfloat16(), target.bfloat16()), whole):
        assert value.dtype == torch.float32
        assert torch.allclose(value, expected, rtol=0.05)
    assert functional.cosine_similarity(found.flatten(), slope.flatten(), 0) > 0.99


def test_images_with_channels_last_have_the_same_loss():
    loss = PerceptualLoss("resnet18", "early", **RANDOM)
    output, target = _pair(2, 3, 40, 56)
    last = output.detach().contiguous(memory_format=torch.channels_last)
    assert torch.allclose(loss(last, target), loss(output, target), rtol=1e-5)


def test_a_compiled_loss_is_one_graph_with_the_same_gradient():
    loss = PerceptualLoss(_small(), ["norm", "second"])
    output, target = _pair(2, 3, 32, 40)
    (expected,) = torch.autograd.grad(loss(output, target), output)
    torch.compiler.reset()

    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    (found,) = torch.autograd.grad(compiled(output, target), output)

    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-7)


class Trained(nn.Module):
    """A model that holds its loss, and features of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)
        self.loss = PerceptualLoss("resnet18", "early", **RANDOM)

    def forward(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.loss(self.layer(x), target)


def test_the_model_around_it_does_not_grow_and_loads_strictly():
    model = Trained()
    assert set(model.state_dict()) == {"layer.weight", "layer.bias"}
    assert len(list(model.parameters())) == 2
    model.load_state_dict(Trained().state_dict())
    model.train()
    assert not any(part.training for part in model.loss.network.modules())


def test_copies_averages_and_replicas_have_the_same_network():
    model, images = Trained(), _pair(2, 3, 32, 32)
    average = torch.optim.swa_utils.AveragedModel(model).train()
    average.update_parameters(model)
    expected = model(*images)

    assert average.module.loss.network is model.loss.network
    assert torch.equal(average(*images), expected)
    assert torch.equal(pickle.loads(pickle.dumps(model))(*images), expected)
    assert torch.equal(nn.DataParallel(model)(*images), expected)
    assert torch.equal(model.loss._replicate_for_data_parallel()(*images), model.loss(*images))


def test_moving_one_loss_leaves_those_that_share_its_network():
    first, second = (PerceptualLoss("alexnet", "early", **RANDOM) for _ in range(2))
    assert first.network is second.network
    first.double()
    images = _pair(1, 3, 32, 32, dtype=torch.float64)
    assert first(*images).dtype == torch.float64
    assert second.network.mean.dtype == torch.float32


def test_a_module_of_ones_own_need_not_be_kept():
    loss = PerceptualLoss(nn.Sequential(nn.Conv2d(3, 4, 3, stride=2)), "0")
    with pytest.raises(UserError, match="found images of 2×2 pixels, too small for 0 of"):
        loss(*_pair(1, 3, 2, 2))
    assert loss(*_pair(1, 3, 8, 8)) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": "l2"}, "found distance 'l2'; valid are mse, l1, unit"),
        ({"reduction": "max"}, "found reduction 'max'; valid are mean, sum, none"),
        ({"spatial": True, "reduction": "sum"}, "found reduction 'sum'; valid are none"),
        ({"input_range": (1, 0)}, "found input range (1, 0); valid are two values, black below"),
    ],
)
def test_values_that_are_not_valid_are_told_with_those_that_are(options, message):
    with pytest.raises(UserError) as error:
        PerceptualLoss("alexnet", "early", **RANDOM, **options)
    assert str(error.value).startswith(message)


def test_images_of_two_shapes_are_refused():
    loss = PerceptualLoss("alexnet", "early", **RANDOM)
    with pytest.raises(UserError, match="they must be alike"):
        loss(torch.rand(2, 3, 64, 64), torch.rand(1, 3, 64, 64))


def test_unit_distances_are_those_of_lpips_and_squared_ones_of_piq():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they name their arguments to torchvision as of old
        import lpips
        from piq import ContentLoss

        theirs = lpips.LPIPS(net="alex", lpips=False, pnet_rand=True, verbose=False)
    nodes, channels = [f"features.{n}" for n in (1, 4, 7, 9, 11)], (64, 192, 384, 256, 256)
    unit = PerceptualLoss("alexnet", nodes, distance="unit", reduction="none", **RANDOM)
    squared = PerceptualLoss("alexnet", nodes, reduction="none", rearrange=False, **RANDOM)
    state = squared.network.extractor.state_dict()
    for name, parameter in theirs.net.named_parameters():  # slice2.3.weight
        parameter.data = state["features." + name.split(".", 1)[1]]
    content = ContentLoss(
        squared.network.extractor.features,
        layers=[node.removeprefix("features.") for node in nodes],
        weights=[1 / count for count in channels],  # it sums over channels
        reduction="none",
    )
    output, target = _pair(2, 3, 64, 80)

    expected = theirs(output, target, normalize=True).flatten()
    assert torch.allclose(unit(output, target), expected, atol=2e-6)
    assert torch.allclose(squared(output, target), content(output, target), rtol=1e-5)
