"""Rows as text, for people and for programs."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossnets.warehouse.answers.row_text import WRITERS
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.formulas import unmarked

COLUMNS = ("layer", "value", "best")
ROWS = [("late", 0.5, True), ("early", None, None), ("semi|early", 1 / 3, False)]


def written(style: str, columns=COLUMNS, rows=ROWS) -> str:
    file = io.StringIO()
    assert WRITERS[style](file, columns, iter(rows)) == len(rows)
    return file.getvalue()


def test_csv() -> None:
    assert written("csv") == (
        "layer,value,best\nlate,0.5,true\nearly,,\nsemi|early,0.3333333333333333,false\n"
    )


def test_json() -> None:
    assert json.loads(written("json")) == [
        {"layer": "late", "value": 0.5, "best": True},
        {"layer": "early", "value": None, "best": None},
        {"layer": "semi|early", "value": 1 / 3, "best": False},
    ]
    assert json.loads(written("json", rows=[])) == []


def test_json_lines() -> None:
    first, *rest = written("jsonl").splitlines()
    assert first == '{"layer": "late", "value": 0.5, "best": true}'
    assert len(rest) == 2


def test_markdown() -> None:
    assert written("markdown") == (
        "| layer       |              value | best  |\n"
        "| ----------- | -----------------: | ----- |\n"
        "| late        |                0.5 | true  |\n"
        "| early       |                    |       |\n"
        "| semi\\|early | 0.3333333333333333 | false |\n"
    )


def test_latex() -> None:
    assert written("latex", ("a_b", "%"), [("R&D", 1), ("x^\\", 2)]) == (
        "\\begin{tabular}{lr}\n"
        "\\toprule\n"
        "a\\_b                                & \\% \\\\\n"
        "\\midrule\n"
        "R\\&D                                &  1 \\\\\n"
        "x\\textasciicircum{}\\textbackslash{} &  2 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
    )


@given(st.text())
def test_latex_is_ascii_that_begins_no_argument_after_a_row(text: str) -> None:
    first = written("latex", ("x",), [(text,)]).splitlines()[4]
    assert first.isascii()
    assert not first.startswith(("[", "*"))


def test_what_markdown_reads_as_marks_is_escaped() -> None:
    cells = ("*a*", "_b_", "c_d", "[e](f)", "`g`", "<h>")
    assert written("markdown", "uvwxyz", [cells]).splitlines()[2] == (
        r"| \*a\* | \_b\_ | c_d | \[e\](f) | \`g\` | &lt;h&gt; |"
    )


def test_a_table_to_read_has_a_most_number_of_rows(monkeypatch) -> None:
    monkeypatch.setattr("lossnets.warehouse.answers.documents.MOST_ROWS", 2)
    with pytest.raises(UserError) as error:
        written("table", ("x",), [(1,), (2,), (3,)])
    assert error.value.message == "the result has more than 2 rows, the most of a table to read"
    assert error.value.hint == "--format csv, json or jsonl write any number of rows"


def test_table_is_aligned() -> None:
    assert written("table") == (
        "layer          value  best\n"
        "──────────  ────────  ─────\n"
        "late             0.5  true\n"
        "early              ·  ·\n"
        "semi|early  0.333333  false\n"
    )


def test_table_keeps_wide_characters_aligned_and_hides_escapes() -> None:
    rows = [("層", 1), ("\x1b[31mred", 2)]
    assert written("table", ("layer", "n"), rows).splitlines()[2:] == [
        "層        1",
        "�[31mred  2",
    ]


def test_numbers_in_a_table_are_readable() -> None:
    rows = [(7_637_000_000.0,), (-0.0,), (0.000_012_345_678,), (float("inf"),), (12345.678,), (3,)]
    assert [line.strip() for line in written("table", ("x",), rows).splitlines()[2:]] == [
        "7637000000",
        "0",
        "1.23457e-05",
        "inf",
        "12345.7",
        "3",
    ]


def test_values_that_json_lacks_are_written_plainly() -> None:
    row = (float("nan"), Decimal("0.25"), date(2023, 2, 4), [1.0, float("inf")], {"a": (1, 2)})
    assert json.loads(written("jsonl", "abcde", [row])) == {
        "a": None,
        "b": 0.25,
        "c": "2023-02-04",
        "d": [1.0, None],
        "e": {"a": [1, 2]},
    }


def test_columns_of_one_name_stay_apart_in_json() -> None:
    assert json.loads(written("jsonl", ("n", "n", "n_2"), [(1, 2, 3)])) == {
        "n": 1,
        "n_3": 2,
        "n_2": 3,
    }


def test_lists_are_json_in_csv_and_plain_in_documents() -> None:
    rows = [(["early", "late"],)]
    assert written("csv", ("layers",), rows) == 'layers\n"[""early"", ""late""]"\n'
    assert "| early, late |" in written("markdown", ("layers",), rows)


@given(
    st.lists(
        st.tuples(st.text(), st.one_of(st.integers(), st.floats(allow_nan=False)), st.booleans())
    )
)
def test_csv_and_json_carry_every_value(rows: list[tuple[str, float, bool]]) -> None:
    back = list(csv.reader(io.StringIO(written("csv", rows=rows), newline="")))[1:]
    assert [unmarked(cells[0]) for cells in back] == [row[0] for row in rows]
    assert [float(cells[1]) for cells in back] == [float(row[1]) for row in rows]
    assert [item["layer"] for item in json.loads(written("json", rows=rows))] == [
        row[0] for row in rows
    ]


@pytest.mark.parametrize("style", sorted(WRITERS))
@given(cell=st.text(max_size=5))
def test_one_row_stays_one_row_of_a_document(style: str, cell: str) -> None:
    text = written(style, ("x", "y"), [(cell, 1), ("z", 2)])
    if style not in ("csv", "json"):
        extra = {"table": 2, "jsonl": 0, "markdown": 2, "latex": 6}[style]
        assert len(text.removesuffix("\n").split("\n")) == 2 + extra
