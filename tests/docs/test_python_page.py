"""docs/python.md says what Python does, and names all that is public."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import pytest

import lossnets
from lossnets.warehouse import store

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = run_path(str(DOCS / "run_python.py"))
PAGE = (DOCS / "python.md").read_text("utf-8")
WITHOUT, _, WITH = PAGE.partition(SCRIPT["NEEDS_TORCH"])


@pytest.mark.parametrize(
    "part", [WITHOUT, pytest.param(f"```pycon\n>>> import lossnets\n```\n{WITH}",
                                   marks=pytest.mark.torch)], ids=["without torch", "with torch"]
)  # fmt: skip
def test_the_examples_give_what_the_page_shows(part, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOSSNETS_HOME", raising=False)
    assert SCRIPT["shown"](part) == part, "run: python docs/run_python.py"


@pytest.mark.parametrize("name", sorted(set(lossnets.__all__) - {"Warehouse", "__version__"}))
def test_what_is_public_is_on_the_page(name):
    assert name in PAGE


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in sorted({*dir(lossnets.Warehouse)} - {*dir(store.Warehouse)})
        if not name.startswith("_")
    ],
)
def test_every_method_of_a_warehouse_is_on_the_page(name):
    assert f"{name}(" in PAGE or f"`{name}`" in PAGE
