"""Autoencoding: the model, the loss, what is trained and what is not, and that it learns."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lossnets.runners.benchmarks import autoencoding
from lossnets.runners.benchmarks.autoencoding import BENCHMARK, Config
from lossnets.runners.data.digits import Digits
from lossnets.runners.models import reproduction
from lossnets.runners.models.autoencoder import AsProduct, Autoencoder
from lossnets.runners.models.image_batches import Images, as_input
from lossnets.runners.models.reproduction import Reproduction
from lossnets.runners.models.training import Shared
from lossnets.runners.networks.feature_distances import feature_loss
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.execution import Outcome, execute
from lossnets.runners.runs.planning import Request, plan
from lossnets.runners.runs.run import Result, Run, Work
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
TINY = ("epochs=2", "batch=16", "images=48", "predictor_epochs=3", "predictor_batch=16")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """SVHN's generated stand-in."""
    home = tmp_path_factory.mktemp("home")
    config = Config(dataset="svhn")
    return autoencoding.load(config, None, preset="smoke", home=home, progress=_silent)


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return LossNetwork("alexnet", "early", weights="random")


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


def _what(data: Digits, **fields: object) -> Run:
    config = Config(**{"images": 40, "batch": 16} | fields)
    alone = config.baseline is not None
    return Run(
        benchmark="autoencoding",
        architecture=None if alone else "alexnet",
        layers=() if alone else ("early",),
        weights=None if alone else "random:0",
        weights_source=None if alone else "random:0",
        seed=0,
        config=config,
        data=data.identity,
        preset="smoke",
    )


def _task(network: nn.Module, images: Images, config: Config) -> Reproduction:
    fixed = config.loss_network_mode == "eval"
    return Reproduction(network, images, batch=config.batch, fixed=fixed).keep(_silent)


def _work(path: Path) -> Work:
    return Work(device=CPU, folder=RunFolder(path), progress=_silent)


def _reference_autoencoder(size: int, z: int) -> nn.ModuleList:
    """The reference implementation's encoder, embedding, expansion and decoder, as published."""
    side, end = (size - 64) // 16 + 1, size
    for _ in range(4):
        end = int((end - 2) / 2)
    encoder = nn.Sequential(
        nn.Conv2d(3, 32, 4, 2), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 4, 2), nn.BatchNorm2d(64), nn.ReLU(),
        nn.Conv2d(64, 128, 4, 2), nn.BatchNorm2d(128), nn.ReLU(),
        nn.Conv2d(128, 256, 4, 2), nn.BatchNorm2d(256), nn.ReLU(), nn.Flatten(),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.ReLU(), nn.Unflatten(1, (1024, side, side)),
        nn.ConvTranspose2d(1024, 128, 5, 2), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 5, 2), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 6, 2), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 3, 6, 2), nn.Sigmoid(),
    )  # fmt: skip
    embedding = nn.Linear(256 * end * end, z)
    return nn.ModuleList([encoder, embedding, nn.Linear(z, 1024 * side * side), decoder])


@pytest.mark.parametrize("size", [64, 96])
def test_the_autoencoder_computes_what_the_reference_does_with_the_same_weights(size):
    model = Autoencoder(size, 64).double()
    reference = _reference_autoencoder(size, 64).double()
    pairs = list(zip(reference.parameters(), model.parameters(), strict=True))
    for theirs, ours in pairs:
        theirs.data.copy_(ours.view_as(theirs))
    images = torch.rand(3, 3, size, size, dtype=torch.float64)
    encoder, embedding, expansion, decoder = reference
    embeddings = embedding(encoder(images))
    expected = decoder(expansion(embeddings))
    outputs = model(images)
    torch.testing.assert_close(outputs, expected, rtol=1e-10, atol=1e-10)
    assert outputs.shape == (3, 3, size, size)
    for output in (outputs, expected):
        (output - images).square().mean().backward()
    for theirs, ours in pairs:
        found = ours.grad.view_as(theirs)
        torch.testing.assert_close(found, theirs.grad, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("side", [1, 3])
def test_the_first_decoding_layer_is_the_transposed_convolution_it_stands_for(side):
    layer = nn.ConvTranspose2d(6, 4, 5, stride=2).double()
    images = torch.rand(2, 6, side, side, dtype=torch.float64)
    torch.testing.assert_close(AsProduct(layer)(images), layer(images), rtol=1e-12, atol=1e-12)


def test_sizes_that_the_decoder_cannot_give_are_refused():
    with pytest.raises(ValueError, match="size is 72, valid are 64, 80, 96"):
        Autoencoder(72, 64)


def test_eq_6_is_the_mean_over_images_channels_and_positions():
    outputs = {"early": torch.tensor([[[[1.0, 2.0]], [[0.0, 0.0]]], [[[0.0, 1.0]], [[3.0, 0.0]]]])}
    targets = {"early": torch.tensor([[[[0.0, 0.0]], [[0.0, 2.0]]], [[[0.0, 1.0]], [[0.0, 1.0]]]])}
    assert feature_loss(outputs, targets).item() == (1 + 4 + 4 + 9 + 1) / 8


def test_of_several_layers_eq_6_is_the_sum():
    outputs = {"early": torch.full((1, 2, 2, 2), 3.0), "late": torch.full((1, 5), 1.0)}
    targets = {"early": torch.zeros(1, 2, 2, 2), "late": torch.zeros(1, 5)}
    assert feature_loss(outputs, targets).item() == 9 + 1


def test_images_are_padded_by_reflection_as_torchvision_pads_them(data):
    from torchvision.transforms import Compose, Pad, ToTensor

    pixels = data.images["train"][:4]
    theirs = Compose([Pad(16, 0, "reflect"), ToTensor()])
    expected = torch.stack([theirs(Image.fromarray(image)) for image in pixels])
    images = as_input(torch.from_numpy(pixels.copy()), 16)
    assert torch.equal(images, expected)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_some_images_are_drawn_by_the_seed_the_same_in_every_run(data):
    def chosen(seed: int, n: int | None) -> list[int]:
        what = dataclasses.replace(_what(data, images=n), seed=seed)
        return autoencoding.images_of(data, "test", what, CPU).chosen.tolist()

    assert chosen(0, None) == list(range(256))
    assert chosen(0, 10) == chosen(0, 10) == sorted(chosen(0, 10))
    assert chosen(0, 10) != chosen(1, 10)


def test_splits_are_the_published_fractions():
    for n, kept in ((531_131, 106_226), (100_000, 20_000), (73_257, 14_651), (5_000, 1_000)):
        train, validation = autoencoding.split(n, "train", _Seeded())
        assert (len(train), len(validation)) == (n - kept, kept)
        assert torch.equal(torch.cat([train, validation]).sort().values, torch.arange(n))


class _Seeded:
    seed = 3
    config = Config()


def test_the_loss_is_eq_6_of_the_loss_networks_features_kept_or_not(data, network):
    what = _what(data)
    images = autoencoding.images_of(data, "unlabelled", what, CPU)
    task = _task(network, images, what.config)
    assert task.kept is not None
    assert task.kept["early"].shape == (40, 64, 15, 15)
    torch.manual_seed(0)
    model = Autoencoder(64, 8)
    index = torch.tensor([30, 2, 17])
    loss, outputs = task.loss(model, index)
    expected = (network(images[index])["early"] - network(outputs)["early"]).square().mean()
    torch.testing.assert_close(loss, expected)
    task.kept = None
    again, _ = task.loss(model, index)
    torch.testing.assert_close(again, expected)


def test_features_are_kept_only_where_they_fit_and_cannot_change(data, network, monkeypatch):
    def kept(**fields: object) -> object:
        what = _what(data, **fields)
        images = autoencoding.images_of(data, "unlabelled", what, CPU)
        return _task(autoencoding.loss_network(what, CPU), images, what.config).kept

    assert kept() is not None
    assert kept(loss_network_mode="train") is None
    assert kept(baseline="pixels") is None
    monkeypatch.setattr(reproduction, "room", lambda device: 40 * 64 * 15 * 15 * 4 - 1)
    assert kept() is None


def test_runs_that_follow_each_other_share_features_that_are_the_same(data, tmp_path, monkeypatch):
    computed = []
    all_features = Reproduction._all_features

    def counted(task: Reproduction, progress: object) -> object:
        computed.append(task)
        return all_features(task, progress)

    monkeypatch.setattr(Reproduction, "_all_features", counted)
    monkeypatch.setattr(reproduction, "TARGETS", Shared())

    folders = map(str, itertools.count())

    few = {split: images[:24] for split, images in data.images.items()}
    labels = {split: of_images[:24] for split, of_images in data.labels.items()}
    items = {split: names[:24] for split, names in data.items.items()}
    small = dataclasses.replace(data, images=few, labels=labels, items=items)

    def run(seed: int, **fields: object) -> Result:
        what = _what(small, **{"epochs": 1, "predictor_epochs": 1, "images": None} | fields)
        what = dataclasses.replace(what, seed=seed)
        return autoencoding.run(what, small, _work(tmp_path / next(folders)))

    alone = run(1)
    run(0)
    assert run(1).measurements == alone.measurements
    assert len(computed) == 1
    run(1, normalise=False)
    run(1, images=20)
    run(2, images=20)  # others are drawn
    assert len(computed) == 4


def test_gradients_reach_the_autoencoder_and_nothing_else(data, network):
    what = _what(data)
    task = _task(network, autoencoding.images_of(data, "unlabelled", what, CPU), what.config)
    model = Autoencoder(64, 8)
    loss, _ = task.loss(model, torch.arange(4))
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert all(p.grad is None for p in network.parameters())
    assert not task.kept["early"].requires_grad


@pytest.mark.parametrize(("mode", "changes"), [("eval", False), ("train", True)])
def test_batch_norm_in_the_loss_network_changes_only_in_train_mode(
    data, tmp_path, monkeypatch, mode, changes
):
    kept: list[LossNetwork] = []

    def loss_network(what: Run, device: torch.device) -> LossNetwork:
        kept.append(LossNetwork("resnet18", "early", weights="random", mode=mode))
        return kept[0]

    monkeypatch.setattr(autoencoding, "loss_network", loss_network)
    before = LossNetwork("resnet18", "early", weights="random").state_dict()
    what = _what(data, loss_network_mode=mode, epochs=1, predictor_epochs=1, images=20)
    autoencoding.run(what, data, _work(tmp_path))
    after = kept[0].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert changed == ({f"extractor.bn1.{name}" for name in statistics} if changes else set())


def test_in_train_mode_the_loss_uses_batch_statistics(data):
    what = dataclasses.replace(_what(data, loss_network_mode="train"), architecture="resnet18")
    images = autoencoding.images_of(data, "unlabelled", what, CPU)
    network = autoencoding.loss_network(what, CPU)
    task = _task(network, images, what.config)
    model = Autoencoder(64, 8)
    by_mode = []
    for training in (True, False):
        network.train(training)
        by_mode.append(task.loss(model, torch.arange(4))[0].item())
    assert by_mode[0] != pytest.approx(by_mode[1], rel=1e-2)


def test_validation_is_the_mean_over_images_in_eval_mode(data):
    what = dataclasses.replace(_what(data, loss_network_mode="train"), architecture="resnet18")
    network = autoencoding.loss_network(what, CPU).train()
    task = _task(network, autoencoding.images_of(data, "unlabelled", what, CPU), what.config)
    model = Autoencoder(64, 8).train()
    index = torch.arange(20)  # a batch of 16 and one of 4
    error, outputs = task.mean_loss(model, index)
    assert not any(module.training for module in (*model.modules(), *network.modules()))
    with torch.no_grad():
        expected, _ = task.loss(model, index)
    assert error == pytest.approx(expected.item(), rel=1e-5)
    assert outputs.shape == (16, 3, 64, 64)


def test_without_normalisation_the_images_go_in_as_they_are(data):
    network = autoencoding.loss_network(_what(data, normalise=False), CPU)
    assert not network.normalise
    assert autoencoding.loss_network(_what(data), CPU).normalise


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"dataset": "mnist"}, "found dataset=mnist; valid are svhn and stl10"),
        ({"predictor_keep": "first"}, "found predictor_keep=first; valid are last and best"),
        ({"loss_network_mode": "off"}, "found loss_network_mode=off; valid are eval and train"),
        ({"epochs": 0}, "found epochs=0; valid are whole numbers from 1"),
        ({"batch": 0}, "found batch=0; valid are whole numbers from 1"),
        ({"images": 9}, "found images=9; valid are whole numbers from 10"),
        (
            {"validation_fraction": 1.0},
            "found validation_fraction=1.0; valid are numbers between 0 and 1",
        ),
    ],
)
def test_settings_outside_what_is_valid_are_refused(fields, expected):
    with pytest.raises(UserError) as caught:
        Config(**fields)
    assert str(caught.value) == expected


def test_the_reference_protocol_differs_in_four_fields():
    assert autoencoding.PROTOCOLS["reference"] == {
        "normalise": False,
        "loss_network_mode": "train",
        "predictor_keep": "best",
        "predictor_patience": 10,
    }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A home with one recorded run, of an early layer of a network with random weights."""
    home = tmp_path_factory.mktemp("recorded")
    (outcome,) = _execute(home, "batch=16", "images=256", "epochs=2", "predictor_epochs=60")
    return home, outcome


def _execute(home: Path, *settings: str, **fields: object) -> list[Outcome]:
    request = Request(
        **{  # type: ignore[arg-type]
            "benchmark": "autoencoding",
            "architectures": ("alexnet",),
            "layers": ("early",),
            "preset": "smoke",
            "settings": settings,
        }
        | fields
    )
    return execute(plan(request, BENCHMARK, home, _silent), home, CPU, _silent)


def test_it_learns_more_than_chance(recorded):
    _, outcome = recorded
    (accuracy,) = outcome.record.measurements
    assert (accuracy.architecture, accuracy.layer) == ("alexnet", "early")
    assert accuracy.score == "svhn_accuracy"
    assert accuracy.n == 256
    assert accuracy.value > 0.16  # chance is 0.1, with a deviation of 0.019
    assert outcome.collapsed is None


def test_the_score_is_the_mean_of_the_values_per_image(recorded):
    home, outcome = recorded
    folder = home / "runs" / outcome.record.run_id
    with gzip.open(folder / "items.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert {(row["layer"], row["dataset"], row["quantity"]) for row in rows} == {
        ("early", "svhn", "correct")
    }
    assert [row["item"] for row in rows] == [f"{index:06d}" for index in range(256)]
    values = [float(row["value"]) for row in rows]
    assert set(values) == {0.0, 1.0}
    assert outcome.record.measurements[0].value == sum(values) / 256


def test_curves_and_a_gallery_are_kept(recorded):
    home, outcome = recorded
    folder = home / "runs" / outcome.record.run_id
    with (folder / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    points = {(row["split"], row["quantity"]): 0 for row in rows}
    for row in rows:
        points[row["split"], row["quantity"]] += 1
    widths = ("linear", "32", "64", "32_32", "64_32", "64_64", "128_128")
    assert points == {
        ("train", "loss"): 2,
        ("validation", "loss"): 2,
        **{("validation", f"accuracy_{name}"): 60 for name in widths},
    }
    files = sorted(path.name for path in (folder / "gallery").iterdir())
    assert len(files) == 16
    assert files[:2] == ["000000.input.png", "000000.output.png"]
    with Image.open(folder / "gallery" / files[0]) as image:
        assert image.size == (64, 64)
    assert (folder / "model.pt").exists()
    assert not (folder / "checkpoint.pt").exists()


def test_the_same_run_again_gives_the_same_score_in_another_home(tmp_path):
    found = [_execute(tmp_path / name, *TINY)[0] for name in ("a", "b")]
    first, second = (outcome.record for outcome in found)
    assert first.run_id == second.run_id
    assert first.measurements == second.measurements
    (other,) = _execute(tmp_path / "a", *TINY, seed=1)
    assert other.record.run_id != first.run_id


def test_the_baseline_compares_the_pixels(tmp_path):
    (outcome,) = _execute(tmp_path, *TINY, architectures=(), baselines=("pixels",))
    (accuracy,) = outcome.record.measurements
    assert (accuracy.architecture, accuracy.layer) == (None, None)
    with pytest.raises(UserError) as caught:
        _execute(tmp_path, *TINY, architectures=(), baselines=("l1",))
    assert str(caught.value) == "found baseline=l1; valid are pixels"


def test_summed_layers_are_one_run_and_stl10_another_score(tmp_path):
    (outcome,) = _execute(tmp_path, *TINY, "dataset=stl10", "images=20", layers=("early+late",))
    (accuracy,) = outcome.record.measurements
    assert (accuracy.layer, accuracy.score) == ("early+late", "stl10_accuracy")


def test_in_bf16_it_runs(tmp_path):
    (outcome,) = _execute(tmp_path, *TINY, "precision=bf16", "images=20", "epochs=1")
    assert outcome.collapsed is None


def test_a_loss_that_is_no_number_ends_the_training_and_is_recorded(tmp_path):
    (outcome,) = _execute(tmp_path, *TINY, "lr=1e30")
    folder = tmp_path / "runs" / outcome.record.run_id
    assert outcome.collapsed == json.loads((folder / "note.json").read_text())["collapsed"]
    assert "in epoch" in outcome.collapsed
    assert 0 <= outcome.record.measurements[0].value <= 1


class _Blind(Autoencoder):
    """One that gives the same output whatever it is shown."""

    def decode(self, embeddings: torch.Tensor) -> torch.Tensor:
        return super().decode(embeddings * 0)


def test_an_output_that_is_always_the_same_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(autoencoding, "Autoencoder", _Blind)
    (outcome,) = _execute(tmp_path, *TINY)
    assert outcome.collapsed == "output is constant from epoch 1 on"


def test_images_of_ones_own_have_scores_of_their_own(tmp_path):
    root = tmp_path / "own"
    rng = np.random.default_rng(0)
    for name in ("train/a", "train/b", "test/a"):
        (root / name).mkdir(parents=True)
        for item in range(10):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{item}.png")
    own = autoencoding.load(Config(), root, preset=None, home=tmp_path, progress=_silent)
    assert autoencoding.scores(Config(), own) == ["own_accuracy"]
    what = _what(own, epochs=1, predictor_epochs=1)
    result = autoencoding.run(what, own, _work(tmp_path))
    assert [one.score for one in result.measurements] == ["own_accuracy"]
    assert [values.dataset for values in result.items] == ["own"]
