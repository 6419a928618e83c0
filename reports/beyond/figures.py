"""Charts of what lies beyond: the noise of trainings, and predictions of what was left out."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.study_figures import in_rows, intervals, nought, rows, tooltips


def noise(frame: pd.DataFrame, order: Sequence[str]) -> alt.TopLevelMixin:
    """Noise of each training over what sets architectures apart, and the line where they equal."""
    chart = intervals(
        frame,
        y="label",
        order=order,
        interval=("sd_ratio", "low", "high"),
        title="Noise over the spread of architectures (standard deviations)",
        titles={
            "label:N": "Training",
            "method:N": "From",
            "sd_ratio:Q": "Ratio",
            "low:Q": "95 % from",
            "high:Q": "to",
            "df:Q": "Degrees of freedom",
            "without_low:Q": "Without one, from",
            "without_high:Q": "to ",
            "p_same_winner:Q": "P(same winner)",
            "runs_needed:Q": "Runs needed",
            "note:N": "Note",
        },
    )
    equal = (
        alt.Chart(frame)
        .transform_aggregate(rows="count()")
        .mark_rule(strokeDash=[3, 3])
        .encode(x=alt.datum(1))
    )
    return in_rows(alt.layer(equal, chart), "label")


def prediction(
    frame: pd.DataFrame, attributes: Sequence[str], models: Sequence[str]
) -> alt.TopLevelMixin:
    """The share of the error that each attribute takes off, one line for all layers or one each."""
    dots = (
        alt.Chart(frame)
        .transform_filter("isValid(datum.gain)")
        .mark_point()
        .encode(
            x=alt.X("gain:Q", title="Share of the error at the layer that it avoids"),
            y=rows("attribute_label", attributes),
            color=alt.Color("model:N", title="Model", scale=theme.color(models)),
            shape=alt.Shape("model:N", title="Model", scale=theme.shape(models)),
            tooltip=tooltips(
                {
                    "attribute_label:N": "Attribute",
                    "model:N": "Model",
                    "q2:Q": "Q²",
                    "gain:Q": "Gain over the layer alone",
                    "p_holm:Q": "p, Holm",
                    "family_size:Q": "Family",
                    "note:N": "Note",
                }
            ),
        )
    )
    return in_rows(alt.layer(nought(frame), dots), "attribute_label")
