"""Whether a report is still what its inputs, its code and the installed packages would give.

Standard library only: asking has to cost less than starting the command line.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from lossnets.warehouse.durable import clear, replacing

PAGE, DATA, STAMP = "index.html", "data", ".stamp.json"
CODE = ("warehouse", "analysis", "reports")
CODE_SUFFIXES = (".py", ".sql", ".csv", ".j2", ".css", ".js", ".svg", ".html")


def state(home: Path) -> str:
    """The hash of everything that shapes the report: inputs, code, Python and packages."""
    from lossnets.warehouse.sources import fingerprint

    parts = [fingerprint.inputs(home), code(), sys.version, *sorted(packages(sys.path))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def code() -> str:
    """The hash of the source, templates and data that the report is built by."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for package in CODE:
        for path in _files(root / package):
            if path.endswith(CODE_SUFFIXES):
                digest.update(f"{os.path.relpath(path, root)}\0".encode())
                digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def packages(search_path: Iterable[str]) -> set[str]:
    """Every installed distribution with its version, as its metadata folder is called."""
    found: set[str] = set()
    for folder in search_path:
        try:
            found.update(path.name for path in Path(folder).glob("*.dist-info"))
        except OSError:
            continue
    return found


def is_current(folder: Path, state: str) -> bool:
    """Whether `folder` holds exactly the files that were written from this state."""
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
        return bool(stamp["state"] == state and stamp["files"] == _written(folder))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def stamp(folder: Path, state: str) -> None:
    """Note beside the page what it was written from; `state` as it was before the build."""
    content = json.dumps({"state": state, "files": _written(folder)}, indent=1, sort_keys=True)
    clear(folder, f".{STAMP}.")
    with replacing(folder / STAMP) as temporary:
        temporary.write_text(content + "\n", "utf-8")


def _written(folder: Path) -> dict[str, str]:
    """Path in the folder → hash, of the page and its data."""
    paths = [str(folder / PAGE), *_files(folder / DATA)]
    return {
        os.path.relpath(path, folder): hashlib.sha256(Path(path).read_bytes()).hexdigest()
        for path in paths
    }


def _files(folder: Path | str) -> Iterable[str]:
    """Every file below a folder, in the order of their paths."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.is_dir():
                yield entry.path
            elif entry.name != "__pycache__":
                yield from _files(entry.path)
