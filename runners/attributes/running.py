"""Attributes of a network that torch.fx does not trace: what can be counted while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import nn

from lossnets.runners.attributes.graph import SIZE, Work
from lossnets.runners.networks.layers import as_maps, node_of
from lossnets.runners.networks.pretrained import shapes_only
from lossnets.warehouse.errors import UserError

BY_SOURCE = ("imagenet_top1", "imagenet_crop")
BY_MAP = ("height", "width")


@dataclass
class Ran:
    """What was counted up to where one module yields: MACs, and parameters of what was called."""

    macs: int
    params: int
    shape: tuple[int, ...] | None


@dataclass
class _Counts:
    work: Work
    macs: int = 0
    own: dict[int, int] = field(default_factory=dict)  # parameter → its size

    def take(self) -> None:
        self.macs += sum(product.macs for product in self.work.products)
        self.work.clear()


def reason(attribute: str) -> str:
    """Why an attribute of such a network is unknown."""
    if attribute in BY_SOURCE:
        return "its source publishes none"
    if attribute in BY_MAP:
        return "its features are no map"
    return "torch.fx does not trace it, and a rule on its graph cannot be applied"


def run(architecture: str, *, size: int = SIZE) -> dict[str, Ran]:
    """What an architecture has counted when each of its modules yields; '' is the network itself.

    In the order of execution, so that of parallel branches those that ran before are counted
    too; parameters that a module around it holds itself, such as a class token, count.
    Nothing is computed: tensors are shapes.

    >>> run("alexnet")["features.0"].macs == 64 * 3 * 11 * 11 * 55 * 55
    True
    """
    model, counts = shapes_only(architecture).eval(), _Counts(Work())
    ran: dict[str, Ran] = {}
    for name, module in model.named_modules():

        def note(called: nn.Module, _inputs: object, output: object, at: str = name) -> None:
            counts.take()
            counts.own |= {id(p): p.numel() for p in called.parameters()}
            for around in _around(model, at):
                counts.own |= {id(p): p.numel() for p in around.parameters(recurse=False)}
            shape = tuple(output.shape) if isinstance(output, torch.Tensor) else None
            ran.setdefault(at, Ran(counts.macs, sum(counts.own.values()), shape))

        module.register_forward_hook(note)
    with torch.no_grad(), counts.work:
        model(torch.empty(1, 3, size, size, device="meta"))
    return ran


def _around(model: nn.Module, name: str) -> list[nn.Module]:
    """The modules that hold one: their own parameters, as a class token, are taken as used."""
    parts = name.split(".")[:-1] if name else []
    return [model, *(model.get_submodule(".".join(parts[: i + 1])) for i in range(len(parts)))]


def measured(architecture: str, layers: tuple[str, ...]) -> list[tuple[str, str | None, int]]:
    """What is known of an architecture and at its layers: (attribute, layer or None, value).

    Errors: UserError on a layer that yields no tensor.
    """
    ran = run(architecture)
    whole = {"macs": ran[""].macs, "params": ran[""].params, "batch_norm": _norms(architecture)}
    values: list[tuple[str, str | None, int]] = [(a, None, value) for a, value in whole.items()]
    for layer in layers:
        at_layer = _at_layer(architecture, layer, ran[node_of(architecture, layer)])
        values += [(attribute, layer, value) for attribute, value in at_layer.items()]
    return values


def _norms(architecture: str) -> int:
    kinds = {type(module).__name__ for module in shapes_only(architecture).modules()}
    return int(any(kind.startswith("BatchNorm") for kind in kinds))


def _at_layer(architecture: str, layer: str, ran: Ran) -> dict[str, int]:
    if ran.shape is None:
        raise UserError(
            f"found layer {layer!r}, which in {architecture} yields no tensor of features"
        )
    _, channels, height, width = as_maps(
        architecture, layer, torch.empty(ran.shape, device="meta")
    ).shape
    values = {
        "macs_to_layer": ran.macs,
        "params_to_layer": ran.params,
        "channels": channels,
        "features": math.prod(ran.shape[1:]),
    }
    return values | ({"height": height, "width": width} if len(ran.shape) == 4 else {})
