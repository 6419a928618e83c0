"""The paper's figures: a DataFrame in, an Altair chart out."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import ordered

LAYER_LABEL = "replace(datum.label, '_', '-')"


def layer_order(frame: pd.DataFrame) -> list[str]:
    """Extraction layers from the input on; layers without a position last."""
    layers = frame[["layer_position", "layer"]].drop_duplicates("layer")
    return ordered(layers.sort_values(["layer_position", "layer"], na_position="last")["layer"])


def layers_axis(frame: pd.DataFrame) -> alt.X:
    """Extraction layers as the horizontal axis of a small panel."""
    axis = alt.Axis(labelExpr=LAYER_LABEL, labelAngle=-45, title=None, grid=False)
    return alt.X("layer:N", sort=layer_order(frame), axis=axis, scale=alt.Scale(padding=0.4))


def score_by_layer(frame: pd.DataFrame, all_of_them: pd.DataFrame) -> alt.TopLevelMixin:
    """Figure 2: one panel an architecture, its score by extraction layer over the others' in grey.

    frame, all_of_them: columns score, source, name, architecture, family, layer, layer_position,
    value, best; `frame` those that get a panel. Where there are others, a band holds 90 % of all.
    """
    families = ordered(frame["family"])
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4))
    width, height = theme.PANEL
    base = alt.Chart().encode(  # its data are the facets'
        x=layers_axis(frame),
        y=y,
        color=alt.Color("family:N", title="Family", scale=theme.color(families)),
        tooltip=[
            alt.Tooltip("name:N", title="Architecture"),
            alt.Tooltip("layer:N", title="Layer"),
            alt.Tooltip("label:N", title="Score"),
            alt.Tooltip("value:Q", title="Value"),
            alt.Tooltip("source:N", title="Source"),
        ],
    )
    lines = base.mark_line().encode(
        strokeDash=alt.StrokeDash("source:N", title="Source", sort=["paper", "measured"])
    )
    points = base.mark_point(filled=True, opacity=1).encode(
        shape=alt.Shape("family:N", title="Family", scale=theme.shape(families)),
        size=alt.condition("datum.best", alt.value(1.6 * theme.POINT), alt.value(theme.POINT / 3)),
    )
    context = _band(frame, all_of_them) if len(frame) < len(all_of_them) else _lines(frame, y)
    panels = alt.layer(context, lines, points).properties(width=width, height=height)
    facet = alt.Facet("name:N", sort=ordered(frame["name"]), title=None)
    return panels.facet(facet=facet, columns=7, data=frame)


def _lines(frame: pd.DataFrame, y: alt.Y) -> alt.Chart:
    """Every architecture as a faint line."""
    others = frame[["score", "source", "architecture", "layer", "value"]].copy()
    return (
        alt.Chart(others)
        .mark_line(color=theme.GREY, opacity=0.22, strokeWidth=1)
        .encode(x=layers_axis(frame), y=y, detail=["architecture:N", "source:N"])
    )


def _band(frame: pd.DataFrame, all_of_them: pd.DataFrame) -> alt.Chart:
    """Where nine in ten of very many architectures lie, at the layers that the panels have."""
    values = all_of_them[all_of_them["layer"].isin(frame["layer"])].groupby(["score", "layer"])
    low, high = values["value"].quantile(0.05), values["value"].quantile(0.95)
    limits = pd.DataFrame({"low": low, "high": high}).reset_index()
    return (
        alt.Chart(limits)
        .mark_area(color=theme.GREY, opacity=0.22)
        .encode(x=layers_axis(frame), y=alt.Y("low:Q", title=None), y2="high:Q")
    )


def svhn_against_stl10(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """Figure 3: accuracy on SVHN against STL-10, one mark a loss network, by extraction layer.

    frame: columns name, layer, layer_position, source, svhn_accuracy, stl10_accuracy.
    """
    layers = layer_order(frame)
    base = alt.Chart(frame).encode(
        x=alt.X("stl10_accuracy:Q", title="STL-10 accuracy", scale=alt.Scale(zero=False)),
        y=alt.Y("svhn_accuracy:Q", title="SVHN accuracy", scale=alt.Scale(zero=False)),
    )
    points = base.mark_point().encode(
        color=alt.Color("layer:N", title="Layer", scale=theme.color(layers)),
        shape=alt.Shape("layer:N", title="Layer", scale=theme.shape(layers)),
        opacity=theme.source_opacity(),
        tooltip=[
            alt.Tooltip("name:N", title="Architecture"),
            alt.Tooltip("layer:N", title="Layer"),
            alt.Tooltip("svhn_accuracy:Q", title="SVHN"),
            alt.Tooltip("stl10_accuracy:Q", title="STL-10"),
            alt.Tooltip("source:N", title="Source"),
        ],
    )
    ends = [f"{end}_{field}" for end in ("min", "max") for field in ("svhn", "stl10")]
    names = (
        base.transform_joinaggregate(
            min_svhn="min(svhn_accuracy)",
            max_svhn="max(svhn_accuracy)",
            min_stl10="min(stl10_accuracy)",
            max_stl10="max(stl10_accuracy)",
        )
        .transform_filter(" || ".join(f"datum.{end} === datum.{end[4:]}_accuracy" for end in ends))
        .mark_text(align="right", dx=-8)
        .encode(text="name:N")
    )
    return (points + names).properties(width="container", height=theme.HEIGHT)


def similarity_against_macs(frame: pd.DataFrame, families: Sequence[str]) -> alt.TopLevelMixin:
    """Figure 4: 2AFC against multiply-accumulates up to the layer; a line joins an architecture.

    frame: columns name, architecture, family, layer, layer_position, source, bapps_2afc, macs.
    """
    base = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.macs)")
        .encode(
            x=alt.X(
                "macs:Q",
                title="Multiply-accumulates (MACs)",
                scale=alt.Scale(type="log", nice=False, padding=12),
                axis=alt.Axis(format="~s", tickCount=6),
            ),
            y=alt.Y("bapps_2afc:Q", title="2AFC", scale=alt.Scale(zero=False)),
            color=alt.Color("family:N", title="Family", scale=theme.color(families)),
            detail=["architecture:N", "source:N"],
        )
    )
    tooltip = [
        alt.Tooltip("name:N", title="Architecture"),
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("bapps_2afc:Q", title="2AFC"),
        alt.Tooltip("macs:Q", title="MACs", format=".3s"),
        alt.Tooltip("source:N", title="Source"),
    ]
    # in order of cost, since a layer of one's own has no position
    lines = base.mark_line(opacity=0.45).encode(order="macs:Q")
    points = base.mark_point().encode(
        shape=alt.Shape("family:N", title="Family", scale=theme.shape(families)),
        opacity=theme.source_opacity(),
        tooltip=tooltip,
    )
    names = (
        base.transform_window(place="rank()", sort=[alt.SortField("bapps_2afc", "descending")])
        .transform_filter(f"datum.place <= {theme.NAMED}")
        .mark_text(align="right", dx=-9, dy=-5, opacity=theme.room_for_names())
        .encode(text="name:N", color=alt.value(theme.INK))
    )
    return (lines + points + names).properties(width="container", height=theme.HEIGHT)


def quality_against_accuracy(frame: pd.DataFrame, families: Sequence[str]) -> alt.TopLevelMixin:
    """Figure 5: the best MRD quality of an architecture against its ImageNet accuracy.

    frame: columns name, family, attribute, accuracy, mrd_quality, source; two rows an architecture
    where printed and measured accuracy are known: a rule joins them.
    """
    base = alt.Chart(frame).encode(
        x=alt.X("accuracy:Q", title="ImageNet top-1 accuracy (%)", scale=alt.Scale(zero=False)),
        y=alt.Y("mrd_quality:Q", title="Best MRD quality (%)", scale=alt.Scale(zero=False)),
        detail=["name:N", "source:N"],
    )
    labels = {"paper_imagenet_top1": "printed", "imagenet_top1": "torchvision's"}
    rules = base.mark_line(color=theme.GREY, strokeWidth=1, strokeDash=[3, 3])
    said = "datum.attribute === 'imagenet_top1' ? 'torchvision’s' : 'as printed'"
    points = (
        base.transform_calculate(**{"from": said})
        .mark_point()
        .encode(
            color=alt.Color("family:N", title="Family", scale=theme.color(families)),
            shape=alt.Shape("family:N", title="Family", scale=theme.shape(families)),
            opacity=alt.Opacity(
                "attribute:O",
                title="ImageNet accuracy",
                scale=alt.Scale(domain=list(labels), range=[0.45, 1]),
            ),
            tooltip=[
                alt.Tooltip("name:N", title="Architecture"),
                alt.Tooltip("accuracy:Q", title="ImageNet top-1"),
                alt.Tooltip("from:N", title="Accuracy"),
                alt.Tooltip("mrd_quality:Q", title="MRD quality"),
                alt.Tooltip("layers:N", title="Best layer"),
                alt.Tooltip("source:N", title="Source"),
            ],
        )
    )
    last = frame.drop_duplicates(["source", "name"], keep="last")[
        ["source", "name", "family", "accuracy", "mrd_quality"]
    ].copy()
    last["left"] = crowded_on_the_right(last["accuracy"], last["mrd_quality"])
    names = alt.Chart(last).encode(x="accuracy:Q", y="mrd_quality:Q", text="name:N")
    left = names.mark_text(align="right", dx=-8, dy=-8).transform_filter("datum.left")
    right = names.mark_text(align="left", dx=9).transform_filter("!datum.left")
    return (rules + points + left + right).properties(width="container", height=theme.HEIGHT)


def crowded_on_the_right(x: pd.Series, y: pd.Series) -> list[bool]:
    """For each point, whether a name to its right would run into another point or the edge.

    >>> crowded_on_the_right(pd.Series([0.0, 1.0, 10.0]), pd.Series([0.0, 0.1, 10.0]))
    [True, False, True]
    """
    edge = x.max() - 0.1 * (x.max() - x.min())
    near_x, near_y = 0.15 * (x.max() - x.min()), 0.06 * (y.max() - y.min())
    points = list(zip(x, y, strict=True))
    return [
        bool(a > edge or any(0 < c - a < near_x and abs(d - b) < near_y for c, d in points))
        for a, b in points
    ]
