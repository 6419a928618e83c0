"""What `import lossnets` offers: light, typed, and in the words of the command line."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

import lossnets


@pytest.fixture
def warehouse(tmp_path, paper_warehouse):
    """A notebook's warehouse, with nothing but what is shipped."""
    return lossnets.Warehouse(paper_warehouse.home)


def test_everything_public_is_there():
    assert [name for name in lossnets.__all__ if not hasattr(lossnets, name)] == []


def test_a_name_that_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'lossnets' has no attribute 'opne'"):
        lossnets.opne  # noqa: B018


def test_a_warehouse_says_what_it_holds(warehouse):
    assert repr(warehouse) == (
        f"Warehouse({str(warehouse.home)!r})\n"
        "paper: 1,064 scores of 56 loss networks in 56 runs\n"
        "attributes: 3 derived, 17 measured, 3 paper"
    )
    assert "<li>paper: 1,064 scores of 56 loss networks in 56 runs</li>" in warehouse._repr_html_()


def test_a_frame_takes_part_in_a_query_and_leaves_no_trace(warehouse):
    frame = pd.DataFrame({"architecture": ["vgg11", "mine"], "votes": [3, 1]})
    found = warehouse.sql("select votes, depth from mine join architectures using (architecture)",
                          mine=frame)  # fmt: skip
    assert found.values.tolist() == [[3, 11]]
    assert "mine" not in warehouse.tables()


def test_a_frame_cannot_be_named_as_a_view(warehouse):
    with pytest.raises(lossnets.UserError) as error:
        warehouse.sql("from scores", scores=pd.DataFrame({"a": [1]}))
    assert error.value.message == "scores is a view already; give the frame another name"
    assert error.value.hint == "sql(query, my_scores=frame)"


def test_what_is_no_frame_is_refused(warehouse):
    with pytest.raises(lossnets.UserError, match="mine is a list where a DataFrame is needed"):
        warehouse.sql("from mine", mine=[1, 2])


def test_sql_reaches_no_file(warehouse, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(lossnets.UserError, match="disabled by configuration"):
        warehouse.sql(f"from '{tmp_path}/secret.csv'")


def test_an_attribute_is_added_from_a_frame_as_from_a_file(tmp_path):
    warehouse = lossnets.open(tmp_path / "home")
    frame = pd.DataFrame({"architecture": ["vgg11", "alexnet"], "published": [2014, None]})
    [added] = warehouse.add_attribute(frame, unit="year")
    assert (added.attribute, added.kind, added.unit) == ("published", "numeric", "year")
    assert added.values == (("vgg11", None, 2014.0),)
    warehouse.remove_attribute("published")
    assert "published" not in warehouse.sql("from architectures").columns


def test_a_report_that_is_up_to_date_is_not_written_again(warehouse, tmp_path):
    page = warehouse.report(tmp_path)
    written = page.stat().st_mtime_ns
    assert warehouse.has_report(tmp_path)
    assert warehouse.report(tmp_path).stat().st_mtime_ns == written


def test_without_torch_what_needs_it_is_not_listed_and_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import lossnets\n"
        "try: lossnets.LossNetwork\n"
        "except lossnets.UserError as error: print(error, error.hint, sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        'LossNetwork needs torch, which is not installed\npip install "lossnets[run]"\n'
    )
