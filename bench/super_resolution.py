"""Super-resolution: a training step and an evaluation, against a straightforward implementation.

`python -m bench.super_resolution [ARCHITECTURE:LAYER …]`. Random weights, random images of
288×288 in batches of four, factor 4, fp32, the threads that torch takes. Straightforward is the
same protocol as one would write it first: torch's own layers in their default layout, images
divided and normalised as they come, target features computed for every batch, the allocator as it
is; it runs in a process of its own, because the allocator is a process's. Both start from the same
weights and see the same images in the same order: equal losses are asserted first.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from bench._timing import ratio
from lossnets.runners.benchmarks import super_resolution
from lossnets.runners.benchmarks.super_resolution import Config
from lossnets.runners.metrics.images import luma_psnr
from lossnets.runners.models.photograph_batches import Pixels
from lossnets.runners.models.upscaling_network import Network
from lossnets.runners.networks.feature_distances import feature_loss
from lossnets.runners.networks.kernels.fast_network import on_device
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.devices import keep_memory

NETWORKS = ("vgg11:early", "vgg11:late", "squeezenet1_1:early", "resnet18:semi_early")
IMAGES, SIZE, FACTOR = 4, 288, 4
ROUNDS = 5
TOLERANCE = 2e-3  # relative, of the losses: after two steps of Adam rounding has grown


def main(networks: list[str] | None = None) -> None:
    """Print the ratio of every loss network."""
    print(f"{torch.get_num_threads()} threads, {IMAGES} images of {SIZE} px, ×{FACTOR}")
    print(f"{'loss network':<24}{'plain s':>9}{'ours s':>9}{'step ×':>9}{'evaluation ×':>14}")
    for name in networks or NETWORKS:
        workers = [_worker(kind, name) for kind in ("plain", "ours")]
        try:
            first = [_ask(worker, "losses") for worker in workers]
            for plain, ours in zip(*first, strict=True):
                assert abs(plain - ours) <= TOLERANCE * plain, first
            seconds = {
                what: [[_ask(worker, what) for worker in workers] for _ in range(ROUNDS)]
                for what in ("step", "evaluation")
            }
        finally:
            for worker in workers:
                worker.kill()
        plain, ours = zip(*seconds["step"], strict=True)
        evaluation = ratio(*zip(*seconds["evaluation"], strict=True))
        print(
            f"{name:<24}{statistics.median(plain):>9.2f}{statistics.median(ours):>9.2f}"
            f"{ratio(plain, ours):>9.2f}{evaluation:>14.2f}",
            flush=True,
        )


def _worker(kind: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.super_resolution", "--worker", kind, name]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **pipes)


def _ask(worker: subprocess.Popen[str], what: str):
    """A worker's answer: one works while the other waits."""
    assert worker.stdin
    assert worker.stdout
    worker.stdin.write(what + "\n")
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


def _serve(kind: str, name: str) -> None:
    """Answer `losses` of three steps, and the seconds of a `step` and an `evaluation`."""
    torch.manual_seed(0)
    architecture, layer = name.split(":")
    network = Network(FACTOR)
    features = LossNetwork(architecture, layer, weights="random")
    make = {"plain": _plain, "ours": _ours}[kind]
    step, evaluate = make(network, features)
    calls: dict[str, Callable[[], object]] = {"step": step, "evaluation": evaluate}
    for line in sys.stdin:
        what = line.strip()
        if what == "losses":
            answer: object = [step() for _ in range(3)]
            evaluate()
        else:
            start = time.perf_counter()
            calls[what]()
            answer = time.perf_counter() - start
        print(json.dumps(answer), flush=True)


def _batches() -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and targets, uint8 (N, H, W, 3): smooth images, with a little noise."""
    torch.manual_seed(1)
    rough = torch.rand(IMAGES, 3, SIZE // 16, SIZE // 16)
    smooth = nn.functional.interpolate(rough, (SIZE, SIZE), mode="bilinear")
    targets = (smooth * 230 + 20 * torch.rand(IMAGES, 1, SIZE, SIZE)).byte()
    inputs = nn.functional.avg_pool2d(targets.float(), FACTOR).byte()
    return tuple(images.permute(0, 2, 3, 1).contiguous() for images in (inputs, targets))


def _ours(network: Network, features: LossNetwork) -> tuple[Callable[[], float], Callable]:
    """As `super_resolution.train` does it."""
    keep_memory()
    network.to(memory_format=torch.channels_last)
    features = on_device(features, torch.device("cpu"), "fp32")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    inputs, targets = (Pixels(images.numpy(), torch.device("cpu")) for images in _batches())
    every = range(IMAGES)
    kept = super_resolution.all_features(features, targets, Config())

    def step() -> float:
        network.train()
        if kept:
            wanted = kept
        else:
            with torch.no_grad():
                wanted = features(targets[every])
        loss = feature_loss(features(network(inputs[every])), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.no_grad()
    def evaluate() -> list[float]:
        outputs = network.eval()(inputs[every])
        return luma_psnr(outputs, targets[every], border=4).tolist()

    return step, evaluate


def _plain(network: Network, features: LossNetwork) -> tuple[Callable[[], float], Callable]:
    """The same with torch's own layers, in the order of the protocol."""
    model = _plain_network()
    model.load_state_dict(dict(zip(model.state_dict(), network.state_dict().values(), strict=True)))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    inputs, targets = _batches()

    def image(pixels: torch.Tensor) -> torch.Tensor:
        return (pixels.permute(0, 3, 1, 2).float() / 255).contiguous()  # (N, 3, H, W)

    def step() -> float:
        model.train()
        small, target = image(inputs), image(targets)
        optimizer.zero_grad()
        output = (model(small) + 1) / 2
        (wanted,), (found,) = features(target).values(), features(output).values()
        loss = nn.functional.mse_loss(found, wanted)
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.no_grad()
    def evaluate() -> list[float]:
        model.eval()
        values = []
        for small, target in zip(inputs.split(1), targets.split(1), strict=True):
            output = (model(image(small)) + 1) / 2
            values.append(luma_psnr(output, image(target), border=4).item())
        return values

    return step, evaluate


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_unit(64, 64, 3), nn.ReLU(), *_unit(64, 64, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


def _unit(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    pad = nn.ReflectionPad2d(kernel // 2)
    return [pad, nn.Conv2d(inputs, outputs, kernel), nn.BatchNorm2d(outputs)]


def _plain_network() -> nn.Sequential:
    """Up to the tanh."""
    layers: list[nn.Module] = [*_unit(3, 64, 9), nn.ReLU(), *(_Residual() for _ in range(4))]
    for _ in range(2):
        layers += [nn.Upsample(scale_factor=2), *_unit(64, 64, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.ReflectionPad2d(4), nn.Conv2d(64, 3, 9), nn.Tanh())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        _serve(*sys.argv[2:])
    else:
        main(sys.argv[1:])
