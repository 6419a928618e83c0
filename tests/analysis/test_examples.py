"""The examples in docstrings of the analysis run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from lossnets import analysis

MODULES = [name for _, name, _ in pkgutil.walk_packages(analysis.__path__, "lossnets.analysis.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
