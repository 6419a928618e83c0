"""Every example in a docstring says what happens."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import lossnets

NAMES = ["lossnets"] + [
    name
    for _, name, _ in pkgutil.walk_packages(lossnets.__path__, "lossnets.")
    if name != "lossnets.__main__"
]
WITH_TORCH = ("lossnets.runners.", "lossnets.face.running")
MODULES = [
    pytest.param(name, marks=pytest.mark.torch) if name.startswith(WITH_TORCH) else name
    for name in NAMES
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_gives_what_it_shows(name, monkeypatch, tmp_path):
    module = importlib.import_module(name)
    monkeypatch.chdir(tmp_path)
    done = doctest.testmod(module)
    assert done.failed == 0
    written = re.findall(r"^ *>>> ", inspect.getsource(module), re.MULTILINE)
    assert done.attempted == len(written), "an example that no docstring of a public name holds"
