"""A frozen network in the form in which it computes fastest on a device."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lossnets.runners.networks.kernels import few_channels, rearranged
from lossnets.runners.networks.kernels.few_channels import FirstConvolution
from lossnets.runners.networks.loss_network import LossNetwork

Frozen = TypeVar("Frozen", bound=nn.Module)


def on_device(
    network: Frozen, device: torch.device, precision: str, *, rearrange: bool | None = None
) -> Frozen:
    """A frozen network where it is to compute, with the same features but for rounding.

    Channels last; in fp32 on a CPU also without batch norms, unless they learn along, and with
    gradients to images that are convolutions, where those pay. A network that is so already stays
    as it is. rearrange: False leaves torch's own arithmetic (default: as `rearranged` says).
    """
    network = network.to(device).to(memory_format=torch.channels_last)
    rearrange = rearranged() if rearrange is None else rearrange
    if device.type != "cpu" or precision != "fp32" or not rearrange:
        return network
    for module in list(network.modules()):
        if (
            isinstance(module, LossNetwork)
            and module.mode == "eval"
            and isinstance(module.extractor, fx.GraphModule)
        ):
            module.extractor = without_batch_norms(module.extractor)
    for parent in [part for part in network.modules() if not isinstance(part, FirstConvolution)]:
        for name, child in list(parent.named_children()):
            hooked = bool(child._forward_hooks)  # its features are taken
            if isinstance(child, nn.Conv2d) and few_channels.pays(child) and not hooked:
                setattr(parent, name, FirstConvolution(child))
    return network


def without_batch_norms(network: fx.GraphModule) -> fx.GraphModule:
    """The network with every batch norm in eval mode folded into the convolution before it.

    Those that follow something else stay, as does one whose convolution is read elsewhere, such
    as by a layer whose features are taken. The modules are changed in place.
    """
    for node in network.graph.nodes:
        if node.op == "call_module":
            for part in network.get_submodule(str(node.target)).modules():
                if type(part).forward is nn.Sequential.forward:
                    _fold_within(part)
    return fuse(network, inplace=True, no_trace=True)  # type: ignore[return-value]


def _fold_within(part: nn.Module) -> None:
    """In a sequence that is one operation of the graph, such as EfficientNet's."""
    for (name, convolution), (after, norm) in pairwise(list(part.named_children())):
        if type(convolution) is nn.Conv2d and type(norm) is nn.BatchNorm2d:
            setattr(part, name, fuse_conv_bn_eval(convolution, norm))
            setattr(part, after, nn.Identity())
