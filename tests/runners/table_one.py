"""Which definitions reproduce what the paper's Table I prints, and which values none explains.

Every printed accuracy, depth and count of operations is compared with what is measured on the
networks, and with other plausible definitions of the same quantity. `test_table_one.py` holds both
tables against those shipped in `warehouse/shipped/measured/`, which were made once by this search.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

from torchvision import models

from lossnets.runners.attributes import rules
from lossnets.runners.attributes.graph import SIZE, Graph, Operation, trace
from lossnets.runners.networks.pretrained import (
    WEIGHTS,
    architectures,
    extraction_layers,
    weights_metadata,
)

Row = dict[str, object]


@dataclass(frozen=True)
class Definition:
    """One way to arrive at a value of Table I: `compute` maps a graph at 224×224 to it."""

    attribute: str
    definition: str
    description: str
    compute: Callable[[Graph], float | None]


def definitions() -> list[Row]:
    """Each value of Table I beside each definition's: one row per value and definition.

    The first definition of an attribute is the one that it is measured by. Columns: attribute,
    architecture, printed, definition, value, matches (1 if the value is the
    printed one at its precision: whole layers, whole MFLOPS rounded or cut off, thousandths of
    a percent), description.
    """
    rows: list[Row] = []
    for printed in _table_one():
        graph = trace(printed["architecture"])
        for definition in DEFINITIONS:
            value = definition.compute(graph)
            found = float(printed[PRINTED[definition.attribute]])
            if value is not None:
                rows.append(
                    {
                        "attribute": definition.attribute,
                        "architecture": graph.architecture,
                        "printed": printed[PRINTED[definition.attribute]],
                        "definition": definition.definition,
                        "value": round(value, 3),
                        "matches": int(_matches(definition.attribute, found, value)),
                        "description": definition.description,
                    }
                )
    return sorted(rows, key=lambda row: list(PRINTED).index(str(row["attribute"])))


def verdicts(rows: list[Row]) -> list[Row]:
    """One row per value of Table I: does it agree with what is measured, and if not, why.

    Takes the rows of `definitions`. Columns: attribute, architecture, printed, measured,
    difference (percent of measured), verdict, definition (the one the verdict rests on),
    reproduced (its value), explanation. Verdicts:
    `equal`: the measured value is printed;
    `explained`: a definition gives it that gives at least half of the attribute's printed
    values, or it is, to the last digit, the accuracy published for another architecture;
    `possible`: a definition gives it that fits fewer than half, so that it may be a coincidence;
    `near`: no definition gives it, one comes within 1 %;  `unexplained`: none does.
    """
    fits: Counter[object] = Counter()
    groups: dict[tuple[object, object], list[Row]] = {}
    for row in rows:
        fits[row["definition"]] += int(str(row["matches"]))
        groups.setdefault((row["attribute"], row["architecture"]), []).append(row)
    return [_verdict(group, fits) for group in groups.values()]


def _verdict(group: list[Row], fits: Counter[object]) -> Row:
    measured = group[0]
    printed = float(str(measured["printed"]))
    best = min(group, key=lambda row: (not row["matches"], _distance(row)))
    if measured["matches"]:
        verdict, best, explanation = "equal", measured, "as measured"
    elif best["matches"]:
        count = fits[best["definition"]]
        verdict = "explained" if 2 * count >= len(_table_one()) else "possible"
        explanation = f"{best['description']}; this gives {count} of the {len(_table_one())} values"
    elif owners := _owners(str(measured["attribute"]), printed):
        verdict, best = "explained", {"definition": "other_architecture", "value": printed}
        explanation = f"the accuracy that torchvision publishes for {owners}"
    else:
        near = _distance(best) <= 0.01
        verdict = "near" if near else "unexplained"
        explanation = (
            f"none of {len(group)} definitions gives it; the closest is off by "
            f"{100 * _distance(best):.2g} %: {best['description']}"
        )
    for row in group:
        if row["definition"] == "macs_at_own_crop":
            explanation += f"; at the crop size of its accuracy it takes {row['value']}"
    return {
        "attribute": measured["attribute"],
        "architecture": measured["architecture"],
        "printed": measured["printed"],
        "measured": measured["value"],
        "difference": round(100 * (printed / float(str(measured["value"])) - 1), 3),
        "verdict": verdict,
        "definition": best["definition"],
        "reproduced": best["value"],
        "explanation": explanation,
    }


def _owners(attribute: str, printed: float) -> str:
    """Weights of other architectures whose published accuracy is exactly the printed one."""
    if attribute != "paper_imagenet_top1":
        return ""
    return " and ".join(
        f"{name} ({member.name})"
        for name in architectures()
        for member in models.get_model_weights(name)
        if member.meta["_metrics"].get("ImageNet-1K", {}).get("acc@1") == printed
    )


def _distance(row: Row) -> float:
    printed = float(str(row["printed"]))
    return abs(float(str(row["value"])) - printed) / printed


def _matches(attribute: str, printed: float, value: float) -> bool:
    if attribute == "paper_mflops":
        return printed in (math.floor(value), math.floor(value + 0.5))
    return abs(value - printed) < 0.0005


def _table_one() -> list[dict[str, str]]:
    table = (
        resources.files("lossnets.warehouse") / "shipped" / "paper" / "table_01_architectures.csv"
    )
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def _other_weights(graph: Graph) -> float | None:
    names = [member.name for member in models.get_model_weights(graph.architecture)]
    accuracies = [weights_metadata(graph.architecture, n).top1 for n in names if n != WEIGHTS]
    known = [a for a in accuracies if a is not None and not math.isnan(a)]
    return max(known, default=None)


def _convolutions_on_a_path(graph: Graph) -> int:
    return rules.depth(rules.only(graph, lambda product: product.kernel != ()))


def _depth_without_gates(graph: Graph) -> int:
    return rules.depth(rules.only(graph, lambda p: p.kernel == () or p.positions > 1))


def _weighted_layers(graph: Graph) -> int:
    return sum(len(operation.products) for operation in graph.operations)


def _convolutions(graph: Graph) -> int:
    return sum(p.kernel != () for operation in graph.operations for p in operation.products)


def _number_in_the_name(graph: Graph) -> float | None:
    found = re.search(r"[a-z]{3}(\d{2,3})", graph.architecture)
    return float(found[1]) if found else None


def _between_extraction_layers(graph: Graph) -> float | None:
    layers = extraction_layers().get(graph.architecture)
    if layers is None:
        return None
    early, late = (graph.position(layers[name]) for name in ("early", "late"))
    assert early is not None
    assert late is not None
    return rules.depth(graph, late) - rules.depth(graph, early)


def _mega_macs(graph: Graph) -> float:
    return rules.macs(graph) / 1e6


def _mega_macs_at_own_crop(graph: Graph) -> float | None:
    crop = weights_metadata(graph.architecture).crop
    if crop in (None, SIZE):
        return None
    return rules.macs(trace(graph.architecture, size=crop)) / 1e6


def _with_biases(graph: Graph) -> float:
    return (rules.macs(graph) + sum(map(_biases, graph.operations))) / 1e6


def _with_elementwise(graph: Graph) -> float:
    """MACs, and what a counter of every module's arithmetic adds to them.

    The coefficients are the smallest whole numbers with which thirteen of the fourteen printed
    counts come out to the last digit; the printed counts alone do not tell who used them.
    """
    extra = sum(_arithmetic(graph, operation) for operation in graph.operations)
    return (rules.macs(graph) + extra) / 1e6


def _arithmetic(graph: Graph, operation: Operation) -> int:
    size = math.prod(operation.shape or (0,))
    read = sum(math.prod(graph.operations[i].shape or (0,)) for i in operation.inputs[:1])
    if operation.kind == "MaxPool2d":
        return size * math.prod(operation.windows[0].size)
    counts = {
        "BatchNorm2d": 2 * size,
        "ReLU": 2 * size,
        "add": 2 * size,
        "AdaptiveAvgPool2d": 3 * read,
        "Dropout": size,
    }
    return counts.get(operation.kind, 0) + _biases(operation)


def _biases(operation: Operation) -> int:
    biased = operation.products and any(name.endswith(".bias") for name in operation.parameters)
    return math.prod(operation.shape or ()) if biased else 0


PRINTED = {
    "paper_imagenet_top1": "imagenet_acc",
    "paper_depth": "depth",
    "paper_mflops": "mflops",
}  # in this order; the first definition of each is the one that we measure by

DEFINITIONS = (
    Definition(
        "paper_imagenet_top1", "torchvision_v1",
        "top-1 accuracy that torchvision publishes for IMAGENET1K_V1",
        lambda graph: weights_metadata(graph.architecture).top1,
    ),
    Definition(
        "paper_imagenet_top1", "torchvision_later",
        "top-1 accuracy that torchvision publishes for the architecture's best other weights",
        _other_weights,
    ),
    Definition(
        "paper_depth", "longest_path",
        "most weighted layers on any path (the paper's footnote 2)", rules.depth,
    ),
    Definition(
        "paper_depth", "longest_path_of_convolutions",
        "most convolutions on any path, the classifier left out", _convolutions_on_a_path,
    ),
    Definition(
        "paper_depth", "longest_path_without_gates",
        "most weighted layers on any path, squeeze-and-excitation left out", _depth_without_gates,
    ),
    Definition(
        "paper_depth", "between_early_and_late",
        "most weighted layers between the early and the late extraction layer, that is without "
        "stem, last convolution and classifier", _between_extraction_layers,
    ),
    Definition(
        "paper_depth", "longest_path_between_activations",
        "most weighted layers on any path, those with no non-linearity between them as one",
        rules.depth_between_activations,
    ),
    Definition(
        "paper_depth", "all_convolutions", "all convolutions, on every path", _convolutions,
    ),
    Definition(
        "paper_depth", "all_weighted_layers",
        "all weighted layers, on every path", _weighted_layers,
    ),
    Definition(
        "paper_depth", "name", "the number in the architecture's name", _number_in_the_name,
    ),
    Definition(
        "paper_mflops", "macs",
        "multiply-accumulate operations of convolutions and linear layers at 224×224", _mega_macs,
    ),
    Definition(
        "paper_mflops", "macs_at_own_crop",
        "the same at the crop size of the published accuracy", _mega_macs_at_own_crop,
    ),
    Definition(
        "paper_mflops", "macs_and_biases",
        "multiply-accumulate operations at 224×224, and one addition per biased output",
        _with_biases,
    ),
    Definition(
        "paper_mflops", "macs_and_elementwise",
        "multiply-accumulate operations at 224×224, and per element 1 for a bias or dropout, 2 "
        "for batch norm, ReLU modules and additions, 3 for global pooling's input, k² for k×k "
        "max pooling (coefficients fitted to this column)", _with_elementwise,
    ),
    Definition(
        "paper_mflops", "flops",
        "two operations per multiply-accumulate at 224×224", lambda graph: 2 * _mega_macs(graph),
    ),
)  # fmt: skip
