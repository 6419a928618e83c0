"""Tables of what was measured of further networks, `attributes/measured/<architecture>.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lossnets.runners.networks import pretrained
from lossnets.warehouse.durable import replacing
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import attribute_files

FORMAT = 1
Measured = tuple[str, str | None, Any]  # attribute, layer, value


def write(name: str, nodes: dict[str, str], values: list[Measured], home: Path) -> Path:
    """Add to `attributes/measured/<architecture>.json`; the file is whole or absent."""
    with attribute_files.alone(home):
        return _extend_table(name, nodes, values, home)


def held(name: str, home: Path) -> Any:
    """What the table of a network holds; no layers and no values where there is none."""
    path = _path(name, home)
    return _held(path) if path.exists() else {"layers": [], "values": []}


def _path(name: str, home: Path) -> Path:
    return home / "attributes" / "measured" / f"{quote(name, safe='')}.json"


def _extend_table(name: str, nodes: dict[str, str], values: list[Measured], home: Path) -> Path:
    path, before = _path(name, home), held(name, home)
    layers = {layer: [layer, None, node] for layer, _, node in before["layers"]}
    layers |= {layer: [layer, None, node] for layer, node in nodes.items()}
    merged = {(attribute, layer): value for attribute, layer, value in before["values"]}
    merged |= {(attribute, layer): value for attribute, layer, value in values}
    content = {
        "format": FORMAT,
        "architecture": name,
        "name": pretrained.display_name(name),
        "family": pretrained.family(name),
        "layers": list(layers.values()),
        "values": [[*key, value] for key, value in merged.items()],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        text = json.dumps(content, indent=1, allow_nan=False)
        temporary.write_text(f"{text}\n", "utf-8")
    return path


def _held(path: Path) -> Any:
    """What a table holds; `UserError` where it is broken, for it is not ours to throw away."""
    try:
        held = json.loads(path.read_text("utf-8"))
        _ = [(layer, node) for layer, _, node in held["layers"]]
        _ = [(attribute, layer, value) for attribute, layer, value in held["values"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UserError(f"{path} is no measured table; move it away") from None
    return held
