"""status, import, export, rebuild, study."""

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from lossnets.warehouse.answers.export import SUFFIXES

RUN = {
    "benchmark": "autoencoding",
    "measurements": [
        {"architecture": "vgg11", "layer": "late", "score": "svhn_accuracy", "value": 0.8},
        {"architecture": "vgg11", "layer": "late", "score": "stl10_accuracy", "value": 0.6},
    ],
    "seed": 1,
}


@pytest.fixture
def own_run(tmp_path) -> Path:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(RUN) + "\n")
    return path


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_status_counts_the_grid_of_each_source(run, home):
    done = run("status")
    rows = table(done.out)
    assert len(rows) == 19
    assert rows[0] == {
        "score": "bapps_2afc", "paper": "56", "measured": "0", "of": "56", "beyond_the_paper": "0"
    }  # fmt: skip
    assert {(row["paper"], row["measured"]) for row in rows} == {("56", "0")}
    assert done.err.splitlines()[1].startswith("14 architectures, 56 loss networks, attributes: ")
    assert done.err.splitlines()[2:] == ["0 measured runs", f"in {home / 'warehouse.duckdb'}"]


def test_imported_scores_are_counted_and_no_longer_missing(run, own_run):
    assert len(table(run("status", "--missing").out)) == 19 * 56
    assert table(run("status", "--missing", "--source", "paper").out) == []
    done = run("import", own_run)
    assert done.out == (f"{own_run}: 2 new measurements, 0 known already\nnext: lossnets status\n")
    missing = table(run("status", "--missing").out)
    assert len(missing) == 19 * 56 - 2
    assert {"score": "svhn_accuracy", "architecture": "vgg11", "layer": "late"} not in missing
    counts = {row["score"]: row["measured"] for row in table(run("status").out)}
    assert (counts["svhn_accuracy"], counts["mrd_quality"]) == ("1", "0")
    done = run("import", own_run)
    assert done.out.startswith(f"{own_run}: 0 new measurements, 2 known already\n")


def test_scores_beyond_the_paper_are_counted_apart(run, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("architecture,layer,score,value\nresnet101,late,svhn_accuracy,0.8\n")
    assert run("import", path).status == 2
    assert run("import", "--new-architectures", path).status == 0
    [row] = [row for row in table(run("status").out) if row["score"] == "svhn_accuracy"]
    assert (row["measured"], row["of"], row["beyond_the_paper"]) == ("0", "56", "1")


def test_a_broken_import_is_told_and_changes_nothing(run, own_run):
    own_run.write_text(json.dumps(RUN) + "\n{\n")
    done = run("import", own_run)
    assert done.status == 2
    assert done.err.startswith(f"error: {own_run}")
    assert "line 2" in done.err
    assert "0 measured runs" in run("status").err


def test_a_broken_entry_of_the_log_is_told_by_status(run, own_run, home):
    run("import", own_run)
    (home / "records" / "broken.jsonl").write_text("{\n")
    done = run("status")
    assert done.status == 0
    assert "1 measured runs\n" in done.err
    assert "skipped records/broken.jsonl: " in done.err


def test_a_database_that_is_none_is_told(run, home):
    (home / "warehouse.duckdb").write_text("my diary " * 1000)
    done = run("status")
    assert done.status == 2
    assert done.err == (
        f"error: {home / 'warehouse.duckdb'} is not a database\n"
        "hint: move it away, or: lossnets rebuild (it keeps the file under another name)\n"
    )
    assert run("rebuild").status == 0
    assert run("status").status == 0
    assert (home / "warehouse.duckdb.1").read_text().startswith("my diary")


def test_a_database_of_a_newer_lossnets_is_told(run, home):
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("update store.meta set format = 9999")
    done = run("status")
    assert done.status == 2
    assert done.err.startswith(
        f"error: {home / 'warehouse.duckdb'} was made by a newer lossnets than this one\nhint: "
    )


def test_export_writes_every_view_in_every_format(run, tmp_path):
    folder = tmp_path / "out"
    styles = [word for style in SUFFIXES for word in ("--format", style)]
    done = run("export", "-o", folder, *styles)
    assert done.status == 0
    views = run("sql", "select view_name from duckdb_views() where schema_name = 'main' and not "
                "internal and view_name not in ('best', 'means', 'places')")  # fmt: skip
    expected = {
        f"{view}.{suffix}" for view in views.out.split()[1:] for suffix in SUFFIXES.values()
    }
    assert {path.name for path in folder.iterdir()} == expected
    assert f"{folder / 'scores.csv'}  1,064 rows\n" in done.out
    assert len(table((folder / "scores.csv").read_text())) == 1064
    with duckdb.connect() as connection:
        [in_parquet, in_csv] = [
            connection.execute(f"select count(*), sum(value) from '{folder / name}'").fetchone()
            for name in ("scores.parquet", "scores.csv")
        ]
    assert in_parquet == in_csv
    assert len((folder / "scores.md").read_text().splitlines()) == 1064 + 2
    assert (folder / "paper_table_01.tex").read_text().startswith("\\begin{tabular}{llll}\n")


def test_export_writes_what_is_asked_for_and_the_same_twice(run, tmp_path):
    run("export", "-o", tmp_path / "one", "ranks", "scores")
    run("export", "-o", tmp_path / "two", "ranks", "scores")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["ranks.csv", "scores.csv"]
    for name in ("ranks.csv", "scores.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_unknown_view_is_not_exported(run, tmp_path):
    done = run("export", "-o", tmp_path / "out", "rank")
    assert (done.status, done.err) == (
        2, "error: there is no table or view 'rank'\nhint: did you mean ranks?\n"
    )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_export_where_nothing_can_be_written_is_told(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("export", "-o", tmp_path / "file", "ranks")
    assert (done.status, done.err) == (1, f"error: {tmp_path / 'file'}: File exists\n")


def test_studies_are_listed_and_printed(run):
    listed = table(run("study", "--list").out)
    assert "average_ranks" in [row["study"] for row in listed]
    meanings = table(run("study", "average_ranks", "--list").out)
    assert meanings[0] == {"column": "architecture", "meaning": "torchvision name"}
    done = run("study", "average_ranks", "--format", "csv")
    assert done.status == 0
    assert len(table(done.out)) == 14


@pytest.mark.parametrize("arguments", [[], ["ranks", "--save"], ["--list", "--save"]])
def test_study_does_one_thing(run, arguments):
    done = run("study", *arguments)
    assert (done.status, done.err) == (
        2, "error: one of NAME, --list and --save is needed\nhint: lossnets study --help\n"
    )  # fmt: skip


def test_an_unknown_study_is_told(run):
    done = run("study", "luck")
    assert done.status == 2
    assert done.err.startswith("error: there is no study 'luck': valid are ")
    assert done.err.endswith("\nhint: lossnets study --list\n")


def test_saved_studies_are_tables_that_outlive_a_rebuild_and_know_their_age(
    run, own_run, monkeypatch
):
    from lossnets.analysis import saving, studies

    some = {"average_ranks": studies.STUDIES["average_ranks"]}
    monkeypatch.setattr(saving, "STUDIES", some)
    done = run("study", "--save")
    assert done.out == 'saved 1 studies\nnext: lossnets sql "from study_average_ranks"\n'
    assert done.err == "[1/1] average_ranks\n"
    query = "select source, count(*) as n from study_average_ranks group by all"
    assert run("sql", query).out == "source,n\npaper,14\n"
    run("rebuild")
    assert run("sql", query).out == "source,n\npaper,14\n"
    comment = "select comment from duckdb_columns() where table_name = 'study_average_ranks'"
    assert "Whose scores it is about" in run("sql", comment).out
    assert "saved studies" not in run("status").err
    run("import", own_run)
    assert "1 saved studies are of other data: lossnets study --save\n" in run("status").err
    run("study", "--save")
    assert "saved studies" not in run("status").err


def test_escape_codes_in_names_do_not_reach_the_terminal(run, tmp_path):
    odd = tmp_path / "a\x1b[31mred\x9b1m.csv"
    assert run("import", odd).err == (
        f"error: cannot read {tmp_path}/a�[31mred�1m.csv: No such file or directory\n"
    )
    odd.write_text("architecture,layer,score,value\nvgg11,late,bapps_2afc,0.5\n")
    assert run("import", odd).out.splitlines()[0] == (
        f"{tmp_path}/a�[31mred�1m.csv: 1 new measurements, 0 known already"
    )


def test_escape_codes_in_values_do_not_reach_the_terminal(run, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for style in ("csv", "json", "table", "markdown", "latex"):
        done = run("sql", "--format", style, "select 'a' || chr(27) || chr(155) || '[31m' as x")
        assert (done.status, "\x1b" in done.out, "\x9b" in done.out) == (0, False, False)
        assert "31m" in done.out
