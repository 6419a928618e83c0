"""Section on what changed since the last report: a folded list, or nothing."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from lossnets.reports.changes import history
from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import labels, words

NAMED = 20  # of a kind; of more their number is said


def changes(page: Page) -> dict[str, object]:
    """What is new, gone and moved since the last report in the page's folder."""
    now = state(page)
    before = history.before(page.folder, now) if page.folder else None
    found = history.changes(before, now) if before else None
    return {
        "found": found,
        "runs": {words(name): n for name, n in Counter(found.new["run"]).items()} if found else {},
        "named": NAMED,
    }


def state(page: Page) -> history.State:
    """What the page stands on: kind → id → [label, place]."""

    def read() -> history.State:
        known = labels(page)
        found: dict[str, dict[str, list[object]]] = {
            "score": {name: [label, None] for name, label in known.score.items()},
            "attribute": {name: [label, None] for name, label in known.attribute.items()},
            "run": {},
            "place": {},
        }
        rows = page.query("changes").frame.itertuples(index=False, name=None)
        for kind, name, label, place in rows:
            found[kind][str(name)] = [str(label), None if pd.isna(place) else int(place)]
        return found

    read_once: history.State = page.once("state", read)
    return read_once


SECTION = Section(name="changes", title="Since the last report", order=8, build=changes)
