"""What the last report in a folder stood on, kept beside the page.

Two states are kept: the one that the page in the folder shows, and the one before that differed
from it. So a report that is built again from the same inputs is the same, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = ".history.json"
KINDS = ("run", "score", "attribute", "place")
State = Mapping[str, Mapping[str, Sequence[Any]]]  # kind → id → [label, place]


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An architecture that stands elsewhere in the overall order of its source."""

    name: str
    before: int
    now: int


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What one state has and the other has not: labels by kind; moved: of what both have."""

    new: Mapping[str, Sequence[str]]
    gone: Mapping[str, Sequence[str]]
    moved: Sequence[Moved]

    def __bool__(self) -> bool:
        return any((*self.new.values(), *self.gone.values(), self.moved))


def before(folder: Path, now: State) -> State | None:
    """The last state in a folder that is another than `now`; None without one."""
    try:
        kept = json.loads((folder / FILE).read_bytes())
        found: State | None = kept["before"] if kept["now"] == now else kept["now"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def keep(folder: Path, now: State) -> None:
    """Keep the state of the page that is written into a folder, and the one before it."""
    content = json.dumps({"before": before(folder, now), "now": now}, sort_keys=True)
    temporary = folder / f"{FILE}.new"
    temporary.write_text(content + "\n", "utf-8")
    temporary.replace(folder / FILE)


def changes(before: State, now: State) -> Changes:
    """What is new, what is gone and what moved between two states.

    >>> old = {"place": {"paper/a": ["A", 1], "paper/b": ["B", 2]}}
    >>> new = {"place": {"paper/a": ["A", 2], "paper/c": ["C", 1]}}
    >>> found = changes(old, new)
    >>> found.new["place"], found.gone["place"], found.moved
    (['C'], ['B'], [Moved(name='A', before=1, now=2)])
    """

    def missing(here: State, there: State) -> dict[str, list[str]]:
        return {
            kind: [
                str(label)
                for name, (label, _) in here.get(kind, {}).items()
                if name not in there.get(kind, {})
            ]
            for kind in KINDS
        }

    old, new = before.get("place", {}), now.get("place", {})
    moved = [
        Moved(name=str(label), before=int(old[name][1]), now=int(place))
        for name, (label, place) in new.items()
        if name in old and old[name][1] != place
    ]
    return Changes(
        new=missing(now, before),
        gone=missing(before, now),
        moved=sorted(moved, key=lambda one: (one.now, one.name)),
    )
