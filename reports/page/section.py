"""What a section of the page is: a folder with one object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lossnets.reports.page.folders import REPORTS, folders

if TYPE_CHECKING:
    from lossnets.reports.page.page import Page


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page, in a folder with `section.html.j2`, its `*.sql`, `*.js` and `*.css`.

    name: of the section; title: its heading; order: its place on the page, by which sections are
    sorted; build: asks the page for data, registers tables and figures, and returns what the
    template sees; scripts, styles: files of its folder, in the order in which the page has them.
    """

    name: str
    title: str
    order: int
    build: Callable[[Page], dict[str, object]]
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()


def sections() -> Iterator[tuple[Path, Section]]:
    """Each section with its folder, from the top of the page to its end."""
    found = []
    for folder in folders():
        module = ".".join(folder.relative_to(REPORTS).parts)
        found.append((folder, import_module(f"lossnets.reports.{module}.section").SECTION))
    yield from sorted(found, key=lambda pair: pair[1].order)
