"""How the paper's Table I came about: the search gives what is shipped of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import table_one

from lossnets import warehouse

pytestmark = pytest.mark.torch

MEASURED = Path(warehouse.__file__).parent / "shipped" / "measured"


def _shipped(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((MEASURED / name).read_text(encoding="utf-8").splitlines()))


def _as_text(rows: list[table_one.Row]) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in rows]


def test_the_search_gives_the_shipped_definitions_and_evidence():
    compared = table_one.definitions()
    assert _as_text(compared) == _shipped("definitions.csv")
    assert _as_text(table_one.verdicts(compared)) == _shipped("evidence.csv")


def test_table_one_agreements_are_counted_from_the_evidence():
    counts: dict[tuple[str, str], int] = {}
    for row in _shipped("evidence.csv"):
        key = (row["attribute"], row["verdict"])
        counts[key] = counts.get(key, 0) + 1
    assert counts == {
        ("paper_imagenet_top1", "equal"): 13,
        ("paper_imagenet_top1", "explained"): 1,
        ("paper_depth", "equal"): 11,
        ("paper_depth", "possible"): 2,
        ("paper_depth", "unexplained"): 1,
        ("paper_mflops", "explained"): 13,
        ("paper_mflops", "near"): 1,
    }


def test_a_verdict_needs_a_definition_that_fits_at_least_half_of_the_values():
    def row(architecture: str, printed: str, definition: str, value: float) -> table_one.Row:
        return {
            "attribute": "paper_depth", "architecture": architecture, "printed": printed,
            "definition": definition, "value": value, "matches": int(float(printed) == value),
            "description": definition,
        }  # fmt: skip

    rows = [row("a", "5", "path", 4), row("a", "5", "name", 5), row("b", "9", "path", 3)]
    found = table_one.verdicts(rows)
    assert [(r["verdict"], r["reproduced"]) for r in found] == [("possible", 5), ("unexplained", 3)]
    assert found[0]["explanation"] == "name; this gives 1 of the 14 values"
    assert found[0]["difference"] == 25.0
    assert found[1]["explanation"] == (
        "none of 1 definitions gives it; the closest is off by 67 %: path"
    )
