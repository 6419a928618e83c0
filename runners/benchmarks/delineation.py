"""Benchmark 3: a U-net that finds roads in aerial images, trained by a loss network (Sec. IV-C).

    lossnets run delineation --architecture vgg11 --layer early
    lossnets run delineation --architecture vgg11 --layer early+late
    lossnets run delineation --architecture alexnet --layer early --preset small --data DIR
    lossnets run delineation --baseline bce

Config, data, loss, training, scores, run: read from top to bottom. Where the paper, its reference
implementation and this one differ stands in docs/fidelity.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.data import roads
from lossnets.runners.data.catalog import generated, locate
from lossnets.runners.data.packs import Progress
from lossnets.runners.data.roads import Roads, Scenes
from lossnets.runners.metrics.delineation import SCORES, delineation_scores
from lossnets.runners.models import training
from lossnets.runners.models.unet import STRIDE, UNet, iterate
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.map_features import MapFeatures
from lossnets.runners.runs.devices import autocast
from lossnets.runners.runs.run import Result, Run, Work
from lossnets.runners.runs.run_folder import ItemValues
from lossnets.runners.runs.settings import check
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import Measurement

BASELINES = ("bce",)
SEPARATE = True  # one model per extraction layer
DATASET = "mrd"
SHOWN = 8  # test images in the gallery
SIDE = 128  # pixels a side of them
AT_ONCE = 8 * 224 * 224  # pixels that are computed at once in evaluation


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that changes the result; the defaults are the paper's (Sec. IV-C)."""

    iterations: int = 3  # K: applications of the U-net in training and validation; reference: 1
    test_iterations: int = 3  # applications of the U-net in the test
    mu: float = 0.01  # weight of L_top (Eq. 4)
    slope: float = 0.2  # of the leaky ReLU on the U-net's way down; 0 in effect in the reference
    crop: int = 224  # px a side of random crops in training
    crops: int = 1  # random crops of every image in an epoch
    flip: float = 0.5  # probability that a crop is mirrored left to right
    epochs: int = 100
    batch: int = 8
    lr: float = 1e-3  # Adam's
    evaluation: str = "resized"  # images to validate and test on; or "whole", at their own size
    size: int = 224  # px a side that they are resized to
    antialias: bool = True  # in resizing them; the reference, with its time's torchvision, did not
    threshold: float = 0.3  # a road is where the map is greater
    buffer_px: float = 0  # px within which a pixel is matched (Wiedemann et al.)
    test_split: str = "test"  # or "valid", as in the reference's script
    test_batch_norm: str = "running"  # statistics; or "batch", each image's own (reference)
    scored: str = "last"  # iteration of the test; or "all", earlier ones more often (reference)
    normalise: bool = True  # what goes into the loss network
    loss_network_mode: str = "eval"  # batch norms of the loss network: "eval" or "train"
    precision: str = "fp32"  # fp32, tf32 or bf16
    baseline: str | None = None  # without a loss network: "bce"

    def __post_init__(self) -> None:
        check(
            self,
            choices={
                "evaluation": ("resized", "whole"),
                "test_split": ("test", "valid"),
                "test_batch_norm": ("running", "batch"),
                "scored": ("last", "all"),
                "loss_network_mode": ("eval", "train"),
                "baseline": BASELINES,
            },
            least=dict.fromkeys(("iterations", "test_iterations", "crops", "epochs", "batch"), 1),
            ranges={"mu": (0, inf), "flip": (0, 1), "threshold": (0, 1), "buffer_px": (0, inf)},
            positive=("lr",),
        )
        for name in ("crop", "size"):
            side = getattr(self, name)
            if side % STRIDE or side < 2 * STRIDE:
                raise UserError(
                    f"found {name}={side}; valid are multiples of {STRIDE} from {2 * STRIDE}"
                )


PROTOCOLS: dict[str, dict[str, object]] = {
    "paper": {},
    "reference": {
        "iterations": 1,
        "slope": 0.0,
        "antialias": False,
        "test_split": "valid",
        "test_batch_norm": "batch",
        "scored": "all",
        "loss_network_mode": "train",
    },
}
PRESETS: dict[str, dict[str, object]] = {
    "smoke": {"crop": 64, "crops": 2, "size": 96, "epochs": 15, "lr": 1e-2},
    "small": {"evaluation": "whole", "crop": 160, "crops": 4, "epochs": 30, "lr": 1e-2},
}


def load(
    config: Config, folder: Path | None, *, preset: str | None, home: Path, progress: Progress
) -> Roads:
    """The images and maps of `folder`, by default those that `lossnets data fetch mrd` put there.

    The smoke preset generates its own. Errors: UserError that says what is missing or wrong.
    """
    if folder is None and preset == "smoke":
        folder = generated("mrd", home, roads.make_smoke)
    data = roads.load(locate(DATASET, folder, home), home / "packs", progress)
    side, name = data.train.smallest
    if side < config.crop:
        least = f"crop={side - side % STRIDE}"
        raise UserError(
            f"found the image {name} with a side of {side} pixels, too small for crops of "
            f"{config.crop}; valid crops are multiples of {STRIDE}",
            hint=f"lossnets run delineation --set {least}" if side >= 2 * STRIDE else None,
        )
    return data


def topological_loss(
    logits: Sequence[torch.Tensor],
    roads: torch.Tensor,
    features: MapFeatures | None,
    mu: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """L = BCE + μ L_top (Eq. 4) and its BCE, iteration k of K with weight k / (K (K + 1) / 2).

    logits: of each iteration, (N, 1, H, W); roads: the true map, 0 or 1. Without `features` L is
    the BCE. BCE is computed from logits, which is stable where the map is 0 or 1 to rounding.

    >>> loss, bce = topological_loss([torch.zeros(1, 1, 4, 4)] * 3, torch.ones(1, 1, 4, 4), None, 1)
    >>> round(bce.item(), 4)  # ln 2, as for a map that is 0.5 everywhere
    0.6931
    """
    targets = None
    if features is not None:
        with torch.no_grad():
            targets = features(roads)
    total = len(logits) * (len(logits) + 1) / 2
    loss = bce = torch.zeros((), device=roads.device)
    for k, answer in enumerate(logits, 1):
        entropy = functional.binary_cross_entropy_with_logits(answer.float(), roads)
        bce = bce + k / total * entropy
        loss = loss + k / total * entropy
        if features is not None and targets is not None:
            loss = loss + mu * k / total * features.loss(torch.sigmoid(answer), targets)
    return loss, bce


def train(what: Run, data: Roads, work: Work) -> training.State:
    """Train a U-net with the run's loss network; the state holds the best one in the end."""
    config, device = what.config, work.device
    training.seed_draws(what.seed, 0)
    unet = UNet(config.slope).to(device).to(memory_format=torch.channels_last)
    features = loss_network(what, device)
    state = training.State(
        model=unet,
        optimizer=torch.optim.Adam(unet.parameters(), lr=config.lr),
        loss_network=features if config.loss_network_mode == "train" else None,
    )
    validation = list(evaluated(data.valid, config))
    for epoch in training.epochs(state, what, work):
        unet.train()
        if features is not None:
            features.train()
        sums = torch.zeros(2, device=device)
        draws = draw_crops(len(data.train) * config.crops, what.seed, epoch)
        for batch in training.batches(len(draws), epoch, what, work):
            images, maps = crops(data.train, batch, draws, config, device)
            with autocast(config.precision, device):
                logits = iterate(unet, images, config.iterations)
                loss, bce = topological_loss(logits, maps, features, config.mu)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            sums += torch.stack([loss.detach(), bce.detach()]) * len(batch)
        for quantity, value in zip(("loss", "bce"), sums / len(draws), strict=True):
            state.note("train", quantity, value)
        validate(state, validation, config, device)
    return state


def loss_network(what: Run, device: torch.device) -> MapFeatures | None:
    """The run's loss network for maps; None for the baseline `bce`."""
    if what.architecture is None:
        return None
    return on_device(MapFeatures(what.loss_network()), device, what.config.precision)


def draw_crops(n: int, seed: int | None, epoch: int) -> torch.Tensor:
    """What an epoch's crops are drawn with: (n, 3), upper edge, left edge and flip, in [0, 1)."""
    return torch.rand(n, 3, generator=training.generator(seed, epoch, "crops"))


def crops(
    scenes: Scenes,
    batch: torch.Tensor,
    draws: torch.Tensor,
    config: Config,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random crops of some images and their maps: (B, 3, crop, crop), (B, 1, crop, crop)."""
    side = config.crop
    pixels = np.empty((len(batch), side, side, 4), np.uint8)
    for crop, place in zip(pixels, batch.tolist(), strict=True):
        scene = scenes[place % len(scenes)]  # (H, W, 4)
        down, right, flip = draws[place].tolist()
        top, left = (
            int(share * (length - side + 1))
            for share, length in zip((down, right), scene.shape, strict=False)
        )
        part = scene[top : top + side, left : left + side]
        crop[:] = part[:, ::-1] if flip < config.flip else part
    return split(torch.from_numpy(pixels).to(device))


def split(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes (N, H, W, 4), uint8, as images (N, 3, H, W) and maps (N, 1, H, W) in [0, 1]."""
    planes = pixels.permute(0, 3, 1, 2).float() / 255  # (N, 4, H, W)
    return planes[:, :3], planes[:, 3:]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images to evaluate on, of one size; padded ones, with maps that are not."""

    places: list[int]  # which images of the split
    images: torch.Tensor  # (N, 3, H, W)
    maps: torch.Tensor  # (N, 1, h, w), h ≤ H, w ≤ W


def evaluated(scenes: Scenes, config: Config) -> Iterator[Batch]:
    """A split's images and maps in batches of one size, resized to a square or whole.

    Maps are resized as images are (bilinear), so that their pixels are shares of road. Whole
    images are padded by reflection to the sides that the U-net takes.
    """
    by_size: dict[tuple[int, ...], list[int]] = {}
    for place in range(len(scenes)):
        by_size.setdefault(scenes[place].shape, []).append(place)
    for (height, width, _), places in by_size.items():
        pixels = height * width if config.evaluation == "whole" else config.size**2
        count = 1 if config.test_batch_norm == "batch" else max(1, AT_ONCE // pixels)
        for start in range(0, len(places), count):
            some = places[start : start + count]
            images, maps = split(torch.from_numpy(np.stack([scenes[place] for place in some])))
            if config.evaluation == "whole":
                margins = (0, -width % STRIDE, 0, -height % STRIDE)
                images = functional.pad(images, margins, mode="reflect")
            else:
                images, maps = (resized(planes, config) for planes in (images, maps))
            yield Batch(places=some, images=images, maps=maps)


def resized(planes: torch.Tensor, config: Config) -> torch.Tensor:
    """Images or maps at the size to evaluate on: bilinear, (N, C, size, size)."""
    return functional.interpolate(
        planes, (config.size, config.size), mode="bilinear", antialias=config.antialias
    )


@torch.no_grad()
def answers(
    unet: nn.Module, batch: Batch, iterations: int, config: Config, device: torch.device
) -> list[torch.Tensor]:
    """The logits of every iteration, of the size of the maps, on the CPU: K × (N, 1, h, w)."""
    images = batch.images.to(device).contiguous(memory_format=torch.channels_last)
    with autocast(config.precision, device):
        logits = iterate(unet, images, iterations)
    height, width = batch.maps.shape[2:]
    return [answer[..., :height, :width].float().cpu() for answer in logits]


def validate(
    state: training.State, batches: Sequence[Batch], config: Config, device: torch.device
) -> None:
    """Note the last iteration's BCE, mean over the images; keep the model if it is the best."""
    state.model.eval()
    values = []
    for batch in batches:
        logits = answers(state.model, batch, config.iterations, config, device)[-1]
        entropy = functional.binary_cross_entropy_with_logits(logits, batch.maps, reduction="none")
        values.append(entropy.mean((1, 2, 3)))  # (N,)
        if 0 in batch.places:
            state.note_outputs(torch.sigmoid(logits))
    mean = torch.cat(values).mean()
    state.note("validation", "bce", mean)
    state.keep_best(mean, higher_is_better=False)


def score(unet: nn.Module, scenes: Scenes, what: Run, work: Work) -> tuple[ItemValues, ...]:
    """Pixels found and missed, completeness, correctness and quality of every image."""
    config = what.config
    unet.train(config.test_batch_norm == "batch")
    last = config.test_iterations
    weights = {last: 1.0}
    if config.scored == "all":  # one score for each iteration up to k, after iteration k
        weights = {k: (last - k + 1) / (last * (last + 1) / 2) for k in range(1, last + 1)}
    values: dict[str, np.ndarray] = {}
    for batch in evaluated(scenes, config):
        logits = answers(unet, batch, last, config, work.device)
        for k, weight in weights.items():
            found = torch.sigmoid(logits[k - 1][:, 0]) > config.threshold  # (N, h, w)
            scores = delineation_scores(found, batch.maps[:, 0] > 0.5, config.buffer_px)
            for quantity, of_items in scores.items():
                row = values.setdefault(quantity, np.zeros(len(scenes)))
                row[batch.places] += weight * of_items.numpy()
        show(work, scenes, batch, torch.sigmoid(logits[-1]))
    layer = what.layers[0] if what.layers else None
    return tuple(
        ItemValues(layer=layer, dataset=DATASET, quantity=name, items=scenes.names, values=row)
        for name, row in values.items()
    )


def show(work: Work, scenes: Scenes, batch: Batch, found: torch.Tensor) -> None:
    """Keep the middle of the split's first images, their maps and what was found of them."""
    for row, place in enumerate(batch.places):
        if place < SHOWN:
            parts = {"input": batch.images, "target": batch.maps, "output": found}
            for role, planes in parts.items():
                work.folder.write_image(scenes.names[place], role, middle(planes[row]))


def middle(planes: torch.Tensor) -> np.ndarray:
    """The central square of (C, H, W) in [0, 1], at most SIDE pixels a side, as 8 bits."""
    height, width = planes.shape[1:]
    top, left = max(0, height - SIDE) // 2, max(0, width - SIDE) // 2
    central = planes[:, top : top + SIDE, left : left + SIDE].permute(1, 2, 0)  # (h, w, C)
    return (central * 255).round().byte().numpy().squeeze()


def run(what: Run, data: Roads, work: Work) -> Result:
    """Train, find the roads of the test images, score each of them."""
    state = train(what, data, work)
    items = score(state.model, getattr(data, what.config.test_split), what, work)
    values = {one.quantity: one.values for one in items}
    collapsed = state.collapsed
    if not (values["tp"] + values["fp"]).any():
        collapsed = collapsed or "nothing is found in any test image"
    measurements = tuple(
        Measurement(
            architecture=what.architecture,
            layer=items[0].layer,
            score=f"{DATASET}_{quantity}",
            value=float(values[quantity].mean()),
            n=len(values[quantity]),
        )
        for quantity in SCORES
    )
    return Result(measurements=measurements, items=items, collapsed=collapsed)
