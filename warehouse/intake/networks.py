"""Which loss networks are known, and what is said of one that is not."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse


def layers_of(warehouse: Warehouse) -> dict[str, list[str]]:
    """Architecture → its extraction layers."""
    layers: dict[str, list[str]] = {}
    for architecture, layer in warehouse.rows("select architecture, layer from loss_networks")[1]:
        layers.setdefault(architecture, []).append(layer)
    return layers


def unknown_network(known: dict[str, list[str]], architecture: str, layer: str) -> str | None:
    """What is wrong with the names of a loss network; None where it is known.

    >>> unknown_network({"vgg11": ["early", "late"]}, "vgg11", "lat")
    "names the layer 'lat' of vgg11, valid are early, late"
    """
    if architecture not in known:
        return f"names the architecture {architecture!r}, {close_to(architecture, list(known))}"
    if layer not in known[architecture]:
        valid = ", ".join(known[architecture])
        return f"names the layer {layer!r} of {architecture}, valid are {valid}"
    return None


def close_to(found: str, valid: list[str]) -> str:
    """What may have been meant, or all there is where it is little.

    >>> close_to("vgg12", ["vgg11", "alexnet"])
    "which is unknown: did you mean 'vgg11'?"
    """
    close = difflib.get_close_matches(found, valid, n=3)
    if close:
        return f"which is unknown: did you mean {' or '.join(map(repr, close))}?"
    return f"which is unknown, valid are {', '.join(sorted(valid)[:20])}"


def wrong(named: str, place: str, fault: str) -> UserError:
    """The error for one place of an import."""
    hint = None
    if fault.startswith(("names the architecture", "names the layer")):
        hint = "correct it, or register what is new with --new-architectures"
    return UserError(f"{named}, {place} {fault}", hint=hint)
