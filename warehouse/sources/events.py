"""What was said of runs after they were recorded: removed, restored, tagged. Append-only.

One JSON file an event below `events/`, named by when it was written. The log of records is never
changed: a removed run is left out of every view, and back as soon as it is restored.
"""

from __future__ import annotations

import getpass
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lossnets.warehouse.durable import cannot_write, make_folder, replacing
from lossnets.warehouse.errors import NOT_GIVEN, UserError
from lossnets.warehouse.sources import listing

FORMAT = 1
KINDS = ("removed", "restored", "tagged", "untagged")


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to some runs: kind is one of KINDS, tag the name of `tagged`, `untagged`.

    by: who; at: when, as ISO time in UTC; why: in a sentence.
    """

    kind: str
    runs: tuple[str, ...]
    tag: str = ""
    by: str = ""
    at: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "runs", tuple(self.runs))
        if self.kind not in KINDS:
            raise UserError(f"the event {self.kind!r} is none of {', '.join(KINDS)}")
        texts = (*self.runs, self.tag, self.by, self.at, self.why)
        if not all(isinstance(text, str) and text.isprintable() for text in texts):
            raise UserError("a text of the event does not print")
        if not self.runs or (self.kind.endswith("tagged") and not self.tag):
            raise UserError("the event lacks runs or a tag")


def write(home: Path, kind: str, runs: Iterable[str], *, tag: str = "", why: str = "") -> Event:
    """Add an event to a home, durably, and return it.

    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> _ = write(home, "removed", ["0123456789abcdef"], why="another data set")
    >>> [(event.kind, event.runs) for event in read(home)[0]]
    [('removed', ('0123456789abcdef',))]
    """
    now = datetime.now(UTC)
    event = Event(kind=kind, runs=tuple(runs), tag=tag, by=_user(), at=now.isoformat(), why=why)
    name = f"{now.strftime('%Y%m%dT%H%M%S.%fZ')}-{secrets.token_hex(6)}.json"
    path = home / "events" / name
    text = json.dumps({"format": FORMAT} | asdict(event), ensure_ascii=False, indent=1)
    try:
        make_folder(path.parent)
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path.parent, error) from None
    return event


def read(home: Path) -> tuple[list[Event], dict[str, str]]:
    """The events of a home in order, and why files of it hold none, by path below home."""
    events, faults = [], {}
    for path in listing.files(home / "events", (".json",)):
        place = f"events/{path.name}"
        try:
            content = json.loads(path.read_text("utf-8"))
            if content.pop("format") != FORMAT:
                raise ValueError("it is of another format")
            events.append(Event(**content))
        except OSError as error:
            faults[place] = f"{NOT_GIVEN}: {error.strerror}"
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            faults[place] = f"it is no event ({error})"
        except UserError as error:
            faults[place] = f"it is no event ({error.message})"
    return events, faults


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without names
        return ""
