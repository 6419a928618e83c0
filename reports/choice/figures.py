"""Charts of what a score costs."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import in_rows, intervals, ordered, rows, tooltips


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
        "rivals:Q": "Cheaper ones",
        "chance:Q": "On the front by chance",
        "lost:Q": "Lost against the best, sd",
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
    names = (
        base.transform_filter("datum.on_front")
        .transform_calculate(label="datum.name + ', ' + datum.layer")
        .mark_text(align="right", dx=-9, dy=-7, opacity=theme.room_for_names())
        .encode(text="label:N")
    )
    return alt.layer(front, points, names).properties(width="container", height=theme.HEIGHT)


def regret(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """A row per way to choose: the share of networks that beat what it chooses, best on top."""
    free = frame[(frame["benchmark"] == "mean") & frame["cost"].isna()]
    order = free.groupby("way")["regret"].mean().sort_values(kind="stable").index.tolist()
    titles = {
        "way:N": "Way to choose",
        "regret:Q": "Beaten by, share of the networks",
        "regret_true:Q": "The same on true values",
        "survives:Q": "Share of the gain that survives the noise",
        "lost:Q": "Score lost, standard deviations",
        "networks:Q": "Networks",
        "note:N": "Note",
    }
    points = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.regret)")
        .mark_point(color=theme.HUES[0])
        .encode(
            x=alt.X(
                "regret:Q",
                title="Share of the networks that beat the chosen one",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%"),
            ),
            y=rows("way", order),
            tooltip=tooltips(titles),
        )
    )
    true = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.regret_true)")
        .mark_tick(color=theme.GREY, thickness=theme.LINE, size=theme.ROW * 0.6)
        .encode(x=alt.X("regret_true:Q"), y=rows("way", order), tooltip=tooltips(titles))
    )
    half = (
        alt.Chart(frame)
        .transform_aggregate(rows="count()")
        .mark_rule(strokeDash=[3, 3])
        .encode(x=alt.datum(0.5))
    )
    return in_rows(alt.layer(half, true, points), "way")


def carried(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """A row per component of the variance: its share with its interval."""
    chart = intervals(
        frame,
        y="component",
        order=ordered(frame["component"]),
        interval=("share", "share_low", "share_high"),
        title="Share of the variance",
        titles={
            "component:N": "Component",
            "carries_over:N": "Carries over",
            "share:Q": "Share",
            "share_low:Q": "from",
            "share_high:Q": "to",
            "note:N": "Note",
        },
        domain=(0, 1),
    )
    return in_rows(chart, "component")


def chances(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """A row per architecture: how probable it is the best on a new benchmark, and by chance."""
    titles = {
        "name:N": "Architecture",
        "p_best:Q": "Best true value",
        "p_first:Q": "First in one training",
        "by_chance:Q": "By chance",
    }
    base = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.p_best)")
        .encode(y=rows("name", ordered(frame["name"])), tooltip=tooltips(titles))
    )
    scale = alt.Scale(domainMin=0)
    line = base.mark_rule(strokeWidth=theme.LINE, color=theme.HUES[0]).encode(
        x=alt.X("p_first:Q", title="Probability", scale=scale), x2=alt.X2("p_best:Q")
    )
    dot = base.mark_point(color=theme.HUES[0]).encode(x=alt.X("p_best:Q", scale=scale))
    chance = base.mark_tick(color=theme.GREY, thickness=theme.LINE, size=theme.ROW * 0.6).encode(
        x=alt.X("by_chance:Q", scale=scale)
    )
    return in_rows(alt.layer(line, chance, dot), "name")
