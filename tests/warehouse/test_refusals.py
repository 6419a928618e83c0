"""What the database refuses for want of room is no fault of the files it was given."""

from __future__ import annotations

import duckdb
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import entries, saved_studies
from lossnets.warehouse.loading.database import first_line
from lossnets.warehouse.store import Warehouse

REFUSALS = (
    duckdb.IOException("IO Error: Could not write file: No space left on device"),
    duckdb.TransactionException("TransactionContext Error: Failed to commit: No space left"),
    duckdb.FatalException("FATAL Error: Failed to create checkpoint: No space left on device"),
    duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block"),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_an_entry_that_the_database_has_no_room_for_is_loaded_later(
    warehouse, record, monkeypatch, refusal
):
    def refuse(connection, name):
        raise refusal

    with monkeypatch.context() as patch:
        patch.setattr(entries, "run_sql", refuse)
        entry = warehouse.append(record(seed=1))  # durable, so it is acknowledged
        assert entry.exists()
        with pytest.raises(UserError) as error:
            warehouse.refresh()
    assert (error.value.message, error.value.hint) == (
        f"the warehouse in {warehouse.home} refused: {refusal}",
        "make room or choose another folder with --home or LOSSNETS_HOME",
    )
    warehouse.refresh()
    assert warehouse.skipped() == []
    assert warehouse.rows("select seed from runs where source = 'measured'")[1] == [(1,)]


def test_an_error_of_ours_in_a_statement_is_not_taken_for_a_refusal(warehouse, record, monkeypatch):
    def wrong(connection, name):
        raise duckdb.ConstraintException("Constraint Error: no such score")

    with monkeypatch.context() as patch:
        patch.setattr(entries, "run_sql", wrong)
        warehouse.append(record(seed=1))
    assert [fault for _, fault in warehouse.skipped()] == ["Constraint Error: no such score"]


def test_a_saved_study_that_there_was_no_room_for_is_loaded_later(warehouse, monkeypatch):
    import pandas as pd

    one = saved_studies.Result(
        name="a", title="A", columns={"x": "x"}, frame=pd.DataFrame({"x": [1]})
    )
    saved_studies.save(warehouse.home, [one], "0")

    def refuse(connection, path):
        raise REFUSALS[1]

    with monkeypatch.context() as patch:
        patch.setattr(saved_studies, "_about", refuse)
        with pytest.raises(UserError, match="refused: TransactionContext Error"):
            warehouse.refresh()
    assert Warehouse.open(warehouse.home).rows("from study_a")[1] == [(1,)]


def test_of_a_nested_error_the_inner_words_are_told():
    error = duckdb.IOException(
        'IO Error: Async write failed for range [offset=0, size=9]: {"exception_type":"IO",'
        '"exception_message":"Could not write file \\"a\\": No space left on device","errno":"28"}'
    )
    assert first_line(error) == 'Could not write file "a": No space left on device'
