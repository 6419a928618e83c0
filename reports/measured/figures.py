"""Charts of measured runs: a DataFrame in, an Altair chart out."""

from __future__ import annotations

import altair as alt
import pandas as pd

from lossnets.analysis.frames.frames import LAYERS
from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import in_rows, ordered, rows, tooltips

KINDS = ("measured", "collapsed", "preset")
SPLITS = ("train", "validation")


def intervals(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """A row per loss network and run: its score, the interval, and the published score.

    frame: columns row, kind, score_label, value, low, high, published, items.
    """
    titles = {
        "row:N": "Loss network",
        "score_label:N": "Score",
        "value:Q": "Measured",
        "low:Q": "Interval from",
        "high:Q": "to",
        "items:Q": "Items",
        "published:Q": "Published",
    }
    or_value = "isValid(datum.{0}) ? datum.{0} : datum.value"  # the axis needs numbers
    base = (
        alt.Chart(frame)
        .transform_calculate(
            **{f"{field}_end": or_value.format(field) for field in ("low", "high", "published")}
        )
        .encode(
            y=rows("row", ordered(frame["row"])),
            color=alt.Color("kind:N", title="Runs", scale=theme.color(KINDS)),
            tooltip=tooltips(titles),
        )
    )
    line = base.mark_rule(strokeWidth=theme.LINE).encode(x=_score("low_end:Q"), x2="high_end:Q")
    dot = base.mark_point(opacity=1).encode(
        x=_score("value:Q"), shape=alt.Shape("kind:N", title="Runs", scale=theme.shape(KINDS))
    )
    published = base.mark_point(
        shape="diamond", filled=False, size=1.8 * theme.POINT, strokeWidth=2
    ).encode(
        x=_score("published_end:Q"),
        color=alt.value(theme.GREY),
        opacity=alt.condition("isValid(datum.published)", alt.value(1), alt.value(0)),
    )
    return in_rows(alt.layer(line, published, dot), "row")


def _score(field: str) -> alt.X:
    return alt.X(field, title="Score", scale=alt.Scale(zero=False))


def learning_curves(frame: pd.DataFrame) -> alt.TopLevelMixin:
    """A line per run and split, by epoch; a gap where a value was no number.

    frame: columns run_id, name, layer, kind, seed, epoch, split, quantity, value.
    """
    titles = {
        "name:N": "Architecture",
        "layer:N": "Layer",
        "seed:N": "Seed",
        "kind:N": "Run",
        "split:N": "Images",
        "epoch:Q": "Epoch",
        "value:Q": "Value",
    }
    base = alt.Chart(frame).encode(
        x=alt.X(
            "epoch:Q",
            title="Epoch",
            axis=alt.Axis(labelExpr="datum.value % 1 ? '' : datum.label", format="d"),
            scale=alt.Scale(zero=False),
        ),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color("layer:N", title="Layer", scale=theme.color(layers(frame))),
        detail=["run_id:N"],
        opacity=alt.condition("datum.kind === 'measured'", alt.value(1), alt.value(0.45)),
        tooltip=tooltips(titles),
    )
    dashes = alt.Scale(domain=list(SPLITS), range=[[3, 3], [1, 0]])
    lines = base.mark_line().encode(
        strokeDash=alt.StrokeDash("split:N", title="Images", scale=dashes)
    )
    points = base.mark_point(size=theme.POINT / 4).encode(
        shape=alt.Shape("layer:N", title="Layer", scale=theme.shape(layers(frame)))
    )
    return (lines + points).properties(width="container", height=theme.HEIGHT)


def layers(frame: pd.DataFrame) -> list[str]:
    """The extraction layers that occur, the paper's from the input on, others after by name."""
    found = set(ordered(frame["layer"]))
    return [layer for layer in LAYERS if layer in found] + sorted(found - set(LAYERS))
