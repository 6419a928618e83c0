"""Measured runs as the runners leave them, made up: records, values per item, curves, gallery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lossnets.runners.runs.run_folder import ItemValues, RunFolder
from lossnets.warehouse.sources.judgements import average_precision, two_afc
from lossnets.warehouse.sources.records import Measurement, RunRecord
from lossnets.warehouse.store import Warehouse

TRIPLETS = ("traditional", "cnn", "superres", "deblur", "color", "frameinterp")
PAIRS = ("traditional", "cnn")
LAYERS = ("early", "semi_early", "middle", "late")
Found = tuple[dict[tuple[str | None, str], float], list[ItemValues]]


def measure(warehouse: Warehouse) -> None:
    """Runs of all four benchmarks: a baseline, a sum of layers, two seeds, presets, a collapse."""
    rng = np.random.default_rng(5)
    runs = [
        ("vgg11", ("early", "late", "early+late"), {}),
        ("alexnet", LAYERS, {}),
        (None, (None,), {"config": {"baseline": "l2"}}),
        ("squeezenet1_1", LAYERS, {"preset": "smoke", "weights": "random:0"}),
    ]
    for architecture, layers, about in runs:
        _keep(warehouse, "perceptual_similarity", architecture, _judged(layers, rng), about)
    for architecture, layer, about in (
        ("vgg11", "early", {"seed": 0}),
        ("vgg11", "early", {"seed": 1}),
        ("resnet18", "late", {"seed": 0, "collapsed": "a constant output from epoch 3 on"}),
        ("vgg16", "middle", {"seed": 0, "preset": "small"}),
    ):
        _keep(warehouse, "super_resolution", architecture, _upscaled(layer, rng), about)
    for architecture, layer, about in (
        ("alexnet", "late", {"seed": 0}),
        ("vgg11", "early", {"seed": 0, "preset": "smoke"}),
    ):
        _keep(warehouse, "delineation", architecture, _delineated(layer, rng), about)
    _keep(warehouse, "autoencoding", "vgg11", _classified("middle", rng), {"seed": 0})


def _keep(
    warehouse: Warehouse,
    benchmark: str,
    architecture: str | None,
    found: Found,
    about: dict[str, Any],
) -> None:
    scores, items = found
    collapsed = about.pop("collapsed", None)
    record = RunRecord(
        benchmark=benchmark,
        measurements=tuple(
            Measurement(architecture=architecture, layer=layer, score=score, value=value)
            for (layer, score), value in scores.items()
        ),
        recorded_at="2026-02-03T04:05:06Z",
        duration_s=12.5,
        device="cpu",
        data=f"data of {benchmark}",
        **{"config": {"baseline": None}, "weights": "IMAGENET1K_V1"} | about,
    )
    folder = RunFolder(warehouse.home / "runs" / record.run_id)
    folder.write_items(items)
    if benchmark != "perceptual_similarity":
        folder.write_curves(_curves(benchmark, record.run_id, collapsed=bool(collapsed)))
        for item, role, image in _images(benchmark, record.run_id):
            folder.write_image(item, role, image)
    if collapsed:
        folder.write_json("note.json", {"collapsed": collapsed})
    warehouse.append(record)


def _judged(layers: tuple[str | None, ...], rng: np.random.Generator) -> Found:
    scores: dict[tuple[str | None, str], float] = {}
    items = []
    triplets = [f"{i:06d}" for i in range(24)][::-1]
    for subset in TRIPLETS:
        judge = rng.integers(0, 6, 24) / 5
        items.append(ItemValues(layer=None, dataset=subset, quantity="judge", items=triplets,
                                values=judge))  # fmt: skip
        for layer in layers:
            distances = rng.random((2, 24)).astype(np.float32) + np.stack([1 - judge, judge])
            for k, values in enumerate(distances):
                items.append(ItemValues(layer=layer, dataset=subset, quantity=f"distance_{k}",
                                        items=triplets, values=values))  # fmt: skip
            scores[layer, f"bapps_2afc_{subset}"] = two_afc(*distances, judge).mean()
    for layer in layers:
        means = [scores[layer, f"bapps_2afc_{subset}"] for subset in TRIPLETS]
        scores[layer, "bapps_2afc"] = float(np.mean(means))
    same = {subset: rng.integers(0, 4, 40) / 3 for subset in PAIRS}
    for layer in (None, *(layer for layer in layers if layer)):
        for subset in PAIRS:
            pairs = [f"{i:06d}" for i in range(40)]
            of = {"dataset": f"jnd_{subset}", "items": pairs}
            if layer is None:
                items.append(ItemValues(layer=None, quantity="same", values=same[subset], **of))
            if layer in layers:
                distance = np.round(rng.random(40) - same[subset], 1)
                items.append(ItemValues(layer=layer, quantity="distance", values=distance, **of))
                scores[layer, f"bapps_jnd_{subset}"] = average_precision(distance, same[subset])
    for layer in layers:
        both = np.concatenate([i.values for i in items
                               if i.quantity == "distance" and i.layer == layer])  # fmt: skip
        scores[layer, "bapps_jnd"] = average_precision(both, np.concatenate(list(same.values())))
    return scores, items


def _upscaled(layer: str, rng: np.random.Generator) -> Found:
    scores: dict[tuple[str | None, str], float] = {}
    items = []
    for factor in (4, 8):
        for dataset, count in (("set5", 5), ("set14", 14), ("bsd100", 100)):
            for quantity, centre, spread in (("psnr", 25, 3), ("ssim", 0.7, 0.1)):
                values = np.clip(rng.normal(centre, spread, count), 0, None if centre > 1 else 1)
                names = [f"{dataset}_{i}" for i in range(count)]
                items.append(ItemValues(layer=layer, dataset=f"{dataset}_x{factor}",
                                        quantity=quantity, items=names, values=values))  # fmt: skip
                scores[layer, f"sr_x{factor}_{dataset}_{quantity}"] = values.mean()
    return scores, items


def _delineated(layer: str, rng: np.random.Generator) -> Found:
    names = [f"road_{i}" for i in range(49)]
    values = {name: rng.uniform(10, 60, 49) for name in ("completeness", "correctness", "quality")}
    pixels = {name: rng.integers(0, 500, 49).astype(float) for name in ("tp", "fp", "fn")}
    items = [
        ItemValues(layer=layer, dataset="mrd", quantity=name, items=names, values=each)
        for name, each in (values | pixels).items()
    ]
    return {(layer, f"mrd_{name}"): each.mean() for name, each in values.items()}, items


def _classified(layer: str, rng: np.random.Generator) -> Found:
    scores: dict[tuple[str | None, str], float] = {}
    items = []
    for dataset, count in (("svhn", 300), ("stl10", 80)):
        correct = (rng.random(count) < 0.8).astype(float)
        names = [f"{i:05d}" for i in range(count)]
        items.append(ItemValues(layer=layer, dataset=dataset, quantity="correct", items=names,
                                values=correct))  # fmt: skip
        scores[layer, f"{dataset}_accuracy"] = correct.mean()
    return scores, items


def _curves(
    benchmark: str, run_id: str, *, collapsed: bool
) -> Iterator[tuple[int, str, str, float]]:
    pace = 1 + int(run_id[0], 16) / 8
    names = {"super_resolution": ("loss", "psnr"), "autoencoding": ("loss", "accuracy_64_32")}
    for epoch in range(1, 9):
        for name in names.get(benchmark, ("loss",)):
            for split, gap in (("train", 0.0), ("validation", 0.1)):
                value = pace / epoch + gap if name == "loss" else 20 - 10 * pace / epoch - gap
                yield epoch, split, name, float("nan") if collapsed and epoch > 2 else value


def _images(benchmark: str, run_id: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """Small images: the same inputs and targets for all runs of a benchmark."""
    of_run = np.random.default_rng(int(run_id, 16))
    y, x = np.mgrid[0:48, 0:64]
    for i, item in enumerate(("bird", "a fox", "zebra")):
        target = np.stack([x * 4 % 256, y * 5 % 256, (x + y) * (i + 1) % 256], axis=2)
        target = target.astype(np.uint8)
        if benchmark == "super_resolution":
            yield item, "input", target[::4, ::4]
        else:
            yield item, "input", target
        truth = target[..., 0] > 128
        if benchmark == "delineation":
            yield item, "target", truth.astype(np.uint8) * 255
        if benchmark == "super_resolution":
            yield item, "target", target
        yield (
            item,
            "output",
            np.clip(target + of_run.normal(0, 20, target.shape), 0, 255).astype(np.uint8),
        )
