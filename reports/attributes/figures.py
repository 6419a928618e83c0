"""Charts of the correlation study: heat maps and forest plots of attributes against scores."""

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
    rows,
    ticks,
    tooltips,
)

FOUND = "datum.spearman_p_westfall_young < 0.05"

CORRELATION = {
    "attribute_label:N": "Attribute",
    "score_label:N": "Score",
    "view:N": "View",
    "n:Q": "n",
    "spearman:Q": "Spearman",
    "spearman_low:Q": "95 % from",
    "spearman_high:Q": "to",
    "spearman_loo_low:Q": "Without one, from",
    "spearman_loo_high:Q": "to ",
    "most_influential:N": "Most influential",
    "spearman_p_westfall_young:Q": "p in the family",
    "family:N": "Family",
    "minimum_detectable_in_family:Q": "Detectable |ρ|, in the family",
    "note:N": "Note",
}


def attribute_map(
    frame: pd.DataFrame, attributes: Sequence[str], scores: Sequence[str]
) -> alt.TopLevelMixin:
    """Spearman's correlation of every attribute (down) with every score (across)."""
    return coefficient_map(
        frame,
        x="score_label",
        y="attribute_label",
        value="spearman",
        titles=CORRELATION,
        orders=(scores, attributes),
        mark=FOUND,
    )


def layer_map(
    frame: pd.DataFrame, views: Sequence[str], scores: Sequence[str]
) -> alt.TopLevelMixin:
    """One attribute's correlation with every score (down) in every view (across)."""
    return coefficient_map(
        frame,
        x="view_label",
        y="score_label",
        value="spearman",
        titles=CORRELATION,
        orders=(views, scores),
        mark=FOUND,
    )


def forest(frame: pd.DataFrame, attributes: Sequence[str]) -> alt.TopLevelMixin:
    """Spearman's correlation of each attribute with one score: interval, leave-one-out, power."""
    title = "Spearman’s ρ with the score"
    base = intervals(
        frame,
        y="attribute_label",
        order=attributes,
        interval=("spearman", "spearman_low", "spearman_high"),
        title=title,
        titles=CORRELATION,
        domain=(-1, 1),
    )
    left_out = (
        alt.Chart(frame)
        .mark_rule(strokeWidth=5 * theme.LINE, opacity=0.35, color=theme.HUES[0])
        .encode(
            y=rows("attribute_label", attributes),
            x=alt.X("spearman_loo_low:Q"),
            x2=alt.X2("spearman_loo_high:Q"),
        )
    )
    limits = ticks(
        frame,
        y="attribute_label",
        order=attributes,
        field="minimum_detectable_in_family",
        title=title,
    )
    return in_rows(alt.layer(limits, nought(frame), left_out, base), "attribute_label")


def placing_map(
    frame: pd.DataFrame, attributes: Sequence[str], benchmarks: Sequence[str]
) -> alt.TopLevelMixin:
    """Correlation of every attribute with the mean rank in each benchmark and overall."""
    titles = CORRELATION | {
        "spearman_bootstrap_low:Q": "Bootstrap 95 % from",
        "spearman_bootstrap_high:Q": "to  ",
        "benchmark_label:N": "Mean rank",
    }
    titles = {k: v for k, v in titles.items() if k not in ("score_label:N", "view:N")}
    return coefficient_map(
        frame,
        x="benchmark_label",
        y="attribute_label",
        value="spearman",
        titles=titles,
        orders=(benchmarks, attributes),
        mark=FOUND,
    )


def within_layer_map(
    frame: pd.DataFrame, attributes: Sequence[str], scores: Sequence[str]
) -> alt.TopLevelMixin:
    """Mean correlation between architectures at one layer, over all layers."""
    titles = {
        "attribute_label:N": "Attribute",
        "score_label:N": "Score",
        "n:Q": "Architectures",
        "within_layer:Q": "Within layers",
        "within_layer_low:Q": "95 % from",
        "within_layer_high:Q": "to",
        "within_layer_p_westfall_young:Q": "p in the family",
        "within_architecture:Q": "Within architectures",
        "within_architecture_p_westfall_young:Q": "p in the family ",
        "family:N": "Family",
        "note:N": "Note",
    }
    return coefficient_map(
        frame,
        x="score_label",
        y="attribute_label",
        value="within_layer",
        titles=titles,
        orders=(scores, attributes),
        mark="datum.within_layer_p_westfall_young < 0.05",
    )


def group_forest(frame: pd.DataFrame, scores: Sequence[str]) -> alt.TopLevelMixin:
    """Cliff's δ of one binary attribute on every score."""
    titles = {
        "attribute_label:N": "Attribute",
        "score_label:N": "Score",
        "n_with:Q": "With it",
        "n_without:Q": "Without",
        "mean_rank_with:Q": "Mean place with it",
        "mean_rank_without:Q": "without",
        "cliffs_delta:Q": "Cliff's δ",
        "cliffs_delta_low:Q": "95 % from",
        "cliffs_delta_high:Q": "to",
        "p:Q": "p",
        "p_westfall_young:Q": "p in the family",
        "family:N": "Family",
        "note:N": "Note",
    }
    base = intervals(
        frame,
        y="score_label",
        order=scores,
        interval=("cliffs_delta", "cliffs_delta_low", "cliffs_delta_high"),
        title="Cliff’s δ (right: those that have it place better)",
        titles=titles,
        domain=(-1, 1),
    )
    found = (
        alt.Chart(frame)
        .transform_filter("datum.p_westfall_young < 0.05")
        .mark_point(color=theme.HUES[1], shape=theme.SHAPES[3], size=1.6 * theme.POINT)
        .encode(x="cliffs_delta:Q", y=rows("score_label", scores), tooltip=tooltips(titles))
    )
    return in_rows(alt.layer(nought(frame), base, found), "score_label")


def partial_map(
    frame: pd.DataFrame, attributes: Sequence[str], scores: Sequence[str]
) -> alt.TopLevelMixin:
    """Rank correlations with one attribute held fixed."""
    titles = {
        "attribute_label:N": "Attribute",
        "given_label:N": "Held fixed",
        "score_label:N": "Score",
        "n:Q": "n",
        "spearman:Q": "Spearman, nothing fixed",
        "partial:Q": "Partial",
        "partial_low:Q": "95 % from",
        "partial_high:Q": "to",
        "p_holm:Q": "p in the family",
        "family:N": "Family",
        "note:N": "Note",
    }
    return coefficient_map(
        frame,
        x="score_label",
        y="attribute_label",
        value="partial",
        titles=titles,
        orders=(scores, attributes),
        mark="datum.p_holm < 0.05",
    )
