"""What is measured on torchvision's models themselves: attributes of architectures and layers.

    lossnets attribute measure --architecture convnext_tiny --layer features.3

The paper's 14 architectures ship measured, in `warehouse/shipped/measured/`, so that reports need
no torch; this writes those files anew (a test compares; `definitions.csv` and `evidence.csv` beside
them, which say how the paper's Table I came about, are held to `tests/runners/table_one.py`):

    python -m lossnets.runners.attributes.catalog
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lossnets import warehouse
from lossnets.runners.attributes import rules
from lossnets.runners.attributes.graph import SIZE, Graph, trace
from lossnets.runners.networks.pretrained import WEIGHTS, extraction_layers, weights_metadata

Value = int | float | None


@dataclass(frozen=True)
class AttributeRule:
    """An attribute that is measured on every network: its catalog entry, and how.

    `measure` maps a graph and a position in it (the layer's; -1 for an architecture) to a value.
    """

    attribute: str
    label: str
    level: str  # 'architecture' or 'loss_network'
    kind: str  # 'numeric' or 'binary'
    unit: str
    description: str
    measure: Callable[[Graph, int], Value]


def measured_attributes(level: str) -> list[AttributeRule]:
    """The attributes measured on every network, of one level ('architecture', 'loss_network')."""
    return [a for a in RULES if a.level == level]


def measure_architecture(graph: Graph) -> dict[str, Value]:
    """Every architecture attribute of a traced network: {attribute: value}.

    >>> measure_architecture(trace("alexnet"))["depth"]
    8
    """
    return {a.attribute: a.measure(graph, -1) for a in measured_attributes("architecture")}


def measure_layer(graph: Graph, position: int) -> dict[str, Value]:
    """Every loss-network attribute at a position of a traced network: {attribute: value}.

    >>> graph = trace("alexnet")
    >>> measure_layer(graph, graph.position("features.1"))["features"]
    193600
    """
    return {a.attribute: a.measure(graph, position) for a in measured_attributes("loss_network")}


def tables() -> dict[str, str]:
    """The shipped files of measured attributes: {file name: CSV text}.

    Takes seconds: no weights are loaded and nothing is computed, tensors are shapes only.
    """
    architectures, loss_networks = [], []
    for architecture, layers in extraction_layers().items():
        graph = trace(architecture)
        architectures.append({"architecture": architecture, **measure_architecture(graph)})
        for layer, node in layers.items():
            position = graph.position(node)
            assert position is not None, f"{architecture} has no {node}"
            place = {"architecture": architecture, "layer": layer, "node": node}
            loss_networks.append({**place, **measure_layer(graph, position)})
    catalog = ("attribute", "label", "level", "kind", "unit", "description")
    return {
        "architectures.csv": _csv(architectures),
        "loss_networks.csv": _csv(loss_networks),
        "attributes.csv": _csv({key: getattr(a, key) for key in catalog} for a in RULES),
        "derived.csv": _csv(DERIVED),
    }


def write_tables(folder: Path | None = None) -> list[Path]:
    """Write `tables()` into a folder, by default where the warehouse reads them."""
    folder = folder or Path(warehouse.__file__).parent / "shipped" / "measured"
    written = []
    for name, text in tables().items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def _csv(rows: Iterable[Mapping[str, object]]) -> str:
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _top1(graph: Graph, _position: int) -> Value:
    return weights_metadata(graph.architecture).top1


def _crop(graph: Graph, _position: int) -> Value:
    return weights_metadata(graph.architecture).crop


def _axis(axis: int) -> Callable[[Graph, int], Value]:
    def size(graph: Graph, position: int) -> Value:
        shape = graph.operations[position].shape or ()
        if len(shape) != 4:
            return None
        channels_last = shape[1] == shape[2] != shape[3]  # of a square image
        return shape[(0, 3, 1, 2)[axis] if channels_last else axis]

    return size


def _features(graph: Graph, position: int) -> Value:
    shape = graph.operations[position].shape
    return None if shape is None else math.prod(shape[1:])


def _yes_no(rule: Callable[[Graph], bool]) -> Callable[[Graph, int], Value]:
    return lambda graph, _position: int(rule(graph))


_ARCHITECTURE = ("architecture", "numeric")
_BINARY = ("architecture", "binary", "yes/no")
_LAYER = ("loss_network", "numeric")
_AT = f"at {SIZE}×{SIZE}"
_WEIGHTED = "weighted layers (convolution, linear)"

RULES = (
    AttributeRule(
        "imagenet_top1", "ImageNet top-1", *_ARCHITECTURE, "%",
        f"Accuracy on ImageNet's validation images of the weights {WEIGHTS}, at imagenet_crop, "
        "as torchvision publishes it.", _top1,
    ),
    AttributeRule(
        "imagenet_crop", "ImageNet crop", *_ARCHITECTURE, "px",
        "Pixels a side of the images that imagenet_top1 was measured on.", _crop,
    ),
    AttributeRule(
        "depth", "Depth", *_ARCHITECTURE, "layers",
        f"The most {_WEIGHTED} on any path from input to output.", rules.depth,
    ),
    AttributeRule(
        "macs", "MACs", *_ARCHITECTURE, "operations",
        f"Multiply-accumulate operations of convolutions and linear layers {_AT}, auxiliary "
        "classifiers left out.", rules.macs,
    ),
    AttributeRule(
        "params", "Parameters", *_ARCHITECTURE, "parameters",
        "Trainable parameters, auxiliary classifiers left out.", rules.params,
    ),
    AttributeRule(
        "skip_connections", "Skip connections", *_BINARY,
        "A sum or concatenation joins features with others computed from them (residual and "
        "dense blocks).", _yes_no(rules.skip_connections),
    ),
    AttributeRule(
        "branching", "Branching", *_BINARY,
        "Parallel paths with weights of their own rejoin in a concatenation (inception and fire "
        "modules; the groups of a grouped convolution are one operation and no branches).",
        _yes_no(rules.branching),
    ),
    AttributeRule(
        "conv_1x1", "1×1 convolutions", *_BINARY,
        "A deepest path from input to output has a 1×1 convolution over a feature map "
        "(projection shortcuts and squeeze-and-excitation gates do not count).",
        _yes_no(rules.conv_1x1),
    ),
    AttributeRule(
        "batch_norm", "Batch norm", *_BINARY,
        "There is a batch normalisation.", _yes_no(rules.batch_norm),
    ),
    AttributeRule(
        "depth_to_layer", "Depth to layer", *_LAYER, "layers",
        f"The most {_WEIGHTED} on any path from input to the extraction layer.", rules.depth,
    ),
    AttributeRule(
        "macs_to_layer", "MACs to layer", *_LAYER, "operations",
        "Multiply-accumulate operations of the convolutions and linear layers that the features "
        f"depend on, {_AT}.", rules.macs,
    ),
    AttributeRule(
        "params_to_layer", "Parameters to layer", *_LAYER, "parameters",
        "Trainable parameters that the features depend on.", rules.params,
    ),
    AttributeRule(
        "channels", "Channels", *_LAYER, "channels",
        "Channels C of the features (C, H, W).", _axis(1),
    ),
    AttributeRule(
        "height", "Height", *_LAYER, "positions", f"Height H of the features {_AT}.", _axis(2),
    ),
    AttributeRule(
        "width", "Width", *_LAYER, "positions", f"Width W of the features {_AT}.", _axis(3),
    ),
    AttributeRule(
        "features", "Features", *_LAYER, "features",
        f"Features C·H·W at the extraction layer, {_AT}.", _features,
    ),
    AttributeRule(
        "receptive_field", "Receptive field", *_LAYER, "px",
        "Pixels a side of the input that one position of the features can see: the most on any "
        "path, borders ignored, global pooling in squeeze-and-excitation gates left out.",
        rules.receptive_field,
    ),
)  # fmt: skip

DERIVED: tuple[dict[str, object], ...] = tuple(
    {
        "attribute": f"{name}_fraction",
        "label": f"{label} fraction",
        "expression": f"{name}_to_layer / {name}",
        "unit": "fraction",
        "description": f"{what} up to the extraction layer, as a fraction of the architecture's.",
    }
    for name, label, what in (
        ("depth", "Depth", "Weighted layers"),
        ("macs", "MACs", "Multiply-accumulate operations"),
        ("params", "Parameters", "Trainable parameters"),
    )
)


if __name__ == "__main__":
    write_tables()
