"""A training step of `PerceptualLoss`: forward, and gradient to the output, beside packages.

`python -m bench.perceptual_loss [ARCHITECTURE …]`, on a GPU where there is one. Random weights,
all three ways with the same, once their values were seen to be equal to 1e-4: Eq. 1 summed over
the layers of lpips, and the squared distance of piq's ContentLoss. `exact` is ours without any
rearrangement of arithmetic. Prints the median of each in milliseconds, and ours over the package.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import torch
from torch import nn

from bench._timing import in_turn, ratio
from bench.perceptual_similarity import PACKAGE_LAYERS, Pair, State, _filled
from lossnets import PerceptualLoss
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.devices import device, keep_memory, matmul_precision

IMAGES, SIZE = 4, 128  # a batch; pixels a side
ROUNDS = 9
EQUAL = 1e-4  # greatest relative difference of the values


def main(architectures: list[str] | None = None) -> None:
    """Print a line for each architecture and distance."""
    keep_memory()
    with matmul_precision("fp32"):
        for architecture in architectures or PACKAGE_LAYERS:
            for distance, package in (("unit", "lpips"), ("mse", "piq")):
                _compare(architecture, distance, package)


def _compare(architecture: str, distance: str, package: str) -> None:
    where = device()
    name, indices = PACKAGE_LAYERS[architecture]
    nodes = [f"features.{index}" for index in indices]
    network = LossNetwork(architecture, nodes, weights="random")
    state = {k.removeprefix("extractor."): v for k, v in network.state_dict().items()}
    theirs = _lpips(name, state, where) if package == "lpips" else _piq(network, indices, where)
    steps = {package: _step(theirs, where)}
    for ours, rearrange in (("exact", False), ("ours", True)):
        loss = PerceptualLoss(
            architecture, nodes, distance=distance, weights="random", rearrange=rearrange
        )
        steps[ours] = _step(loss, where)
    values = {name: step() for name, step in steps.items()}
    for ours in ("exact", "ours"):
        if abs(values[ours] / values[package] - 1) > EQUAL:
            raise SystemExit(f"error: {ours} is {values[ours]}, {package} {values[package]}")
    seconds = in_turn(steps, ROUNDS)
    listed = ", ".join(f"{k} {1e3 * statistics.median(v):.1f}" for k, v in seconds.items())
    times = ratio(seconds[package], seconds["ours"])
    print(f"{architecture} {distance}: ms {listed}; ours over {package} {times:.2f}", flush=True)


def _step(loss: Pair, where: torch.device) -> Callable[[], float]:
    draws = torch.Generator().manual_seed(0)
    output, target = (
        torch.rand(IMAGES, 3, SIZE, SIZE, generator=draws).to(where) for _ in range(2)
    )
    output.requires_grad_()

    def step() -> float:
        value = loss(output, target).mean()
        torch.autograd.grad(value, output)
        return value.item()

    return step


def _lpips(name: str, state: State, where: torch.device) -> Pair:
    import lpips

    model = lpips.LPIPS(net=name, lpips=False, pnet_rand=True, verbose=False)
    return _filled(model, state, where)


def _piq(network: LossNetwork, indices: tuple[int, ...], where: torch.device) -> Pair:
    from piq import ContentLoss

    features = network.extractor.features
    assert isinstance(features, nn.Module)
    channels = [f.shape[1] for f in network(torch.zeros(1, 3, SIZE, SIZE)).values()]
    content = ContentLoss(
        features,
        layers=[str(index) for index in indices],
        weights=[1 / count for count in channels],  # it sums over channels
    )
    return content.to(where)


if __name__ == "__main__":
    main(sys.argv[1:])
