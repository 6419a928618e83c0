"""Benchmark 3: a U-net that finds roads in aerial images, trained by a loss network (Sec. IV-C).

    lossnets run delineation --architecture vgg11 --layer early
    lossnets run delineation --architecture vgg11 --layer early+late
    lossnets run delineation --architecture alexnet --layer early --preset small --data DIR
    lossnets run delineation --baseline bce

Config, data, loss, training, scores, run: read from top to bottom. Where the paper, its reference
implementation and this one differ stands in docs/fidelity.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.data import generated, roads
from lossnets.runners.data.catalog import locate
from lossnets.runners.data.roads import Roads, Scenes
from lossnets.runners.metrics.delineation import SCORES, delineation_scores
from lossnets.runners.models import training
from lossnets.runners.models.road_batches import Batch, Evaluated, crops, draw_crops, split
from lossnets.runners.models.unet import STRIDE, UNet, iterate
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.map_features import MapFeatures
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.devices import autocast
from lossnets.runners.runs.run import Progress, Result, Run, Work, means
from lossnets.runners.runs.run_folder import ItemValues, middle
from lossnets.runners.runs.settings import check
from lossnets.warehouse.errors import UserError

BASELINES = ("bce",)
SHOWN = 8  # test images in the gallery


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
            vars(self),
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
        for name, side in (("crop", self.crop), ("size", self.size)):
            if side % STRIDE or side < 2 * STRIDE:
                raise UserError(
                    f"found {name}={side}; valid are multiples of {STRIDE} from {2 * STRIDE}"
                )

    @property
    def evaluated(self) -> Evaluated:
        """How images are validated and tested on."""
        return Evaluated(
            size=self.size if self.evaluation == "resized" else None,
            antialias=self.antialias,
            one_by_one=self.test_batch_norm == "batch",
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
    generated_here = folder is None and preset == "smoke"
    if generated_here:
        folder = generated.folder("mrd", home)
    data = roads.load(locate("mrd", folder, home), home / "packs", progress)
    if generated_here:
        data = replace(data, name="mrd")  # in its place
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


def loss_network(what: Run[Config], device: torch.device) -> MapFeatures | None:
    """The run's loss network for maps; None for the baseline `bce`."""
    config = what.config
    if what.architecture is None:
        return None
    network = what.loss_network(mode=config.loss_network_mode)
    return on_device(MapFeatures(network), device, config.precision)


def train(what: Run[Config], data: Roads, work: Work) -> training.State:
    """Train a U-net with the run's loss network; the state holds the best one in the end."""
    config, device = what.config, work.device
    training.seed_draws(what.seed, 0)
    unet = UNet(config.slope).to(device).to(memory_format=torch.channels_last)
    features = loss_network(what, device)
    validation = list(config.evaluated.batches(data.valid))
    count = len(data.train) * config.crops
    state = training.State.resume_or_start(
        model=unet,
        optimizer=torch.optim.Adam(unet.parameters(), lr=config.lr),
        loss_network=features if config.loss_network_mode == "train" else None,
        folder=work.folder,
        run_id=what.run_id,
    )
    for epoch in state.remaining(config.epochs, what.seed):
        unet.train()
        if features is not None:
            features.train()
        sums = torch.zeros(2, device=device)
        draws = draw_crops(count, what.seed, epoch)
        batches = training.batches(count, config.batch, what.seed, epoch)
        for batch in training.told(batches, epoch, config.epochs, work.progress):
            pixels = crops(data.train, batch, draws, side=config.crop, flip=config.flip)
            images, maps = split(pixels.to(device))  # (B, 3, H, H), (B, 1, H, H)
            with autocast(config.precision, device):
                logits = iterate(unet, images, config.iterations)
                loss, bce = topological_loss(logits, maps, features, config.mu)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            sums += torch.stack([loss.detach(), bce.detach()]) * len(batch)
        for quantity, value in zip(("loss", "bce"), sums / count, strict=True):
            state.note("train", quantity, value)
        validate(state, validation, config, device)
        state.save()
    state.restore_best()
    return state


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


def iteration_weights(config: Config) -> dict[int, float]:
    """How much each iteration of the test counts."""
    last = config.test_iterations
    if config.scored == "last":
        return {last: 1.0}
    # one score for each iteration up to k, after iteration k
    return {k: (last - k + 1) / (last * (last + 1) / 2) for k in range(1, last + 1)}


def score(unet: nn.Module, scenes: Scenes, what: Run[Config], work: Work) -> dict[str, np.ndarray]:
    """Pixels found and missed, completeness, correctness and quality: {quantity: (N,)}."""
    config = what.config
    unet.train(config.test_batch_norm == "batch")
    values: dict[str, np.ndarray] = {}
    for batch in config.evaluated.batches(scenes):
        logits = answers(unet, batch, config.test_iterations, config, work.device)
        for k, weight in iteration_weights(config).items():
            marked = torch.sigmoid(logits[k - 1][:, 0]) > config.threshold  # (N, h, w)
            of_batch = delineation_scores(marked, batch.maps[:, 0] > 0.5, config.buffer_px)
            for quantity, of_items in of_batch.items():
                row = values.setdefault(quantity, np.zeros(len(scenes)))
                row[batch.places] += weight * of_items.numpy()
        show(work, scenes, batch, torch.sigmoid(logits[-1]))
    return values


def show(work: Work, scenes: Scenes, batch: Batch, output: torch.Tensor) -> None:
    """Keep the middle of the split's first images, their maps and what was found of them."""
    for row, place in enumerate(batch.places):
        if place < SHOWN:
            parts = {"input": batch.images, "target": batch.maps, "output": output}
            for role, planes in parts.items():
                work.folder.write_image(scenes.names[place], role, middle(planes[row].numpy()))


def scores(config: Config, data: Roads) -> list[str]:
    """Correctness, completeness, quality."""
    return [f"{data.name}_{quantity}" for quantity in SCORES]


def run(what: Run[Config], data: Roads, work: Work) -> Result:
    """Train, find the roads of the test images, score each of them."""
    state = train(what, data, work)
    scenes = data.test if what.config.test_split == "test" else data.valid
    values = score(state.model, scenes, what, work)
    collapsed = state.collapsed
    if not (values["tp"] + values["fp"]).any():
        collapsed = collapsed or "nothing is found in any test image"
    items = {
        name: ItemValues(
            layer=what.layer, dataset=data.name, quantity=name, items=scenes.names, values=row
        )
        for name, row in values.items()
    }
    of_scores = [items[quantity] for quantity in SCORES]
    measurements, unscored = means(what, zip(scores(what.config, data), of_scores, strict=True))
    return Result(
        measurements=measurements,
        items=tuple(items.values()),
        collapsed=collapsed,
        unscored=unscored,
    )


BENCHMARK = Benchmark(
    config=Config,
    protocols=PROTOCOLS,
    presets=PRESETS,
    baselines=BASELINES,
    separate=True,  # one model per extraction layer
    load=load,
    scores=scores,
    run=run,
)
