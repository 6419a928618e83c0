"""Ad-hoc SQL: any question, no harm."""

from __future__ import annotations

import pandas as pd
import pytest

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.store import sql_errors


def test_a_query_gives_a_frame_and_rows_give_tuples(paper_warehouse):
    sql = (
        "select architecture, value from scores where score = $1 and layer = $2 order by 2 limit 1"
    )
    frame = paper_warehouse.query(sql, ["bapps_jnd", "early"])
    assert frame.equals(pd.DataFrame({"architecture": ["densenet121"], "value": [0.506]}))
    assert paper_warehouse.rows(sql, ["bapps_jnd", "early"]) == (
        ["architecture", "value"],
        [("densenet121", 0.506)],
    )


def test_the_last_of_several_statements_answers(paper_warehouse):
    sql = "create temp table few as select 1 as x union all select 2; select sum(x) from few"
    assert paper_warehouse.rows(sql)[1] == [(3,)]


HARMFUL = [
    "drop view scores",
    "create table mine (x integer)",
    "create view mine as select 1",
    "insert into store.measurements select * from store.measurements",
    "update store.scores set minimum = 0",
    "delete from store.measurements",
    "comment on view scores is 'mine'",
    "create macro mine() as 1",
    "copy (select 1) to '{target}'",
    "copy (select 1) to '/dev/stdout'",
    "export database '{folder}'",
    "import database '{folder}'",
    "attach '{target}'",
    "attach '{target}' as other (type sqlite)",
    "select * from read_csv('{secret}')",
    "select * from read_text('{secret}')",
    "select * from read_blob('{secret}')",
    "select * from read_parquet('{secret}')",
    "select * from read_json('{secret}')",
    "select * from sniff_csv('{secret}')",
    "select * from glob('{folder}/*')",
    "select * from '{secret}'",
    "from read_csv('http://127.0.0.1:1/x.csv')",
    "install httpfs",
    "force install httpfs",
    "install x from community",
    "load httpfs",
    "load '{target}'",
    "set enable_external_access = true",
    "set memory_limit = '1TB'",
    "reset memory_limit",
    "set temp_directory = '{folder}'",
    "pragma enable_profiling",
    "pragma profiling_output = '{target}'",
    "call enable_logging()",
    "create secret mine (type s3)",
    "create persistent secret mine (type s3)",
    "select getenv('HOME')",
    "use memory; create table mine (x integer)",
    "begin; delete from store.measurements; commit",
    "prepare wipe as delete from store.measurements; execute wipe",
    "explain analyze delete from store.measurements",
    "copy (select 1) to '{own}'",
    "copy (select 1) to '{own}.wal'",
    "copy scores to '{spill}/x.csv'",
    "copy (pivot scores on layer using count(*)) to '{own}.wal'",
    "explain analyze copy (select 1) to '{own}.wal'",
    "explain /* */ (analyze) copy (select 1) to '{own}.wal'",
    "select 1; copy (select 1) to '{own}.wal'",
    "attach '{own}' as again (read_only)",
    "checkpoint",
    "vacuum",
    "set variable a = 1; call force_checkpoint()",
    "create type kind as enum ('a')",
    "/* create temp table */ create sequence s",
]


@pytest.mark.parametrize("sql", HARMFUL)
def test_harmful_sql_is_refused_and_changes_nothing(paper_warehouse, tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    before = paper_warehouse.path.read_bytes()
    target, folder = tmp_path / "target", tmp_path
    with pytest.raises(UserError) as error:
        paper_warehouse.query(
            sql.format(
                secret=secret, target=target, folder=folder, own=paper_warehouse.path,
                spill=paper_warehouse.home / ".spill",
            )
        )  # fmt: skip
    assert "\n" not in error.value.message
    assert paper_warehouse.path.read_bytes() == before
    assert [path.name for path in paper_warehouse.home.glob("*.wal")] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]


def test_a_statement_that_does_not_read_is_told_by_its_kind(paper_warehouse):
    with pytest.raises(UserError) as error:
        paper_warehouse.rows("select 1; copy (select 1) to 'x'")
    assert (error.value.message, error.value.hint) == (
        "a query can only read, and this is COPY",
        "lossnets export writes files; lossnets sql --write may change the database",
    )


@pytest.mark.parametrize(
    "sql",
    [
        "-- a comment\nfrom scores limit 1",
        "/* a */ (select 1)",
        "pivot scores on layer using count(*)",
        "with p as (pivot scores on layer using count(*)) from p",
        "describe scores",
        "show tables",
        "summarize ranks",
        "explain analyze select 1",
        "values (1)",
        "table ranks",
        "set variable a = 1; select getvariable('a')",
        "create temp macro twice(x) as 2 * x; select twice(2)",
    ],
)
def test_every_kind_of_reading_is_allowed(paper_warehouse, sql):
    assert paper_warehouse.rows(sql)[1]


def test_a_planted_view_reaches_nothing(warehouse, tmp_path):
    """A stranger's database may hold any view; it is run locked down wherever it is run."""
    import duckdb

    from lossnets.warehouse.answers.export import export

    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(f"create view planted as from read_text('{secret}')")
    with pytest.raises(UserError, match="file system operations are disabled"):
        warehouse.rows("from planted")
    for style in ("csv", "parquet"):
        with pytest.raises(UserError, match="file system operations are disabled"):
            list(export(warehouse, tmp_path / "out", ["planted"], [style]))
    assert not list((tmp_path / "out").iterdir())


def test_a_query_sees_no_variable_of_the_program(paper_warehouse):
    frame = pd.DataFrame({"x": [1]})
    with pytest.raises(UserError, match=r"Table with name frame does not exist!$"):
        paper_warehouse.query("select * from frame")
    assert len(frame) == 1


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("selec 1", 'Parser Error: syntax error at or near "selec"', None),
        ("from score", "Catalog Error: Table with name score does not exist!",
         'Did you mean "scores"?'),
        ("select valu from scores",
         'Binder Error: Referenced column "valu" not found in FROM clause!',
         'Candidate bindings: "value"'),
        ("select 'a'::integer",
         "Conversion Error: Could not convert string 'a' to INT32 when casting from source column "
         "'a'", None),
        ("", "there is no SQL to run", 'lossnets sql "from ranks"'),
        ("-- nothing", "there is no SQL to run", 'lossnets sql "from ranks"'),
    ],
)  # fmt: skip
def test_wrong_sql_is_told_in_the_databases_words(paper_warehouse, sql, message, hint):
    with pytest.raises(UserError) as error:
        paper_warehouse.rows(sql)
    assert error.value.message.startswith(message.split(" when casting")[0])
    assert (error.value.hint or "").startswith(hint or "")


def test_a_session_keeps_what_is_temporary_and_lets_the_file_go(warehouse):
    from lossnets.warehouse.answers.answer import Session
    from lossnets.warehouse.loading.database import writing

    with Session(warehouse) as session:
        assert [list(answer.rows) for answer in session.answers("create temp table t as select 1")]
        with writing(warehouse.path, 0) as connection:
            connection.execute("create table main.mine as select 2 as x")
        found = [list(answer.rows) for answer in session.answers("from t; from mine")]
        assert found == [[(1,)], [(2,)]]
        with pytest.raises(UserError, match=r"^a query can only read, and this is COPY$"):
            list(session.answers(f"copy t to '{warehouse.path}.wal'"))


def test_a_long_result_streams(warehouse):
    """Its first rows are there at once, and nothing of the rest is held."""
    from lossnets.warehouse.answers.answer import Session

    with Session(warehouse) as session:
        answers = session.answers("select range from range(1_000_000_000_000)")
        rows = next(answers).rows
        assert [next(rows) for _ in range(2)] == [(0,), (1,)]
        answers.close()
        assert [list(answer.rows) for answer in session.answers("select 1")] == [[(1,)]]


def test_frames_of_ones_own_change_nothing_either(warehouse):
    from lossnets.warehouse.answers import frames

    with pytest.raises(UserError, match=r"^a query can only read, and this is COPY$"):
        frames.query(warehouse, f"copy mine to '{warehouse.path}.wal'", None,
                     {"mine": pd.DataFrame({"x": [1]})})  # fmt: skip


def test_a_query_holds_the_file_only_while_it_runs(warehouse):
    from lossnets.warehouse.loading.database import writing

    warehouse.query("from scores")
    with writing(warehouse.path, 0) as connection:
        connection.execute("create table main.mine as select 1")


def test_an_interrupted_query_is_a_keyboard_interrupt():
    with pytest.raises(KeyboardInterrupt), sql_errors():
        raise RuntimeError("Query interrupted")  # what the database makes of Ctrl-C
