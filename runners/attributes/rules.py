"""Attributes of a traced network, each by a rule on its graph.

Every function takes a `Graph` and, where it counts up to a layer, the position of the operation
whose output is the layer's features. What they count with is stated in each docstring.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

from lossnets.runners.attributes.graph import Graph, Operation, Product

MERGES = ("cat", "concat", "concatenate")
SUMS = ("add", "iadd", "add_", "sub")


def depth(graph: Graph, position: int = -1) -> int:
    """The most weighted layers (convolution, linear) on any path from the input to a position.

    Where branches rejoin, only the longest counts (paper, footnote 2). A path may lead through
    a squeeze-and-excitation gate: its two convolutions are weighted layers like any other. An
    attention layer is two, the projections before and after it.
    """
    found = _depths(graph)[position]
    return 0 if found is None else found


def depth_between_activations(graph: Graph) -> int:
    """The depth with weighted layers that no non-linearity separates counted as one.

    Two matrix multiplications with nothing but norms, sums, poolings by averaging or reshaping
    between them are one linear map.
    """
    depths: list[tuple[int, bool] | None] = []  # the most maps, and whether the last is still open
    for i, operation in enumerate(graph.operations):
        read = [d for j in operation.inputs if (d := depths[j]) is not None]
        found: tuple[int, bool] | None = max(read) if read else ((0, False) if i == 0 else None)
        if found is not None and operation.products:
            found = (found[0] + len(operation.products) - found[1], True)
        elif found is not None and _NON_LINEAR.search(operation.kind):
            found = (found[0], False)
        depths.append(found)
    last = depths[-1]
    return 0 if last is None else last[0]


_NON_LINEAR = re.compile("relu|silu|sigmoid|swish|gelu|max_?pool|softmax", re.IGNORECASE)


def only(graph: Graph, keep: Callable[[Product], bool]) -> Graph:
    """The same graph with only some of its weighted layers counted as such."""
    operations = (replace(o, products=tuple(filter(keep, o.products))) for o in graph.operations)
    return replace(graph, operations=tuple(operations))


def macs(graph: Graph, position: int = -1) -> int:
    """Multiply-accumulate operations of convolutions and linear layers that a position needs.

    For one image of the traced size. A bias, a norm, an activation, a pooling or the products
    inside attention are no layers with weights and count nothing.
    """
    return sum(p.macs for i in graph.needed(_at(graph, position)) for p in _op(graph, i).products)


def params(graph: Graph, position: int = -1) -> int:
    """Trainable parameters of everything that a position needs, each counted once.

    Norms' scales and shifts count, their running statistics do not.
    """
    needed = {name for i in graph.needed(_at(graph, position)) for name in _op(graph, i).parameters}
    return sum(graph.parameter_sizes[name] for name in needed)


def skip_connections(graph: Graph) -> bool:
    """Whether a sum or a concatenation joins features with others computed from them.

    One operand is an ancestor of another and at least one weighted layer lies between the two:
    ResNet's identity shortcuts, EfficientNet's residual blocks, and DenseNet's concatenations.
    A pooled or projected copy is not the features themselves, and makes no skip connection; a
    multiplication (a squeeze-and-excitation gate) joins nothing.
    """
    depths, ancestors = _depths(graph), _ancestors(graph)
    return any(
        (a in ancestors[b] and _weights_between(graph, ancestors, a, b))
        or (b in ancestors[a] and _weights_between(graph, ancestors, b, a))
        for merge in _of_kind(graph, MERGES + SUMS)
        for a, b in combinations(_operands(graph, merge, depths), 2)
    )


def branching(graph: Graph) -> bool:
    """Whether parallel paths with weights of their own rejoin in a concatenation.

    Neither of two operands is an ancestor of the other, both come from one common ancestor, and
    each has a weighted layer that the other does not need: inception modules, SqueezeNet's fire
    modules. A sum of a block and its projection shortcut (ResNet) is a skip connection, not a
    branch; the groups of a grouped convolution (ResNeXt) are one operation on the graph and are
    not seen as branches.
    """
    depths, ancestors = _depths(graph), _ancestors(graph)
    return any(
        a not in ancestors[b]
        and b not in ancestors[a]
        and ancestors[a] & ancestors[b]
        and all(
            any(_op(graph, i).products for i in own)
            for own in (
                (ancestors[a] | {a}) - ancestors[b],
                (ancestors[b] | {b}) - ancestors[a],
            )
        )
        for merge in _of_kind(graph, MERGES)
        for a, b in combinations(_operands(graph, merge, depths), 2)
    )


def conv_1x1(graph: Graph) -> bool:
    """Whether a deepest path from input to output has a 1×1 convolution over a feature map.

    So neither a projection shortcut beside a deeper block (ResNet-18) nor a
    squeeze-and-excitation gate, which convolves a pooled vector, makes a network count.
    """
    before, after = _depths(graph), _depths_after(graph)
    deepest = max(d for d in before if d is not None)
    return any(
        (before[i] or 0) + after[i] == deepest
        and product.kernel == (1, 1)
        and product.positions > 1
        for i, operation in enumerate(graph.operations)
        for product in operation.products
    )


def batch_norm(graph: Graph) -> bool:
    """Whether any operation is a batch normalisation."""
    return any(operation.kind.startswith("BatchNorm") for operation in graph.operations)


def receptive_field(graph: Graph, position: int) -> int | None:
    """Pixels a side of the input that one position of the features can see.

    The largest over all paths (the fields of parallel paths lie inside one another) that the
    windows of convolutions and poolings span, image borders ignored, the larger of height and
    width. Paths through global pooling (squeeze-and-excitation gates) reach the whole image and
    are left out; None where every path does.
    """
    fields: list[_Field | None] = []
    for operation in graph.operations[: _at(graph, position) + 1]:
        fields.append(_field_after(operation, [f for i in operation.inputs if (f := fields[i])]))
    found = fields[-1]
    return None if found is None else max(found[:2])


_Field = tuple[int, int, int, int]  # pixels seen (height, width), and pixels per step (same)


def _field_after(operation: Operation, read: list[_Field]) -> _Field | None:
    shape = operation.shape
    if not operation.inputs:
        return (1, 1, 1, 1) if shape is not None and len(shape) == 4 else None
    if shape is None:  # a tuple of parts
        return read[0] if read else None
    if not read or operation.mixes_positions or len(shape) != 4:
        return None
    height, width, down, right = (max(column) for column in zip(*read, strict=True))
    for window in operation.windows:
        height += (window.size[0] - 1) * down
        width += (window.size[1] - 1) * right
        down, right = down * window.stride[0], right * window.stride[1]
    return height, width, down, right


def _op(graph: Graph, position: int) -> Operation:
    return graph.operations[position]


def _at(graph: Graph, position: int) -> int:
    return range(len(graph.operations))[position]


def _depths(graph: Graph) -> list[int | None]:
    """Per operation, the most weighted layers from the input through it; None: not reached."""
    depths: list[int | None] = []
    for i, operation in enumerate(graph.operations):
        read = [d for j in operation.inputs if (d := depths[j]) is not None]
        if read:
            depths.append(max(read) + len(operation.products))
        else:
            depths.append(0 if i == 0 else None)
    return depths


def _depths_after(graph: Graph) -> list[int]:
    """Per operation, the most weighted layers from its output to the network's."""
    after = [0] * len(graph.operations)
    for i in range(len(graph.operations) - 1, -1, -1):
        through = after[i] + len(_op(graph, i).products)
        for j in _op(graph, i).inputs:
            after[j] = max(after[j], through)
    return after


def _ancestors(graph: Graph) -> list[set[int]]:
    ancestors: list[set[int]] = []
    for operation in graph.operations:
        found = set(operation.inputs)
        for j in operation.inputs:
            found |= ancestors[j]
        ancestors.append(found)
    return ancestors


def _weights_between(graph: Graph, ancestors: list[set[int]], first: int, last: int) -> bool:
    between = (i for i in ancestors[last] | {last} if first in ancestors[i])
    return any(_op(graph, i).products for i in between)


def _of_kind(graph: Graph, kinds: tuple[str, ...]) -> list[Operation]:
    return [operation for operation in graph.operations if operation.kind in kinds]


def _operands(graph: Graph, merge: Operation, depths: list[int | None]) -> list[int]:
    """The tensors that a merge joins and that depend on the network's input.

    What hands on its input as it is (an identity, dropout in eval mode) is looked through.
    """
    operands = []
    for i in merge.inputs:
        while _op(graph, i).kind in _HAND_ON:
            i = _op(graph, i).inputs[0]
        if depths[i] is not None and _op(graph, i).shape is not None:
            operands.append(i)
    return operands


_HAND_ON = ("Identity", "Dropout", "dropout", "StochasticDepth", "stochastic_depth")
