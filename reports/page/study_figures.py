"""Charts that several studies share: heat maps of coefficients, and intervals in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from lossnets.reports.page import theme

Tooltips = Mapping[str, str]


def tooltips(titles: Tooltips) -> list[alt.Tooltip]:
    """Tooltips by field, numbers short."""
    return [
        alt.Tooltip(field, title=title, format=".3~g")
        if field.endswith(":Q")
        else alt.Tooltip(field, title=title)
        for field, title in titles.items()
    ]


def ordered(values: pd.Series) -> list[str]:
    """The distinct values of a column in the order in which they first appear."""
    return [str(value) for value in values.dropna().drop_duplicates()]


def rows(field: str, order: Sequence[str], *, all_of_them: bool = False) -> alt.Y:
    """A category per row, in the order given; names on the left.

    all_of_them: the rows of `order`, also where layers of a chart have different ones.
    """
    scale = alt.Scale(type="point", padding=0.7)
    if all_of_them:
        scale = alt.Scale(type="point", padding=0.7, domain=list(order))
    return alt.Y(
        f"{field}:N",
        sort=None if all_of_them else list(order),
        axis=alt.Axis(title=None, grid=True, domain=False, ticks=False),
        scale=scale,
    )


def in_rows(chart: alt.TopLevelMixin, field: str, *, least: int = 0) -> alt.TopLevelMixin:
    """The chart as wide as its container, and as high as the rows of `field` that are shown.

    least: pixels that it needs across; a narrower page scrolls it.
    """
    sized: alt.TopLevelMixin = chart.properties(
        width="container", usermeta={"rows": field, "step": theme.ROW, "least": least}
    )
    return sized


def coefficient_map(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    value: str,
    titles: Tooltips,
    orders: tuple[Sequence[str], Sequence[str]],
    mark: str = "false",
) -> alt.TopLevelMixin:
    """A cell per row of the frame, coloured and labelled by a coefficient from −1 to 1.

    orders: the categories across and down; mark: a Vega expression for cells to print in bold.
    A cell without a value shows a dash.
    """
    across, down = orders
    base = alt.Chart(frame).encode(
        x=alt.X(
            f"{x}:N",
            sort=list(across),
            axis=alt.Axis(title=None, domain=False, ticks=False, **theme.slanted_labels()),
        ),
        y=alt.Y(
            f"{y}:N",
            sort=list(down),
            axis=alt.Axis(title=None, domain=False, ticks=False),
        ),
        tooltip=tooltips(titles),
    )
    cells = base.mark_rect().encode(
        color=alt.Color(
            f"{value}:Q", title=None, scale=theme.diverging(), legend=theme.coefficient_key()
        )
    )
    shown = f"isValid(datum.{value}) ? replace(format(datum.{value}, '.2f'), '0.', '.') : '–'"
    text = base.transform_calculate(shown=shown).encode(text=alt.Text("shown:N"))
    style: dict[str, Any] = {"fontSize": theme.CELL_TEXT}
    light = text.transform_filter(f"!({mark})").mark_text(**style)
    bold = text.transform_filter(mark).mark_text(fontWeight="bold", **style)
    chart = (cells + light + bold).properties(padding=theme.SLANTED)
    return in_rows(chart, y, least=theme.CELL * len(across))


def intervals(
    frame: pd.DataFrame,
    *,
    y: str,
    order: Sequence[str],
    interval: tuple[str, str, str],
    title: str,
    titles: Tooltips,
    domain: tuple[float, float] | None = None,
) -> Any:
    """A row per category: a dot and its interval, and a dash where there is none.

    interval: the fields of the value, the lower and the upper end; title: of the axis.
    """
    value, low, high = interval
    scale = alt.Scale(domain=list(domain), nice=False) if domain else alt.Scale(zero=False)
    base = alt.Chart(frame).encode(y=rows(y, order), tooltip=tooltips(titles))
    line = base.mark_rule(strokeWidth=theme.LINE, color=theme.HUES[0]).encode(
        x=alt.X(f"{low}:Q", title=title, scale=scale), x2=alt.X2(f"{high}:Q")
    )
    dot = (
        base.transform_filter(f"isValid(datum.{value})")
        .mark_point(color=theme.HUES[0])
        .encode(x=alt.X(f"{value}:Q", title=title, scale=scale))
    )
    gap = (
        base.transform_filter(f"!isValid(datum.{value})")
        .mark_text(text="– no value", align="left", dx=6)
        .encode(x=alt.value(0))
    )
    return alt.layer(line, dot, gap)


def nought(frame: pd.DataFrame) -> alt.Chart:
    """A vertical line at zero, from the frame itself, so that no data are added."""
    return (
        alt.Chart(frame)
        .transform_aggregate(rows="count()")
        .mark_rule(strokeDash=[3, 3])
        .encode(x=alt.datum(0))
    )


def ticks(frame: pd.DataFrame, *, y: str, order: Sequence[str], field: str, title: str) -> Any:
    """Grey marks at plus and minus a field's value in each row, say what a test could find."""
    base = alt.Chart(frame).transform_calculate(below=f"-datum.{field}")
    style: dict[str, Any] = {"color": theme.GREY, "thickness": theme.LINE, "size": theme.ROW * 0.6}
    places = (f"{field}:Q", "below:Q")
    return alt.layer(
        *(base.mark_tick(**style).encode(x=alt.X(x, title=title), y=rows(y, order)) for x in places)
    )
