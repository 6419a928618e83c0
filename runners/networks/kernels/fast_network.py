"""A frozen network in the form in which it computes fastest on a device."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lossnets.runners.networks.kernels import fast_convolution, few_channels
from lossnets.runners.networks.kernels.fast_convolution import FastConvolution
from lossnets.runners.networks.kernels.few_channels import FirstConvolution
from lossnets.runners.networks.loss_network import LossNetwork

Frozen = TypeVar("Frozen", bound=nn.Module)


def on_device(network: Frozen, device: torch.device, precision: str) -> Frozen:
    """A frozen network where it is to compute, with the same features but for rounding.

    Channels last; in fp32 on a CPU also without batch norms, unless they learn along, and with
    fast convolutions and gradients where they pay. A network that is so already stays as it is.
    """
    network = network.to(device).to(memory_format=torch.channels_last)
    if device.type != "cpu" or precision != "fp32":
        return network
    for module in list(network.modules()):
        if isinstance(module, LossNetwork) and module.mode == "eval":
            module.extractor = without_batch_norms(module.extractor)
    fast = (FastConvolution, FirstConvolution)
    for parent in [part for part in network.modules() if not isinstance(part, fast)]:
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d):
                setattr(parent, name, _faster(child))
    return network


def _faster(convolution: nn.Conv2d) -> nn.Module:
    if few_channels.pays(convolution):
        return FirstConvolution(convolution)
    if fast_convolution.pays(convolution):
        return FastConvolution(convolution)
    return convolution


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
