"""Benchmark 1: distances beside lpips' and Eq. 1 as written, scores beside their definitions."""

from __future__ import annotations

import csv
import gc
import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from lossnets.runners.benchmarks import perceptual_similarity
from lossnets.runners.benchmarks.perceptual_similarity import Config, distances
from lossnets.runners.data import bapps, generated
from lossnets.runners.metrics.distances import negative_psnr
from lossnets.runners.networks.feature_distances import distance
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.run import Run, Work
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.judgements import average_precision, two_afc

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
FEW = (("2afc", "color"), ("jnd", "cnn"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> perceptual_similarity.Data:
    """A tiny BAPPS in the real layout."""
    return _load(Config(), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def few(data) -> perceptual_similarity.Data:
    """Eight triplets and eight pairs."""
    subsets = tuple(s for s in data.subsets if (s.part, s.name) in FEW)
    return perceptual_similarity.Data(subsets=subsets, identity="few")


def _load(config: Config, home: Path, folder: Path | None = None) -> perceptual_similarity.Data:
    return perceptual_similarity.load(
        config, folder, preset="smoke", home=home, progress=lambda *_: None
    )


def _run(
    data: perceptual_similarity.Data,
    folder: Path,
    architecture: str | None = "alexnet",
    layers: tuple[str, ...] = ("early", "late"),
    **settings: object,
):
    """The result of a run, which is kept nowhere."""
    what = Run(
        benchmark="perceptual_similarity",
        architecture=architecture,
        layers=layers if architecture else (),
        weights="random:0" if architecture else None,
        weights_source="random" if architecture else None,
        seed=None,
        config=Config(**settings),
        data=data.identity,
        preset="smoke",
    )
    work = Work(device=CPU, folder=RunFolder(folder), progress=lambda *_: None)
    return perceptual_similarity.run(what, data, work)


def _values(result) -> dict[tuple[str | None, str], float]:
    return {(m.layer, m.score): m.value for m in result.measurements}


def _reference_distance(y: np.ndarray, y0: np.ndarray) -> float:
    """Eq. 1, position by position, in double precision. y, y0: (C, H, W)"""
    _, height, width = y.shape
    total = 0.0
    for h in range(height):
        for w in range(width):
            u, v = y[:, h, w].astype(float), y0[:, h, w].astype(float)
            u, v = u / max(np.sqrt((u**2).sum()), 1e-12), v / max(np.sqrt((v**2).sum()), 1e-12)
            total += ((u - v) ** 2).sum()
    return total / (height * width)


# ---- distance


@pytest.mark.parametrize("architecture", ["alexnet", "squeezenet1_1", "resnet18"])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_distances_are_eq_1_of_each_pair_alone(architecture, memory_format):
    layers = ["early", "middle", "late"]
    network = LossNetwork(architecture, layers, weights="random")
    images = torch.rand(3, 2, 3, 64, 64)
    # one layer and one pair at a time, the network as it is made
    expected = {
        layer: [
            [_reference_distance(*(network(x)[layer][0].numpy() for x in (p[None], ref[None])))
             for p, ref in zip(other, images[0], strict=True)]
            for other in images[1:]
        ]
        for layer in layers
    }  # fmt: skip
    network = network.to(memory_format=memory_format)
    found = distances(network, images)
    for layer in layers:
        assert found[layer].numpy() == pytest.approx(np.array(expected[layer]), abs=1e-5)


@pytest.mark.parametrize(
    ("net", "architecture", "nodes"),
    [
        ("alex", "alexnet", (1, 4, 7, 9, 11)),
        ("vgg", "vgg16", (3, 8, 15, 22, 29)),
        ("squeeze", "squeezenet1_1", (1, 4, 7, 9, 10, 11, 12)),
    ],
)
def test_summed_distances_are_those_of_lpips(net, architecture, nodes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names its arguments to torchvision as of old
        import lpips

        theirs = lpips.LPIPS(net=net, lpips=False, pnet_rand=True, verbose=False)
    network = LossNetwork(architecture, [f"features.{n}" for n in nodes], weights="random")
    state = network.extractor.state_dict()
    for name, parameter in theirs.net.named_parameters():  # slice2.3.weight
        parameter.data = state["features." + name.split(".", 1)[1]]
    ref, p0 = torch.rand(2, 2, 3, 64, 64)
    with torch.no_grad():
        expected = theirs(p0, ref, normalize=True).flatten()  # of images in [0, 1]
    found = sum(d[0] for d in distances(network, torch.stack([ref, p0])).values())
    # lpips adds 1e-10 to each length, we divide by it; lengths here are 1e-3 and more
    assert found.numpy() == pytest.approx(expected.numpy(), abs=2e-6)


def test_eq_1_worked_out_by_hand():
    y = torch.tensor([[[[3.0, 0.0]], [[4.0, 0.0]]]])  # (1, 2, 1, 2): (3, 4) and (0, 0)
    y0 = torch.tensor([[[[2.0, 0.0]], [[0.0, 5.0]]]])  # (2, 0) and (0, 5)
    # (0.6, 0.8) − (1, 0): 0.16 + 0.64; (0, 0) − (0, 1): 1
    assert distance(y, y0).tolist() == pytest.approx([0.9])
    assert distance(y, y).tolist() == [0.0]


class _Features:
    """In place of a loss network: features that are what goes in."""

    architecture = "given"

    def __call__(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"layer": images}

    def as_maps(self, layer: str, features: torch.Tensor) -> torch.Tensor:
        return features


@pytest.mark.parametrize("scale", [1.0, 1e-13, 1e-8, 1e9])
def test_positions_without_length_count_as_in_eq_1(scale):
    # pairs of lengths: 0 and 0, 0 and 1, 1 and 0, both below ε, one below ε, both above
    y0 = torch.tensor([[0, 0, 1, 3e-13, 1e-13, 2], [0, 0, 0, 1e-13, 2e-13, 1.0]])
    y = torch.tensor([[0, 1, 0, 1e-13, 3, 1], [0, 0, 0, 2e-13, 1, 2.0]])
    sets = scale * torch.stack([y0, y]).view(2, 1, 2, 6, 1).expand(-1, -1, -1, -1, 6)
    found = distances(_Features(), sets.contiguous())["layer"]
    assert found[0].tolist() == pytest.approx(
        [_reference_distance(*sets[:, 0].flip(0).numpy())], abs=1e-6
    )
    assert found[0].tolist() == pytest.approx(distance(sets[1], sets[0]).tolist(), abs=1e-6)


def test_equal_images_are_at_distance_zero():
    network = LossNetwork("alexnet", ["early", "late"], weights="random")
    image = torch.rand(1, 3, 64, 64)
    found = distances(network, torch.stack([image, image, 1 - image]))
    assert [d[0].item() for d in found.values()] == [0.0, 0.0]
    assert all(d[1].item() > 0 for d in found.values())


def test_distances_leave_images_and_features_as_they_are():
    given, kept = torch.rand(3, 1, 4, 2, 2), {}

    class Keeping(_Features):
        def __call__(self, images):
            kept.update(super().__call__(images))
            return kept

    before = given.clone()
    distances(Keeping(), given)
    assert torch.equal(given, before)
    assert torch.equal(kept["layer"], before.flatten(0, 1))


def test_channels_that_come_last_are_channels_all_the_same():
    network = LossNetwork("swin_t", "features.1", weights="random")  # (N, H, W, C)
    pair = torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = network(pair.flatten(0, 1))["features.1"].permute(0, 3, 1, 2).split(1)
        (found,) = distances(network, pair)["features.1"]
    torch.testing.assert_close(found, distance(second, first))


# ---- scores


def test_scores_are_the_definitions_over_the_items(data, tmp_path):
    result = _run(data, tmp_path)
    kept = {(v.layer, v.dataset, v.quantity): v.values for v in result.items}
    values, counts = _values(result), {m.score: m.n for m in result.measurements}
    assert len(values) == len(result.measurements) == 2 * 10
    for layer in ("early", "late"):
        means = []
        for subset in bapps.SUBSETS["2afc"]:
            d0, d1 = (kept[layer, subset, f"distance_{i}"] for i in (0, 1))
            rows = zip(d0, d1, kept[None, subset, "judge"].astype(float), strict=True)
            means.append(np.mean([1 - j if a < b else j if b < a else 0.5 for a, b, j in rows]))
            assert values[layer, f"bapps_2afc_{subset}"] == pytest.approx(means[-1])
            assert counts[f"bapps_2afc_{subset}"] == 8
        assert values[layer, "bapps_2afc"] == pytest.approx(np.mean(means))
        pairs = [
            (kept[layer, name, "distance"], kept[None, name, "same"])
            for name in ("jnd_traditional", "jnd_cnn")
        ]
        for (d, same), subset in zip(pairs, bapps.SUBSETS["jnd"], strict=True):
            assert values[layer, f"bapps_jnd_{subset}"] == average_precision(d, same)
        together = [np.concatenate(arrays) for arrays in zip(*pairs, strict=True)]
        assert values[layer, "bapps_jnd"] == average_precision(*together)
    assert (counts["bapps_2afc"], counts["bapps_jnd"]) == (48, 16)


def test_the_score_over_all_weighs_subsets_alike_however_many_triplets_they_have():
    found = []
    for count, name in enumerate(bapps.SUBSETS["2afc"], 1):
        nobody = np.zeros(count, np.float32)  # found p1 closer
        subset = bapps.Subset(
            part="2afc", name=name, items=tuple(map(str, range(count))), images=nobody,
            labels=nobody, digest="",
        )  # fmt: skip
        p1_is_closer = np.stack([np.ones(count), np.zeros(count)])
        found.append((subset, p1_is_closer if count < 6 else p1_is_closer[::-1]))
    scored = {score: (value, n) for score, value, n in perceptual_similarity.scored(found)}
    assert scored["bapps_2afc_deblur"] == (0.0, 4)
    assert scored["bapps_2afc_frameinterp"] == (1.0, 6)
    assert scored["bapps_2afc"] == (pytest.approx(1 / 6), 21)


def test_items_are_the_images_that_the_judges_saw(few, tmp_path):
    result = _run(few, tmp_path, layers=("early",))
    network = LossNetwork("alexnet", "early", weights="random")
    subset = few.subsets[0]
    kept = {v.quantity: v for v in result.items if v.dataset == "color"}

    def features(image: np.ndarray) -> np.ndarray:
        pixels = torch.tensor(image).permute(2, 0, 1)[None] / 255
        return network(pixels)["early"][0].numpy()

    for item in (0, 7):
        ref = features(subset.ref[item])
        for quantity, image in (("distance_0", subset.p0[item]), ("distance_1", subset.p1[item])):
            assert kept[quantity].items[item] == f"{item:06d}"
            assert kept[quantity].values[item] == pytest.approx(
                _reference_distance(features(image), ref), abs=1e-5
            )
    assert kept["judge"].values.tolist() == subset.judge.tolist()


def test_scores_can_be_computed_again_from_what_is_kept(data, tmp_path):
    result = _run(data, tmp_path, layers=("late",))
    path = RunFolder(tmp_path).write_items(result.items)
    found: dict[tuple[str, str], list[float]] = {}
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["dataset"], row["quantity"]), []).append(float(row["value"]))
    scores = [
        two_afc(*(np.array(found[subset, q]) for q in ("distance_0", "distance_1", "judge"))).mean()
        for subset in bapps.SUBSETS["2afc"]
    ]
    assert np.mean(scores) == pytest.approx(_values(result)["late", "bapps_2afc"], abs=1e-7)


def test_a_distance_can_be_summed_over_layers_and_taken_at_any_node(few, tmp_path):
    layers = ("early+late", "early", "features.7")
    result = _run(few, tmp_path, layers=layers)
    kept = {(v.layer, v.dataset, v.quantity): v.values for v in result.items}
    late = {(v.dataset, v.quantity): v.values for v in _run(few, tmp_path, layers=("late",)).items}
    assert kept["early+late", "jnd_cnn", "distance"] == pytest.approx(
        kept["early", "jnd_cnn", "distance"] + late["jnd_cnn", "distance"]
    )
    assert {m.layer for m in result.measurements} == set(layers)


def test_the_loss_network_follows_the_config(few, tmp_path):
    # a tiny network sees normalised images, by default, and lengths below ε as ε
    plain, raw = (_run(few, tmp_path, normalise=normalise) for normalise in (True, False))
    assert _values(plain) != _values(raw)
    near = _run(few, tmp_path, epsilon=1e6)
    assert max(v.values.max() for v in near.items if v.layer) < 1e-9


# ---- what scores do not depend on


def _all_values(result) -> np.ndarray:
    return np.concatenate([v.values for v in result.items])


def test_scores_do_not_depend_on_the_batch_or_the_threads(few, tmp_path, monkeypatch):
    expected = _run(few, tmp_path)
    threads = torch.get_num_threads()
    try:
        for batch, count in ((1, 1), (3, 2)):
            monkeypatch.setattr(perceptual_similarity, "LARGEST_BATCH", {"cpu": batch})
            torch.set_num_threads(count)
            found = _run(few, tmp_path)
            assert _all_values(found) == pytest.approx(_all_values(expected), abs=1e-5)
            assert _values(found) == pytest.approx(_values(expected), abs=1e-5)
    finally:
        torch.set_num_threads(threads)


def test_scores_do_not_depend_on_the_order_of_items(few, tmp_path):
    turned = perceptual_similarity.Data(
        subsets=tuple(
            bapps.Subset(
                part=s.part,
                name=s.name,
                items=s.items[::-1],
                images=s.images[::-1],
                labels=s.labels[::-1],
                digest=s.digest,
            )
            for s in few.subsets
        ),
        identity="turned",
    )
    found, expected = _run(turned, tmp_path), _run(few, tmp_path)
    assert _values(found) == pytest.approx(_values(expected), abs=1e-5)
    by_item = dict(zip(found.items[1].items, found.items[1].values, strict=True))
    for item, value in zip(expected.items[1].items, expected.items[1].values, strict=True):
        assert by_item[item] == pytest.approx(value, abs=1e-5)


def test_memory_is_in_proportion_to_the_batch(few, tmp_path, monkeypatch):
    monkeypatch.setattr(perceptual_similarity, "LARGEST_BATCH", {"cpu": 3})
    held: list[int] = []
    forward = LossNetwork.forward

    def watched(self, images):
        assert len(images) <= 9  # three triplets
        tensors = [thing for thing in gc.get_objects() if type(thing) is torch.Tensor]
        storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
        held.append(sum(storages.values()))
        return forward(self, images)

    monkeypatch.setattr(LossNetwork, "forward", watched)
    _run(few, tmp_path)
    _look_at_the_sizes, first_batch, *others = held
    assert len(others) == 2 * 3 - 1  # eight triplets and eight pairs, by three
    assert max(others) <= first_batch + 1000  # distances: a few bytes each


def test_bfloat16_is_near_and_float32_is_what_is_kept(few, tmp_path):
    exact, near = (_run(few, tmp_path, precision=name) for name in ("fp32", "bf16"))
    assert {v.values.dtype for v in near.items} == {np.dtype("float32")}
    difference = np.abs(_all_values(exact) - _all_values(near))
    assert 1e-5 < difference.max() < 0.1


# ---- baselines


def _reference_ssim(x: np.ndarray, x0: np.ndarray) -> float:
    from skimage.metrics import structural_similarity

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    x, x0 = (np.pad(i, ((5, 5), (5, 5), (0, 0)), mode="reflect") for i in (x, x0))
    # it leaves out of the mean what its window of 11 pixels does not wholly cover
    return structural_similarity(x, x0, data_range=1.0, channel_axis=2, **options)


def test_baselines_are_distances_between_pixels(few, tmp_path):
    subset = few.subsets[0]
    x, x0 = subset.p0.astype(np.float64) / 255, subset.ref.astype(np.float64) / 255
    mse = ((x - x0) ** 2).mean(axis=(1, 2, 3))
    expected = {
        "l2": mse,
        "psnr": -10 * np.log10(1 / mse),
        "ssim": [1 - _reference_ssim(a, b) for a, b in zip(x, x0, strict=True)],
    }
    for baseline, values in expected.items():
        result = _run(few, tmp_path, architecture=None, baseline=baseline)
        found = next(v for v in result.items if (v.dataset, v.quantity) == ("color", "distance_0"))
        assert found.layer is None
        assert found.values == pytest.approx(np.array(values), rel=1e-4)
        assert {(m.architecture, m.layer) for m in result.measurements} == {(None, None)}
        # the generated judges see the stronger noise as farther, and so do these
        assert _values(result)[None, "bapps_2afc_color"] > 0.6


def test_psnr_is_that_of_torchmetrics():
    from torchmetrics.functional.image import peak_signal_noise_ratio

    x, x0 = torch.rand(2, 4, 3, 16, 16)
    theirs = peak_signal_noise_ratio(x, x0, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert negative_psnr(x, x0).tolist() == pytest.approx((-theirs).tolist())


def test_baselines_stand_equal_images(few, tmp_path):
    subsets = []
    for s in few.subsets:
        images = np.array(s.images)
        images[0] = images[0, :1]  # all of the first item's images are its first
        subsets.append(
            bapps.Subset(
                part=s.part, name=s.name, items=s.items, images=images, labels=s.labels,
                digest=s.digest,
            )
        )  # fmt: skip
    equal = perceptual_similarity.Data(subsets=tuple(subsets), identity="equal")
    found = {
        name: _values(_run(equal, tmp_path, architecture=None, baseline=name))
        for name in ("l2", "psnr", "ssim")
    }
    assert found["psnr"] == found["l2"]
    assert all(np.isfinite(list(values.values())).all() for values in found.values())


# ---- refusals


def test_some_subsets_give_no_score_over_all(data, tmp_path, home):
    config = Config(subsets=("traditional", "jnd_cnn"))
    some = _load(config, home)
    result = _run(some, tmp_path, layers=("early",), subsets=config.subsets)
    assert set(_values(result)) == {
        ("early", "bapps_2afc_traditional"), ("early", "bapps_jnd_cnn"),
    }  # fmt: skip
    assert some.identity != data.identity
    turned = Config(subsets=("jnd_cnn", "traditional", "jnd_cnn"))
    assert turned == config  # and so is its run the same


def test_a_missing_subset_is_an_error_unless_it_is_not_asked_for(home, tmp_path):
    root = tmp_path / "bapps"
    generated.make_bapps(root, items=1)
    (root / "2afc" / "val" / "cnn").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError) as error:
        _load(Config(), home, root)
    assert error.value.message.startswith(f"found no 2afc/val/cnn in {root}, ")
    _load(Config(subsets=("color", "jnd_cnn")), home, root)


def _message(call, *arguments, **options) -> str:
    with pytest.raises(UserError) as error:
        call(*arguments, **options)
    return error.value.message


def test_settings_that_mean_nothing_are_refused(few, tmp_path):
    assert _message(Config, baseline="lpips") == (
        "found baseline 'lpips'; valid are l2, psnr, ssim"
    )
    assert _message(Config, subsets=("cnn", "vgg")) == (
        "found subset 'vgg'; valid are traditional, cnn, superres, deblur, color, frameinterp, "
        "jnd_traditional, jnd_cnn"
    )
    assert _message(Config, subsets=()) == (
        "found no subset to score; valid are traditional, cnn, superres, deblur, color, "
        "frameinterp, jnd_traditional, jnd_cnn"
    )
    assert _message(Config, epsilon=0.0) == "found epsilon 0; valid is a number above 0"
    assert _message(_run, few, tmp_path, baseline="l2") == (
        "found baseline 'l2' for alexnet early, late; a baseline has no loss network"
    )


def test_distances_that_are_no_numbers_are_refused(few, tmp_path, monkeypatch):
    forward = LossNetwork.forward

    def broken(self, images):
        return {layer: f.log() for layer, f in forward(self, images).items()}

    monkeypatch.setattr(LossNetwork, "forward", broken)
    assert _message(_run, few, tmp_path) == (
        "found distances that are no numbers at early of alexnet; "
        "its weights or its precision give features without a value"
    )
