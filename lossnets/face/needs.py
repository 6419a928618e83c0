"""What is not installed, told as something that can be mended."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lossnets.warehouse.errors import UserError

NEEDED_TO_RUN = ("numpy", "PIL", "torch", "torchvision")


def needing_torch(module: str, what: str) -> Any:
    """A module of runners; UserError where torch, or what else it imports, is not installed.

    >>> needing_torch("lossnets.runners.benchmarks", "running").__name__
    'lossnets.runners.benchmarks'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in NEEDED_TO_RUN:
            raise
        raise UserError(
            f"{what} needs {error.name}, which is not installed",
            hint='pip install "lossnets[run]"',
        ) from None
