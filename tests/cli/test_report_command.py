"""`lossnets report`: written anew exactly when something that shapes it has changed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lossnets.reports import build, staleness


@pytest.fixture
def page(tmp_path, monkeypatch) -> Path:
    """Where the report goes; building it writes two small files and counts."""
    folder = tmp_path / "report"

    def build_report(warehouse, target):
        (target / "data").mkdir(parents=True, exist_ok=True)
        (target / "data" / "scores.csv").write_text("score\n")
        (target / "index.html").write_text("<p>")
        built.append(target)
        return target / "index.html"

    built.clear()
    monkeypatch.setattr(build, "build_report", build_report)
    return folder


built: list[Path] = []


def test_the_report_is_written_once(run, page):
    done = run("report", "-o", page)
    assert (done.status, done.out) == (0, f"{page / 'index.html'}\n")
    assert done.err == f"Building the report …\nmade the folder {page}\n"
    done = run("report", "-o", page)
    assert (done.status, done.out) == (0, f"{page / 'index.html'} is up to date\n")
    assert len(built) == 1


def test_force_writes_it_anyway(run, page):
    run("report", "-o", page)
    run("report", "-o", page, "--force")
    assert len(built) == 2


@pytest.mark.parametrize("change", ["edited", "deleted", "data deleted", "data added", "stamp"])
def test_a_report_that_is_not_what_was_written_is_written_anew(run, page, change):
    run("report", "-o", page)
    if change == "edited":
        (page / "index.html").write_text("<b>")
    elif change == "deleted":
        (page / "index.html").unlink()
    elif change == "data deleted":
        (page / "data" / "scores.csv").unlink()
    elif change == "data added":
        (page / "data" / "more.csv").write_text("")
    else:
        (page / staleness.STAMP).write_text("{")
    run("report", "-o", page)
    assert len(built) == 2


def test_a_file_beside_the_report_is_no_matter(run, page):
    run("report", "-o", page)
    (page / "notes.txt").write_text("mine")
    run("report", "-o", page)
    assert len(built) == 1


def test_new_inputs_make_a_new_report(run, page, tmp_path):
    run("report", "-o", page)
    path = tmp_path / "years.csv"
    path.write_text("architecture,year\nvgg11,2014\n")
    run("attribute", "add", path)
    run("report", "-o", page)
    assert len(built) == 2
    run("report", "-o", page)
    assert len(built) == 2


@pytest.mark.parametrize("what", ["code", "packages"])
def test_new_code_and_packages_make_a_new_report(run, page, monkeypatch, what):
    run("report", "-o", page)
    monkeypatch.setattr(staleness, what, lambda *_: "changed")
    run("report", "-o", page)
    assert len(built) == 2


def test_every_source_file_of_the_report_counts(tmp_path, monkeypatch):
    root = Path(staleness.__file__).parents[1]
    for package in staleness.CODE:
        shutil.copytree(
            root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    monkeypatch.setattr(staleness, "__file__", str(tmp_path / "reports" / "staleness.py"))
    seen = {staleness.code()}
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert staleness.code() not in seen, f"{path} does not count"
        path.write_bytes(content)


def test_installed_packages_are_found_with_their_versions():
    from importlib.metadata import version

    assert f"altair-{version('altair')}.dist-info" in staleness.packages(sys.path)


def test_an_unchanged_report_imports_nothing_slow(run, page, home):
    run("report", "-o", page)
    code = (
        "import sys\nfrom lossnets.cli import terminal\nfrom lossnets.cli.main import cli\n"
        f"terminal.run(cli, ['--home', {str(home)!r}, 'report', '-o', {str(page)!r}])\n"
        "slow = {'duckdb', 'pandas', 'altair', 'rich', 'reports.build', 'importlib.metadata'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(staleness.__file__).parents[1],
    )  # fmt: skip
    assert done.stdout == f"{page / 'index.html'} is up to date\n[]\n"


def test_a_site_has_the_page_and_its_data_and_no_data_of_an_earlier_one(run, page, tmp_path):
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True)
    (site / "data" / "old.csv").write_text("")
    (site / "CNAME").write_text("example.org")
    done = run("report", "-o", page, "--site", site)
    assert done.out == f"{page / 'index.html'}\n{site / 'index.html'}\n"
    assert sorted(str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()) == [
        ".nojekyll", "CNAME", "data/scores.csv", "index.html"
    ]  # fmt: skip
    assert (site / "index.html").read_text() == "<p>"


def test_open_shows_the_page_by_its_address(run, page, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr("click.launch", shown.append)
    run("report", "-o", page, "--open")
    assert shown == [(page / "index.html").as_uri()]
