"""Files that are not finished: held while they are written, cleared once nobody writes them."""

from __future__ import annotations

import fcntl

import pytest

from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse import durable
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import database, saved_studies
from lossnets.warehouse.sources import attribute_files
from lossnets.warehouse.store import Warehouse


def test_a_file_that_is_being_written_is_not_cleared(tmp_path):
    with durable.unfinished(tmp_path / "a") as temporary:
        temporary.write_text("half")
        durable.clear(tmp_path)
        assert temporary.read_text() == "half"
        temporary.rename(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_is_not_renamed_is_gone_after_the_block(tmp_path):
    with pytest.raises(RuntimeError), durable.unfinished(tmp_path / "a"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_cleared_before_it_is_held_is_made_anew(tmp_path, monkeypatch):
    flock, cleared = fcntl.flock, []

    def clear_first(descriptor, operation):
        if not cleared:
            cleared.extend(tmp_path.iterdir())
            durable.os.unlink(cleared[0])
        flock(descriptor, operation)

    monkeypatch.setattr(durable.fcntl, "flock", clear_first)
    with durable.unfinished(tmp_path / "a") as temporary:
        temporary.write_text("whole")
        temporary.rename(tmp_path / "a")
    assert len(cleared) == 1
    assert (tmp_path / "a").read_text() == "whole"


def test_where_nothing_can_be_held_files_are_written_and_none_is_cleared(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError

    monkeypatch.setattr(durable.fcntl, "flock", refuse)
    with durable.unfinished(tmp_path / "a") as temporary:
        durable.clear(tmp_path)
        temporary.rename(tmp_path / "a")
    assert (tmp_path / "a").exists()


FOLDERS = ("records", "studies", "sweeps", "attributes", "attributes/measured", ".import-0a")


def test_the_next_open_clears_what_killed_processes_left(warehouse):
    for name in FOLDERS:
        (warehouse.home / name).mkdir(exist_ok=True)
        (warehouse.home / name / ".x.0a.new").write_text("half")
    (warehouse.home / ".import-0a" / "staged.parquet").write_text("half")
    (warehouse.home / ".building-0a.duckdb").write_text("half")
    with database.writing(warehouse.path) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create table main.left_over as select 1 as x")
    Warehouse.open(warehouse.home)
    left = {str(path.relative_to(warehouse.home)) for path in warehouse.home.rglob("*")}
    assert left == {".lock", "attributes", "attributes/measured", "records", "studies", "sweeps",
                    "warehouse.duckdb"}  # fmt: skip
    assert warehouse.rows("from left_over")[1] == [(1,)]


def test_what_is_being_built_or_imported_stays(warehouse):
    building, importing = warehouse.home / ".building-0a.duckdb", warehouse.home / ".import-0a"
    building.touch()
    importing.mkdir()
    (importing / "staged.parquet").touch()
    with durable.unfinished(importing / "held"), database.only_writer(warehouse.home):
        Warehouse.open(warehouse.home)
        assert building.exists()
        assert (importing / "staged.parquet").exists()


def test_whoever_holds_a_run_clears_what_was_left_in_its_folder(tmp_path):
    (tmp_path / "gallery").mkdir()
    for name in (".items.csv.gz.0a.new", "gallery/.a.png.0a.new"):
        (tmp_path / name).touch()
    with RunFolder(tmp_path).alone() as alone:
        assert alone
    assert sorted(path.name for path in tmp_path.rglob("*")) == [".lock", "gallery"]


def test_of_several_attributes_all_are_registered_or_none(tmp_path, monkeypatch):
    def attribute(name, expression="1"):
        return attribute_files.Attribute(
            attribute=name, label=name, level="architecture", kind="numeric", expression=expression
        )

    with pytest.raises(ValueError, match="not JSON compliant"):
        attribute_files.write(tmp_path, [attribute("a"), attribute("b", float("nan"))])
    assert attribute_files.paths(tmp_path) == []


def test_a_study_that_cannot_be_kept_leaves_nothing(tmp_path, monkeypatch):
    import pandas as pd

    def refuse(temporary, path):
        raise OSError("refused")

    monkeypatch.setattr(durable, "publish", refuse)
    one = saved_studies.Result(
        name="a", title="A", columns={"x": "x"}, frame=pd.DataFrame({"x": [1]})
    )
    with pytest.raises(UserError, match=r"^cannot write to .*: refused$"):
        saved_studies.save(tmp_path, [one], "0")
    assert list((tmp_path / "studies").iterdir()) == []


def test_a_new_home_is_made_durably_with_all_its_parents(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync", synced.append)
    durable.make_folder(tmp_path / "a" / "b")
    assert set(synced) == {tmp_path, tmp_path / "a"}
