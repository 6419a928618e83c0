"""The pages for users say what the program does."""

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def script(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    spec = spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COOKBOOK = (DOCS / "sql.md").read_text("utf-8")
QUESTIONS = re.findall(r"^### (\d+\. .*)$", COOKBOOK, re.MULTILINE)
OF_OWN_RUNS = (27, 28, 29, *range(31, 40))  # nothing is shipped of these
QUERIES = script("answer_sql").queries(COOKBOOK)


def test_the_page_of_the_command_line_is_what_help_prints():
    found = (DOCS / "cli.md").read_text("utf-8")
    assert found == script("generate_cli").page(), "run: python docs/generate_cli.py"


def test_the_page_of_the_command_line_has_every_command():
    done = subprocess.run(
        [sys.executable, "-m", "lossnets", "--help"], capture_output=True, text=True, check=True
    )
    listed = re.findall(r"^  (\w+)  ", done.stdout.partition("Commands:")[2], re.MULTILINE)
    assert "report" in listed
    page = (DOCS / "cli.md").read_text("utf-8")
    assert [name for name in listed if f"\n### lossnets {name}\n" not in page] == []


def test_the_cookbook_asks_at_least_twenty_questions_each_with_a_query():
    assert len(QUESTIONS) >= 20
    assert [_number(question) for question in QUESTIONS] == [*range(1, len(QUESTIONS) + 1)]
    assert len(QUERIES) == len(QUESTIONS)


@pytest.mark.parametrize(("question", "query"), [*zip(QUESTIONS, QUERIES, strict=True)])
def test_every_query_of_the_cookbook_runs(question: str, query: str, paper_warehouse):
    _, rows = paper_warehouse.rows(query)
    assert bool(rows) is (_number(question) not in OF_OWN_RUNS)


@pytest.mark.parametrize("number", OF_OWN_RUNS)
def test_the_queries_on_own_runs_find_some(number: int, measured_warehouse):
    _, rows = measured_warehouse.rows(QUERIES[number - 1])
    assert rows


def _number(question: str) -> int:
    return int(question.partition(".")[0])


def test_the_answers_in_the_cookbook_are_real(paper_warehouse):
    found = script("answer_sql").answered(COOKBOOK, paper_warehouse)
    assert found == COOKBOOK, "run: python docs/answer_sql.py"
    assert COOKBOOK.count("```text") >= 8
    assert "```text\n```" not in COOKBOOK


@pytest.mark.parametrize("page", script("run_commands").PAGES, ids=lambda page: page.name)
def test_the_commands_on_the_page_print_what_it_shows(page: Path, tmp_path):
    text = page.read_text("utf-8")
    found = script("run_commands").shown(text, tmp_path)
    assert found == text, "run: python docs/run_commands.py"
    assert "$ lossnets " in text
    assert "error:" not in text.partition("## What is refused")[0]
