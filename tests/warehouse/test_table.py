"""One reader of tables: what is right is read right, what does not fit is named with its line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import numbers
from lossnets.warehouse.intake.table import open_table

NO_NAME = "Expecting property name enclosed in double quotes"
RIGHT = (["architecture", "value"], [(2, ["vgg11", "1"]), (3, ["vgg16", "2"])])
LINES = "architecture,value\nvgg11,1\nvgg16,2\n"


def written(tmp_path: Path, content: bytes, name: str = "my.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        LINES.encode("utf-8-sig"),
        LINES.encode("utf-16"),
        LINES.encode("utf-16-le"),
        LINES.encode("utf-16-be"),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace("\n", "\r").encode(),
        LINES.replace(",", ";").encode(),
        LINES.replace(",", "\t").encode(),
        LINES.replace(",", " , ").encode(),
        LINES.replace("vgg11", '"vgg11"').encode(),
        LINES.rstrip().encode(),
        LINES.replace("\n", ",,\n").encode(),
        b",architecture,value\n0,vgg11,1\n1,vgg16,2\n",
        b"Unnamed: 0,architecture,value\n0,vgg11,1\n1,vgg16,2\n",
    ],
)
def test_every_form_of_a_table_is_read(tmp_path, content):
    table = open_table(written(tmp_path, content))
    assert (table.columns, list(table.rows())) == RIGHT


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    content = b'\n"a\nb",c\n"1\n2",3\n\n,\n4,5\n'
    table = open_table(written(tmp_path, content))
    assert (table.columns, list(table.rows())) == (
        ["a\nb", "c"], [(4, ["1\n2", "3"]), (8, ["4", "5"])],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a,b\n1,2\n1,2,3\n", ", line 3 has 3 cells where line 1 names 2 columns: '1', '2', '3'"),
        (b'a,b\n"1\n",2\n3\n', ", line 4 has 1 cells where line 1 names 2 columns: '3'"),
        (b'a,b\n1,2\n"3,4\n5,6\n', ", line 3 is not CSV: unexpected end of data"),
        (b'a,b\n1,"2"3\n', ", line 2 is not CSV: ',' expected after '\"'"),
        (b"a,b\n1,\xff\n", " is not UTF-8 (near line 1): save it as UTF-8"),
        (b"a,b\n1,2\n\0,3\n", ", line 3 holds a NUL character: it is no text"),
        (b"a,b,\n1,2,3\n", ", line 2 has '3' in column 3, which has no name in the header"),
        (b",a\nx,1\n", ", line 2 has 'x' in column 1, which has no name in the header"),
        (b"a,A\n1,2\n", " has the column 'a' twice"),
        (b"", " is empty: a header and at least one row are needed"),
        (b"\n , ,\n", " is empty: a header and at least one row are needed"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path, content, fault):
    path = written(tmp_path, content)
    with pytest.raises(UserError) as error:
        list(open_table(path).rows())
    assert error.value.message == f"{path}{fault}"


def test_json_is_read_as_a_table(tmp_path):
    rows = [{"architecture": "vgg11", "value": 1}, {"architecture": "vgg16", "value": 2, "x": None}]
    listed = open_table(written(tmp_path, json.dumps(rows).encode(), "my.json"))
    lines = "\n\n".join(map(json.dumps, rows)).encode()
    assert (listed.columns, list(listed.rows()), listed.noun) == (
        ["architecture", "value", "x"], [(1, ["vgg11", "1", ""]), (2, ["vgg16", "2", ""])], "row",
    )  # fmt: skip
    table = open_table(written(tmp_path, lines, "my.jsonl"))
    assert (list(table.rows()), table.noun) == (
        [(1, ["vgg11", "1", ""]), (3, ["vgg16", "2", ""])], "line",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("a.json", b"{}", " is no list of objects"),
        ("a.json", b"[]", " is empty: at least one row is needed"),
        ("a.json", b"[1]", ", row 1 is no object"),
        ("a.json", b"[\n{]", ", line 2 is not JSON: " + NO_NAME),
        ("a.jsonl", b"{}\n{", ", line 2 is not JSON: " + NO_NAME),
        ("a.json", b"[" * 100_000, " is nested too deeply"),
        ("a.json", b'["\xff"]', " is not UTF-8 (byte 2): save it as UTF-8"),
        ("a.xlsx", b"PK", " is of no known kind, valid are .csv, .tsv, .parquet, .json, .jsonl"),
    ],
)  # fmt: skip
def test_what_is_no_table_in_json_is_named(tmp_path, name, content, fault):
    path = written(tmp_path, content, name)
    with pytest.raises(UserError) as error:
        open_table(path)
    assert error.value.message == f"{path}{fault}"


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_what_a_spreadsheet_writes_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "my.csv"
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    expected = [[cell.strip() for cell in row] for row in rows]
    try:
        found = [cells for _, cells in open_table(path).rows()]
    except UserError:
        assert any("\0" in cell or not cell.isprintable() for row in rows for cell in row)
    else:
        assert [cell.replace("\r\n", "\n") for row in found for cell in row] == [
            cell.replace("\r\n", "\n") for row in expected if any(row) for cell in row
        ]


@pytest.mark.parametrize(
    ("cells", "marks", "values"),
    [
        (["1.5", "1,234.5", "1,234"], ".", ["1.5", "1234.5", "1234"]),
        (["1,5", "1.234,5", "1.234"], ".,", ["1.5", "1234.5", "1234"]),
        (["0.5", "1,234"], ".,", ["0.5", "1234"]),
        (["28,512", "31,734"], ".,", ["28.512", "31.734"]),
        (["28.512", "31.734"], ".,", ["28.512", "31.734"]),
        (["1,234,567"], ".,", ["1234567"]),
        (["1 234,5", "1\u202f234", "1'234'567"], ".,", ["1234.5", "1234", "1234567"]),
        (["0,5"], ".", [None]),
        (["−1.5e3", "+.5", "5."], ".,", ["-1.5e3", "+.5", "5."]),
        (["12,34.5", "1,23", "1..2", "", "٣"], ".", [None] * 5),
    ],
)  # fmt: skip
def test_decimals_and_thousands_are_told_apart(cells, marks, values):
    mark = numbers.decimal_mark([("here", cell) for cell in cells], marks)
    assert [numbers.plain(cell, mark) for cell in cells] == values


def test_two_ways_of_writing_numbers_in_one_file_are_refused():
    with pytest.raises(UserError) as error:
        numbers.decimal_mark([("line 2", "0,5"), ("line 3", "0.5")], ".,")
    assert error.value.message == (
        "line 3: '0.5' has a decimal point and line 2: '0,5' a decimal comma: write all numbers "
        "of a file in one way"
    )
