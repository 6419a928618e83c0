"""From what a user names — protocol, preset, overrides — to a benchmark's config."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lossnets.runners.networks.pretrained import close_names
from lossnets.runners.runs.benchmark import Benchmark, C, D, Values
from lossnets.runners.runs.run import Config
from lossnets.warehouse.errors import UserError


def configure(
    benchmark: Benchmark[C, D],
    *,
    protocol: str = "paper",
    preset: str | None = None,
    settings: Sequence[str] = (),
    baseline: str | None = None,
) -> C:
    """A config: the defaults, then the protocol's, the preset's and the user's own values.

    settings: `name=value` each. Errors: UserError on an unknown protocol, preset or name, and on
    a value of the wrong type.
    """
    values = dict(_named(benchmark.protocols, "protocol", protocol))
    if preset is not None:
        values |= _named(benchmark.presets, "preset", preset)
    for setting in settings:
        name, value = _parsed(benchmark.config, setting)
        values[name] = value
    if baseline is not None:
        values["baseline"] = baseline
    return benchmark.config(**values)


def _named(among: Values, kind: str, name: str) -> Mapping[str, object]:
    if name not in among:
        raise UserError(f"found {kind} {name!r}; valid are {', '.join(among)}")
    return among[name]


def _parsed(config: type[Config], setting: str) -> tuple[str, object]:
    """The field and the value of `name=value`, as the field's type says."""
    name, equals, text = setting.partition("=")
    name = name.strip().replace("-", "_")
    hints = typing.get_type_hints(config)
    names = tuple(field.name for field in dataclasses.fields(config))
    if not equals:
        raise UserError(f"found setting {setting!r}; valid is name=value, such as {names[0]}=…")
    if name not in names:
        raise UserError(
            f"found setting {name!r}, which this benchmark does not have; close names are: "
            f"{close_names(name, names)}"
        )
    try:
        return name, value_of(text.strip(), hints[name])
    except ValueError:
        raise UserError(
            f"found {name}={text.strip()}; valid is {_described(hints[name])}"
        ) from None


def check(
    values: Mapping[str, Any],
    *,
    choices: Mapping[str, Sequence[object]] = {},
    least: Mapping[str, int] = {},
    ranges: Mapping[str, tuple[float, float]] = {},
    positive: Sequence[str] = (),
) -> None:
    """Raise UserError on a field of a config with a value that is not valid; None always is.

    values: of the fields, as `vars(config)` has them. choices: field → its values; least: field →
    the smallest whole number; ranges: field → the smallest and the greatest number; positive:
    fields with numbers above 0.
    """

    def must(name: str, holds: Callable[[Any], bool], valid: str) -> None:
        value = values[name]
        if value is not None and not holds(value):
            raise UserError(f"found {name}={value}; valid are {valid}")

    for name, valid in choices.items():
        must(name, valid.__contains__, " and ".join(map(str, valid)))
    for name, n in least.items():
        must(name, n.__le__, f"whole numbers from {n}")
    for name, (a, b) in ranges.items():
        meant = f"numbers from {a:g}" + (f" to {b:g}" if b < math.inf else "")
        must(name, lambda value, a=a, b=b: a <= value <= b, meant)  # type: ignore[misc]
    for name in positive:
        must(name, lambda value: value > 0, "numbers above 0")


def value_of(text: str, kind: Any) -> object:
    """A text as a value of a type: numbers, booleans, texts, tuples of them, None where it may be.

    Raises ValueError.

    >>> value_of("1e-3", float), value_of("8,16", tuple[int, ...]), value_of("none", int | None)
    (0.001, (8, 16), None)
    """
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kinds = [part for part in typing.get_args(kind) if part is not type(None)]
        if len(kinds) < len(typing.get_args(kind)) and text.lower() == "none":
            return None
        return value_of(text, kinds[0])
    if typing.get_origin(kind) is tuple:
        part = typing.get_args(kind)[0]
        return tuple(value_of(item.strip(), part) for item in text.split(",") if item.strip())
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower()) or _false(text)
    if kind is float and not abs(float(text)) < float("inf"):
        raise ValueError
    return kind(text)


def _false(text: str) -> bool:
    if text.lower() != "false":
        raise ValueError
    return False


def _described(kind: Any) -> str:
    """A type in words."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return " or ".join(_described(part) for part in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return f"a list of them with commas, each {_described(typing.get_args(kind)[0])}"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return "none" if kind is type(None) else words.get(kind, str(kind))
