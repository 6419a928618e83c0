"""Features of a model at some of its layers: by its traced graph, or by hooks on its modules."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import fx, nn
from torchvision.models.feature_extraction import create_feature_extractor

from lossnets.warehouse.errors import UserError

PROBE = 224  # pixels a side at which a network is looked through when it is built


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


class _DeepestReachedError(Exception):
    """What is left of the model need not run."""


class _Pass(threading.local):
    """What the pass that a thread is at has yielded; None outside of one."""

    features: dict[str, torch.Tensor] | None = None


_pass = _Pass()


class HookedExtractor(nn.Module):
    """Features of a model that torch.fx does not trace: what its modules yield, copied.

    modules: names of modules; images (N, 3, H, W) → {module: features}. The model runs until it
    has yielded all of them, each the first time.
    """

    def __init__(self, model: nn.Module, modules: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.wanted = modules
        for name in dict.fromkeys(modules):
            model.get_submodule(name).register_forward_hook(_Keep(name, frozenset(modules)))

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        features: dict[str, torch.Tensor] = {}
        before, _pass.features = _pass.features, features
        try:
            self.model(images.clone())  # the caller's images stay as they are
        except _DeepestReachedError:
            return features
        finally:
            _pass.features = before
        return features


class _Keep:
    """A hook that keeps a copy of what a module yields, and ends the pass when all are there."""

    def __init__(self, name: str, wanted: frozenset[str]) -> None:
        self.name, self.wanted = name, wanted

    def __call__(self, module: nn.Module, inputs: object, output: Any) -> None:
        features = _pass.features
        if features is None:
            return
        if self.name not in features:
            features[self.name] = output.clone() if isinstance(output, torch.Tensor) else output
        if self.wanted <= features.keys():
            raise _DeepestReachedError


def called_modules(model: nn.Module, size: int = PROBE) -> dict[str, object]:
    """The modules that a model on the meta device calls, in the order in which they yield.

    {name: what it yields}
    """
    yielded: dict[str, object] = {}
    handles = []
    for name, module in model.named_modules():
        if name:

            def note(_module: nn.Module, _inputs: object, output: object, at: str = name) -> None:
                yielded.setdefault(at, output)

            handles.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            model.eval()(torch.empty(2, 3, size, size, device="meta"))
    finally:
        for handle in handles:
            handle.remove()
    return yielded


def settle_batch_norm(extractor: nn.Module, seed: int) -> None:
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


def overwritten(
    extractor: fx.GraphModule,
    nodes: tuple[str, ...],
    name: str = "this network",
    *,
    size: int = PROBE,
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
            features = recorder.run(torch.empty(2, 3, size, size, device="meta"))  # (N, C, H, W)
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
