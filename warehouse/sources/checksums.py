"""Checksums of the log: of a record in its line, of a Parquet entry in its name.

A file of Parquet cannot hold its own checksum, so its name does: `….sha256-<16 digits>.parquet`.
What was written before there were any is read without. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from lossnets.warehouse.errors import NOT_GIVEN, CannotReadError, UserError

DIGITS = 16
MARK = ', "checksum": '
IN_NAME = re.compile(rf"\.sha256-([0-9a-f]{{{DIGITS}}})\.parquet")
DAMAGED = "it is damaged: its checksum is not that of what it holds"


def sealed(line: str) -> str:
    """A JSON object with its checksum as its last field.

    >>> sealed('{"a": 1}')
    '{"a": 1, "checksum": "f9d86028c6e0d64e"}'
    """
    return f'{line[:-1]}{MARK}"{of_bytes(line.encode())}"}}'


def check_sealed(line: str) -> None:
    """Raise `UserError` where an object that has a checksum was changed since.

    >>> check_sealed('{"a": 2, "checksum": "f9d86028c6e0d64e"}')
    Traceback (most recent call last):
    lossnets.warehouse.errors.UserError: it is damaged: its checksum is not that of what it holds
    """
    if sealed(line.rpartition(MARK)[0] + "}") != line:
        raise UserError(DAMAGED)


def named(path: Path, content: Path) -> Path:
    """The name of an entry of Parquet, with the checksum of what it is to hold before its end."""
    return path.with_name(f"{path.stem}.sha256-{of_file(content)}.parquet")


def check_named(path: Path) -> None:
    """Raise `UserError` where a file whose name has a checksum holds something else.

    Errors: `CannotReadError` where the system does not give it.
    """
    found = IN_NAME.search(path.name)
    try:
        if found and of_file(path) != found[1]:
            raise UserError(DAMAGED)
    except OSError as error:
        raise CannotReadError(f"{NOT_GIVEN}: {error.strerror}") from None


def of_file(path: Path) -> str:
    """The first digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def of_bytes(content: bytes) -> str:
    """The first digits of a SHA-256."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]
