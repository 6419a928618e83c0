"""`lossnets attribute measure`: attributes of further networks, and attributes of one's own.

What is measured lands in `data/attributes/`, where the warehouse finds it at its next opening.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lossnets.runners.attributes import catalog, custom, measured_tables, running
from lossnets.runners.attributes.graph import Graph
from lossnets.runners.attributes.graph import trace as trace_graph
from lossnets.runners.attributes.measured_tables import Measured
from lossnets.runners.networks import pretrained
from lossnets.runners.networks.layers import is_traced, node_of
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.networks.pretrained import architectures, extraction_layers
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import attribute_files

Progress = Callable[[int, int, str], None]
Row = dict[str, object]
COLUMNS = ("architecture", "layer", "attribute", "value", "note")


def measure(
    names: Sequence[str],
    *,
    home: Path,
    all_models: bool = False,
    layers: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Row]:
    """Measure torchvision's classification models and register what is not shipped.

    names: architectures; with `all_models`, all that the installed torchvision has. layers:
    traced nodes of each of them to measure loss-network attributes at; without any, a network
    beyond the paper's gets architecture attributes only, since the paper's rule for choosing
    layers ("the same" in each family) does not say which they would be.
    Returns a row per value (columns: COLUMNS). The note says where the value went, or, in a row
    without a value, why a network could not be measured: `--all` goes on to the next one.
    Errors: UserError on an unknown architecture or layer, before anything is written.
    """
    chosen = _chosen(names, all_models=all_models)
    for name in chosen if not all_models else ():
        for layer in layers:
            node_of(name, layer)
    rows: list[Row] = []
    for name in _with_progress(chosen, progress):
        try:
            rows += _measure_one(name, layers, home)
        except Exception as fault:
            if not all_models:
                raise
            rows.append(_row(name, note=f"not measured, because {_reason(fault)}"))
    return rows


def measure_missing(name: str, layers: Sequence[str], home: Path) -> str | None:
    """Measure a network beyond the paper's, and its layers, where that was not done yet.

    Why it cannot be, in a sentence. Of a sum of layers nothing is measured.
    """
    shipped = extraction_layers().get(name, {})
    further = [layer for layer in layers if layer not in shipped and "+" not in layer]
    if shipped and not further:
        return None
    try:
        held = measured_tables.held(name, home)
        known = {layer for layer, *_ in held["layers"]}
        missing = [layer for layer in further if layer not in known]
        if missing or not (shipped or held["values"]):
            _measure_one(name, missing, home)
    except Exception as fault:
        return f"its attributes are not measured, because {_reason(fault)}"
    return None


def measure_function(
    function: str,
    names: Sequence[str],
    *,
    home: Path,
    layers: Sequence[str] = (),
    weights: str | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Compute an attribute of one's own (`module:name`) and register it.

    See `lossnets.runners.attributes.custom`.

    names: architectures, all of the paper's if there are none. layers: the paper's four of its
    architectures if there are none. weights as for `LossNetwork`. Values of networks that are not
    measured again stay.
    Returns a row per value (columns: COLUMNS). Errors: UserError on wrong names, on a value that
    is no finite number, and where layers have to be named.
    """
    attribute = custom.load(function)
    chosen = _chosen(names or list(extraction_layers()), all_models=False)
    places = [(name, layer) for name in chosen for layer in _layers_of(name, attribute, layers)]
    rows: list[Row] = []
    faults: dict[str, Exception] = {}
    for name, layer in _with_progress(places, progress):
        if name in faults:
            continue
        try:
            value = attribute(LossNetwork(name, layer, weights=weights))
            rows.append(_value_row(attribute, name, layer, value, home))
        except Exception as fault:
            faults[name] = fault
    if faults and not rows:
        raise next(iter(faults.values()))
    for name in chosen:
        if (name not in extraction_layers() or layers) and name not in faults:
            _measure_one(name, layers, home)
    failed = [
        _row(name, attribute=attribute.name, note=f"not measured, because {_reason(fault)}")
        for name, fault in faults.items()
    ]
    return rows + failed


def _value_row(
    attribute: custom.AttributeFunction, name: str, layer: str, value: object, home: Path
) -> Row:
    """Register one value at once, so that nothing that fails later loses it."""
    where = None if attribute.level == "architecture" else layer
    number = value.item() if hasattr(value, "item") else value
    if number is None or (isinstance(number, float) and math.isnan(number)):
        _register(attribute, (name, where, None), home)
        return _row(name, where, attribute.name, None, f"unknown: it gave {number}")
    checked = _checked(number, attribute, name, layer)
    path = _register(attribute, (name, where, checked), home)
    return _row(name, where, attribute.name, checked, f"written to {path}")


def _chosen(names: Sequence[str], *, all_models: bool) -> list[str]:
    if all_models:
        return list(architectures())
    if not names:
        raise UserError(
            "found no architecture to measure",
            hint="lossnets attribute measure --architecture convnext_tiny",
        )
    for name in names:
        pretrained.check_architecture(name)
    return list(dict.fromkeys(names))


def _measure_one(name: str, layers: Sequence[str], home: Path) -> list[Row]:
    """Measure one network; write what is not shipped. One row per value."""
    shipped = extraction_layers().get(name, {})
    further = {layer: node_of(name, layer) for layer in layers if layer not in shipped}
    if not is_traced(name):
        return _measure_by_running(name, further, home)
    graph = trace_graph(name)
    known, fresh = _at_layers(graph, shipped), _at_layers(graph, further)
    (known if shipped else fresh)[:0] = [
        (attribute, None, value)
        for attribute, value in catalog.measure_architecture(graph).items()
        if value is not None
    ]
    rows = [_row(name, layer, a, value, "shipped with lossnets") for a, layer, value in known]
    return rows + _written(name, further, fresh, home)


def _measure_by_running(name: str, nodes: dict[str, str], home: Path) -> list[Row]:
    """What can be counted of a network that torch.fx does not trace; the rest is unknown."""
    measured = running.measured(name, tuple(nodes))
    known = {(attribute, layer) for attribute, layer, _ in measured}
    wanted: list[tuple[str, str | None]] = [
        (rule.attribute, None) for rule in catalog.measured_attributes("architecture")
    ]
    wanted += [
        (rule.attribute, layer)
        for layer in nodes
        for rule in catalog.measured_attributes("loss_network")
    ]
    unknown = [
        _row(name, layer, attribute, None, f"unknown: {running.reason(attribute)}")
        for attribute, layer in wanted
        if (attribute, layer) not in known
    ]
    return _written(name, nodes, measured, home) + unknown


def _written(name: str, nodes: dict[str, str], values: list[Measured], home: Path) -> list[Row]:
    if not values:
        return []
    path = measured_tables.write(name, nodes, values, home)
    return [_row(name, layer, a, value, f"written to {path}") for a, layer, value in values]


def _at_layers(graph: Graph, nodes: dict[str, str]) -> list[Measured]:
    values: list[Measured] = []
    for layer, node in nodes.items():
        position = graph.position(node)
        if position is None or graph.operations[position].shape is None:
            raise UserError(
                f"found layer {layer!r}, which in {graph.architecture} yields no tensor of features"
            )
        at_layer = catalog.measure_layer(graph, position).items()
        values += [(attribute, layer, value) for attribute, value in at_layer if value is not None]
    return values


def _layers_of(
    name: str, attribute: custom.AttributeFunction, layers: Sequence[str]
) -> Sequence[str]:
    paper = tuple(extraction_layers().get(name, ()))
    if not layers and not paper:
        raise UserError(
            f"found no layer to measure {name} at: it is not one of the paper's architectures",
            hint=f"lossnets attribute measure --architecture {name} --layer NODE --function …",
        )
    if attribute.level == "architecture":
        return (layers or paper)[-1:]
    return layers or paper


def _checked(value: object, attribute: custom.AttributeFunction, name: str, layer: str) -> float:
    valid = (0, 1) if attribute.kind == "binary" else None
    number = value.item() if hasattr(value, "item") else value
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise UserError(
            f"{attribute.name} gave {number!r} for {layer} of {name}; valid is a finite number"
        )
    if valid and number not in valid:
        raise UserError(
            f"{attribute.name} is binary and gave {number!r} for {layer} of {name}; "
            "valid are 0 and 1"
        )
    return float(number)


def _register(
    attribute: custom.AttributeFunction, measured: tuple[str, str | None, float | None], home: Path
) -> Path:
    """Write the attribute with one value more, or, of None, one less; the others stay."""
    with attribute_files.alone(home):
        return _merge(attribute, measured, home)


def _merge(
    attribute: custom.AttributeFunction, measured: tuple[str, str | None, float | None], home: Path
) -> Path:
    path = attribute_files.path_of(home, attribute.name)
    held = attribute_files.read(path).values if path.exists() else ()
    name, layer, value = measured
    merged = {(known, at): number for known, at, number in held if (known, at) != (name, layer)}
    if value is not None:
        merged[name, layer] = value
    if not merged:
        return path
    entry = attribute_files.Attribute(
        attribute=attribute.name,
        label=attribute.label,
        level=attribute.level,
        kind=attribute.kind,
        unit=attribute.unit,
        description=attribute.description,
        origin="measured",
        values=tuple((*key, number) for key, number in merged.items()),
    )
    return attribute_files.write(home, [entry])[0]


def _with_progress(items: Sequence[Any], progress: Progress | None) -> Iterator[Any]:
    for done, item in enumerate(items):
        if progress:
            progress(done, len(items), item if isinstance(item, str) else " ".join(item))
        yield item
    if progress:
        progress(len(items), len(items), "measured")


def _reason(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__).strip().splitlines()[0]


def _row(
    architecture: str,
    layer: str | None = None,
    attribute: str | None = None,
    value: object = None,
    note: str = "",
) -> Row:
    return dict(zip(COLUMNS, (architecture, layer, attribute, value, note), strict=True))
