"""The examples in the docstrings say what happens."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from lossnets import runners

pytestmark = pytest.mark.torch

MODULES = [name for _, name, _ in pkgutil.walk_packages(runners.__path__, "lossnets.runners.")]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_gives_what_it_shows(name):
    assert not doctest.testmod(importlib.import_module(name)).failed
