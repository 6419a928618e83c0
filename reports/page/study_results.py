"""The studies' results as the sections use them: labelled, shortened, of every source there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lossnets.reports.page.page import Filter, Page
from lossnets.reports.page.tables import Column

DIGITS = 6  # significant digits of a study's numbers on the page; `lossnets study` prints all
PAPER = "paper"
MOST_PAIRED = 60  # architectures

_ID = re.compile(r"[a-z]+(?:[0-9]|_[a-z0-9])[a-z0-9_]*|mrd")  # a digit or _ tells it from a word
_PLAIN = {
    "semi_early": "semi-early",
    "mrd": "MRD",
    "fraction_5": "the noise that changes it in 5 % of draws",
    "fraction_50": "the noise that changes it in half of the draws",
    "p_chi2": "the p value from χ²",
    "p_f": "the one from F",
    "perceptual_similarity": "perceptual similarity",
    "super_resolution": "super-resolution",
}

VIEW_LABELS = {
    "best": "best layer",
    "mean": "mean over layers",
    "early": "early layer",
    "semi_early": "semi-early layer",
    "middle": "middle layer",
    "late": "late layer",
    "mean_rank": "mean ranks",
}


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Names for people by id, told apart where two are alike."""

    attribute: dict[str, str]
    score: dict[str, str]
    architecture: dict[str, str]


def labels(page: Page) -> Labels:
    """The labels of everything the catalogs name."""

    def read() -> Labels:
        frames = page.frames()
        return Labels(
            attribute=_told_apart(frames.attribute_catalog, "attribute", "label"),
            score=_told_apart(frames.score_catalog, "score", "label"),
            architecture=_told_apart(frames.architectures, "architecture", "name"),
        )

    found: Labels = page.once("labels", read)
    return found


def in_words(page: Page, text: str) -> str:
    """A sentence with names for people in place of the ids in it.

    Of attributes only those that are shipped: what somebody added may be called like a word.
    """
    known = labels(page)
    catalog = page.frames().attribute_catalog
    added = set(catalog["attribute"][catalog["origin"] == "added"])
    shipped = {name: label for name, label in known.attribute.items() if name not in added}
    names = shipped | known.score | known.architecture | _PLAIN
    return _ID.sub(lambda match: names.get(match[0], match[0]), text)


def _told_apart(frame: pd.DataFrame, key: str, label: str) -> dict[str, str]:
    named = frame[label].where(frame[label].notna(), frame[key])
    twice = named.duplicated(keep=False)
    named = named.where(~twice, named + " (" + frame[key] + ")")
    return dict(zip(frame[key], named, strict=True))


def sources(page: Page) -> list[str]:
    """The sources that have scores, the paper first."""
    statement = "select distinct source from score_means order by source = 'paper' desc, source"
    found: list[str] = page.once(
        "sources", lambda: page.warehouse.query(statement)["source"].tolist()
    )
    return found


def small_sources(page: Page) -> list[str]:
    """The sources with so few architectures that every pair of them can be compared and drawn."""
    return [
        source
        for source in sources(page)
        if page.frames(source).scores["architecture"].nunique() <= MOST_PAIRED
    ]


def source_filter(page: Page, of: Sequence[str] = ()) -> tuple[Filter, ...]:
    """A choice of the source where there is more than one."""
    found = list(of or sources(page))
    return (Filter(field="source", label="Source", values=found, single=True),) if found[1:] else ()


def study(
    page: Page, name: str, columns: Sequence[str] = (), *, of: Sequence[str] = ()
) -> pd.DataFrame:
    """A study's frame of all sources, with labels beside ids and numbers to six digits.

    columns: those to keep, all by default; of: the sources, all by default. The same frame object
    for the same arguments.
    """

    def read() -> pd.DataFrame:
        found = []
        for source in of or sources(page):
            frame = page.studies(source)[name]
            frame = frame[list(columns)] if columns else frame
            found.append(frame.assign(source=source))
        return labelled(page, shortened(pd.concat(found, ignore_index=True)))

    made: pd.DataFrame = page.once(f"study {name} {','.join(columns)} {','.join(of)}", read)
    return made


def paper_study(page: Page, name: str) -> pd.DataFrame:
    """A study's frame of the published scores alone: nothing is computed for other sources."""
    return study(page, name, of=(PAPER,))


def of_paper(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the published scores."""
    return frame[frame["source"] == PAPER]


def labelled(page: Page, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with attribute_label, score_label and name beside their ids."""
    known = labels(page)
    for key, column, names in (
        ("attribute", "attribute_label", known.attribute),
        ("score", "score_label", known.score),
        ("architecture", "name", known.architecture),
    ):
        if key in frame.columns:
            frame[column] = [names.get(one, one) for one in frame[key]]
    return frame


def shortened(frame: pd.DataFrame) -> pd.DataFrame:
    """Floats to six significant digits.

    >>> shortened(pd.DataFrame({"p": [0.123456789]}))["p"].tolist()
    [0.123457]
    """
    made = frame.copy()
    for column in frame.columns:
        if frame[column].dtype == float:
            made[column] = _significant(frame[column].to_numpy())
    return made


def _significant(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values.tolist()]


def gaps(frame: pd.DataFrame, what: str) -> list[str]:
    """What the rows of a study could not give, and why: one sentence each, none if complete.

    >>> gaps(pd.DataFrame({"note": ["", "not computable, because it is constant", ""]}), "rows")
    ['1 of 3 rows: not computable, because it is constant']
    """
    notes = frame["note"].fillna("").replace("", np.nan).dropna()
    counted = notes.value_counts(sort=False).sort_index()
    return [f"{count} of {len(frame)} {what}: {note}" for note, count in counted.items()]


def noted(columns: Sequence[Column], frame: pd.DataFrame) -> tuple[Column, ...]:
    """The columns, and one of notes where there is a note to show."""
    if (frame["note"].fillna("") == "").all():
        return tuple(columns)
    return (*columns, Column(key="note", label="Note"))


def words(name: object) -> str:
    """An id as words: "super_resolution" → "super-resolution".

    >>> words("super_resolution"), words("semi_early"), words("mean_rank")
    ('super-resolution', 'semi-early', 'mean rank')
    """
    text = str(name).replace("_", " ")
    for joined in ("super-resolution", "semi-early"):
        text = text.replace(joined.replace("-", " "), joined)
    return text


def p_text(p: float) -> str:
    """A p value as prose has it.

    >>> p_text(0.0004), p_text(0.0316), p_text(float("nan"))
    ('p < 0.001', 'p = 0.032', 'p not computable')
    """
    if p != p:
        return "p not computable"
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def number(value: float, decimals: int = 2) -> str:
    """A number as prose has it, with a true minus sign."""
    return f"{value:.{decimals}f}".replace("-", "−") if value == value else "not computable"


def ordinal(number: int) -> str:
    """A number's place in a row.

    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 22, 113)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th']
    """
    teens = 10 < number % 100 < 14
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def listed(names: Iterable[object]) -> str:
    """Names as a sentence has them.

    >>> listed(["VGG-11", "VGG-16", "AlexNet"]), listed(["VGG-11"])
    ('VGG-11, VGG-16 and AlexNet', 'VGG-11')
    """
    texts = [str(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if texts[1:] else texts)
