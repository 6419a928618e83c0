"""Benchmark 2: a network that upscales photographs, trained by a loss network (paper, Sec. IV-B).

    lossnets run super-resolution --architecture vgg11 --layer early
    lossnets run super-resolution --architecture vgg11 --layer early --set factor=8
    lossnets run super-resolution --architecture alexnet --layer early --preset small --data DIR

Config, data, network, loss, training, scores, run: read from top to bottom. Where the paper, its
reference implementation and this one differ stands in docs/fidelity.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.data import generated, photographs
from lossnets.runners.data.catalog import locate
from lossnets.runners.data.photograph_files import TEST_SETS
from lossnets.runners.data.photographs import ImageSet, Photographs
from lossnets.runners.metrics.images import luma_psnr, luma_ssim
from lossnets.runners.models import training
from lossnets.runners.models.photograph_batches import (
    Pixels,
    Upscale,
    cropped,
    draw_corners,
    upscaled,
)
from lossnets.runners.models.upscaling_network import Network
from lossnets.runners.networks.feature_distances import Features, feature_loss
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.devices import autocast
from lossnets.runners.runs.run import Progress, Result, Run, Work, means
from lossnets.runners.runs.run_folder import ROLES, ItemValues, middle
from lossnets.runners.runs.settings import check
from lossnets.warehouse.errors import UserError

BASELINES = ("bicubic", "pixels")
SHOWN = 8  # test images in the gallery
CACHE_BYTES = 2**31  # of target features


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that changes the result; the defaults are the paper's (Sec. IV-B)."""

    factor: int = 4  # of upscaling: 4 or 8
    images: int = 10_000  # drawn for training
    validation_images: int = 100  # drawn for validation
    drawn_with: int = 42  # seed of these draws
    size: int = 288  # px a side of a target: shorter side resized, centre cropped
    crop: int | None = None  # px a side of random crops of the targets in training; none: whole
    crops: int = 1  # random crops of every target in an epoch
    inputs: str = "target"  # blurred and downsampled is the target, or the "photograph" (reference)
    residual_blocks: int = 4  # 5 in the paper's words, 4 in the reference and in Johnson's network
    last_batch_norm: bool = False  # batch norm after the last convolution (reference)
    epochs: int = 80
    batch: int = 4
    lr: float = 1e-3  # Adam's
    normalise: bool = True  # what goes into the loss network; the reference does not
    loss_network_mode: str = "eval"  # batch norms of the loss network: "eval" or "train"
    test_images: str = "whole"  # or "crops": resized and cropped like training images (reference)
    psnr: str = "peak_255"  # or "target_range": the target's own range, no border cut (reference)
    ssim: str = "gaussian"  # 11×11; or "uniform": 7×7, after 8 bits, 2 px cut (reference)
    precision: str = "fp32"  # fp32, tf32 or bf16
    baseline: str | None = None  # without a loss network: "bicubic", or trained on "pixels"

    def __post_init__(self) -> None:
        check(
            vars(self),
            choices={
                "factor": (4, 8),
                "inputs": ("target", "photograph"),
                "loss_network_mode": ("eval", "train"),
                "test_images": ("whole", "crops"),
                "psnr": ("peak_255", "target_range"),
                "ssim": ("gaussian", "uniform"),
                "baseline": BASELINES,
            },
            least={
                **dict.fromkeys(("images", "validation_images", "crops", "epochs", "batch"), 1),
                "residual_blocks": 0,
            },
            positive=("lr",),
        )
        for name, side in (("size", self.size), ("crop", self.crop)):
            if side is not None and (side % self.factor or side < 5 * self.factor):
                raise UserError(
                    f"found {name}={side}; valid are multiples of the factor {self.factor} "
                    f"from {5 * self.factor}"
                )
        if self.crop is not None and self.crop > self.size:
            raise UserError(f"found crop={self.crop}; valid are sizes up to size={self.size}")


PROTOCOLS: dict[str, dict[str, object]] = {
    "paper": {},
    "reference": {
        "inputs": "photograph",
        "last_batch_norm": True,
        "normalise": False,
        "test_images": "crops",
        "psnr": "target_range",
        "ssim": "uniform",
    },
}
PRESETS: dict[str, dict[str, object]] = {
    "smoke": {"size": 64, "images": 24, "validation_images": 4, "epochs": 3},
    "small": {  # for some dozens of photographs: minutes on a laptop
        "images": 200,
        "validation_images": 10,
        "crop": 48,
        "crops": 32,
        "batch": 16,  # of many crops, so that batch norm sees more than four images at once
        "epochs": 20,
        "lr": 3e-4,  # so few steps leave batch norm no time to settle at 1e-3
    },
}


def load(
    config: Config, folder: Path | None, *, preset: str | None, home: Path, progress: Progress
) -> Photographs:
    """The photographs of `folder`, by default those that `lossnets data fetch` put below `home`.

    The smoke preset generates its own. Errors: UserError that says what is missing or wrong.
    """
    if folder is None and preset == "smoke":
        folder = generated.folder("photographs", home)
    if folder is None:
        for name in ("coco", *TEST_SETS):
            locate(name, None, home)
        folder = home / "datasets"
    return photographs.load(config, folder, home, progress)


def scores(config: Config, data: Photographs) -> list[str]:
    """PSNR and SSIM on each test set."""
    return [
        f"sr_x{config.factor}_{images.name}_{quantity}"
        for images in data.tests
        for quantity in ("psnr", "ssim")
    ]


TARGETS = training.Shared[Features | None]()  # of runs that differ in their seed alone


class PixelLoss(nn.Module):
    """In place of a loss network: the image is its own feature."""

    def forward(self, images: torch.Tensor) -> Features:
        return {"pixels": images}


def loss_network(what: Run[Config], device: torch.device) -> nn.Module:
    """The run's loss network, or what stands in its place for the baseline `pixels`."""
    config = what.config
    if what.architecture is None:
        return PixelLoss().to(device)
    return on_device(what.loss_network(mode=config.loss_network_mode), device, config.precision)


def upscaling_network(config: Config, device: torch.device) -> Network:
    """The network that is trained."""
    network = Network(
        config.factor,
        residual_blocks=config.residual_blocks,
        last_batch_norm=config.last_batch_norm,
    )
    return network.to(device).to(memory_format=torch.channels_last)


def train(what: Run[Config], data: Photographs, work: Work) -> training.State:
    """Train a network with the run's loss network; the state holds the best one in the end."""
    config, device = what.config, work.device
    training.seed_draws(what.seed, 0)
    network = upscaling_network(config, device)
    features = loss_network(what, device)
    inputs, targets = Pixels(data.training.inputs, device), Pixels(data.training.targets, device)
    kept = kept_features(what, features, targets)
    count, room = len(targets) * config.crops, (config.size - (config.crop or config.size))
    state = training.State.resume_or_start(
        model=network,
        optimizer=torch.optim.Adam(network.parameters(), lr=config.lr),
        loss_network=features if config.loss_network_mode == "train" else None,
        folder=work.folder,
        run_id=what.run_id,
    )
    for epoch in state.remaining(config.epochs, what.seed):
        network.train()
        features.train()
        total = torch.zeros((), device=device)
        corners = draw_corners(count, room // config.factor, what.seed, epoch)
        batches = training.batches(count, config.batch, what.seed, epoch)
        for batch in training.told(batches, epoch, config.epochs, work.progress):
            chosen = batch % len(targets)
            small, target = inputs[chosen], targets[chosen]  # (B, 3, h, w), (B, 3, H, W)
            if config.crop:
                small, target = cropped(small, target, corners[batch].tolist(), config.crop)
            with autocast(config.precision, device):
                wanted = wanted_features(features, target, chosen, kept)
                loss = feature_loss(features(network(small)), wanted)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            total += loss.detach() * len(batch)
        state.note("train", "loss", total / count)
        validate(state, data.validation, config, device)
        state.save()
    state.restore_best()
    return state


@torch.no_grad()
def wanted_features(
    features: nn.Module, target: torch.Tensor, chosen: torch.Tensor, kept: Features | None
) -> Features:
    """The features of the targets of a batch: those that are kept, or computed now."""
    if kept:
        return {layer: y[chosen].to(target.device) for layer, y in kept.items()}
    computed: Features = features(target)
    return computed


def kept_features(what: Run[Config], features: nn.Module, targets: Pixels) -> Features | None:
    """The features of all targets, where they never change and are small enough to be kept.

    The next run in the process shares them, if they are the same.
    """
    config, device = what.config, targets.device
    if config.crop or config.loss_network_mode == "train" or isinstance(features, PixelLoss):
        return None
    depends_on = (what.architecture, what.layers, what.weights, what.data, config, device)
    return TARGETS.get(depends_on, lambda: all_features(features, targets, config))


@torch.no_grad()
def all_features(features: nn.Module, targets: Pixels, config: Config) -> Features | None:
    """The features of all targets, on the CPU; None where they take more than CACHE_BYTES."""
    with autocast(config.precision, targets.device):
        shapes = features(targets[[0]])
        if sum(y.nbytes for y in shapes.values()) * len(targets) > CACHE_BYTES:
            return None
        parts = [
            {layer: y.cpu() for layer, y in features(targets[batch]).items()}
            for batch in torch.arange(len(targets)).split(config.batch)
        ]
    return {layer: torch.cat([part[layer] for part in parts]) for layer in shapes}


def validate(state: training.State, images: ImageSet, config: Config, device: torch.device) -> None:
    """Note the validation PSNR, keep the model if it is the best, notice constant output."""
    values = []
    for places, outputs, targets in upscaled(state.model.eval(), images, config.precision, device):
        values.append(luma_psnr(outputs, targets, border=config.factor, kind=config.psnr))
        if 0 in places:
            state.note_outputs(outputs)
    mean = torch.cat(values).mean()
    state.note("validation", "psnr", mean)
    state.keep_best(mean, higher_is_better=True)


def bicubic(factor: int) -> Upscale:
    """The trivial answer: bicubic interpolation, of torch's kernel (a = −0.75)."""
    return lambda x: functional.interpolate(x, scale_factor=factor, mode="bicubic").clamp(0, 1)


def score(upscale: Upscale, images: ImageSet, what: Run[Config], work: Work) -> list[ItemValues]:
    """PSNR and SSIM of every image of a test set."""
    config = what.config
    values = np.empty((2, len(images)))
    for places, outputs, targets in upscaled(upscale, images, config.precision, work.device):
        values[0, places] = luma_psnr(outputs, targets, border=config.factor, kind=config.psnr)
        values[1, places] = luma_ssim(outputs, targets, border=config.factor, kind=config.ssim)
    return [
        ItemValues(
            layer=what.layer,
            dataset=f"{images.name}_x{config.factor}",
            quantity=quantity,
            items=images.items,
            values=row,
        )
        for quantity, row in zip(("psnr", "ssim"), values, strict=True)
    ]


def show(upscale: Upscale, tests: Sequence[ImageSet], config: Config, work: Work) -> None:
    """Keep the middle of the first test images: bicubic, target and output."""
    left = SHOWN
    for images in tests:
        some = replace(
            images,
            items=images.items[:left],
            inputs=images.inputs[:left],
            targets=images.targets[:left],
        )
        left -= len(some)
        trivial = upscaled(bicubic(config.factor), some, config.precision, work.device)
        trained = upscaled(upscale, some, config.precision, work.device)
        for (places, inputs, _), (_, outputs, targets) in zip(trivial, trained, strict=True):
            for place, *pictures in zip(places, inputs, targets, outputs, strict=True):
                for role, picture in zip(ROLES, pictures, strict=True):
                    item = f"{images.name}_{images.items[place]}"
                    work.folder.write_image(item, role, middle(picture.numpy()))


def run(what: Run[Config], data: Photographs, work: Work) -> Result:
    """Train, but for the baseline `bicubic`; upscale the test images; score each of them."""
    config = what.config
    upscale, collapsed = bicubic(config.factor), None
    if config.baseline != "bicubic":
        state = train(what, data, work)
        upscale, collapsed = state.model.eval(), state.collapsed
    items = [part for images in data.tests for part in score(upscale, images, what, work)]
    measurements, unscored = means(what, zip(scores(config, data), items, strict=True))
    show(upscale, data.tests, config, work)
    return Result(
        measurements=measurements, items=tuple(items), collapsed=collapsed, unscored=unscored
    )


BENCHMARK = Benchmark(
    config=Config,
    protocols=PROTOCOLS,
    presets=PRESETS,
    baselines=BASELINES,
    separate=True,  # one model per extraction layer
    swept={"factor": ("4", "8")},
    load=load,
    scores=scores,
    run=run,
)
