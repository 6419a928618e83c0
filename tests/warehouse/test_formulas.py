"""What a spreadsheet would take for a formula: marked in every CSV, and back as it was."""

from __future__ import annotations

import csv
from io import StringIO

import pandas as pd
import pytest

from lossnets.reports.page import data_block
from lossnets.warehouse.answers.row_text import write_csv
from lossnets.warehouse.formulas import marked, unmarked
from lossnets.warehouse.intake.imports import import_records
from lossnets.warehouse.sources.records import Measurement, RunRecord
from lossnets.warehouse.store import Warehouse

TEXTS = ["=1+1", "+1 a", "-a", "@SUM(A1)", "\t=1", "'=1", "''-a", "'", "it's", "-1", "-0.5e3",
         "'-1", "early+late", ""]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_no_cell_begins_as_a_formula_and_all_come_back(text):
    assert unmarked(marked(text)) == text
    frame = pd.DataFrame({"a": [text], "b": [1]})
    lines = StringIO()
    write_csv(lines, ["a", "b"], [(text, 1)])
    for written in (lines.getvalue(), data_block.to_csv(frame)):
        [(cell, _)] = list(csv.reader(StringIO(written, newline="")))[1:]
        assert unmarked(cell) == text
        assert cell[:1] not in ("=", "@", "\t", "\r")
        assert cell[:1] not in ("+", "-") or float(cell) == float(text)


def test_what_was_exported_with_such_names_is_imported_as_it_was(warehouse, tmp_path):
    names = ["=HYPERLINK(A1)", "'=quoted", "@at", "-minus", "plain"]
    warehouse.append(
        RunRecord(
            benchmark="autoencoding",
            measurements=tuple(
                Measurement(architecture=name, layer="=late", score="svhn_accuracy", value=0.5)
                for name in names
            ),
        )
    )
    columns, rows = warehouse.rows("from scores where source = 'measured' order by architecture")
    path = tmp_path / "scores.csv"
    with path.open("w", newline="") as file:
        write_csv(file, columns, rows)
    assert "\n=" not in path.read_text()
    other = Warehouse.open(tmp_path / "other")
    assert import_records(other, path, new_architectures=True) == (5, 0)
    asked = "select architecture, layer, value from scores where source = 'measured' order by all"
    assert other.rows(asked)[1] == warehouse.rows(asked)[1]
