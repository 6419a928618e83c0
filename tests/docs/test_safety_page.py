"""Every promise of docs/safety.md names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "safety.md"
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_tests_that_exist():
    promises = re.split(r"\n(?=- |#|Not promised)", PAGE.read_text("utf-8"))
    promises = [text for text in promises if text.startswith("- ")]
    assert len(promises) > 20
    assert [text for text in promises if not NAMED.search(text)] == []
    missing = [
        f"{file}::{name}"
        for file, name in NAMED.findall(PAGE.read_text("utf-8"))
        if f"def {name}(" not in (TESTS / file).read_text("utf-8")
    ]
    assert missing == []
