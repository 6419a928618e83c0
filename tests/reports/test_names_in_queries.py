"""Attributes may be called what the report's statements call their columns and aliases."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from lossnets.analysis.frames.frames import Frames
from lossnets.reports.page.folders import REPORTS
from lossnets.reports.page.page import Page
from lossnets.reports.page.section import sections
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attribute_names, attributes
from lossnets.warehouse.sources.records import Measurement, RunRecord

TEMPLATE = re.compile(r"\{[{%#].*?[#%}]\}|'[^']*'|--.*")
WORD = re.compile(r"[a-z_][a-z0-9_]*")


def words_of_the_queries() -> set[str]:
    """Every name in the sections' statements: columns, aliases, tables, and SQL's own words."""
    texts = (path.read_text("utf-8") for path in REPORTS.rglob("*.sql"))
    return {word for text in texts for word in WORD.findall(TEMPLATE.sub(" ", text))}


def measured_run() -> RunRecord:
    score = Measurement(architecture="vgg11", layer="late", score="bapps_2afc", value=0.68, n=10)
    return RunRecord(
        benchmark="perceptual_similarity",
        measurements=(score,),
        recorded_at="2024-01-02T03:04:05+00:00",
        seed=1,
    )


def statements_of_the_page(warehouse) -> dict[str, pd.DataFrame]:
    """The statements of all sections that have some, as executed, and what they gave."""
    page, asked = Page(warehouse), {}
    ask = page.query

    def query(name, **values):
        answer = ask(name, **values)
        asked[answer.sql] = answer.frame
        return answer

    page.query = query
    for folder, section in sections():
        if any(folder.glob("*.sql")):
            section.build(page)
    return asked


def acceptable(warehouse, name: str) -> bool:
    try:
        attribute_names.check_name(warehouse, name, may_replace=False)
    except UserError:  # a word of SQL, or a column of a view
        return False
    return True


@pytest.fixture
def measured(warehouse):
    warehouse.append([measured_run()])
    return warehouse


def test_no_name_that_a_statement_uses_breaks_it_or_changes_what_it_gives(measured, tmp_path):
    before = statements_of_the_page(measured)
    with measured.connect():
        names = [name for name in sorted(words_of_the_queries()) if acceptable(measured, name)]
    assert {"published", "recomputed", "latest", "score_label", "of_networks"} <= set(names)
    table = tmp_path / "attributes.csv"
    values = ",".join("2" for _ in names)
    table.write_text(f"architecture,{','.join(names)}\nvgg11,{values}\nalexnet,{values}\n")
    attributes.add(measured, table)  # each is ambiguous beside the others as it is alone
    for statement, frame in before.items():
        pd.testing.assert_frame_equal(measured.query(statement), frame)
    assert set(names) <= set(Frames.read(measured, "paper").attribute_catalog["attribute"])
