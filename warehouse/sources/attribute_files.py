"""The registered attributes on disk: one JSON file each under `data/attributes/`."""

from __future__ import annotations

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lossnets.warehouse.durable import (
    cannot_write,
    finish,
    locked,
    make_folder,
    replacing_all,
    sync,
)
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources import listing
from lossnets.warehouse.sources.fields import Text

FORMAT = 1
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")  # a column's name, and a file's
LEVELS = ("architecture", "loss_network")
KINDS = ("numeric", "binary", "categorical")
ORIGINS = ("added", "derived", "measured")

Value = tuple[str, str | None, float | str]


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One registered attribute: what it is, and its values or the SQL that gives them.

    values: (architecture, extraction layer or None, value), empty where `expression` is given;
    texts where kind is 'categorical', else numbers.
    """

    attribute: str
    label: str
    level: str
    kind: str
    unit: str = ""
    description: str = ""
    origin: str = "added"
    expression: str | None = None
    values: tuple[Value, ...] = ()


def folder(home: Path) -> Path:
    """Where the files lie."""
    return home / "attributes"


def path_of(home: Path, attribute: str) -> Path:
    """The file of one attribute, there or not."""
    return folder(home) / f"{attribute}.json"


def write(home: Path, attributes: Iterable[Attribute]) -> list[Path]:
    """Write all of the attributes, or none: whatever the disk refuses, whenever it is killed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as home:
    ...     [path] = write(Path(home), [Attribute(attribute="year", label="Year",
    ...                    level="architecture", kind="numeric", values=(("vgg11", None, 2014),))])
    ...     read(path).values
    (('vgg11', None, 2014.0),)
    """
    named = {f"{one.attribute}.json": _text(one) for one in attributes}
    try:
        make_folder(folder(home))
        with replacing_all(folder(home)) as temporary:
            for name, text in named.items():
                (temporary / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder(home), error) from None
    return [folder(home) / name for name in named]


def _text(attribute: Attribute) -> str:
    """A field and a value a line: three hundred such files are written in a second."""
    dumps = functools.partial(json.dumps, ensure_ascii=False, allow_nan=False)
    told = {"format": FORMAT} | {
        one.name: getattr(attribute, one.name) for one in fields(attribute)
    }
    values = ",\n  ".join(dumps(value) for value in told.pop("values"))
    lines = [f"{dumps(name)}: {dumps(value)}" for name, value in told.items()]
    return "{\n " + ",\n ".join([*lines, f'"values": [{values}]']) + "\n}\n"


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Be the only one to look which attributes there are and to write or remove one."""
    try:
        make_folder(folder(home))
    except OSError as error:
        raise cannot_write(folder(home), error) from None
    with locked(folder(home) / ".lock"):
        finish(folder(home))
        yield


def remove(home: Path, attribute: str) -> None:
    """Delete the file of one attribute."""
    try:
        path_of(home, attribute).unlink()
        sync(folder(home))
    except OSError as error:
        raise cannot_write(folder(home), error) from None


def paths(home: Path) -> list[Path]:
    """The files of all registered attributes, by name."""
    return listing.files(folder(home), (".json",))


def read(path: Path) -> Attribute:
    """One attribute from its file; `UserError` says what is wrong with a broken one."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise _broken(path, "it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _broken(path, f"line {error.lineno} is not JSON") from None
    except ValueError:
        raise _broken(path, "a number in it has thousands of digits") from None
    except RecursionError:
        raise _broken(path, "it is nested too deeply") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else None
        raise _broken(path, f"its format is {found!r} where {FORMAT} is known")
    fields = {name: value for name, value in content.items() if name != "format"}
    try:
        values = tuple(_value(item, content.get("kind")) for item in fields.pop("values"))
        attribute = Attribute(**fields, values=values)
    except (KeyError, TypeError, ValueError, OverflowError, UserError) as error:
        raise _broken(path, f"a field is wrong or missing ({error})") from None
    _check(path, attribute)
    return attribute


def _value(item: Any, kind: Any) -> Value:
    architecture, layer, value = item
    if not isinstance(architecture, str) or not isinstance(layer, str | None):
        raise ValueError(f"{item!r} is no [architecture, layer, value]")
    if kind == "categorical":
        return architecture, layer, Text().check("a value", value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return architecture, layer, float(value)


def _check(path: Path, attribute: Attribute) -> None:
    for field in ("attribute", "label", "unit", "description"):
        if not _is_text(getattr(attribute, field)):
            raise _broken(path, f"its {field} is no text that prints")
    if attribute.expression is not None and not _is_text(attribute.expression):
        raise _broken(path, "its expression is no text that prints")
    if not NAME.fullmatch(attribute.attribute):
        raise _broken(path, "its name is no name of a column")
    if attribute.attribute != path.stem:
        raise _broken(path, f"it holds the attribute {attribute.attribute!r}")
    for field, valid in (("level", LEVELS), ("kind", KINDS), ("origin", ORIGINS)):
        if getattr(attribute, field) not in valid:
            found = getattr(attribute, field)
            raise _broken(path, f"its {field} is {found!r}, valid are {' and '.join(valid)}")
    counts = Counter((architecture, layer) for architecture, layer, _ in attribute.values)
    for (architecture, layer), count in counts.items():
        if count > 1:
            place = architecture if layer is None else f"{architecture} {layer}"
            raise _broken(path, f"it has {count} values for {place}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and all(c.isprintable() or c in "\n\t" for c in value)


def _broken(path: Path, fault: str) -> UserError:
    return UserError(
        f"{path} is no attribute: {fault}",
        hint=f"move the file away, or: lossnets attribute remove {path.stem}",
    )
