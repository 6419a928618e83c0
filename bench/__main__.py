"""`python -m bench [NAME …]`: run all benchmarks, or the named ones.

A benchmark is a module of this package with `main()`; its docstring says what it compares.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def names() -> list[str]:
    """Return the benchmarks there are, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if m.name[0] != "_")


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks (all, where none is named); 2 for a name that is none."""
    unknown = [name for name in chosen if name not in names()]
    if unknown:
        print(f"error: no benchmark named {unknown[0]!r}; there are: {', '.join(names())}")
        return 2
    for name in chosen or names():
        module = importlib.import_module(f"bench.{name}")
        print(f"\n== {name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        module.main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
