"""Charts of the layer study: shares, agreement, variance, the swap argument."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import in_rows, intervals, nought, rows, tooltips

EFFECTS = {"omega2_layer": "layer", "omega2_architecture": "architecture"}


def best_layer_shares(
    frame: pd.DataFrame, scores: Sequence[str], layers: Sequence[str]
) -> alt.TopLevelMixin:
    """For each score, the share of architectures that each layer is best for, ties shared."""
    chart = (
        alt.Chart(frame)
        .mark_bar(opacity=0.85)
        .encode(
            y=alt.Y(
                "score_label:N",
                sort=list(scores),
                axis=alt.Axis(title=None, domain=False, ticks=False),
                scale=alt.Scale(paddingInner=0.25),
            ),
            x=alt.X(
                "share:Q",
                title="Share of the architectures that a layer is best for",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%"),
            ),
            color=alt.Color("layer:N", title="Layer", scale=theme.color(layers)),
            order=alt.Order("layer_position:Q"),
            tooltip=tooltips(
                {
                    "score_label:N": "Score",
                    "layer:N": "Layer",
                    "count:Q": "Architectures, ties shared",
                    "share:Q": "Share",
                }
            ),
        )
    )
    return in_rows(chart, "score_label")


def layer_agreement(frame: pd.DataFrame, scores: Sequence[str]) -> alt.TopLevelMixin:
    """Kendall's W per score, and the least W that so many architectures would show."""
    titles = {
        "score_label:N": "Score",
        "kendall_w:Q": "Kendall's W",
        "detectable_w:Q": "Detectable W",
        "p_holm:Q": "p, Holm",
        "best_order:N": "Layers, best first",
        "note:N": "Note",
    }
    base = alt.Chart(frame).encode(y=rows("score_label", scores), tooltip=tooltips(titles))
    scale = alt.Scale(domain=[0, 1])
    title = "Kendall’s W: agreement on the order of layers"
    dots = (
        base.transform_filter("isValid(datum.kendall_w)")
        .mark_point()
        .encode(
            x=alt.X("kendall_w:Q", title=title, scale=scale),
            color=alt.condition(
                "datum.p_holm < 0.05", alt.value(theme.HUES[0]), alt.value(theme.GREY)
            ),
        )
    )
    limit = base.mark_tick(color=theme.GREY, thickness=theme.LINE).encode(
        x=alt.X("detectable_w:Q", title=title, scale=scale)
    )
    gap = (
        base.transform_filter("!isValid(datum.kendall_w)")
        .mark_text(text="– no value", align="left", dx=6)
        .encode(x=alt.value(0))
    )
    return in_rows(alt.layer(limit, dots, gap), "score_label")


def layer_variance(frame: pd.DataFrame, scores: Sequence[str]) -> alt.TopLevelMixin:
    """ω² of the layer and of the architecture, joined by a rule, for each score."""
    titles = {
        "score_label:N": "Score",
        "omega2_layer:Q": "ω² of the layer",
        "omega2_architecture:Q": "ω² of the architecture",
        "difference:Q": "Difference",
        "low:Q": "95 % from",
        "high:Q": "to",
        "p_nonadditivity:Q": "p of non-additivity",
        "note:N": "Note",
    }
    names = list(EFFECTS.values())
    title = "ω²: share of the variance of a score’s cells"
    base = alt.Chart(frame).encode(y=rows("score_label", scores), tooltip=tooltips(titles))
    line = base.mark_rule(strokeWidth=theme.LINE).encode(
        x=alt.X("omega2_architecture:Q", title=title),
        x2=alt.X2("omega2_layer:Q"),
    )
    dots = (
        base.transform_fold(list(EFFECTS), as_=["effect_id", "share"])
        .transform_calculate(effect="datum.effect_id == 'omega2_layer' ? 'layer' : 'architecture'")
        .transform_filter("isValid(datum.share)")
        .mark_point()
        .encode(
            x=alt.X("share:Q", title=title),
            color=alt.Color("effect:N", title="Explained by the", scale=theme.color(names)),
            shape=alt.Shape("effect:N", title="Explained by the", scale=theme.shape(names)),
        )
    )
    return in_rows(alt.layer(line, dots), "score_label")


def layer_swap(frame: pd.DataFrame, scores: Sequence[str]) -> alt.TopLevelMixin:
    """The observed difference of the swap argument over what shuffled cells give."""
    titles = {
        "score_label:N": "Score",
        "worst_architecture:N": "Worst architecture",
        "its_best:Q": "its best layer",
        "best_architecture:N": "Best architecture",
        "its_worst:Q": "its worst layer",
        "difference:Q": "Difference (sd)",
        "null_low:Q": "95 % of shuffles from",
        "null_high:Q": "to",
        "p_greater:Q": "p",
        "note:N": "Note",
    }
    base = intervals(
        frame,
        y="score_label",
        order=scores,
        interval=("difference", "null_low", "null_high"),
        title="Worst architecture at its best layer − best at its worst (sd of the score’s cells)",
        titles=titles,
    )
    return in_rows(alt.layer(nought(frame), base), "score_label")
