"""Examples of what measured runs made of images: input, target, and each run's output."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.tables import records

RUNS = 6  # of a benchmark that are shown
ITEMS = 4  # of a run
LARGEST = 250_000  # bytes of an image; the runners keep them to 128 px a side
SIGNATURE = b"\x89PNG\r\n\x1a\n"
NAME = re.compile(r"(?P<item>.+)\.(?P<role>input|target|output)\.png")

Images = dict[tuple[str, str], bytes]  # (item, role) → PNG


@dataclass(kw_only=True)
class Wall:
    """Runs that have their inputs and targets in common, side by side.

    heads: of the columns; rows: item, then an image a column as data URI with its alternative
    text, None where it lacks.
    """

    heads: list[str]
    rows: list[tuple[str, list[tuple[str, str] | None]]]


def examples(page: Page, anchor: str, frame: pd.DataFrame) -> dict[str, object] | None:
    """Example outputs of some runs of a benchmark; None where no run kept any.

    Runs of different loss networks come first, sound ones before collapsed ones; presets last.
    frame: columns run_id, row, architecture, layer, kind.
    """
    runs = frame.drop_duplicates("run_id")
    runs = runs.assign(
        preset=runs["kind"] == "preset",
        repeated=runs.duplicated(["architecture", "layer", "kind"]),
        collapsed=runs["kind"] == "collapsed",
    ).sort_values(["preset", "repeated", "collapsed"], kind="stable")
    there = [(row, images) for row in records(runs) if (images := _images(page, row["run_id"]))]
    if not there:
        return None
    chosen = there[:RUNS]
    files = pd.DataFrame(
        [
            {"row": row["row"], "run_id": row["run_id"], "item": item, "role": role}
            for row, images in chosen
            for item, role in images
        ]
    )
    exhibit: Exhibit = page.figure(anchor, None, files)
    return {
        "exhibit": exhibit,
        "walls": list(_walls([(str(row["row"]), images) for row, images in chosen])),
        "shown": len(chosen),
        "of": len(there),
    }


def _images(page: Page, run_id: str) -> Images:
    """The images of a run's first items; what is no PNG, or too large, is left out."""
    folder = page.warehouse.home / "runs" / run_id / "gallery"
    if Path(run_id).name != run_id or not folder.is_dir():
        return {}
    found: dict[str, Images] = {}
    for path in sorted(folder.iterdir()):
        name = NAME.fullmatch(path.name)
        if name and path.stat().st_size <= LARGEST:
            content = path.read_bytes()
            if content.startswith(SIGNATURE):
                found.setdefault(name["item"], {})[name["item"], name["role"]] = content
    kept: Images = {}
    for images in list(found.values())[:ITEMS]:
        kept |= images
    return kept


def _walls(runs: list[tuple[str, Images]]) -> Iterator[Wall]:
    """Runs with the same inputs and targets on one wall, in the order of the first of each."""
    shared: dict[tuple[tuple[tuple[str, str], bytes], ...], list[tuple[str, Images]]] = {}
    for name, images in runs:
        given = tuple((key, png) for key, png in images.items() if key[1] != "output")
        shared.setdefault(given, []).append((name, images))
    for together in shared.values():
        items = list(dict.fromkeys(item for _, images in together for item, _ in images))
        first = together[0][1]
        given_roles = [role for role in ("input", "target") if any(role == r for _, r in first)]
        columns = [(role.capitalize(), role, role, first) for role in given_roles]
        columns += [(name, "output", f"output of {name}", images) for name, images in together]
        yield Wall(
            heads=[head for head, *_ in columns],
            rows=[
                (
                    item,
                    [
                        _shown(images.get((item, role)), f"{item}: {text}")
                        for _, role, text, images in columns
                    ],
                )
                for item in items
            ],
        )


def _shown(png: bytes | None, text: str) -> tuple[str, str] | None:
    if png is None:
        return None
    return "data:image/png;base64," + base64.b64encode(png).decode(), text
