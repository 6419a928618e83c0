"""The data block: nothing in it breaks out of the page, nothing is lost on the way."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossnets.reports.page import data_block

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(), st.text(max_size=8)
)


def decoded(values):
    """A column as the page reads it."""
    if isinstance(values, list):
        return values
    if "runs" in values:
        pairs = zip(values["runs"], values["counts"], strict=True)
        return [value for value, count in pairs for _ in range(count)]
    return [None if code is None else values["levels"][code] for code in values["codes"]]


def test_markup_cannot_leave_its_script_element():
    written = data_block.to_json({"</script><img onerror=x>": "a&b\u2028c\u2029"})
    assert written == (
        '{"\\u003c/script\\u003e\\u003cimg onerror=x\\u003e":"a\\u0026b\\u2028c\\u2029"}'
    )
    assert json.loads(written) == {"</script><img onerror=x>": "a&b\u2028c\u2029"}


def test_what_is_missing_or_not_finite_is_null():
    frame = pd.DataFrame({"x": [1.5, math.nan, math.inf], "y": ["a", None, "b"]})
    assert data_block.block(frame) == {
        "rows": 3,
        "fields": [["x", [1.5, None, None]], ["y", ["a", None, "b"]]],
    }


def test_a_column_of_few_texts_is_written_as_codes():
    assert data_block.encoded(["late", "early", "late", "late"]) == {
        "levels": ["early", "late"],
        "codes": [1, 0, 1, 1],
    }


def test_numpy_values_become_plain_ones():
    values = [np.int64(3), np.float64(2.0), np.bool_(True), np.array(["a", "b"]), pd.NaT, pd.NA]
    assert [data_block.plain(value) for value in values] == [3, 2, True, "a, b", None, None]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (2.5e20, "250000000000000000000"),
        (1e21, "1e+21"),
        (-1.25e-10, "-1.25e-10"),
    ],
)
def test_numbers_are_written_as_the_page_writes_them(value, written):
    assert data_block.number(value) == written


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_reads_back_the_same(value):
    assert float(data_block.number(value)) == value


@given(st.lists(st.tuples(CELLS, st.integers(1, 6)), max_size=12))
def test_a_column_survives_the_data_block(cells):
    plain = [data_block.plain(cell) for cell, times in cells for _ in range(times)]
    assert decoded(json.loads(data_block.to_json(data_block.encoded(plain)))) == plain


def test_csv_quotes_what_needs_it():
    frame = pd.DataFrame({"name": ['say "hi"', "a,b", "two\nlines"], "x": [1.0, None, 0.5]})
    assert data_block.to_csv(frame) == 'name,x\n"say ""hi""",1\n"a,b",\n"two\nlines",0.5\n'
