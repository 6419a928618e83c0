"""Families of architectures: which of them are none, and what stands in their place."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

NO_FAMILY = "Other"  # what tables write of an architecture that belongs to no family


def without_none(families: pd.Series) -> pd.Series:
    """The families, missing where an architecture belongs to none.

    >>> without_none(pd.Series(["VGG", "Other", None], dtype=object)).tolist()
    ['VGG', None, None]
    """
    known = families.astype(object)
    return known.where(known.notna() & (known != NO_FAMILY), None)


def lineages(architectures: Sequence[str], families: Sequence[str | None]) -> list[str]:
    """Lineage of each architecture: its family, or itself where it belongs to none.

    >>> lineages(["vgg11", "vgg16", "alexnet"], ["VGG", "VGG", "Other"])
    ['VGG', 'VGG', 'alexnet']
    """
    known = without_none(pd.Series(families, dtype=object))
    return [
        str(name if family is None else family)
        for name, family in zip(architectures, known, strict=True)
    ]
