"""Entries of the log that stand for many: which, told by the entry. Standard library only.

A Parquet file ends with what is known about it, where `compaction` writes what it replaces, as
plain text: one file, whole or not there, and read by those who cannot read Parquet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lossnets.warehouse.sources import listing
from lossnets.warehouse.sources.listing import Entry

ENTRY = re.compile(r"records/[0-9A-Za-z][\w.-]*\.jsonl")  # what a compaction may replace
KEY = "lossnets_compacted"
END = 8  # bytes: the length of what is known, and a mark
MARK = b"PAR1"


@dataclass(frozen=True, kw_only=True)
class Compacted:
    """What an entry replaces: entries as they were, and the runs that they hold."""

    entries: tuple[Entry, ...]
    runs: tuple[str, ...]

    def to_json(self) -> str:
        """The text that the entry keeps."""
        content = {"entries": [list(entry) for entry in self.entries], "runs": self.runs}
        return json.dumps({KEY: content})


def read(path: Path) -> Compacted | None:
    """What an entry replaces; None for one that replaces none, is torn or is not there."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - END))
            end = file.read()
            length = int.from_bytes(end[:4], "little")
            if end[4:] != MARK or length > size - END:
                return None
            file.seek(size - END - length)
            known = file.read(length)
        start = known.find(f'{{"{KEY}"'.encode())
        if start < 0:
            return None
        text = known[start:].decode("utf-8", "replace")
        content = json.JSONDecoder().raw_decode(text)[0][KEY]
        entries = tuple(
            (str(file), int(size), int(time)) for file, size, time in content["entries"]
        )
        if not all(ENTRY.fullmatch(file) for file, _, _ in entries):
            return None  # by a stranger: nothing outside the log is ever replaced
        return Compacted(entries=entries, runs=tuple(map(str, content["runs"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def found(home: Path, entries: Iterable[Entry]) -> dict[Entry, Compacted]:
    """Those of some entries of a home that replace others."""
    read_all = {entry: read(home / entry[0]) for entry in entries if entry[0].endswith(".parquet")}
    return {entry: compacted for entry, compacted in read_all.items() if compacted}


def replaced(compacted: Iterable[Compacted]) -> set[tuple[str, int]]:
    """What some entries replace, that too which is still there: files and their sizes.

    Not their times, which a copy of the log need not have.
    """
    return {entry[:2] for one in compacted for entry in one.entries}


def standing(home: Path) -> list[Entry]:
    """The log's entries in order that no other one replaces."""
    entries = listing.records(home)
    gone = replaced(found(home, entries).values())
    return [entry for entry in entries if entry[:2] not in gone]


def originals(home: Path) -> list[Entry]:
    """The log's entries in order as if none had ever been compacted."""
    entries = listing.records(home)
    compacted = found(home, entries)
    gone = replaced(compacted.values())
    kept = [entry for entry in entries if entry not in compacted and entry[:2] not in gone]
    return sorted([*kept, *{entry for one in compacted.values() for entry in one.entries}])
