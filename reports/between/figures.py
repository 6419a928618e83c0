"""Charts between benchmarks, and of cost."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import (
    coefficient_map,
    in_rows,
    intervals,
    nought,
    ticks,
    tooltips,
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


def pareto(frame: pd.DataFrame, families: Sequence[str]) -> alt.TopLevelMixin:
    """Score against cost; a line joins the loss networks that no cheaper one matches."""
    titles = {
        "name:N": "Architecture",
        "layer:N": "Layer",
        "score_label:N": "Score",
        "value:Q": "Value",
        "cost_value:Q": "Cost",
        "on_front:N": "On the front",
        "ratio:Q": "Cost ÷ least cost for this",
    }
    base = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.cost_value) && datum.cost_value > 0")
        .encode(
            x=alt.X(
                "cost_value:Q",
                title="Cost up to the extraction layer, log scale",
                scale=alt.Scale(type="log", nice=False, padding=12),
                axis=alt.Axis(format="~s"),
            ),
            y=alt.Y("value:Q", title="Score", scale=alt.Scale(zero=False)),
        )
    )
    front = base.transform_filter("datum.on_front").mark_line(
        color=theme.GREY, interpolate="step-after"
    )
    points = base.mark_point().encode(
        color=alt.Color("family:N", title="Family", scale=theme.color(families)),
        shape=alt.Shape("family:N", title="Family", scale=theme.shape(families)),
        opacity=alt.condition("datum.on_front", alt.value(1), alt.value(0.35)),
        tooltip=tooltips(titles),
    )
    return alt.layer(front, points).properties(width="container", height=theme.HEIGHT)
