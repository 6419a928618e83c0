"""A network's graph: its operations in order, what each reads, yields and costs."""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torchvision
from torch import fx, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.models.feature_extraction import NodePathTracer

from lossnets.runners.networks.pretrained import shapes_only

aten = torch.ops.aten
SIZE = 224  # pixels a side at which everything is measured


@dataclass(frozen=True)
class Product:
    """One matrix multiplication with weights: a convolution or a linear layer."""

    macs: int
    kernel: tuple[int, ...]  # () for a linear layer
    positions: int  # of the input that it slides over; 1 for a pooled vector


@dataclass(frozen=True)
class Window:
    """What a convolution or pooling sees of its input, per axis (height, width)."""

    size: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class Operation:
    """One operation of the graph: a module's or a function's call.

    `inputs` are the positions of the operations it reads; `shape` that of the tensor it yields,
    None if it yields something else; `kind` the module's class or the function's name.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...] | None
    products: tuple[Product, ...] = ()
    windows: tuple[Window, ...] = ()
    mixes_positions: bool = False  # global pooling, attention: sees the whole input
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Graph:
    """All operations of a network from its input (position 0) to its output (the last)."""

    architecture: str
    operations: tuple[Operation, ...]
    parameter_sizes: dict[str, int]

    def position(self, node: str) -> int | None:
        """The last operation named `node`, or inside the module of that name."""
        for index in range(len(self.operations) - 1, -1, -1):
            name = self.operations[index].name
            if name == node or name.startswith(node + "."):
                return index
        return None

    def needed(self, position: int) -> list[int]:
        """The operations that the one at `position` depends on, and itself, in order."""
        needed, open_positions = {position}, [position]
        while open_positions:
            for read in self.operations[open_positions.pop()].inputs:
                if read not in needed:
                    needed.add(read)
                    open_positions.append(read)
        return sorted(needed)


@cache
def trace(architecture: str, *, size: int = SIZE) -> Graph:
    """Trace one of torchvision's models in eval mode, with no weights in memory (meta tensors).

    Auxiliary classifiers are not part of the graph: no model's output in eval mode needs them.
    Errors: UserError on an unknown name; what torch.fx raises where a model does not trace.

    >>> graph = trace("alexnet")
    >>> graph.operations[1].name, graph.operations[1].shape
    ('features.0', (1, 64, 55, 55))
    """
    return trace_module(shapes_only(architecture), architecture, size=size)


def trace_module(model: nn.Module, name: str, *, size: int = SIZE) -> Graph:
    """Trace a module that maps images (N, 3, H, W) to one tensor; see `trace`."""
    model = copy.deepcopy(model).to("meta").eval()
    tracer = NodePathTracer(autowrap_modules=_wrapped())
    graph = tracer.trace(model)
    recorder = _Recorder(fx.GraphModule(model, graph), tracer.node_to_qualname)
    with torch.no_grad(), recorder.work:
        recorder.run(torch.empty(1, 3, size, size, device="meta"))  # (N, 3, H, W)
    return Graph(
        architecture=name,
        operations=tuple(recorder.operations),
        parameter_sizes={n: p.numel() for n, p in model.named_parameters()},
    )


def _wrapped() -> tuple[Any, ...]:
    return (math, torchvision.ops)


class _Recorder(fx.Interpreter):
    """Runs a graph on meta tensors and notes down each operation."""

    def __init__(self, module: fx.GraphModule, names: dict[fx.Node, str]) -> None:
        super().__init__(module)
        self.names = names
        self.work = Work()
        self.operations: list[Operation] = []
        self._positions: dict[fx.Node, int] = {}

    def run_node(self, n: fx.Node) -> Any:
        self.work.clear()
        result = super().run_node(n)
        self._positions[n] = len(self.operations)
        self.operations.append(
            Operation(
                name=self.names.get(n, n.name),
                kind=self._kind(n),
                inputs=tuple(self._positions[read] for read in n.all_input_nodes),
                shape=tuple(result.shape) if isinstance(result, torch.Tensor) else None,
                products=tuple(self.work.products),
                windows=tuple(self.work.windows),
                mixes_positions=self.work.mixes_positions,
                parameters=frozenset(self._parameters(n)),
            )
        )
        return result

    def _kind(self, n: fx.Node) -> str:
        if n.op == "call_module":
            return type(self.module.get_submodule(str(n.target))).__name__
        return n.target if isinstance(n.target, str) else n.target.__name__

    def _parameters(self, n: fx.Node) -> Iterable[str]:
        target = str(n.target)
        if n.op == "call_module":
            names = self.module.get_submodule(target).named_parameters()
            return [f"{target}.{name}" for name, _ in names]
        if n.op == "get_attr":
            value = operator.attrgetter(target)(self.module)
            return [target] if isinstance(value, nn.Parameter) else []
        return []


class Work(TorchDispatchMode):
    """Notes what one operation of the graph makes torch compute."""

    def __init__(self) -> None:
        super().__init__()
        self.clear()

    def clear(self) -> None:
        self.products: list[Product] = []
        self.windows: list[Window] = []
        self.mixes_positions = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet is aten.convolution:
            self._convolution(result, *args)
        elif packet in (aten.mm, aten.addmm):
            left, right = args[-2:]  # (M, K) and (K, P)
            self.products.append(Product(left.numel() * right.shape[1], (), left.shape[0]))
        elif packet in (aten.max_pool2d_with_indices, aten.avg_pool2d):
            size, stride = (*args[1:3], ())[:2]
            self.windows.append(Window(_pair(size), _pair(stride or size)))
        elif packet in _GLOBAL:
            self.mixes_positions = True
        return result

    def _convolution(
        self, result: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, *options: Any
    ) -> None:
        _bias, stride, _padding, dilation, transposed = options[:5]
        output = x if transposed else result
        kernel = tuple(weight.shape[2:])
        macs = output.numel() * weight[0].numel()
        self.products.append(Product(macs, kernel, x.shape[2:].numel()))
        size = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        self.windows.append(Window(_pair(size), _pair(stride)))


_GLOBAL = (aten.mean, aten._adaptive_avg_pool2d, aten.bmm, aten.baddbmm, aten._softmax)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    height, width = (*value, *value)[:2]
    return height, width
