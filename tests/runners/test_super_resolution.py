"""Super-resolution: its loss, gradients, scores, and that it learns, resumes and refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr

from lossnets.runners.benchmarks import super_resolution
from lossnets.runners.benchmarks.super_resolution import Config
from lossnets.runners.data.photographs import Photographs
from lossnets.runners.metrics.images import luma_psnr, luma_ssim
from lossnets.runners.models import photograph_batches, training
from lossnets.runners.models.photograph_batches import cropped, draw_corners, upscaled
from lossnets.runners.networks.feature_distances import feature_loss
from lossnets.runners.runs.run import Run, Work
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

TINY = {"size": 32, "residual_blocks": 1}


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of blocks of two greys, which bicubic interpolation blurs."""
    root = tmp_path_factory.mktemp("photographs")
    for name, count in {"train": 24, "validation": 4, "test": 4}.items():
        (root / name).mkdir()
        for item in range(count):
            rng = np.random.default_rng([item, len(name)])
            blocks = rng.integers(0, 2, (4, 4, 1)).repeat(3, 2) * 160 + 40
            pixels = blocks.repeat(8, 0).repeat(8, 1).astype(np.uint8)  # (32, 32, 3)
            Image.fromarray(pixels).save(root / name / f"{item:02d}.png")
    return root


def _load(root: Path, config: Config) -> Photographs:
    home = root / "home"
    return super_resolution.load(config, root, preset=None, home=home, progress=lambda *_: None)


def _run(config: Config, layer: str | None = "early", **changes: object) -> Run:
    """A run of alexnet with random weights, or of a baseline where there is no layer."""
    what = {
        "benchmark": "super_resolution",
        "architecture": layer and "alexnet",
        "layers": (layer,) if layer else (),
        "weights": layer and "random:0",
        "weights_source": layer and "random:0",
        "seed": 0,
        "config": config,
        "data": "photographs:test",
        "preset": "smoke",
    }
    return Run(**(what | changes))


def _work(path: Path, progress=lambda *_: None) -> Work:
    return Work(device=torch.device("cpu"), folder=RunFolder(path), progress=progress)


def _curve(state: training.State, split: str) -> list[float]:
    return [value for _, name, _, value in state.curves if name == split]


def test_the_loss_is_equation_3_by_hand():
    """Two images, C · H · W = 4: (1 + 4 + 9 + 16) / 4 and 0 in one layer, 8² / 1 in the other."""
    outputs = {"early": torch.zeros(2, 2, 1, 2), "late": torch.zeros(2, 1, 1, 1)}
    early = torch.tensor([[[[1.0, -2.0]], [[3.0, 4.0]]], [[[0.0, 0.0]], [[0.0, 0.0]]]])
    late = torch.tensor([[[[0.0]]], [[[8.0]]]])
    loss = feature_loss(outputs, {"early": early, "late": late})
    assert loss.item() == (7.5 + 0) / 2 + (0 + 64) / 2


def test_crops_of_inputs_and_targets_are_of_the_same_place():
    small = torch.arange(2 * 64.0).view(2, 1, 8, 8).expand(2, 3, 8, 8)
    target = small.repeat_interleave(4, 2).repeat_interleave(4, 3)  # (2, 3, 32, 32)
    corners = draw_corners(500, 3, 0, 1)
    assert (corners.min(), corners.max()) == (0, 3)
    assert torch.equal(corners, draw_corners(500, 3, 0, 1))
    assert not torch.equal(corners, draw_corners(500, 3, 0, 2))
    some, whole = cropped(small, target, corners[:2].tolist(), 20)
    assert torch.equal(some.repeat_interleave(4, 2).repeat_interleave(4, 3), whole)
    (y, x), _ = corners[:2].tolist()
    assert some[0, 0, 0, 0] == small[0, 0, y, x]


def test_it_learns_to_be_nearer_to_the_target_than_bicubic(photographs, tmp_path):
    config = Config(**TINY, epochs=20)
    data, what = _load(photographs, config), _run(config)
    state = super_resolution.train(what, data, _work(tmp_path))
    features, (own,) = what.loss_network(), data.tests

    def distance(upscale) -> float:
        ((_, outputs, targets),) = upscaled(upscale, own, "fp32", torch.device("cpu"))
        with torch.no_grad():
            return feature_loss(features(outputs), features(targets)).item()

    trained = distance(state.model.eval())
    trivial = distance(super_resolution.bicubic(4))
    assert trained < trivial / 2
    assert state.collapsed is None
    assert _curve(state, "train")[-1] < _curve(state, "train")[0] / 4
    assert state.best_value == max(_curve(state, "validation"))


def test_gradients_reach_the_model_and_nothing_else(photographs, tmp_path, monkeypatch):
    """A batch norm loss network in eval mode is after training what it was before."""
    config = Config(**TINY, epochs=1, images=8)
    data, made = _load(photographs, config), []
    what = _run(config, architecture="vgg16_bn")
    network = super_resolution.loss_network(what, torch.device("cpu"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    monkeypatch.setattr(super_resolution, "loss_network", lambda *_: network)
    state = super_resolution.train(what, data, _work(tmp_path))
    made = network.state_dict()
    assert all(torch.equal(made[name], value) for name, value in before.items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(p.grad.abs().sum() > 0 for p in state.model.parameters() if p.ndim == 4)


def test_a_loss_network_in_training_mode_is_trained_along_and_kept(
    photographs, tmp_path, monkeypatch
):
    config = Config(**TINY, epochs=1, images=8, loss_network_mode="train")
    what = _run(config, architecture="vgg16_bn")
    network = super_resolution.loss_network(what, torch.device("cpu"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    monkeypatch.setattr(super_resolution, "loss_network", lambda *_: network)
    super_resolution.train(what, _load(photographs, config), _work(tmp_path))
    changed = {name for name, value in network.state_dict().items()
               if not torch.equal(value, before[name])}  # fmt: skip
    assert changed
    assert all("running" in name or "batches" in name for name in changed)
    kept = torch.load(tmp_path / "checkpoint.pt")["loss_network"]
    assert all(torch.equal(kept[name], network.state_dict()[name]) for name in changed)


def test_target_features_that_are_kept_are_the_same(photographs, tmp_path, monkeypatch):
    config = Config(**TINY, epochs=2, images=8)
    data, curves = _load(photographs, config), []
    for name, least in {"kept": 2**31, "computed": 0}.items():
        monkeypatch.setattr(super_resolution, "CACHE_BYTES", least)
        (tmp_path / name).mkdir()
        state = super_resolution.train(_run(config, "late+early"), data, _work(tmp_path / name))
        curves.append([value for *_, value in state.curves])
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)


def test_a_run_yields_scores_values_per_image_curves_and_a_gallery(photographs, tmp_path):
    config = Config(**TINY, epochs=1, images=4)
    result = super_resolution.run(_run(config), _load(photographs, config), _work(tmp_path))
    scores = {one.score: one for one in result.measurements}
    assert list(scores) == ["sr_x4_own_psnr", "sr_x4_own_ssim"]
    assert {(one.architecture, one.layer, one.n) for one in scores.values()} == {
        ("alexnet", "early", 4)
    }
    for items, score in zip(result.items, scores.values(), strict=True):
        assert (items.layer, items.dataset, items.items) == (
            "early", "own_x4", ("00", "01", "02", "03"),
        )  # fmt: skip
        assert items.values.mean() == score.value
    with (tmp_path / "curves.csv").open() as file:
        rows = [(row["epoch"], row["split"], row["quantity"]) for row in csv.DictReader(file)]
    assert rows == [("1", "train", "loss"), ("1", "validation", "psnr")]
    shown = sorted(path.name for path in (tmp_path / "gallery").iterdir())
    assert len(shown) == 12
    assert shown[:3] == ["own_00.input.png", "own_00.output.png", "own_00.target.png"]
    target = np.asarray(Image.open(tmp_path / "gallery" / "own_00.target.png"))
    assert np.array_equal(target, np.asarray(Image.open(photographs / "test" / "00.png")))


def test_a_training_that_diverges_is_scored_and_says_so(photographs, tmp_path):
    config = Config(**TINY, epochs=3, images=4, lr=1e30)
    result = super_resolution.run(_run(config), _load(photographs, config), _work(tmp_path))
    assert result.collapsed == "validation psnr is nan in epoch 1"
    assert all(np.isfinite(one.values).all() for one in result.items)


def test_a_test_image_met_exactly_leaves_the_other_scores(photographs, tmp_path, monkeypatch):
    def exact(outputs: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        return torch.full((len(outputs),), torch.inf, dtype=torch.float64)

    monkeypatch.setattr(super_resolution, "luma_psnr", exact)
    config = Config(**TINY, epochs=1, images=4, baseline="bicubic")
    data = _load(photographs, config)
    result = super_resolution.run(_run(config, None), data, _work(tmp_path / "bicubic"))
    first = data.tests[0]
    assert all(item.score.endswith("ssim") for item in result.measurements)
    assert result.unscored[0] == (
        f"sr_x4_{first.name}_psnr has no value, as the psnr of {first.items[0]} in "
        f"{first.name}_x4 is inf"
    )


def test_baselines_need_no_loss_network(photographs, tmp_path):
    config = Config(**TINY, epochs=1, images=4, baseline="bicubic")
    data = _load(photographs, config)
    result = super_resolution.run(_run(config, None), data, _work(tmp_path / "bicubic"))
    assert {one.architecture for one in result.measurements} == {None}
    assert not (tmp_path / "bicubic" / "model.pt").exists()
    (tmp_path / "pixels").mkdir()
    config = Config(**TINY, epochs=1, images=4, baseline="pixels")
    super_resolution.run(_run(config, None), data, _work(tmp_path / "pixels"))
    assert (tmp_path / "pixels" / "model.pt").exists()


def _images(seed: int, height: int = 36, width: int = 44) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.rand(2, 3, height, width, generator=draws)


def test_scores_are_scikit_images_on_the_luma_less_the_border():
    targets = _images(0)
    outputs = (targets + 0.1 * _images(1)).clamp(0, 1)
    for factor in (4, 8):
        planes = [
            rgb2ycbcr(images.double().permute(0, 2, 3, 1).numpy())[
                :, factor:-factor, factor:-factor, 0
            ]
            for images in (outputs, targets)
        ]
        pairs = list(zip(*planes, strict=True))
        assert luma_psnr(outputs, targets, border=factor).tolist() == pytest.approx(
            [peak_signal_noise_ratio(y, x, data_range=255) for x, y in pairs]
        )
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        assert luma_ssim(outputs, targets, border=factor).tolist() == pytest.approx(
            [structural_similarity(x, y, data_range=255, **options) for x, y in pairs]
        )


def test_scores_of_the_reference_are_measured_as_it_does(tmp_path):
    """PSNR: torchmetrics with the target's range, from 0. SSIM: of PNG files, by scikit-image."""
    targets = _images(0)
    outputs = (targets + _images(1)) / 2
    weights = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1)
    expected_psnr, expected_ssim = [], []
    for output, target in zip(outputs, targets, strict=True):
        x, y = ((weights * image).sum(1) + 16 for image in (output, target))
        expected_psnr.append(torchmetrics_psnr(x, y, data_range=float(y.max())).item())
        planes = []
        for image in (output, target):
            pixels = (image * 255 + 0.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
            Image.fromarray(pixels).save(tmp_path / "image.png")
            saved = np.asarray(Image.open(tmp_path / "image.png")) / 255
            luma = saved @ np.array([65.738, 129.057, 25.064]) / 256
            planes.append(luma[2:-2, 2:-2])
        expected_ssim.append(structural_similarity(*planes, data_range=1))
    found = luma_psnr(outputs, targets, border=4, kind="target_range").tolist()
    assert found == pytest.approx(expected_psnr, rel=1e-5)
    found = luma_ssim(outputs, targets, border=4, kind="uniform").tolist()
    assert found == pytest.approx(expected_ssim, rel=1e-5)


def test_scores_depend_on_no_batch(photographs, monkeypatch):
    config = Config(**TINY)
    (own,) = _load(photographs, config).tests
    found = []
    for pixels in (1, 3 * 32 * 32, 10**9):
        monkeypatch.setattr(photograph_batches, "AT_ONCE", pixels)
        items = super_resolution.score(
            super_resolution.bicubic(4), own, _run(config, None), _work(Path())
        )
        found.append([one.values.tolist() for one in items])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"factor": 2}, "found factor=2; valid are 4 and 8"),
        ({"inputs": "photo"}, "found inputs=photo; valid are target and photograph"),
        ({"baseline": "l1"}, "found baseline=l1; valid are bicubic and pixels"),
        ({"size": 50}, "found size=50; valid are multiples of the factor 4 from 20"),
        ({"crop": 16}, "found crop=16; valid are multiples of the factor 4 from 20"),
        ({"crop": 320}, "found crop=320; valid are sizes up to size=288"),
        ({"ssim": "11"}, "found ssim=11; valid are gaussian and uniform"),
        ({"epochs": -1}, "found epochs=-1; valid are whole numbers from 1"),
        ({"batch": 0}, "found batch=0; valid are whole numbers from 1"),
    ],
)
def test_settings_that_are_not_valid_are_refused(fields, message):
    with pytest.raises(UserError) as caught:
        Config(**fields)
    assert caught.value.message == message


def test_protocols_and_presets_are_configs():
    for overrides in (*super_resolution.PROTOCOLS.values(), *super_resolution.PRESETS.values()):
        Config(**overrides)
    assert Config() == Config(**super_resolution.PROTOCOLS["paper"])


def test_missing_data_says_how_they_are_had(tmp_path):
    with pytest.raises(UserError) as caught:
        super_resolution.load(Config(), None, preset=None, home=tmp_path, progress=lambda *_: None)
    assert caught.value.message.startswith(f"found no folder {tmp_path}/datasets/coco to read")
    assert caught.value.hint == (
        "lossnets data fetch coco, or --data with the folder that holds it"
    )
