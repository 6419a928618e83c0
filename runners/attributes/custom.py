"""Attributes of one's own: a decorated function of a loss network.

    @attribute(unit="px", description="How far the strongest gradients reach.")
    def effective_receptive_field(network: LossNetwork) -> float: ...

`lossnets attribute measure --function module:effective_receptive_field` computes it for every loss
network and registers the values (docs/extending.md).
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.warehouse.errors import UserError

Function = Callable[[LossNetwork], float]
LEVELS = ("loss_network", "architecture")
KINDS = ("numeric", "binary")


@dataclass(frozen=True, kw_only=True)
class AttributeFunction:
    """A user's attribute: the catalog's entry, and the function that computes one value.

    Calling it calls the function.
    """

    name: str
    label: str
    unit: str
    description: str
    level: str
    kind: str
    function: Function

    def __call__(self, network: LossNetwork) -> float:
        return self.function(network)


def attribute(
    *,
    unit: str,
    description: str,
    label: str | None = None,
    level: str = "loss_network",
    kind: str = "numeric",
) -> Callable[[Function], AttributeFunction]:
    """Make an attribute of a function of a `LossNetwork`, named as the function is.

    The function is given a loss network with one extraction layer, its weights loaded, and
    returns a number. unit, description, label: what the catalog and the report say of it.
    level: `loss_network`, a value per extraction layer, or `architecture`, one value (then the
    network has the deepest of the paper's layers). kind: `numeric` or `binary` (0 and 1).

    >>> @attribute(unit="layers", description="Extraction layers of the loss network.")
    ... def layer_count(network):
    ...     return len(network.layers)
    >>> layer_count.name, layer_count.label, layer_count.unit
    ('layer_count', 'Layer count', 'layers')
    """
    if level not in LEVELS:
        raise UserError(f"found level {level!r} of an attribute; valid are {' and '.join(LEVELS)}")
    if kind not in KINDS:
        raise UserError(f"found kind {kind!r} of an attribute; valid are {' and '.join(KINDS)}")

    def decorate(function: Function) -> AttributeFunction:
        name = function.__name__
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
            raise UserError(
                f"found the function name {name!r}, which cannot be an attribute's; "
                "valid are small letters, digits and _, a letter first"
            )
        return AttributeFunction(
            name=name,
            label=label or name.replace("_", " ").capitalize(),
            unit=unit,
            description=description,
            level=level,
            kind=kind,
            function=function,
        )

    return decorate


def load(function: str) -> AttributeFunction:
    """The attribute that `module:name` stands for; the module may lie in the current folder.

    Errors: UserError if there is no such module, no such name in it, or it is no attribute.
    """
    module_name, _, name = function.partition(":")
    if not module_name or not name:
        raise UserError(f"found {function!r} for a function; valid is module:name")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as fault:
        if fault.name != module_name.split(".")[0] and fault.name != module_name:
            raise
        raise UserError(
            f"found no module {module_name} in {here} or among those installed"
        ) from None
    found = getattr(module, name, None)
    if found is None:
        offered = [k for k, v in vars(module).items() if isinstance(v, AttributeFunction)]
        raise UserError(
            f"found no {name} in {module_name}; attributes there: {', '.join(offered) or 'none'}"
        )
    if not isinstance(found, AttributeFunction):
        raise UserError(
            f"found that {name} in {module_name} is no attribute; "
            "decorate it with @attribute(unit=…, description=…) from "
            "lossnets.runners.attributes.custom"
        )
    return found
