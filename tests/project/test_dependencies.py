"""What is declared is used, and what is used is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ROOMS = ("lossnets", "warehouse", "runners", "analysis", "reports")
TOOLS = {"mypy", "pandas-stubs", "pytest-xdist", "ruff", "scipy-stubs"}  # run, not imported
UNDECLARED = {"pyiqa"}  # its licence forbids commercial use: measured only where it is there


def imported(*folders: str) -> set[str]:
    """The distributions whose modules the Python files of some folders import."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    own = {"lossnets", "bench", *(path.stem for path in files if "tests" in path.parts)}
    modules = {name.partition(".")[0] for path in files for name in _imports(path)}
    distributions = packages_distributions()
    return {
        re.sub(r"[-_.]+", "-", distributions.get(name, [name])[0]).lower()
        for name in modules - sys.stdlib_module_names - own
    }


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0, module=str(name)):
                yield name
            case ast.Call(
                func=ast.Name(id="import_module"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name


def declared(requirements: list[str]) -> set[str]:
    names = {re.split(r"[\[><=]", requirement)[0] for requirement in requirements}
    return names - {"lossnets"}


def test_what_the_package_imports_is_what_it_declares():
    extras = PROJECT["optional-dependencies"]
    of_users = [name for extra in ("run", "timm", "cluster") for name in extras[extra]]
    assert imported(*ROOMS) == declared(PROJECT["dependencies"] + of_users)


def test_what_development_imports_is_what_it_declares():
    assert declared(PROJECT["optional-dependencies"]["dev"]) >= TOOLS
    of_users = imported(*ROOMS)
    used = imported("tests", "bench") - of_users - UNDECLARED
    assert used == declared(PROJECT["optional-dependencies"]["dev"]) - TOOLS
