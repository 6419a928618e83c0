"""The benchmarks by name: lossnets' own, those of installed packages, a file of one's own.

A benchmark is a module with an object `BENCHMARK`, see `lossnets.runners.runs.benchmark`. A
package offers one by an entry point `name = "package.module"` in the group `lossnets.benchmarks`.
Standard library only, until a benchmark is loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.names import near, spelled

if TYPE_CHECKING:
    from lossnets.runners.runs.benchmark import Benchmark
    from lossnets.runners.runs.run import Config, Data

GROUP = "lossnets.benchmarks"
BENCHMARKS = {
    "perceptual-similarity": "lossnets.runners.benchmarks.perceptual_similarity",
    "super-resolution": "lossnets.runners.benchmarks.super_resolution",
    "delineation": "lossnets.runners.benchmarks.delineation",
    "autoencoding": "lossnets.runners.benchmarks.autoencoding",
}


@cache
def modules() -> Mapping[str, str]:
    """Name → module of every benchmark that is installed; lossnets' own come first."""
    from importlib import metadata  # slow, where only lossnets' own are named

    offered = {point.name: point.value for point in metadata.entry_points(group=GROUP)}
    return BENCHMARKS | {name: place for name, place in offered.items() if name not in BENCHMARKS}


def is_file(name: str) -> bool:
    """Whether a name is the path of a module.

    >>> is_file("studies/colours.py"), is_file("delineation")
    (True, False)
    """
    return name.endswith(".py")


def is_known(name: str, among: Mapping[str, str] | None = None) -> bool:
    """Whether a benchmark is called so; loads none."""
    own = among is None and name in BENCHMARKS  # without a look at what is installed
    return own or is_file(name) or name in (modules() if among is None else among)


def check(name: str, among: Mapping[str, str] | None = None) -> str:
    """The id of a benchmark that is spelled so; UserError, with the valid ones, if there is none.

    >>> check("super_resolution")
    'super-resolution'
    """
    if not is_known(name, among):
        known = modules() if among is None else among
        if (found := spelled(name, known)) in known:
            return found
        close = near(name, known, 1)
        raise UserError(
            f"found benchmark {name!r}; "
            + (f"did you mean {close[0]!r}? " if close else "")
            + f"valid are {', '.join(known)}, and the file of a module"
        )
    return name


def named(name: str, among: Mapping[str, str] | None = None) -> Benchmark[Config, Data]:
    """The benchmark of a name, or of a file `….py`.

    among: name → module, all that are installed by default. Errors: UserError where there is no
    such name or file, and where the module has no `BENCHMARK`.
    """
    name = check(name, among)
    if is_file(name):
        return _of(_from_file(Path(name).resolve()), name)
    return _of(import_module((modules() if among is None else among)[name]), name)


def _of(module: ModuleType, name: str) -> Benchmark[Config, Data]:
    from lossnets.runners.runs.benchmark import Benchmark

    benchmark = vars(module).get("BENCHMARK")
    if not isinstance(benchmark, Benchmark):
        raise UserError(
            f"found no BENCHMARK in {name}; valid is BENCHMARK = "
            "lossnets.runners.runs.benchmark.Benchmark(…)"
        )
    return benchmark


@cache
def _from_file(path: Path) -> ModuleType:
    """The module of a file, once a process."""
    if not path.is_file():
        raise UserError(f"found no file {path}; valid is a Python module with a BENCHMARK")
    spec = importlib.util.spec_from_file_location(f"lossnets_benchmark_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # which dataclasses ask for
    spec.loader.exec_module(module)
    return module
