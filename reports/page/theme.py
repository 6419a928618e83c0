"""Fonts, palettes and sizes of every chart: nothing else in the report names a colour or a size.

The five hues are told apart by people with any colour vision and reach a contrast of 3:1 on the
light and on the dark page; shapes repeat what they say. Text and axes are coloured by the page's
style sheet, so that one chart serves light, dark and print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D00")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "stroke")
GREY = "#808891"

FONT = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial"
INK = "#1d2329"
FAINT = "#d5dae0"

HEIGHT = 380
POINT = 80
LINE = 1.8
PANEL = (128, 104)
ROW = 24  # height of a row of a chart that has one row a category
NAMED = 5  # the best of a chart, whose names stand beside their points
CELL = 30  # least width of a cell of a map, so that its number fits
CELL_TEXT = 10.5
RANK_SHADES = (0, 0.08, 0.2, 0.31, 0.43, 0.55, 0.7)  # greatest share of the field for each
SLANTED = {"left": 4, "top": 4, "right": 38, "bottom": 4}  # room for slanted labels on top


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How one value of a category is drawn."""

    hue: str
    shape: str


def marks(values: Sequence[str]) -> dict[str, Mark]:
    """A hue and a shape for each category, in order; pairs repeat only after 35.

    >>> marks(["VGG", "ResNet"])["ResNet"].shape
    'square'
    """
    return {
        value: Mark(
            hue=HUES[position % len(HUES)],
            shape=SHAPES[(position + position // len(HUES)) % len(SHAPES)],
        )
        for position, value in enumerate(values)
    }


def color(values: Sequence[str]) -> alt.Scale:
    """The colour scale that goes with `marks`."""
    import altair as alt

    return alt.Scale(domain=list(values), range=[mark.hue for mark in marks(values).values()])


def shape(values: Sequence[str]) -> alt.Scale:
    """The shape scale that goes with `marks`."""
    import altair as alt

    return alt.Scale(domain=list(values), range=[mark.shape for mark in marks(values).values()])


def diverging() -> alt.Scale:
    """From −1 to 1: two hues that fade out towards nought, so that text on them can be read."""
    import altair as alt

    def faded(hue: str, opacity: float) -> str:
        red, green, blue = (int(hue[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red}, {green}, {blue}, {opacity})"

    low, high = HUES[1], HUES[0]
    return alt.Scale(
        domain=[-1, -1e-9, 1e-9, 1],
        range=[faded(low, 0.75), faded(low, 0.02), faded(high, 0.02), faded(high, 0.75)],
        interpolate="rgb",
    )


def rank_shade(place: float, field: int) -> int:
    """The shade of a rank (classes `s1` to `s8`): 1 for the first of a field, 8 for its end.

    >>> [rank_shade(place, 14) for place in (1, 2, 3.5, 5, 8, 14)]
    [1, 2, 3, 4, 6, 8]
    """
    share = (place - 1) / max(field - 1, 1)
    return 1 + sum(share > limit for limit in RANK_SHADES)


def coefficient_key() -> alt.Legend:
    """The key to the colours of `diverging`."""
    import altair as alt

    return alt.Legend(
        orient="bottom", direction="horizontal", gradientLength=180, values=[-1, 0, 1], format=".0f"
    )


def room_for_names() -> alt.ExprRef:
    """Opacity of names beside points: none where they would stand on one another."""
    import altair as alt

    return alt.ExprRef("width > 420 ? 1 : 0")


def slanted_labels() -> dict[str, Any]:
    """Labels above a map's columns: upright and small where the page is narrow."""
    import altair as alt

    return {
        "orient": "top",
        "labelAngle": alt.ExprRef("width < 400 ? -90 : -55"),
        "labelFontSize": alt.ExprRef("width < 400 ? 8.5 : 12"),
        "labelAlign": "left",
        "labelBaseline": "middle",
    }


def config() -> Mapping[str, Any]:
    """The Vega-Lite configuration that all charts of the page share."""
    label = {"labelFont": FONT, "labelFontSize": 12, "labelColor": INK}
    title = {"titleFont": FONT, "titleFontSize": 12.5, "titleFontWeight": 600, "titleColor": INK}
    return {
        "aria": False,  # the chart's container has the text alternative
        "background": None,
        "font": FONT,
        "padding": 4,
        "axis": {
            **label,
            **title,
            "titlePadding": 10,
            "gridColor": FAINT,
            "domainColor": GREY,
            "tickColor": GREY,
            "tickSize": 4,
            "labelPadding": 5,
            "labelLimit": 220,
        },
        "axisXQuantitative": {"tickCount": {"expr": "ceil(width / 90)"}},
        "header": {**label, **title, "labelFontSize": 12.5, "labelFontWeight": 600},
        "legend": {**label, **title, "symbolSize": POINT, "orient": "bottom"},
        "title": {"font": FONT, "fontSize": 14, "color": INK, "anchor": "start"},
        "view": {"stroke": None},
        "point": {"size": POINT, "filled": True, "opacity": 0.92},
        "line": {"strokeWidth": LINE},
        "rule": {"color": GREY},
        "text": {"font": FONT, "fontSize": 11.5, "color": INK},
        "facet": {"spacing": 18},
    }


def source_opacity() -> alt.Opacity:
    """Published scores full, measured ones lighter."""
    import altair as alt

    return alt.Opacity(
        "source:O",
        title="Source",
        scale=alt.Scale(domain=["paper", "measured"], range=[0.92, 0.5]),
        legend=None,
    )
