"""The layers of an architecture: their names, and which axis of their features is what."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torchvision.models.feature_extraction import get_graph_node_names

from lossnets.runners.networks import pretrained
from lossnets.runners.networks.extraction import HookedExtractor, called_modules, cut_out
from lossnets.runners.networks.pretrained import close_names, extraction_layers
from lossnets.warehouse.errors import UserError


@cache
def node_names(architecture: str) -> tuple[str, ...]:
    """The nodes of an architecture in order of computation: what `layers` may name.

    The traced ones; besides these, every module that holds some of them is a valid name for the
    last it holds. Where torch.fx cannot trace it, the modules that it calls.
    Errors: UserError if its source has no such architecture, or it does not run.

    >>> node_names("alexnet")[:3]
    ('x', 'features.0', 'features.1')
    """
    pretrained.check_architecture(architecture)
    model = pretrained.shapes_only(architecture)
    try:
        return tuple(get_graph_node_names(model, suppress_diff_warning=True)[1])
    except Exception:
        pass
    try:
        return tuple(called_modules(model, pretrained.preprocessing(architecture).size))
    except Exception as fault:
        raise UserError(
            f"found that {architecture} cannot be looked through, because "
            f"{(str(fault) or type(fault).__name__).splitlines()[0]}"
        ) from None


@cache
def is_traced(architecture: str) -> bool:
    """Whether torch.fx traces an architecture, so that its layers are nodes and not modules.

    >>> is_traced("alexnet")
    True
    """
    try:
        get_graph_node_names(pretrained.shapes_only(architecture), suppress_diff_warning=True)
    except Exception:
        return False
    return True


def node_of(architecture: str, layer: str) -> str:
    """The node that a layer's name stands for: by the paper's rows, else the name itself.

    The name of a module stands for the last node that it holds. Errors: UserError, with close
    names, if there is no such node.

    >>> node_of("vgg11", "late"), node_of("resnet18", "layer1")
    ('features.19', 'layer1.1.relu_1')
    """
    names = node_names(architecture)
    printed = extraction_layers().get(architecture, {})
    name = printed.get(layer, layer)
    for node in reversed(names):
        if node == name or node.startswith(name + "."):
            return node
    if layer in extraction_layers()["vgg11"]:
        raise UserError(
            f"found layer {layer!r} for {architecture}, which is not one of the paper's "
            f"architectures; name a node of it, such as {names[len(names) // 2]}"
        )
    raise UserError(
        f"found layer {layer!r}, which {architecture} does not have; close names are: "
        f"{close_names(layer, (*printed, *names))}; its last node is {names[-1]}"
    )


def as_maps(architecture: str, layer: str, features: torch.Tensor) -> torch.Tensor:
    """The features of a layer as (N, C, H, W): channels first, then positions.

    Tokens (N, L, C) become (N, C, L, 1), a vector (N, C) becomes (N, C, 1, 1), (N, H, W, C) is
    turned round. Errors: UserError on features of another number of axes.

    >>> tuple(as_maps("vit_b_32", "encoder.layers", torch.ones(2, 50, 768)).shape)
    (2, 768, 50, 1)
    """
    node = node_of(architecture, layer)
    last = features.ndim == 4 and channels_are_last(architecture, (node,))[node]
    return turned(features, last, f"{layer} of {architecture}")


def turned(features: torch.Tensor, channels_last: bool, where: str) -> torch.Tensor:
    """Features as (N, C, H, W), of which it is known where their channels are: see `as_maps`."""
    if features.ndim == 4:
        return features.movedim(-1, 1) if channels_last else features
    if features.ndim == 3:
        return features.transpose(1, 2).unsqueeze(-1)
    if features.ndim == 2:
        return features[:, :, None, None]
    raise UserError(
        f"found features of shape {tuple(features.shape)[1:]} at {where}; "
        "valid are (C, H, W), (H, W, C), (L, C) and (C)"
    )


@cache
def channels_are_last(architecture: str, nodes: tuple[str, ...]) -> dict[str, bool]:
    """Of each node whether its features are (N, H, W, C), told from those of square images."""
    size = pretrained.preprocessing(architecture).size
    shapes = _shapes(architecture, nodes, size)
    last = {node: len(s) == 4 and s[1] == s[2] != s[3] for node, s in shapes.items()}
    if any(len(set(shape[1:])) == 1 for shape in shapes.values()):  # as many channels as rows
        smaller = _shapes(architecture, nodes, size // 2)
        for node, shape in shapes.items():
            if len(set(shape[1:])) == 1 and len(other := smaller.get(node, ())) == 4:
                last[node] = other[1] != shape[1] and other[3] == shape[3]
    return {node: last.get(node, False) for node in nodes}


def _shapes(architecture: str, nodes: tuple[str, ...], size: int) -> dict[str, tuple[int, ...]]:
    try:
        with torch.no_grad():
            extractor = on_meta(architecture, nodes).eval()
            features = extractor(torch.empty(2, 3, size, size, device="meta"))
            return {node: tuple(features[node].shape) for node in nodes}
    except (RuntimeError, AssertionError):
        return {}


@cache
def on_meta(architecture: str, nodes: tuple[str, ...]) -> Any:
    """The extractor of some nodes on the meta device: shapes, no values."""
    model = pretrained.shapes_only(architecture)
    if not is_traced(architecture):
        return HookedExtractor(model.eval(), nodes)
    return cut_out(model, nodes)
