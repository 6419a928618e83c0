"""SQL is taken in many places: what writes is refused in each, what is planted reaches nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from lossnets.analysis.frames.frames import Frames
from lossnets.cli import terminal
from lossnets.cli.main import cli
from lossnets.cli.prompt import prompt
from lossnets.face.warehouse import Warehouse
from lossnets.warehouse.answers.answer import Session
from lossnets.warehouse.answers.export import export
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import attributes

WRITING = [
    "copy (select 1) to '{target}'",
    "copy (select 1) to '{own}.wal'",
    "select 1; delete from store.measurements",
    "explain analyze copy (select 1) to '{target}'",
    "attach '{target}' as other",
    "create table mine as select 1",
    "set enable_external_access = true",
]


def _at_the_prompt(warehouse: Warehouse, sql: str, monkeypatch) -> None:
    lines = iter([f"{sql};"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines, None) or _end())
    refused = []
    monkeypatch.setattr(terminal, "print_error", lambda *told: refused.append(told))
    with Session(warehouse) as session:
        prompt(lambda query: [list(a.rows) for a in session.answers(query)], [], Path("none"))
    if refused:
        raise UserError(refused[0][0])


def _end() -> str:
    raise EOFError


def _command(*arguments: str) -> None:
    if terminal.run(cli, arguments):
        raise UserError("refused")


ENTRIES = {
    "argument": lambda w, sql, *_: _command("--home", str(w.home), "sql", sql),
    "file": lambda w, sql, file, _: _command(
        "--home", str(w.home), "sql", "-f", str(file.write_text(sql) and file)
    ),
    "prompt": lambda w, sql, _, patch: _at_the_prompt(w, sql, patch),
    "query": lambda w, sql, *_: w.query(sql),
    "rows": lambda w, sql, *_: w.rows(sql),
    "sql with a frame": lambda w, sql, *_: w.sql(sql, mine=pd.DataFrame({"x": [1]})),
    "derive": lambda w, sql, *_: attributes.derive(w, "mine", sql),
    "derive, closed": lambda w, sql, *_: attributes.derive(w, "mine", f"depth); {sql}; select (1"),
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("sql", WRITING)
def test_a_statement_that_writes_is_refused_from_every_entry(
    paper_warehouse, tmp_path, monkeypatch, entry, sql
):
    warehouse = Warehouse(paper_warehouse.home)
    before = warehouse.path.read_bytes()
    target = tmp_path / "target"
    sql = sql.format(target=target, own=warehouse.path)
    with pytest.raises(UserError):
        ENTRIES[entry](warehouse, sql, tmp_path / "query.sql", monkeypatch)
    assert warehouse.path.read_bytes() == before
    assert not target.exists()
    assert not list(warehouse.home.glob("*.wal"))


def test_planted_views_reach_nothing_in_a_study_or_an_export(paper_warehouse, tmp_path):
    """A stranger's database whose own views were replaced: all that reads them is locked down."""
    home = Path(shutil.copytree(paper_warehouse.home, tmp_path / "home"))
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    warehouse = Warehouse(home)
    with duckdb.connect(str(warehouse.path)) as connection:
        for view in ("scores", "score_means", "architectures", "loss_networks"):
            connection.execute(
                f"create or replace view {view} as select content as source, * from "
                f"read_text('{secret}')"
            )
    for act in (
        lambda: Frames.read(warehouse, "paper"),
        lambda: warehouse.save_studies(),
        lambda: list(export(warehouse, tmp_path / "out", ["scores"], ["csv"])),
        lambda: list(export(warehouse, tmp_path / "out", ["scores"], ["parquet"])),
    ):
        with pytest.raises(UserError, match="file system operations are disabled"):
            act()
    assert not list((tmp_path / "out").iterdir())
