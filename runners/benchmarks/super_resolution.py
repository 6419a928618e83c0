"""Benchmark 2: a network that upscales photographs, trained by a loss network (paper, Sec. IV-B).

    lossnets run super-resolution --architecture vgg11 --layer early
    lossnets run super-resolution --architecture vgg11 --layer early --set factor=8
    lossnets run super-resolution --architecture alexnet --layer early --preset small --data DIR

Config, data, network, loss, training, scores, run: read from top to bottom. Where the paper, its
reference implementation and this one differ stands in docs/fidelity.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lossnets.runners.data import photographs
from lossnets.runners.data.catalog import generated, locate
from lossnets.runners.data.packs import Progress
from lossnets.runners.data.photographs import Images, ImageSet, Photographs
from lossnets.runners.metrics import images as image_metrics
from lossnets.runners.models import training
from lossnets.runners.models.upscaling_network import Network
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.runs.devices import autocast
from lossnets.runners.runs.run import Result, Run, Work
from lossnets.runners.runs.run_folder import ROLES, ItemValues
from lossnets.runners.runs.settings import check
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import Measurement

BASELINES = ("bicubic", "pixels")
SEPARATE = True  # one model per extraction layer
SHOWN = 8  # test images in the gallery
SIDE = 128  # pixels a side of them
AT_ONCE = 4 * 288 * 288  # output pixels that are computed at once in evaluation
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
            self,
            choices={
                "factor": (4, 8),
                "inputs": ("target", "photograph"),
                "loss_network_mode": ("eval", "train"),
                "test_images": ("whole", "crops"),
                "psnr": ("peak_255", "target_range"),
                "ssim": ("gaussian", "uniform"),
                "baseline": tuple(BASELINES),
            },
            least={
                **dict.fromkeys(("images", "validation_images", "crops", "epochs", "batch"), 1),
                "residual_blocks": 0,
            },
            positive=("lr",),
        )
        for name in ("size", "crop"):
            side = getattr(self, name)
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
        folder = generated("photographs", home, photographs.make_smoke)
    if folder is None:
        for name in ("coco", *photographs.TEST_SETS):
            locate(name, None, home)
        folder = home / "datasets"
    return photographs.load(config, folder, home, progress)


Features = Mapping[str, torch.Tensor]
Upscale = Callable[[torch.Tensor], torch.Tensor]  # (N, 3, h, w) → (N, 3, H, W)
TARGETS = training.Shared[Features | None]()  # of runs that differ in their seed alone


def feature_loss(outputs: Features, targets: Features) -> torch.Tensor:
    """Squared feature distance per feature, mean over the batch, summed over layers (Eq. 3).

    >>> outputs = {"early": torch.zeros(2, 1, 1, 2)}
    >>> feature_loss(outputs, {"early": torch.tensor([[[[1.0, 3.0]]], [[[0.0, 0.0]]]])})
    tensor(2.5000)
    """
    losses = [
        functional.mse_loss(outputs[layer].float(), y.float()) for layer, y in targets.items()
    ]
    return torch.stack(losses).sum()


class PixelLoss(nn.Module):
    """In place of a loss network: the image is its own feature."""

    mode = "eval"

    def forward(self, images: torch.Tensor) -> Features:
        return {"pixels": images}


class Pixels:
    """Images (N, H, W, 3), uint8, as batches (B, 3, H, W) in [0, 1], channels last, on a device.

    On a GPU they are held as a whole where they fit.
    """

    def __init__(self, images: Images, device: torch.device) -> None:
        self.images = images
        self.device = device
        self.held: torch.Tensor | None = None  # (N, H, W, 3), uint8
        if device.type == "cuda" and isinstance(images, np.ndarray) and fits(images, device):
            self.held = torch.from_numpy(np.array(images)).to(device)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, batch: Sequence[int] | torch.Tensor) -> torch.Tensor:
        if self.held is not None:
            chosen = self.held[torch.as_tensor(batch, device=self.device)]
        else:
            chosen = torch.from_numpy(np.stack([self.images[int(i)] for i in batch]))
        return chosen.to(self.device).permute(0, 3, 1, 2).float() / 255  # (B, 3, H, W)


def fits(images: np.ndarray, device: torch.device) -> bool:
    """Whether images take at most a quarter of a GPU's memory."""
    return images.nbytes <= torch.cuda.get_device_properties(device).total_memory // 4


def train(what: Run, data: Photographs, work: Work) -> training.State:
    """Train a network with the run's loss network; the state holds the best one in the end."""
    config, device = what.config, work.device
    training.seed_draws(what.seed, 0)
    network = Network(
        config.factor,
        residual_blocks=config.residual_blocks,
        last_batch_norm=config.last_batch_norm,
    ).to(device)
    network.to(memory_format=torch.channels_last)
    features = loss_network(what, device)
    targets, inputs = (
        Pixels(images, device) for images in (data.training.targets, data.training.inputs)
    )
    state = training.State(
        model=network,
        optimizer=torch.optim.Adam(network.parameters(), lr=config.lr),
        loss_network=features if features.mode == "train" else None,
    )
    depends_on = (what.architecture, what.layers, what.weights, what.data, config, device)
    kept = TARGETS.get(depends_on, lambda: kept_features(features, targets, config))
    for epoch in training.epochs(state, what, work):
        network.train()
        features.train()
        total = torch.zeros((), device=device)
        corners = draw_corners(len(targets) * config.crops, config, what.seed, epoch)
        for batch in training.batches(len(corners), epoch, what, work):
            chosen = batch % len(targets)
            small, target = inputs[chosen], targets[chosen]  # (B, 3, h, w), (B, 3, H, W)
            if config.crop:
                small, target = cropped(small, target, corners[batch].tolist(), config.crop)
            with autocast(config.precision, device):
                if kept:
                    wanted = {layer: y[chosen].to(device) for layer, y in kept.items()}
                else:
                    with torch.no_grad():
                        wanted = features(target)
                loss = feature_loss(features(network(small)), wanted)
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            total += loss.detach() * len(batch)
        state.note("train", "loss", total / len(corners))
        validate(state, data.validation, config, device)
    return state


def loss_network(what: Run, device: torch.device) -> nn.Module:
    """The run's loss network, or what stands in its place for the baseline `pixels`."""
    network = PixelLoss() if what.architecture is None else what.loss_network()
    return on_device(network, device, what.config.precision)


@torch.no_grad()
def kept_features(features: nn.Module, targets: Pixels, config: Config) -> Features | None:
    """The features of all targets, where they never change and are small enough to be kept."""
    if config.crop or features.mode == "train" or isinstance(features, PixelLoss):
        return None
    with autocast(config.precision, targets.device):
        shapes = features(targets[[0]])
        if sum(y.nbytes for y in shapes.values()) * len(targets) > CACHE_BYTES:
            return None
        parts = [
            {layer: y.cpu() for layer, y in features(targets[batch]).items()}
            for batch in torch.arange(len(targets)).split(config.batch)
        ]
    return {layer: torch.cat([part[layer] for part in parts]) for layer in shapes}


def draw_corners(n: int, config: Config, seed: int | None, epoch: int) -> torch.Tensor:
    """The upper left corners of an epoch's crops, in pixels of the inputs: (n, 2), y and x."""
    room = (config.size - (config.crop or config.size)) // config.factor
    draws = training.generator(seed, epoch, "crops")
    return torch.randint(room + 1, (n, 2), generator=draws)


def cropped(
    small: torch.Tensor, target: torch.Tensor, corners: Sequence[tuple[int, int]], side: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each input and its target the same square, `side` pixels of the target from its corner."""
    factor = target.shape[2] // small.shape[2]
    squares = []
    for images, k in ((small, 1), (target, factor)):
        size = side * k // factor
        some = [
            image[:, y * k : y * k + size, x * k : x * k + size]
            for image, (y, x) in zip(images, corners, strict=True)
        ]
        squares.append(torch.stack(some).contiguous(memory_format=torch.channels_last))
    return squares[0], squares[1]  # (B, 3, side / factor, …), (B, 3, side, side)


def validate(state: training.State, images: ImageSet, config: Config, device: torch.device) -> None:
    """Note the validation PSNR, keep the model if it is the best, notice constant output."""
    values = []
    for places, outputs, targets in upscaled(state.model.eval(), images, config, device):
        values.append(psnr(outputs, targets, config))
        if 0 in places:
            state.note_outputs(outputs)
    mean = torch.cat(values).mean()
    state.note("validation", "psnr", mean)
    state.keep_best(mean, higher_is_better=True)


@torch.no_grad()
def upscaled(
    upscale: Upscale, images: ImageSet, config: Config, device: torch.device
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """In batches of one size: which images, their outputs, their targets, (B, 3, H, W) in [0, 1].

    Outputs and targets are on the CPU, in single precision.
    """
    inputs, targets = Pixels(images.inputs, device), Pixels(images.targets, torch.device("cpu"))
    of_size: dict[tuple[int, ...], list[int]] = {}
    for place, target in enumerate(images.targets):
        of_size.setdefault(target.shape, []).append(place)
    for (height, width, _), places in of_size.items():
        count = max(1, AT_ONCE // (height * width))
        for batch in (places[start : start + count] for start in range(0, len(places), count)):
            with autocast(config.precision, device):
                outputs = upscale(inputs[batch])
            yield batch, outputs.float().cpu(), targets[batch]


def psnr(outputs: torch.Tensor, targets: torch.Tensor, config: Config) -> torch.Tensor:
    """PSNR of images (N, 3, H, W) on their luma, dB, as the config says: (N,)."""
    if config.psnr == "target_range":
        x, y = lumas(outputs, targets, border=0)
        return image_metrics.psnr(x, y, peak=y.amax((1, 2)))
    return image_metrics.psnr(*lumas(outputs, targets, border=config.factor))


def ssim(outputs: torch.Tensor, targets: torch.Tensor, config: Config) -> torch.Tensor:
    """Mean SSIM of images (N, 3, H, W) on their luma, as the config says: (N,)."""
    if config.ssim == "uniform":
        x, y = lumas((outputs * 255).round() / 255, (targets * 255).round() / 255, border=2)
        return image_metrics.ssim(
            x - image_metrics.BLACK, y - image_metrics.BLACK, window="uniform"
        )
    return image_metrics.ssim(*lumas(outputs, targets, border=config.factor))


def lumas(
    outputs: torch.Tensor, targets: torch.Tensor, *, border: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The luma of both, (N, H, W), less a border of so many pixels."""
    height, width = outputs.shape[2:]
    rows, columns = slice(border, height - border), slice(border, width - border)
    x, y = (image_metrics.luma(images)[:, rows, columns] for images in (outputs, targets))
    return x, y


def bicubic(factor: int) -> Upscale:
    """The trivial answer: bicubic interpolation."""
    return lambda x: functional.interpolate(x, scale_factor=factor, mode="bicubic").clamp(0, 1)


def score(upscale: Upscale, images: ImageSet, what: Run, work: Work) -> tuple[ItemValues, ...]:
    """PSNR and SSIM of every image of a test set."""
    config = what.config
    values = np.empty((2, len(images)))
    for places, outputs, targets in upscaled(upscale, images, config, work.device):
        values[0, places] = psnr(outputs, targets, config)
        values[1, places] = ssim(outputs, targets, config)
    return tuple(
        ItemValues(
            layer="".join(what.layers) or None,
            dataset=f"{images.name}_x{config.factor}",
            quantity=quantity,
            items=images.items,
            values=row,
        )
        for quantity, row in zip(("psnr", "ssim"), values, strict=True)
    )


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
        trivial = upscaled(bicubic(config.factor), some, config, work.device)
        trained = upscaled(upscale, some, config, work.device)
        for (places, inputs, _), (_, outputs, targets) in zip(trivial, trained, strict=True):
            for place, *pictures in zip(places, inputs, targets, outputs, strict=True):
                for role, picture in zip(ROLES, pictures, strict=True):
                    item = f"{images.name}_{images.items[place]}"
                    work.folder.write_image(item, role, middle(picture))


def middle(image: torch.Tensor) -> np.ndarray:
    """The central square of an image (3, H, W) in [0, 1], at most SIDE pixels a side, as 8 bits."""
    _, height, width = image.shape
    top, left = max(0, height - SIDE) // 2, max(0, width - SIDE) // 2
    central = image[:, top : top + SIDE, left : left + SIDE].permute(1, 2, 0)  # (h, w, 3)
    return (central * 255).round().byte().numpy()


def run(what: Run, data: Photographs, work: Work) -> Result:
    """Train, but for the baseline `bicubic`; upscale the test images; score each of them."""
    config = what.config
    upscale, collapsed = bicubic(config.factor), None
    if config.baseline != "bicubic":
        state = train(what, data, work)
        upscale, collapsed = state.model.eval(), state.collapsed
    measurements, items = [], []
    for images in data.tests:
        for values in score(upscale, images, what, work):
            measurement = Measurement(
                architecture=what.architecture,
                layer=values.layer,
                score=f"sr_x{config.factor}_{images.name}_{values.quantity}",
                value=float(values.values.mean()),
                n=len(images),
            )
            measurements.append(measurement)
            items.append(values)
    show(upscale, data.tests, config, work)
    return Result(measurements=tuple(measurements), items=tuple(items), collapsed=collapsed)
