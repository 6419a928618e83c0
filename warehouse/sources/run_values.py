"""The files `runs/<run_id>/` keeps beside a record: what stands in them, written and read.

`items.csv.gz` holds values per item, `curves.csv` learning curves, `note.json` why a training is
worthless. The first line of a CSV is its columns, and its version: with any other it is not read.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lossnets.warehouse.errors import UserError

NOTE = "note.json"


@dataclass(frozen=True, kw_only=True)
class Format:
    r"""A file of rows: its name, its columns with their types in SQL, and how it is packed.

    >>> CURVES.unpack(CURVES.pack([(1, "train", "loss", 0.5), (1, "train", "psnr", float("nan"))]))
    b'1,train,loss,0.5\n1,train,psnr,\n'
    """

    file: str
    columns: Mapping[str, str]
    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes], bytes]

    @property
    def packed(self) -> str:
        """How DuckDB calls the way in which it is packed."""
        return "gzip" if self.file.endswith(".gz") else "none"

    def pack(self, rows: Iterable[tuple[object, ...]]) -> bytes:
        """The file of rows in the order of the columns; the last is a number, NaN where unknown."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows((*cells, _number(value)) for *cells, value in rows)
        return self.compress(text.getvalue().encode())

    def unpack(self, content: bytes) -> bytes:
        """The lines below the first, read to their end; UserError where they are not whole."""
        try:
            header, _, lines = self.decompress(content).partition(b"\n")
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise UserError("is torn or damaged") from None
        if header.rstrip(b"\r") != ",".join(self.columns).encode():
            raise UserError(f"does not start with the line {','.join(self.columns)}")
        return lines


ITEMS = Format(
    file="items.csv.gz",
    columns={
        "layer": "varchar", "dataset": "varchar", "item": "varchar", "quantity": "varchar",
        "value": "double",
    },
    compress=lambda text: gzip.compress(text, 6, mtime=0),
    decompress=gzip.decompress,
)  # fmt: skip
CURVES = Format(
    file="curves.csv",
    columns={"epoch": "integer", "split": "varchar", "quantity": "varchar", "value": "double"},
    compress=bytes,
    decompress=bytes,
)


def note(collapsed: str) -> dict[str, str]:
    """What a note holds: why the training is worthless."""
    return {"collapsed": collapsed}


def collapsed_of(path: Path) -> str | None:
    """What a note says; UserError where it is none."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise UserError("is not JSON") from None
    collapsed = content.get("collapsed") if isinstance(content, dict) else 0
    if not isinstance(collapsed, str | None):
        raise UserError('is no note: an object with "collapsed", a reason')
    return collapsed


def _number(value: object) -> str:
    """The shortest decimal that reads back as the same number; nothing for one without a value."""
    return repr(float(value)) if math.isfinite(value) else ""  # type: ignore[arg-type]
