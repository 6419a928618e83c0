"""`lossnets sql`: any question, in any form, and harmless."""

import io
import json
import sys

import pytest


def test_the_question_of_the_readme_has_its_answer(run):
    done = run(
        "sql", "--format", "csv",
        "select source, count(*), count(distinct score), count(distinct architecture || layer) "
        "from scores group by 1",
    )  # fmt: skip
    assert done.status == 0
    assert done.out.splitlines()[1:] == ["paper,1064,19,56"]
    assert done.err == "1 row\n"


def test_a_pipe_gets_csv(run):
    done = run("sql", "select 42 as answer, null as nothing, [1, 2] as list")
    assert done.out == 'answer,nothing,list\n42,,"[1, 2]"\n'


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("table", "a  b\n─  ───\n1  x|y\n2  ·\n"),
        ("csv", "a,b\n1,x|y\n2,\n"),
        ("json", '[\n{"a": 1, "b": "x|y"},\n{"a": 2, "b": null}\n]\n'),
        ("jsonl", '{"a": 1, "b": "x|y"}\n{"a": 2, "b": null}\n'),
        ("markdown", "| a | b    |\n| --: | ---- |\n| 1 | x\\|y |\n| 2 |      |\n"),
        ("latex", "\\begin{tabular}{rl}\n\\toprule\na & b            \\\\\n\\midrule\n"
         "1 & x\\textbar{}y \\\\\n2 &              \\\\\n\\bottomrule\n\\end{tabular}\n"),
    ],
)  # fmt: skip
def test_every_format(run, style, text):
    query = "select * from (values (1, 'x|y'), (2, null)) as t(a, b)"
    done = run("sql", "--format", style, query)
    assert (done.out, done.err) == (text, "2 rows\n")


def test_the_end_of_a_file_name_says_its_format(run, tmp_path):
    path = tmp_path / "new" / "answer.md"
    done = run("sql", "-o", path, "select 42 as answer")
    assert (done.out, done.err) == ("", f"made the folder {path.parent}\n1 row\n")
    assert path.read_text() == "| answer |\n| -----: |\n|     42 |\n"
    assert [item.name for item in path.parent.iterdir()] == ["answer.md"]


def test_a_file_name_that_says_no_format_is_told(run, tmp_path):
    done = run("sql", "-o", tmp_path / "answer.xlsx", "select 42")
    assert done.status == 2
    assert done.err == (
        "error: the name 'answer.xlsx' does not say a format, valid ends are .txt, .csv, .json, "
        ".jsonl, .md, .tex\nhint: add --format csv\n"
    )


def test_a_folder_is_no_file_to_write(run, tmp_path):
    done = run("sql", "--format", "csv", "-o", tmp_path, "select 42")
    assert (done.status, done.err) == (
        2, f"error: {tmp_path} is a folder where a file is needed\n"
    )  # fmt: skip


def test_a_query_comes_from_standard_input(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 42 as answer;\n-- the end\n"))
    assert run("sql").out == "answer\n42\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 43 as answer"))
    assert run("sql", "-").out == "answer\n43\n"


def test_of_several_statements_each_answers(run, tmp_path):
    query = "create temp table two as select 2 as b; select 1 as a; from two"
    assert run("sql", query).out == "a\n1\n\nb\n2\n"
    done = run("sql", "-o", tmp_path / "answer.csv", query)
    assert (done.status, done.err) == (
        2,
        f"error: the query has 2 results, {tmp_path}/answer.csv holds one\n"
        "hint: write one statement, or leave out --output\n",
    )
    assert not list(tmp_path.glob("answer*"))


def test_a_query_comes_from_a_file(run, tmp_path):
    (tmp_path / "query.sql").write_text("\ufeff-- a comment\nselect 'é' as a", "utf-8")
    assert run("sql", "-f", tmp_path / "query.sql").out == "a\né\n"
    (tmp_path / "query.sql").write_bytes(b"select '\xe9'")
    assert run("sql", "-f", tmp_path / "query.sql").err == (
        f"error: {tmp_path}/query.sql is not UTF-8 (byte 8): save it as UTF-8\n"
    )


def test_every_type_is_printed(run):
    done = run(
        "sql",
        "select timestamptz '2026-01-31 12:00' as t, [timestamptz '2026-01-31'] as l, "
        "{'a': interval 3 days, 'b': date '2026-01-31'} as s, map {'k': time_ns '12:00'} as m",
    )
    assert (done.status, done.out) == (
        0,
        't,l,s,m\n2026-01-31 12:00:00+00,"[""2026-01-31 00:00:00+00""]",'
        '"{""a"": ""3 days"", ""b"": ""2026-01-31""}",'
        '"{""k"": ""12:00:00""}"\n',
    )
    assert run("sql", "from test_all_types()").status == 0


@pytest.mark.parametrize(
    ("query", "error", "hint"),
    [
        (
            "select vale from scores",
            'Binder Error: Referenced column "vale" not found in FROM clause!',
            'Candidate bindings: "value", "scale", "layer", "family", "baseline"',
        ),
        (
            "select * from score",
            "Catalog Error: Table with name score does not exist!",
            'Did you mean "scores"?',
        ),
        ("selec 1", 'Parser Error: syntax error at or near "selec"', None),
        ("", "there is no SQL to run", 'lossnets sql "from ranks"'),
        (" -- nothing", "there is no SQL to run", 'lossnets sql "from ranks"'),
    ],
)
def test_wrong_sql_is_told_in_the_words_of_the_database(run, query, error, hint):
    done = run("sql", query)
    assert done.status == 2
    assert done.err == f"error: {error}\n" + (f"hint: {hint}\n" if hint else "")


@pytest.mark.parametrize(
    "query",
    [
        "create table x as select 1",
        "delete from store.measurements",
        "drop view scores",
        "copy (select 1) to '{folder}/stolen.csv'",
        "export database '{folder}/stolen'",
        "attach '{folder}/other.duckdb'",
        "select * from read_csv('{folder}/secret.csv')",
        "from '{folder}/secret.csv'",
        "from read_text('{folder}/secret.csv')",
        "from glob('{folder}/*')",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "install httpfs",
        "load httpfs",
        "from read_csv('http://localhost:1/x.csv')",
        "select getenv('HOME')",
        "explain analyze copy (select 1) to '{folder}/stolen.csv'",
    ],
)
def test_a_query_can_neither_change_nor_reach_anything(run, tmp_path, query):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.csv").write_text("secret\n1\n")
    done = run("sql", query.format(folder=folder))
    assert done.status == 2
    assert done.out == ""
    assert [item.name for item in folder.iterdir()] == ["secret.csv"]
    assert run("sql", "select count(*) as n from scores").out == "n\n1064\n"


def test_write_lets_a_query_change_the_database_until_a_rebuild(run, home):
    done = run("sql", "--write", "create table mine as select 42 as answer")
    assert done.status == 0
    assert done.err.splitlines()[0] == (
        f"open to changes: {home / 'warehouse.duckdb'}, until a rebuild makes it anew, and any "
        "file that the query names"
    )
    assert run("sql", "from mine").out == "answer\n42\n"
    run("rebuild")
    assert run("sql", "from mine").status == 2


def test_a_wrong_query_that_may_write_changes_nothing(run):
    done = run("sql", "--write", "create table mine as select 1; select vale from scores")
    assert done.status == 2
    assert run("sql", "from mine").status == 2


def test_numbers_go_through_json_unharmed(run):
    done = run("sql", "--format", "json", "select value from scores order by all limit 3")
    values = [item["value"] for item in json.loads(done.out)]
    assert values == sorted(values)
    assert all(isinstance(value, float) for value in values)
