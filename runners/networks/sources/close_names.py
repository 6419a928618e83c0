"""The names most like one that is not valid."""

from __future__ import annotations

import difflib


def close_names(name: str, names: tuple[str, ...], *, at_most: int = 5) -> str:
    """The names most like the one given, for an error's sentence.

    >>> close_names("vgg12", ("vgg11", "vgg16", "alexnet"), at_most=1)
    'vgg11'
    """
    likeness = difflib.SequenceMatcher(b=name.lower())

    def unlikeness(candidate: str) -> float:
        likeness.set_seq1(candidate.lower())
        return -likeness.ratio()

    return ", ".join(sorted(names, key=unlikeness)[:at_most])
