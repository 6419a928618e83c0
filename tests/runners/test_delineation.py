"""Delineation: its loss, crops and scores, what is trained, that it learns, resumes and refuses."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from lossnets.runners.benchmarks import delineation
from lossnets.runners.benchmarks.delineation import BENCHMARK, Config
from lossnets.runners.data import generated
from lossnets.runners.data.roads import Roads
from lossnets.runners.models.road_batches import crops, draw_crops, split
from lossnets.runners.networks.map_features import MapFeatures
from lossnets.runners.runs.execution import Outcome, execute
from lossnets.runners.runs.planning import Request, plan
from lossnets.runners.runs.run import Run, Work
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
TINY = ("epochs=2", "crop=32", "crops=1", "size=32")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Roads:
    """Images of 64 pixels a side, in the real layout."""
    root = tmp_path_factory.mktemp("roads")
    generated.make_roads(root / "mrd", size=64)
    return _load(root / "mrd", root, crop=32)


def _load(root: Path, home: Path, **fields: object) -> Roads:
    return delineation.load(Config(**fields), root, preset=None, home=home, progress=_silent)


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


def _what(architecture: str | None = "alexnet", layer: str = "early", **fields: object) -> Run:
    """A run with random weights, or of the baseline where there is no architecture."""
    small = {"crop": 32, "size": 32, "epochs": 1, "baseline": None if architecture else "bce"}
    return Run(
        benchmark="delineation",
        architecture=architecture,
        layers=(layer,) if architecture else (),
        weights="random:0" if architecture else None,
        weights_source="random:0" if architecture else None,
        seed=0,
        config=Config(**(small | fields)),
        data="roads:test",
        preset="smoke",
    )


def _work(path: Path) -> Work:
    return Work(device=CPU, folder=RunFolder(path), progress=_silent)


class _ByHand(MapFeatures):
    """Two layers to compute by hand: twice the map, and its mean over the pixels."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"early": 2 * maps, "late": maps.mean((2, 3), keepdim=True)}


def test_the_loss_is_equations_4_and_5_with_later_iterations_weighing_more():
    """The map (1, 0) is answered by (½, ½), then by (¾, ¾), with weights ⅓ and ⅔."""
    truth = torch.tensor([[[[1.0, 0.0]]]])
    answers = [torch.zeros(1, 1, 1, 2), torch.full((1, 1, 1, 2), math.log(3))]
    loss, bce = delineation.topological_loss(answers, truth, _ByHand(), 0.1)
    entropies = [math.log(2), -(math.log(0.75) + math.log(0.25)) / 2]
    features = [((1 + 1) / 2 + 0) / 2, ((0.5**2 + 1.5**2) / 2 + 0.25**2) / 2]
    expected = entropies[0] / 3 + entropies[1] * 2 / 3
    assert bce.item() == pytest.approx(expected)
    expected += 0.1 * (features[0] / 3 + features[1] * 2 / 3)
    assert loss.item() == pytest.approx(expected)


def test_its_gradient_is_the_one_that_autograd_finds():
    network, draws = _what(layer="early+late").loss_network(), torch.Generator().manual_seed(0)
    truth = torch.rand(2, 1, 64, 64, generator=draws).round()
    answers = [torch.randn(2, 1, 64, 64, generator=draws, requires_grad=True) for _ in range(3)]
    expected = torch.zeros(())
    wanted = network(truth.expand(-1, 3, -1, -1))
    for k, answer in enumerate(answers, 1):
        found = network(torch.sigmoid(answer).expand(-1, 3, -1, -1))
        distances = [functional.mse_loss(found[layer], wanted[layer]) for layer in wanted]
        entropy = functional.binary_cross_entropy_with_logits(answer, truth)
        expected = expected + k / 6 * (entropy + 0.5 * sum(distances) / 2)
    gradients = torch.autograd.grad(expected, answers)
    loss, _ = delineation.topological_loss(answers, truth, MapFeatures(network), 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for answer, gradient in zip(answers, gradients, strict=True):
        assert answer.grad is not None
        assert torch.allclose(answer.grad, gradient, rtol=1e-3, atol=1e-4 * gradient.abs().max())


def test_of_several_layers_the_loss_is_the_mean():
    draws = torch.Generator().manual_seed(0)
    truth, maps = (torch.rand(2, 1, 64, 64, generator=draws) for _ in range(2))
    values = {}
    for layer in ("early", "late", "early+late"):
        features = delineation.loss_network(_what(layer=layer), CPU)
        assert features is not None
        values[layer] = features.loss(maps, features(truth)).item()
    assert values["early+late"] == pytest.approx((values["early"] + values["late"]) / 2, rel=1e-5)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_training_changes_the_u_net_and_batch_norms_of_the_loss_network_only_if_asked(
    data, tmp_path, monkeypatch, mode
):
    what = _what("vgg16_bn", loss_network_mode=mode)
    features = delineation.loss_network(what, CPU)
    assert features is not None
    before = {name: value.clone() for name, value in features.state_dict().items()}
    monkeypatch.setattr(delineation, "loss_network", lambda *_: features)
    state = delineation.train(what, data, _work(tmp_path))
    after = features.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(after[name], value)}
    assert bool(changed) == (mode == "train")
    assert all("running" in name or "batches" in name for name in changed)
    assert all(parameter.grad is None for parameter in features.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in state.model.parameters())
    kept = torch.load(tmp_path / "checkpoint.pt")
    assert ("loss_network" in kept) == (mode == "train")


def test_gradients_flow_back_through_every_iteration(data):
    """The first iteration's answer counts in the last one's loss: its map is not cut off."""
    unet = delineation.UNet()
    images, maps = split(crops(data.train, torch.arange(4), torch.rand(4, 3), side=32, flip=0.5))
    found = torch.zeros_like(maps, requires_grad=True)
    last = unet(images, torch.sigmoid(unet(images, found)))
    (gradient,) = torch.autograd.grad(last.square().sum(), found)
    assert gradient.abs().sum() > 0
    logits = delineation.iterate(unet, images, 2)
    assert torch.allclose(logits[1], last, atol=1e-5)
    (gradient,) = torch.autograd.grad(logits[1].sum(), logits[0])
    assert gradient.abs().sum() > 0


def test_an_image_and_its_map_are_cropped_and_mirrored_alike(data):
    draws = torch.tensor([[0.0, 0.5, 0.9], [0.999, 0.0, 0.1], [0.2, 0.2, 0.2]])
    images, maps = split(crops(data.train, torch.tensor([1, 0]), draws, side=32, flip=0.5))
    found = torch.cat([images, maps], 1).permute(0, 2, 3, 1) * 255  # (2, 32, 32, 4)
    expected = [data.train[1][32:, :32][:, ::-1], data.train[0][:32, 16:48]]
    assert np.array_equal(found.round().numpy(), np.stack(expected))


def test_crops_are_drawn_by_seed_and_epoch():
    draws = draw_crops(500, 0, 1)
    assert torch.equal(draws, draw_crops(500, 0, 1))
    for others in ((0, 2), (1, 1)):
        assert not torch.equal(draws, draw_crops(500, *others))


def test_images_are_evaluated_resized_or_whole(data, tmp_path):
    every = list(Config(size=32).evaluated.batches(data.test))
    assert [place for batch in every for place in batch.places] == list(range(8))
    images, _ = split(torch.from_numpy(data.test[0][None].copy()))
    small = functional.interpolate(images, (32, 32), mode="bilinear", antialias=True)
    assert torch.equal(every[0].images[:1], small)
    for count in (5, 6, 7, 8, 9):  # an own data set of 65 × 70 pixels
        for kind in ("sat", "map"):
            (tmp_path / "own" / kind).mkdir(parents=True, exist_ok=True)
            Image.new("L", (70, 65)).save(tmp_path / "own" / kind / f"{count}.png")
    own = _load(tmp_path / "own", tmp_path, crop=32)
    (batch,) = Config(evaluation="whole").evaluated.batches(own.test)
    assert (batch.images.shape, batch.maps.shape) == ((1, 3, 80, 80), (1, 1, 65, 70))
    (answer,) = delineation.answers(delineation.UNet().eval(), batch, 1, Config(), CPU)
    assert answer.shape == batch.maps.shape


class _Two(nn.Module):
    """Finds road everywhere at first, and then nowhere."""

    def forward(self, images: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
        return torch.full_like(found, -9.0 if found.any() else 9.0)


@pytest.mark.parametrize(("scored", "weight"), [("last", 0), ("all", 2 / 3)])
def test_the_last_iteration_is_scored_or_all_of_them(data, tmp_path, scored, weight):
    what = _what(evaluation="whole", test_iterations=2, scored=scored)
    values = delineation.score(_Two(), data.test, what, _work(tmp_path))
    shares = [100 * (data.test[place][..., 3] > 0).mean() for place in range(8)]
    assert values["quality"].tolist() == pytest.approx([weight * share for share in shares])
    assert values["completeness"].tolist() == pytest.approx([weight * 100] * 8)


def test_batch_norms_use_in_the_test_what_they_learned_or_the_image_alone(data, tmp_path):
    found = []
    for statistics in ("running", "batch"):
        torch.manual_seed(0)
        unet = delineation.UNet()
        before = unet.state_dict()["down.0.1.running_mean"].clone()
        what = _what(threshold=0.5, test_batch_norm=statistics)
        found.append(delineation.score(unet, data.test, what, _work(tmp_path))["tp"].tolist())
        unchanged = torch.equal(unet.state_dict()["down.0.1.running_mean"], before)
        assert unchanged == (statistics == "running")
    assert found[0] != found[1]


def _execute(home: Path, *settings: str, **fields: object) -> Outcome:
    request = Request(
        **{  # type: ignore[arg-type]
            "benchmark": "delineation",
            "architectures": ("alexnet",),
            "layers": ("early",),
            "preset": "smoke",
            "settings": settings,
        }
        | fields
    )
    (outcome,) = execute(plan(request, BENCHMARK, home, _silent), home, CPU, _silent)
    return outcome


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A home with the recorded run of the preset smoke."""
    home = tmp_path_factory.mktemp("recorded")
    return home, _execute(home)


def test_it_learns_more_than_finding_nothing_or_everything(recorded):
    home, outcome = recorded
    scores = {one.score: one for one in outcome.record.measurements}
    assert list(scores) == ["mrd_correctness", "mrd_completeness", "mrd_quality"]
    assert {(one.architecture, one.layer, one.n) for one in scores.values()} == {
        ("alexnet", "early", 8)
    }
    data = _load(home / "datasets" / "smoke" / "mrd", home, crop=64)
    everything = np.mean([100 * (scene[..., 3] > 0).mean() for scene in data.test.pixels])
    assert scores["mrd_quality"].value > 2 * everything
    assert outcome.collapsed is None


def test_scores_are_means_of_values_per_image_and_curves_and_a_gallery_are_kept(recorded):
    home, outcome = recorded
    folder = home / "runs" / outcome.record.run_id
    with gzip.open(folder / "items.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    assert {(row["layer"], row["dataset"]) for row in rows} == {("early", "mrd")}
    assert len(rows) == 8 * 6
    for one in outcome.record.measurements:
        name = one.score.removeprefix("mrd_")
        values = [float(row["value"]) for row in rows if row["quantity"] == name]
        assert np.mean(values) == pytest.approx(one.value)
    with (folder / "curves.csv").open() as file:
        points = {(row["split"], row["quantity"]) for row in csv.DictReader(file)}
    assert points == {("train", "loss"), ("train", "bce"), ("validation", "bce")}
    shown = sorted(path.name for path in (folder / "gallery").iterdir())
    assert shown[:3] == ["00.input.png", "00.output.png", "00.target.png"]
    assert len(shown) == 8 * 3


def test_the_baseline_and_summed_layers_are_recorded_as_such(tmp_path):
    outcome = _execute(tmp_path, *TINY, architectures=(), baselines=("bce",))
    assert {(one.architecture, one.layer) for one in outcome.record.measurements} == {(None, None)}
    outcome = _execute(tmp_path, *TINY, layers=("early+late",))
    assert {one.layer for one in outcome.record.measurements} == {"early+late"}


def test_a_run_that_finds_nothing_is_recorded_with_its_reason(tmp_path):
    outcome = _execute(tmp_path, *TINY, "threshold=1.0")
    note = json.loads((tmp_path / "runs" / outcome.record.run_id / "note.json").read_text())
    assert outcome.collapsed == note["collapsed"] == "nothing is found in any test image"
    assert [one.value for one in outcome.record.measurements] == [0, 0, 0]


def test_a_training_that_diverges_is_scored_and_says_so(data, tmp_path):
    result = delineation.run(_what(lr=1e30, epochs=3), data, _work(tmp_path))
    assert result.collapsed is not None
    assert "is nan in epoch" in result.collapsed
    assert all(np.isfinite(one.values).all() for one in result.items)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"evaluation": "crops"}, "found evaluation=crops; valid are resized and whole"),
        ({"test_split": "train"}, "found test_split=train; valid are test and valid"),
        ({"test_batch_norm": "none"}, "found test_batch_norm=none; valid are running and batch"),
        ({"scored": "first"}, "found scored=first; valid are last and all"),
        ({"loss_network_mode": "off"}, "found loss_network_mode=off; valid are eval and train"),
        ({"baseline": "l2"}, "found baseline=l2; valid are bce"),
        ({"crop": 100}, "found crop=100; valid are multiples of 16 from 32"),
        ({"size": 16}, "found size=16; valid are multiples of 16 from 32"),
        ({"iterations": 0}, "found iterations=0; valid are whole numbers from 1"),
        ({"epochs": -1}, "found epochs=-1; valid are whole numbers from 1"),
        ({"mu": -0.1}, "found mu=-0.1; valid are numbers from 0"),
        ({"flip": 2.0}, "found flip=2.0; valid are numbers from 0 to 1"),
        ({"threshold": 30.0}, "found threshold=30.0; valid are numbers from 0 to 1"),
        ({"buffer_px": -1.0}, "found buffer_px=-1.0; valid are numbers from 0"),
        ({"lr": 0.0}, "found lr=0.0; valid are numbers above 0"),
    ],
)
def test_settings_that_are_not_valid_are_refused(fields, message):
    with pytest.raises(UserError) as caught:
        Config(**fields)
    assert caught.value.message == message


def test_crops_greater_than_an_image_are_refused(tmp_path):
    for size, hint in ((72, "lossnets run delineation --set crop=64"), (24, None)):
        generated.make_roads(tmp_path / f"{size}", size=size)
        with pytest.raises(UserError) as caught:
            _load(tmp_path / f"{size}", tmp_path)
        assert caught.value.message == (
            f"found the image 00 with a side of {size} pixels, too small for crops of 224; "
            "valid crops are multiples of 16"
        )
        assert caught.value.hint == hint


def test_missing_data_says_how_they_are_had(tmp_path):
    with pytest.raises(UserError) as caught:
        delineation.load(Config(), None, preset=None, home=tmp_path, progress=_silent)
    assert caught.value.message.startswith(f"found no folder {tmp_path}/datasets/mrd to read")
    assert caught.value.hint == "lossnets data fetch mrd, or --data with the folder that holds it"


def test_protocols_and_presets_are_configs():
    for overrides in (*delineation.PROTOCOLS.values(), *delineation.PRESETS.values()):
        Config(**overrides)
    assert Config() == Config(**delineation.PROTOCOLS["paper"])
    assert set(delineation.PROTOCOLS["reference"]) == {
        "iterations", "slope", "antialias", "test_split", "test_batch_norm", "scored",
        "loss_network_mode",
    }  # fmt: skip
    assert {one.name for one in dataclasses.fields(Config)} > set(
        delineation.PROTOCOLS["reference"]
    )
