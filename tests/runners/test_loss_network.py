"""Loss networks: their features, their gradients, their errors."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torchvision import models

from lossnets.runners.networks import pretrained
from lossnets.runners.networks.extraction import cut_out, overwritten
from lossnets.runners.networks.layers import node_names, node_of
from lossnets.runners.networks.loss_network import LossNetwork, least_size
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

PAPER = pretrained.extraction_layers()


class _DeepestReachedError(Exception):
    """Nothing past the last wanted module needs to run."""


def _reference_features(
    model: nn.Module, nodes: dict[str, str], images: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The model's own forward pass; each wanted module's first output is copied as it is made."""
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    features: dict[str, torch.Tensor] = {}

    def keep(layer: str):
        def hook(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
            features.setdefault(layer, output.clone())
            if len(features) == len(nodes):
                raise _DeepestReachedError

        return hook

    hooks = [
        model.get_submodule(node).register_forward_hook(keep(layer))
        for layer, node in nodes.items()
    ]
    with pytest.raises(_DeepestReachedError), torch.no_grad():
        model((images - mean) / std)
    for hook in hooks:
        hook.remove()
    return features


def _reference_model(network: LossNetwork) -> nn.Module:
    """Torchvision's own module with the loss network's weights, the rest of it empty."""
    model = pretrained.shapes_only(network.architecture)
    state = network.extractor.state_dict()
    _, unexpected = model.load_state_dict(state, strict=False, assign=True)
    assert not unexpected
    return model.eval()


SMALL = ("alexnet", "vgg11", "resnet18", "googlenet", "efficientnet_b0", "squeezenet1_1")


@pytest.mark.parametrize("architecture", SMALL)
def test_features_at_the_papers_layers_are_the_models_own_to_the_bit(architecture):
    network = LossNetwork(architecture, list(PAPER[architecture]), weights="random")
    model = _reference_model(network)
    assert [tuple(network.nodes)] == [("early", "semi_early", "middle", "late")]
    images = torch.rand(1, 3, 48, 72)
    untouched = images.clone()
    features = network(images)
    expected = _reference_features(model, PAPER[architecture], images)
    assert list(features) == list(expected)
    assert all(torch.equal(features[layer], expected[layer]) for layer in features)
    assert torch.equal(images, untouched)


@pytest.mark.parametrize("architecture", [name for name in PAPER if name not in SMALL])
def test_larger_networks_of_the_paper_have_features_of_the_models_own_shapes(architecture):
    model, nodes = pretrained.shapes_only(architecture).eval(), PAPER[architecture]
    shapes: dict[str, torch.Size] = {}
    for layer, node in nodes.items():

        def note(
            _module: nn.Module, _inputs: object, output: torch.Tensor, at: str = layer
        ) -> None:
            shapes.setdefault(at, output.shape)

        model.get_submodule(node).register_forward_hook(note)
    images = torch.empty(1, 3, 96, 96, device="meta")
    with torch.no_grad():
        model(images)
        wanted = {layer: node_of(architecture, layer) for layer in nodes}
        features = cut_out(model, tuple(wanted.values()))(images)
    assert {layer: features[node].shape for layer, node in wanted.items()} == shapes


def test_gradients_reach_the_images_and_no_parameter():
    network = LossNetwork("squeezenet1_1", ["early", "late"], weights="random")
    images = torch.rand(1, 3, 48, 48, requires_grad=True)
    sum(f.square().mean() for f in network(images).values()).backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())


def test_features_are_not_overwritten_by_later_in_place_activations():
    network = LossNetwork("vgg11", ["features.0", "features.1"], weights="random")
    features = network(torch.rand(1, 3, 16, 16))
    assert features["features.0"].min() < 0
    assert torch.equal(features["features.0"].relu(), features["features.1"])


class _InPlaceFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.relu(x))


def test_the_input_is_copied_where_the_first_operation_works_in_place():
    wanted = ("conv",)
    changed = overwritten(cut_out(_InPlaceFirst().to("meta"), wanted), wanted)
    assert changed == {"x"}
    extractor = cut_out(_InPlaceFirst(), wanted, changed)
    images = -torch.ones(1, 3, 2, 2)
    extractor(images)
    assert images.max() == -1


def test_nothing_past_the_deepest_layer_is_kept():
    network = LossNetwork("alexnet", "semi_early", weights="random")
    names = [name for name, _ in network.named_parameters()]
    assert names == [
        "extractor.features.0.weight",
        "extractor.features.0.bias",
        "extractor.features.3.weight",
        "extractor.features.3.bias",
    ]


def test_a_module_and_its_last_node_are_the_same_layer():
    network = LossNetwork("resnet18", ["layer1", "layer1.1.relu_1", "early"], weights="random")
    features = network(torch.rand(1, 3, 32, 32))
    assert list(features) == ["layer1", "layer1.1.relu_1", "early"]
    assert torch.equal(features["layer1"], features["layer1.1.relu_1"])


def test_it_stays_in_eval_mode_when_a_parent_is_put_into_training():
    network = LossNetwork("resnet18", "early", weights="random")
    nn.Sequential(network).train()
    assert not any(module.training for module in network.modules())


def test_mode_train_follows_the_parent_and_uses_batch_statistics():
    network = LossNetwork("resnet18", "early", weights="random", mode="train")
    images = torch.rand(2, 3, 32, 32)
    parent = nn.Sequential(network)
    still = network(images)["early"]
    parent.train()
    assert not torch.allclose(network(images)["early"], still)
    parent.eval()
    assert not any(module.training for module in network.modules())


def test_googlenet_normalises_once_with_weights_too(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    model = pretrained.randomly("googlenet", 3, initialise=False)
    url = models.get_model_weights("googlenet")["IMAGENET1K_V1"].url
    torch.save(model.state_dict(), folder / url.rsplit("/", 1)[-1])
    network = LossNetwork("googlenet", "early")
    images = torch.rand(1, 3, 32, 32)
    expected = _reference_features(model.eval(), {"early": "conv1"}, images)
    assert torch.equal(network(images)["early"], expected["early"])
    assert network.weights == "IMAGENET1K_V1"


def test_random_weights_depend_on_the_seed_and_leave_the_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    images = torch.ones(1, 3, 16, 16)
    first, again, other = (
        LossNetwork("squeezenet1_1", "early", weights="random", seed=seed)(images)["early"]
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), expected)


def test_without_normalising_images_go_in_as_they_are():
    normalising = LossNetwork("alexnet", "early", weights="random")
    plain = LossNetwork("alexnet", "early", weights="random", normalise=False)
    images = torch.rand(1, 3, 16, 16)
    normalised = (images - normalising.mean) / normalising.std
    assert torch.equal(plain(normalised)["early"], normalising(images)["early"])


def test_weights_come_from_a_state_dict_with_or_without_the_classifier(tmp_path):
    random = LossNetwork("squeezenet1_1", "early", weights="random", seed=4)
    images = torch.rand(1, 3, 16, 16)
    whole = pretrained.randomly("squeezenet1_1", 4).state_dict()
    for state in (whole, {k: v for k, v in whole.items() if k.startswith("features")}):
        torch.save(state, tmp_path / "weights.pt")
        network = LossNetwork("squeezenet1_1", "early", weights=tmp_path / "weights.pt")
        assert torch.equal(network(images)["early"], random(images)["early"])
    assert network.weights.startswith("weights.pt:")


def test_the_least_size_is_where_the_first_error_ends():
    network = LossNetwork("alexnet", ["late", "early"], weights="random")
    assert least_size(network) == 31
    network(torch.rand(1, 3, 31, 31))
    with pytest.raises(UserError) as error:
        network(torch.rand(1, 3, 30, 60))
    assert error.value.message == (
        "found images of 30×60 pixels, too small for late of alexnet; at least 31×31 are needed"
    )


def test_a_network_for_one_size_says_so():
    network = LossNetwork("vit_b_32", "conv_proj", weights="random")
    for pixels, message in (
        (64, ", too small for conv_proj of vit_b_32; at least 224×224 are needed"),
        (256, "; vit_b_32 takes 224×224"),
    ):
        with pytest.raises(UserError) as error:
            network(torch.rand(1, 3, pixels, pixels))
        assert error.value.message == f"found images of {pixels}×{pixels} pixels{message}"


def test_a_copy_gives_the_same_features():
    network = LossNetwork("alexnet", ["early", "late"], weights="random")
    images = torch.rand(1, 3, 64, 64)
    copied = copy.deepcopy(network)(images)
    assert all(torch.equal(f, copied[layer]) for layer, f in network(images).items())


def _message(*arguments: object, **options: object) -> str:
    with pytest.raises(UserError) as error:
        LossNetwork(*arguments, **{"weights": "random", **options})
    return error.value.message


def test_wrong_names_are_answered_with_close_ones():
    assert _message("vgg12", "late") == (
        "found architecture 'vgg12', which is no classification model of torchvision; "
        "close names are: vgg11, vgg13, vgg16, vgg19, vgg11_bn"
    )
    assert _message("vgg11", "features.91") == (
        "found layer 'features.91', which vgg11 does not have; close names are: "
        "features.1, features.9, features.10, features.11, features.12; "
        "its last node is classifier.6"
    )
    assert _message("vgg13", "late") == (
        "found layer 'late' for vgg13, which is not one of the paper's architectures; "
        "name a node of it, such as features.16"
    )
    assert _message("vgg11", []) == "found no layer of vgg11 to extract features at"
    assert _message("vgg11", "late", mode="test") == (
        "found loss network mode 'test'; valid are eval and train"
    )


def test_a_node_that_yields_no_tensor_is_refused():
    name = next(n for n in node_names("shufflenet_v2_x0_5") if n.endswith("chunk"))
    assert _message("shufflenet_v2_x0_5", name) == (
        f"found layer '{name}', which in shufflenet_v2_x0_5 yields tuple, not a tensor of features"
    )


def test_images_of_another_shape_or_type_are_refused():
    network = LossNetwork("alexnet", "early", weights="random")
    for images, found in (
        (torch.rand(1, 1, 64, 64), "(1, 1, 64, 64) and type torch.float32"),
        (torch.ones(1, 3, 64, 64, dtype=torch.uint8), "(1, 3, 64, 64) and type torch.uint8"),
    ):
        with pytest.raises(UserError) as error:
            network(images)
        assert error.value.message == (
            f"found images of shape {found}; valid is (N, 3, H, W), floating point"
        )


def test_weights_that_cannot_be_had_are_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def no_network(*_arguments: object, **_options: object) -> None:
        from urllib.error import URLError

        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    folder = tmp_path / "hub" / "checkpoints"
    with pytest.raises(UserError) as error:
        LossNetwork("vgg11", "late")
    assert error.value.message == (
        f"found no vgg11-8a719046.pth in {folder}, and it could not be fetched (no network); "
        "weights 'random' need no file"
    )
    assert error.value.hint == (
        f"curl --create-dirs -o {folder}/vgg11-8a719046.pth "
        "https://download.pytorch.org/models/vgg11-8a719046.pth"
    )
    assert _message("vgg11", "late", weights="IMAGENET1K_V9") == (
        "found weights 'IMAGENET1K_V9' for vgg11; valid are: IMAGENET1K_V1, random, "
        "or the path of a state dict"
    )


def test_state_dicts_of_another_network_are_refused(tmp_path):
    path = tmp_path / "weights.pt"
    assert _message("alexnet", "early", weights=path) == (
        f"found no file {path} to read weights from"
    )
    torch.save(pretrained.randomly("squeezenet1_1", 0).state_dict(), path)
    assert _message("alexnet", "early", weights=path) == (
        "found in weights.pt other weights than those of alexnet: it has beyond it 48 tensors, "
        "among them 'features.10.expand1x1.bias', 'features.10.expand1x1.weight', "
        "'features.10.expand3x3.bias'"
    )
    torch.save({"features.0.weight": torch.ones(64, 3, 11, 11)}, path)
    assert _message("alexnet", "early", weights=path) == (
        "found in weights.pt other weights than those of alexnet: it lacks 1 tensors, "
        "among them 'features.0.bias'"
    )
    torch.save(
        {"features.0.weight": torch.ones(64, 3, 3, 3), "features.0.bias": torch.ones(64)}, path
    )
    assert _message("alexnet", "early", weights=path) == (
        "found in weights.pt 'features.0.weight' of shape (64, 3, 3, 3); "
        "alexnet has (64, 3, 11, 11)"
    )
    torch.save([1, 2], path)
    assert _message("alexnet", "early", weights=path) == (
        "found list in weights.pt, not a state dict (names and tensors); "
        "write one with torch.save(model.state_dict(), path)"
    ).replace("weights.pt", str(path))
