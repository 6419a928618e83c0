"""Whether a data set that lies on disk is whole: read to its end, and what is there said."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from lossnets.runners.data import bapps, digit_archives, digits, photograph_files, roads
from lossnets.runners.data.catalog import Progress, locate, named

CHECKS: dict[str, Callable[[Path, Progress], str]] = {
    "bapps": bapps.check,
    **dict.fromkeys(("coco", *photograph_files.TEST_SETS), photograph_files.check),
    "mrd": roads.check,
    **{name: partial(digits.check, name) for name in digit_archives.ARCHIVES},
}


def check(name: str, folder: Path | None, home: Path, progress: Progress) -> str:
    """Read a data set whole and say what is there; UserError says what is wrong with it."""
    return CHECKS[named(name).name](locate(name, folder, home), progress)
