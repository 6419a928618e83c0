"""Scores of several sources as one table: whose is which, and what all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Together:
    """scores: rows as of one source; whose: architecture → the source that its rows are from."""

    scores: pd.DataFrame
    whose: dict[str, str]


def together(scores: pd.DataFrame, sources: Sequence[str]) -> Together:
    """The scores that all sources have, each architecture's from the first source that has it.

    `scores`: rows of `score_means`, their source in `source`. An architecture that two sources
    measured stands once, so that a rank is among as many architectures as there are; what the
    sources say of it differently is the study `source_agreement`.

    >>> rows = [("paper", "vgg11", "psnr"), ("mine", "vgg11", "psnr"), ("mine", "net", "psnr"),
    ...         ("mine", "net", "ssim")]
    >>> both = together(pd.DataFrame(rows, columns=["source", "architecture", "score"]),
    ...                 ["paper", "mine"])
    >>> both.whose, both.scores.values.tolist()
    ({'vgg11': 'paper', 'net': 'mine'}, [['vgg11', 'psnr'], ['net', 'psnr']])
    """
    of_each = [set(scores.loc[scores["source"] == source, "score"]) for source in sources]
    shared = scores[scores["score"].isin(set.intersection(*of_each))]
    whose: dict[str, str] = {}
    for source in sources:
        for architecture in shared.loc[shared["source"] == source, "architecture"].unique():
            whose.setdefault(architecture, source)
    own = shared[shared["source"] == shared["architecture"].map(whose)]
    return Together(scores=own.drop(columns="source").reset_index(drop=True), whose=whose)
