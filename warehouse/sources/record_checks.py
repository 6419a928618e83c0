"""What a field of a record may be. Standard library only."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from lossnets.warehouse.errors import UserError

LONGEST = 200  # characters of an id
DEEPEST = 100  # levels of a config


def is_finite(value: Any) -> bool:
    """Whether something is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_count(name: str, value: Any, *, least: int) -> None:
    """Raise `UserError` unless something is None or a whole number of 64 bits from `least`."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**63:
        raise UserError(f"{name} is {value!r}, valid are whole numbers from {least}")


def check_id(name: str, text: Any) -> None:
    """Raise `UserError` unless something is a text that prints, of 1 to LONGEST characters."""
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise UserError(f"{name} is {text!r}, valid is a text of 1 to {LONGEST} characters")
    if not text.isprintable():
        raise UserError(f"{name} is {text!r}, which does not print")


def check_mapping(name: str, value: Any) -> None:
    """Raise `UserError` unless something is an object that JSON can hold."""
    if not isinstance(value, dict):
        raise UserError(f"{name} is {value!r}, valid is an object")
    if not _is_flat(value, DEEPEST):
        raise UserError(f"{name} is nested deeper than {DEEPEST} levels")
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        raise UserError(f"{name} is {value!r}, which JSON cannot hold") from None


def _is_flat(value: Any, levels: int) -> bool:
    """Whether something is nested no deeper than so many levels."""
    inner = [value]
    for _ in range(levels):
        boxes = [item for item in inner if isinstance(item, dict | list | tuple)]
        inner = [one for box in boxes for one in (box.values() if isinstance(box, dict) else box)]
    return not any(isinstance(item, dict | list | tuple) for item in inner)


def check_names(name: str, value: Any) -> None:
    """Raise `UserError` unless something maps names to names."""
    check_mapping(name, value)
    for key, text in value.items():
        check_id(f"a key of {name}", key)
        check_id(f"{name} of {key}", text)


def utc(text: Any) -> str:
    """An ISO time as UTC; now where it is empty."""
    if text == "":
        return datetime.now(UTC).isoformat()
    try:
        time = datetime.fromisoformat(text)
        return (time.replace(tzinfo=time.tzinfo or UTC)).astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError):
        raise UserError(
            f"recorded_at is {text!r}, valid is a time like 2026-01-31T12:00:00Z"
        ) from None
