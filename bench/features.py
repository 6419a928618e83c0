"""Features at all four extraction layers: one pass against a pass per layer, per architecture.

`python -m bench.features [ARCHITECTURE …]`. Random weights, a batch of 64×64 images as in
BAPPS; the four single passes are by four loss networks that hold one layer each. Prints how many
times longer the four passes take, beside the ratio of their multiply-accumulate operations.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch

from bench._timing import in_turn, ratio
from lossnets.runners.attributes import rules
from lossnets.runners.attributes.graph import Graph, trace
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.pretrained import extraction_layers

IMAGES = 4
SIZE = 64  # pixels a side
ROUNDS = 5


def main(architectures: list[str] | None = None) -> None:
    """Print the ratio of every architecture."""
    print(f"{'architecture':<18}{'time ×':>8}{'MACs ×':>8}   ({IMAGES} images of {SIZE} px)")
    ratios = []
    for architecture in architectures or extraction_layers():
        one, four = passes(architecture)
        seconds = in_turn({"one": one, "four": four}, ROUNDS)
        ratios.append(ratio(seconds["four"], seconds["one"]))
        macs = macs_ratio(trace(architecture))
        print(f"{architecture:<18}{ratios[-1]:>8.2f}{macs:>8.2f}", flush=True)
    print(f"{'least, greatest':<18}{min(ratios):>8.2f}{max(ratios):>8.2f}")


def passes(architecture: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """One pass for all layers, and a pass per layer; both give the same features."""
    layers = list(extraction_layers()[architecture])
    together = LossNetwork(architecture, layers, weights="random")
    alone = [LossNetwork(architecture, layer, weights="random") for layer in layers]
    for network in alone:  # batch-norm statistics too
        network.load_state_dict(together.state_dict(), strict=False)
    images = torch.rand(IMAGES, 3, SIZE, SIZE)  # (N, C, H, W)

    @torch.no_grad()
    def one() -> dict[str, torch.Tensor]:
        return together(images)

    @torch.no_grad()
    def four() -> dict[str, torch.Tensor]:
        return {layer: f for network in alone for layer, f in network(images).items()}

    first, second = one(), four()
    assert all(torch.equal(first[layer], second[layer]) for layer in layers)
    return one, four


def macs_ratio(graph: Graph) -> float:
    """What four passes compute over what one computes."""
    positions = [graph.position(n) for n in extraction_layers()[graph.architecture].values()]
    counts = [rules.macs(graph, position) for position in positions if position is not None]
    return sum(counts) / max(counts)


if __name__ == "__main__":
    main(sys.argv[1:])
