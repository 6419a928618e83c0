"""Charts between benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page.study_figures import (
    coefficient_map,
    in_rows,
    intervals,
    nought,
    ticks,
)


def score_map(frame: pd.DataFrame, scores: Sequence[str]) -> alt.TopLevelMixin:
    """Spearman's correlation of every score with every other."""
    titles = {
        "first_label:N": "Score",
        "second_label:N": "and",
        "rho:Q": "Spearman",
        "n:Q": "n",
        "p_holm:Q": "p, Holm",
        "family_size:Q": "Family",
        "note:N": "Note",
    }
    return coefficient_map(
        frame,
        x="second_label",
        y="first_label",
        value="rho",
        titles=titles,
        orders=(scores, scores),
        mark="datum.p_holm < 0.05",
    )


def prediction(frame: pd.DataFrame, rows: Sequence[str]) -> alt.TopLevelMixin:
    """One row per benchmark, or pair of them: a rank correlation and its interval."""
    titles = {
        "label:N": "Benchmark",
        "pool:N": "Architectures",
        "n:Q": "n",
        "rho:Q": "Spearman",
        "low:Q": "95 % from",
        "high:Q": "to",
        "p_holm:Q": "p, Holm",
        "family_size:Q": "Family",
        "detectable:Q": "Detectable |ρ|",
        "note:N": "Note",
    }
    title = "Spearman’s ρ of mean ranks"
    base = intervals(
        frame,
        y="label",
        order=rows,
        interval=("rho", "low", "high"),
        title=title,
        titles=titles,
        domain=(-1, 1),
    )
    limits = ticks(frame, y="label", order=rows, field="detectable", title=title)
    return in_rows(alt.layer(limits, nought(frame), base), "label")
