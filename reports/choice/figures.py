"""Charts of what a score costs."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import (
    tooltips,
)


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
