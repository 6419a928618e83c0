"""Which pretrained network, and which of its layers, makes a good perceptual loss.

All that a notebook needs, explained in docs/python.md. Importing it costs nothing: torch, pandas
and DuckDB are loaded by what uses them.

>>> import tempfile, lossnets
>>> warehouse = lossnets.open(tempfile.mkdtemp())
>>> warehouse.sql("select 42 as a").a[0]
np.int32(42)
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError

if TYPE_CHECKING:
    from lossnets.face.running import run
    from lossnets.face.warehouse import Warehouse
    from lossnets.runners.networks.loss_network import LossNetwork
    from lossnets.runners.networks.perceptual_loss import PerceptualLoss

__version__ = "0.1.0"
__all__ = [
    "LossNetwork",
    "PerceptualLoss",
    "UserError",
    "Warehouse",
    "__version__",
    "open",
    "run",
]

_NEEDING_TORCH = {
    "LossNetwork": "lossnets.runners.networks.loss_network",
    "PerceptualLoss": "lossnets.runners.networks.perceptual_loss",
}
_LIGHT = {"Warehouse": "lossnets.face.warehouse", "run": "lossnets.face.running"}


def open(home: Path | str | None = None) -> Warehouse:
    """The warehouse of a data folder, up to date with its files; made where there is none.

    home: the folder; None for $LOSSNETS_HOME, else `data`. Shown in a notebook, it says what it
    holds. Raises `UserError` where it cannot be read or made.

    >>> import tempfile
    >>> open(tempfile.mkdtemp()).sql("select count(*) as n from loss_networks").n[0]
    np.int64(56)
    """
    from lossnets.face.warehouse import Warehouse

    return Warehouse.open(home)


def __getattr__(name: str) -> Any:
    """Load what is asked for, once."""
    if name in _NEEDING_TORCH:
        from lossnets.face.needs import needing_torch

        module = needing_torch(_NEEDING_TORCH[name], name)
    elif name in _LIGHT:
        module = import_module(_LIGHT[name])
    else:
        raise AttributeError(f"module 'lossnets' has no attribute {name!r}")
    globals()[name] = getattr(module, name)
    return globals()[name]


def __dir__() -> list[str]:
    """What is public; without what needs torch where torch is not installed."""
    return [name for name in __all__ if name not in _NEEDING_TORCH or find_spec("torch")]
