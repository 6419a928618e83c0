"""Which loss networks are known, and what is said of one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossnets.warehouse.intake.names import close_to, listed

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

REGISTER = "correct it, or register what is new with --new-architectures"


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
        return f"names the architecture {architecture!r}, {close_to(architecture, known)}"
    if layer not in known[architecture]:
        valid = listed(known[architecture])
        return f"names the layer {layer!r} of {architecture}, valid are {valid}"
    return None
