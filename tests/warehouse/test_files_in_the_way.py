"""What stands where the database should: foreign, newer, older and empty files."""

from __future__ import annotations

import duckdb
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import database
from lossnets.warehouse.loading.lacking import FORMAT
from lossnets.warehouse.sources import fingerprint
from lossnets.warehouse.store import Warehouse

KEPT = "move it away, or: lossnets rebuild (it keeps the file under another name)"


def test_a_file_that_is_no_database_is_told_and_left(home):
    home.mkdir()
    path = home / "warehouse.duckdb"
    path.write_text("my diary, which has more than a few words in it" * 100)
    with pytest.raises(UserError) as error:
        Warehouse.open(home)
    assert (error.value.message, error.value.hint) == (f"{path} is not a database", KEPT)
    assert path.read_text().startswith("my diary")


def test_a_database_of_somebody_else_is_told_and_left(home):
    home.mkdir()
    path = home / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table diary as select 'dear diary' as entry")
    with pytest.raises(UserError) as error:
        Warehouse.open(home)
    assert (error.value.message, error.value.hint) == (
        f"{path} is a database, but not one that lossnets made",
        KEPT,
    )
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("from diary").fetchall() == [("dear diary",)]


def test_a_rebuild_keeps_what_is_not_ours_under_another_name(home):
    home.mkdir()
    for diary in ("one", "two"):
        (home / "warehouse.duckdb").write_text(diary)
        Warehouse(home).rebuild()
    assert (home / "warehouse.duckdb.1").read_text() == "one"
    assert (home / "warehouse.duckdb.2").read_text() == "two"
    assert Warehouse.open(home).rows("select count(*) from scores")[1] == [(1064,)]


def test_a_newer_database_is_told_and_left(warehouse):
    with database.writing(warehouse.path, 0) as connection:
        connection.execute("update store.meta set format = format + 1")
    with pytest.raises(UserError) as error:
        Warehouse.open(warehouse.home)
    assert (error.value.message, error.value.hint) == (
        f"{warehouse.path} was made by a newer lossnets than this one",
        "update lossnets, or: lossnets rebuild (it keeps the file under another name)",
    )


def test_a_file_of_a_newer_duckdb_is_told(warehouse):
    content = bytearray(warehouse.path.read_bytes())
    assert content[8:12] == b"DUCK"
    content[12:20] = (10_000).to_bytes(8, "little")  # the version of the storage
    warehouse.path.write_bytes(content)
    with pytest.raises(UserError) as error:
        Warehouse.open(warehouse.home)
    assert error.value.message.startswith(f"{warehouse.path} ")


def test_an_older_database_of_ours_is_made_anew(warehouse):
    with database.writing(warehouse.path, 0) as connection:
        connection.execute("update store.meta set format = 0")
    warehouse.refresh()
    assert warehouse.rows("select format from store.meta")[1] == [(FORMAT,)]


def test_a_database_of_other_shipped_files_is_made_anew(warehouse):
    with database.writing(warehouse.path, 0) as connection:
        connection.execute("update store.meta set shipped = 'other'")
        connection.execute("create table main.left_over as select 1")
    warehouse.refresh()
    assert warehouse.rows("select shipped from store.meta")[1] == [(fingerprint.shipped(),)]
    assert "left_over" not in warehouse.tables()


def test_an_empty_file_in_its_place_is_nobodys(home):
    home.mkdir()
    (home / "warehouse.duckdb").touch()
    assert Warehouse.open(home).rows("select count(*) from scores")[1] == [(1064,)]
