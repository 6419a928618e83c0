"""Charts of the rank study: critical-difference diagrams and rank intervals."""

from __future__ import annotations

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import in_rows, intervals, rows, tooltips

COLUMN = 0.45  # distance of two groups' bars, in ranks


def critical_difference(
    points: pd.DataFrame, groups: pd.DataFrame, families: list[str]
) -> alt.TopLevelMixin:
    """Mean ranks in rows, best on top; bars on the right join what the data do not tell apart.

    points: name, family, mean_rank, critical_difference, n; groups: method, name and
    last (of its first and last member), place (the rank at which the bar is drawn).
    """
    order = points["name"].dropna().drop_duplicates().tolist()
    k = len(order)
    right = max(float(groups["place"].max()), k + COLUMN) + COLUMN if len(groups) else k + 1.0
    ticks = sorted({1, *range(2, k + 1, 2 if k > 8 else 1), k})
    x = alt.X(
        "mean_rank:Q",
        title="Mean rank (1 = best)",
        scale=alt.Scale(domain=[0.5, right], nice=False),
        axis=alt.Axis(values=ticks),
    )
    y = rows("name", order, all_of_them=True)
    dots = (
        alt.Chart(points)
        .transform_filter("isValid(datum.mean_rank)")
        .mark_point()
        .encode(
            x=x,
            y=y,
            color=alt.Color("family:N", title="Family", scale=theme.color(families)),
            shape=alt.Shape("family:N", title="Family", scale=theme.shape(families)),
            tooltip=tooltips({"name:N": "Architecture", "mean_rank:Q": "Mean rank"}),
        )
    )
    bars = (
        alt.Chart(groups)
        .mark_rule(strokeWidth=3 * theme.LINE, strokeCap="round")
        .encode(
            x=alt.X("place:Q"),
            y=rows("name", order, all_of_them=True),
            y2=alt.Y2("last:N"),
            tooltip=tooltips({"method:N": "Not told apart by", "members:N": "Members"}),
        )
    )
    return in_rows(alt.layer(dots, bars, *_ruler(points, k)), "name")


def _ruler(points: pd.DataFrame, k: int) -> tuple[alt.Chart, alt.Chart]:
    """A line as long as the critical difference, ending at rank `k`, and its label."""
    ruler = alt.Chart(points).transform_aggregate(cd="max(critical_difference)", groupby=["source"])
    ruler = ruler.transform_calculate(
        start=f"{k} - datum.cd",
        end=str(k),
        text="'critical difference ' + format(datum.cd, '.2f')",
    )
    line = ruler.mark_rule(strokeWidth=theme.LINE, tooltip=None).encode(
        x=alt.X("start:Q"), x2=alt.X2("end:Q"), y=alt.value(theme.ROW * 0.45)
    )
    text = ruler.mark_text(align="right", baseline="top").encode(
        x=alt.X("end:Q"), y=alt.value(theme.ROW * 0.62), text="text:N"
    )
    return line, text


def rank_intervals(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Overall mean rank of each architecture and how far the choice of scores moves it."""
    order = frame.sort_values(["mean_rank", "name"])["name"].dropna().drop_duplicates().tolist()
    chart = intervals(
        frame,
        y="name",
        order=order,
        interval=("mean_rank", "mean_rank_low", "mean_rank_high"),
        title="Overall mean rank (1 = best)",
        titles={
            "name:N": "Architecture",
            "mean_rank:Q": "Mean rank",
            "mean_rank_low:Q": "from",
            "mean_rank_high:Q": "to",
            "p_best:Q": "P(best)",
            "note:N": "Note",
        },
    )
    return in_rows(chart, "name")
