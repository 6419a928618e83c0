"""A loss network: a pretrained architecture and its extraction layers, giving features.

    network = LossNetwork("vgg16", ["early", "late"])
    features = network(images)              # {"early": (N, 64, H, W), "late": (N, 512, H/16, W/16)}

The paper's 56 loss networks are named as in its Table II (`early` … `late`); any other node of any
classification model of torchvision by its traced name, see `node_names`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import fx, nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from lossnets.runners.networks import pretrained
from lossnets.runners.networks.pretrained import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    WEIGHTS,
    close_names,
    extraction_layers,
)
from lossnets.warehouse.errors import UserError

MODES = ("eval", "train")
PROBE = 224  # pixels a side at which a network is looked through when it is built


class LossNetwork(nn.Module):
    """Features of images at one or several extraction layers, in one forward pass.

    architecture: torchvision's name. layers: one name or several, each `early`, `semi_early`,
    `middle`, `late` (the paper's architectures) or a traced node. Everything past the deepest of
    them is neither computed nor kept.
    weights: the name of one of torchvision's sets (default: what the paper used), the path of a
    state dict, or `random` (torchvision's own initialisation with the batch-norm statistics of
    random images, without which deep features vanish; the same for the same `seed`, which
    `random:SEED` says too).
    normalise: take images in [0, 1] and normalise them with ImageNet's mean and standard
    deviation; else images go in as they are. GoogLeNet's and Inception v3's own second transform
    of their input is never applied.
    mode: `eval` keeps the network in eval mode whatever a parent module is put into; `train`
    lets it follow its parent, so that batch statistics are used, and running ones updated, in
    training, as in the paper's reference implementation (docs/fidelity.md).

    `forward` takes (N, 3, H, W), floating point, never changes it, and returns {layer: features}
    in the order of `layers`: (N, C, H, W), or what else the node yields (after the classifier's
    pooling (N, C); tokens of a vision transformer (N, L, C)). No later in-place operation changes
    what was returned. Parameters are frozen; gradients reach the images.

    Errors: UserError on a name that is not valid (with close ones), on a node that yields no
    tensor, on weights that cannot be had, on images of another shape or too small.

    Source: paper, Sec. III and Table II.

    >>> network = LossNetwork("alexnet", ["early", "late"], weights="random")
    >>> {layer: tuple(f.shape) for layer, f in network(torch.rand(1, 3, 64, 64)).items()}
    {'early': (1, 64, 15, 15), 'late': (1, 256, 3, 3)}
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        architecture: str,
        layers: str | Sequence[str],
        *,
        weights: str | Path = WEIGHTS,
        seed: int = 0,
        normalise: bool = True,
        mode: str = "eval",
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise UserError(f"found loss network mode {mode!r}; valid are eval and train")
        self.architecture = architecture
        self.layers = (layers,) if isinstance(layers, str) else tuple(layers)
        self.nodes = {layer: node_of(architecture, layer) for layer in self.layers}
        if not self.nodes:
            raise UserError(f"found no layer of {architecture} to extract features at")
        self.normalise = normalise
        self.mode = mode
        model, self.weights = _pretrained_model(architecture, weights, seed)
        overwritten = _overwritten(architecture, tuple(self.nodes.values()))
        self.extractor = cut_out(model, tuple(self.nodes.values()), overwritten)
        if pretrained.is_path(weights):
            pretrained.load_state_dict(
                self.extractor, Path(weights), whole=model, architecture=architecture
            )
        if (drawn := pretrained.random_seed(weights, seed)) is not None:
            _settle_batch_norm(self.extractor, drawn)
        self.extractor.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.train(False)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features at every extraction layer: {layer: (N, C, H, W)}."""
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise UserError(
                f"found images of shape {tuple(images.shape)} and type {images.dtype}; "
                f"valid is (N, 3, H, W), floating point"
            )
        x = (images - self.mean) / self.std if self.normalise else images  # (N, 3, H, W)
        try:
            features = self.extractor(x)
        except (RuntimeError, AssertionError) as fault:
            self._explain_size(images, fault)
            raise
        return {layer: features[node] for layer, node in self.nodes.items()}

    def train(self, mode: bool = True) -> LossNetwork:
        """Stay in eval mode, whatever a parent module asks, unless `mode` was "train"."""
        super().train(mode and self.mode == "train")
        return self

    def extra_repr(self) -> str:
        return f"{self.architecture}, {', '.join(self.layers)}, weights={self.weights}"

    def _explain_size(self, images: torch.Tensor, fault: Exception) -> None:
        """Raise UserError if the size of the images is at fault."""
        if isinstance(fault, torch.OutOfMemoryError):
            return
        height, width = images.shape[2:]
        found = f"found images of {height}×{width} pixels"
        least = least_size(self)
        if least is not None and min(height, width) < least:
            names = node_names(self.architecture)
            deepest = max(self.layers, key=lambda layer: names.index(self.nodes[layer]))
            raise UserError(
                f"{found}, too small for {deepest} of {self.architecture}; "
                f"at least {least}×{least} are needed"
            ) from None
        if isinstance(fault, AssertionError):  # vision transformers take one size alone
            valid = "other sizes" if least is None else f"{least}×{least}"
            raise UserError(f"{found}; {self.architecture} takes {valid}") from None


def least_size(network: LossNetwork, *, at_most: int = PROBE) -> int | None:
    """The smallest square images, in pixels a side, that reach every extraction layer.

    None if not even `at_most` pixels do.

    >>> least_size(LossNetwork("alexnet", "late", weights="random"))
    31
    """
    extractor = _on_meta(network.architecture, tuple(network.nodes.values()))
    if not _fits(extractor, at_most):
        return None
    fails, fits = 0, at_most
    while fits - fails > 1:
        middle = (fails + fits) // 2
        fails, fits = (fails, middle) if _fits(extractor, middle) else (middle, fits)
    return fits


@cache
def node_names(architecture: str) -> tuple[str, ...]:
    """The traced nodes of an architecture in order of computation: what `layers` may name.

    Besides these, every module that holds some of them is a valid name for the last it holds.
    Errors: UserError if torchvision has no such architecture, or torch.fx cannot trace it.

    >>> node_names("alexnet")[:3]
    ('x', 'features.0', 'features.1')
    """
    pretrained.check_architecture(architecture)
    try:
        _, names = get_graph_node_names(
            pretrained.shapes_only(architecture), suppress_diff_warning=True
        )
    except Exception as fault:
        raise UserError(
            f"found that torch.fx cannot trace {architecture}, because {str(fault).splitlines()[0]}"
        ) from None
    return tuple(names)


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


def _pretrained_model(architecture: str, weights: str | Path, seed: int) -> tuple[nn.Module, str]:
    """A model and the identity of its weights, as a record states it."""
    drawn = pretrained.random_seed(weights, seed)
    if pretrained.is_path(weights):
        pretrained.read_state_dict(Path(weights))
        model = pretrained.randomly(architecture, seed, initialise=False)
    elif drawn is not None:
        model = pretrained.randomly(architecture, drawn)
    else:
        model = pretrained.with_weights(architecture, str(weights))
    return model, pretrained.identity(architecture, weights, seed)


def cut_out(
    model: nn.Module, nodes: tuple[str, ...], cloned: frozenset[str] = frozenset()
) -> fx.GraphModule:
    """What torchvision cuts out of a model to compute some nodes: {node: features}.

    The operations named in `cloned` are copied before anything reads on.
    """
    if hasattr(model, "transform_input"):
        # A second normalisation, of GoogLeNet and Inception v3.
        model.transform_input = False  # type: ignore[assignment]
    wanted = {node: node for node in nodes}
    extractor = create_feature_extractor(model, wanted, suppress_diff_warning=True)
    for graph in (extractor.train_graph, extractor.eval_graph):
        for node in [n for n in graph.nodes if n.name in cloned]:
            _clone_for_the_output(graph, node)
    extractor.train()
    return extractor.eval()


def _settle_batch_norm(extractor: fx.GraphModule, seed: int) -> None:
    """Give every batch norm the statistics of two random images, as training would have."""
    norms = [m for m in extractor.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    images = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(seed))
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = None  # the mean over batches: of one batch, its own
    with torch.no_grad():
        extractor(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.eval()
        norm.momentum = momentum


def _clone_for_the_output(graph: fx.Graph, node: fx.Node) -> None:
    """Return a copy of what `node` yields, taken before a later operation overwrites it.

    Of the network's input the copy goes to the network instead: the caller's stays as it is.
    """
    with graph.inserting_after(node):
        copy = graph.call_method("clone", (node,))
    for user in list(node.users):
        returned = user.op == "output"
        if user is not copy and returned == (node.op != "placeholder"):
            user.replace_input_with(node, copy)


@cache
def _overwritten(architecture: str, nodes: tuple[str, ...]) -> frozenset[str]:
    return overwritten(_on_meta(architecture, nodes), nodes, architecture)


def overwritten(
    extractor: fx.GraphModule, nodes: tuple[str, ...], name: str = "this network"
) -> frozenset[str]:
    """The operations whose results a later in-place operation changes, of those to be kept.

    To be kept are the features and the input. Found by running the graph on meta tensors: an
    in-place operation shows in the version counter of everything that shares its storage.
    Errors: UserError if a node yields no tensor.
    """
    found = set()
    for training in (True, False):
        extractor.train(training)
        recorder = _VersionRecorder(extractor)
        with torch.no_grad():
            features = recorder.run(torch.empty(2, 3, PROBE, PROBE, device="meta"))  # (N, C, H, W)
        for node in nodes:
            if not isinstance(features[node], torch.Tensor):
                raise UserError(
                    f"found layer {node!r}, which in {name} yields "
                    f"{type(features[node]).__name__}, not a tensor of features"
                )
        found |= recorder.overwritten()
    return frozenset(found)


class _VersionRecorder(fx.Interpreter):
    """Runs a graph and notes the version of every tensor to be kept as it is made."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.made: dict[str, tuple[torch.Tensor, int]] = {}

    def run_node(self, n: fx.Node) -> object:
        result = super().run_node(n)
        kept = n.op == "placeholder" or any(user.op == "output" for user in n.users)
        if kept and isinstance(result, torch.Tensor):
            self.made[n.name] = (result, result._version)
        return result

    def overwritten(self) -> set[str]:
        return {name for name, (tensor, version) in self.made.items() if tensor._version != version}


@cache
def _on_meta(architecture: str, nodes: tuple[str, ...]) -> fx.GraphModule:
    return cut_out(pretrained.shapes_only(architecture), nodes)


def _fits(extractor: fx.GraphModule, size: int) -> bool:
    """Whether square images of so many pixels a side go through."""
    try:
        with torch.no_grad():
            extractor.eval()(torch.empty(2, 3, size, size, device="meta"))
    except (RuntimeError, AssertionError):
        return False
    return True
