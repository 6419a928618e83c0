"""What claims are decided by: functions of the evidence that return named numbers."""

from __future__ import annotations

from collections.abc import Callable

from lossnets.analysis.claims.measures import (
    architectures,
    attributes,
    benchmarks,
    layers,
    setting,
)
from lossnets.analysis.claims.rules import Numbers

MEASURES: dict[str, Callable[..., Numbers]] = {
    name: function
    for module in (setting, architectures, layers, attributes, benchmarks)
    for name, function in vars(module).items()
    if getattr(function, "__module__", "") == module.__name__
    and function.__annotations__.get("return") == "Numbers"
}
