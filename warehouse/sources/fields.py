"""What the fields of a record may hold: one rule each, for Python values, text and SQL alike.

Records of runs are checked as they are made; tables that people bring are checked in the database,
where there may be millions of rows, by conditions that stand here beside the rule they repeat.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lossnets.warehouse.errors import UserError

LONGEST = 200  # characters of a text
DEEPEST = 100  # levels of a config
WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?", re.ASCII)


@dataclass(frozen=True)
class Text:
    """A name or an id: 1 to 200 characters that print."""

    def check(self, name: str, value: Any) -> str:
        """The value; `UserError` where it is none."""
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
            raise UserError(f"{name} is {value!r}, valid is a text of 1 to {LONGEST} characters")
        if not value.isprintable():
            raise UserError(f"{name} is {value!r}, which does not print")
        return value

    def parse(self, name: str, text: str) -> str:
        """The value that a cell gives."""
        return self.check(name, text)

    def sql(self, column: str) -> str:
        """A condition that is true of a cell that is right."""
        return (
            f"length({column}) <= {LONGEST} "
            f"and not regexp_matches(replace({column}, ' ', ''), '[\\p{{C}}\\p{{Z}}]')"
        )


@dataclass(frozen=True)
class Whole:
    """A whole number of 64 bits, from `least`."""

    least: int = -(2**63)

    def check(self, name: str, value: Any) -> int:
        """The value; `UserError` where it is none."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not self.least <= value < 2**63:
            valid = "of 64 bits" if self.least == -(2**63) else f"from {self.least}"
            raise UserError(f"{name} is {value!r}, valid are whole numbers {valid}")
        return int(value)

    def parse(self, name: str, text: str) -> int:
        """The value that a cell gives; 3.0 is 3."""
        return self.check(name, int(text.partition(".")[0]) if WHOLE.fullmatch(text) else text)

    def sql(self, column: str) -> str:
        """A condition that is true of a cell that is right."""
        return (
            f"regexp_full_match({column}, '[+-]?[0-9]+(\\.0*)?') "
            f"and coalesce(try_cast({column} as bigint) >= {self.least}, false)"
        )


@dataclass(frozen=True)
class Seconds:
    """A time that something took."""

    def check(self, name: str, value: Any) -> float:
        """The value; `UserError` where it is none."""
        if not is_finite(value) or value < 0:
            raise UserError(f"{name} is {value!r}, valid are seconds from 0")
        return float(value)

    def parse(self, name: str, text: str) -> float:
        """The value that a cell gives."""
        try:
            return self.check(name, float(text))
        except ValueError:
            return self.check(name, text)

    def sql(self, column: str) -> str:
        """A condition that is true of a cell that is right."""
        number = f"try_cast({column} as double)"
        return f"coalesce(isfinite({number}) and {number} >= 0, false)"


@dataclass(frozen=True)
class Time:
    """A time in ISO's form, UTC where it names no zone."""

    def check(self, name: str, value: Any) -> str:
        """The time as UTC, now where it is empty; `UserError` where it is none."""
        if value == "":
            return datetime.now(UTC).isoformat()
        try:
            time = datetime.fromisoformat(value)
            return (time.replace(tzinfo=time.tzinfo or UTC)).astimezone(UTC).isoformat()
        except (TypeError, ValueError, OverflowError):
            raise UserError(
                f"{name} is {value!r}, valid is a time like 2026-01-31T12:00:00Z"
            ) from None

    def parse(self, name: str, text: str) -> str:
        """The value that a cell gives."""
        return self.check(name, text)

    def sql(self, column: str) -> str:
        """A condition that is true of a cell that is right; for a connection whose zone is UTC."""
        return f"try_cast({column} as timestamptz) is not null"


@dataclass(frozen=True)
class Object:
    """An object of JSON; of_texts: its values are texts."""

    of_texts: bool = False

    def check(self, name: str, value: Any) -> dict[str, Any]:
        """The value; `UserError` where it is none."""
        if not isinstance(value, dict):
            raise UserError(f"{name} is {value!r}, valid is an object")
        if not _is_flat(value, DEEPEST):
            raise UserError(f"{name} is nested deeper than {DEEPEST} levels")
        try:
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError):
            raise UserError(f"{name} is {value!r}, which JSON cannot hold") from None
        for key, text in value.items() if self.of_texts else ():
            Text().check(f"a key of {name}", key)
            Text().check(f"{name} of {key}", text)
        return value

    def parse(self, name: str, text: str) -> dict[str, Any]:
        """The value that a cell gives."""
        try:
            return self.check(name, json.loads(text))
        except (ValueError, RecursionError):
            raise UserError(f"{name} is {text[:80]!r}, valid is an object of JSON") from None


Field = Text | Whole | Seconds | Time | Object

FIELDS: dict[str, Field] = {
    "benchmark": Text(),
    "score": Text(),
    "architecture": Text(),
    "layer": Text(),
    "node": Text(),
    "n": Whole(least=1),
    "run_id": Text(),
    "preset": Text(),
    "seed": Whole(),
    "weights": Text(),
    "data": Text(),
    "device": Text(),
    "source": Text(),
    "recorded_at": Time(),
    "duration_s": Seconds(),
    "peak_memory_bytes": Whole(least=0),
    "config": Object(),
    "versions": Object(of_texts=True),
    "nodes": Object(of_texts=True),
}


def check(name: str, value: Any) -> Any:
    """The value of a field, as it is stored; `UserError` where it is not valid.

    >>> check("seed", 3), check("recorded_at", "2026-01-31 12:00")
    (3, '2026-01-31T12:00:00+00:00')
    """
    return FIELDS[name].check(name, value)


def parse(name: str, text: str) -> Any:
    """Like `check`, of a cell of a table.

    >>> parse("seed", "3.0")
    3
    """
    return FIELDS[name].parse(name, text)


def sql_faults(columns: tuple[str, ...]) -> str:
    """SQL, branches of a CASE: the name of the first column whose cell is wrong.

    Objects are left out: `parse` looks at each that is different.
    """
    return "\n".join(
        f"                when {name} is not null and not ({field.sql(name)}) then '{name}'"
        for name in columns
        if not isinstance(field := FIELDS[name], Object)
    )


def _is_flat(value: Any, levels: int) -> bool:
    """Whether something is nested no deeper than so many levels."""
    inner = [value]
    for _ in range(levels):
        boxes = [item for item in inner if isinstance(item, dict | list | tuple)]
        inner = [one for box in boxes for one in (box.values() if isinstance(box, dict) else box)]
    return not any(isinstance(item, dict | list | tuple) for item in inner)


def is_finite(value: Any) -> bool:
    """Whether something is a number, and finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
