"""The charts: valid Vega-Lite, no look of their own, data by name."""

from __future__ import annotations

import json
import re

import altair as alt
import pandas as pd
import pytest

from lossnets.reports.page import bundle, theme
from lossnets.reports.paper import figures


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("hue", theme.HUES)
@pytest.mark.parametrize("page", ["#ffffff", "#14181d"])
def test_every_hue_stands_out_on_light_and_dark_pages(hue, page):
    assert contrast(hue, page) >= 3


def test_categories_never_share_hue_and_shape_up_to_thirty_five():
    marks = theme.marks([str(number) for number in range(35)])
    assert len(set(marks.values())) == 35


def test_layers_come_in_the_order_of_their_position_and_unplaced_ones_last():
    frame = pd.DataFrame(
        {"layer": ["late", "stage", "early", "late"], "layer_position": [4, None, 1, 4]}
    )
    assert figures.layer_order(frame) == ["early", "late", "stage"]


def test_the_bundle_is_of_the_vega_lite_that_altair_writes():
    assert alt.SCHEMA_VERSION.removeprefix("v").startswith(bundle.VEGA_LITE)


def test_a_facet_holds_its_own_points_over_everyones_lines(report):
    page = (report / "index.html").read_text()
    block = json.loads(re.search(r'id="data">(.*?)</script>', page).group(1))
    spec = block["charts"]["figure_02"]
    assert spec["data"] == {"name": "figure_02"}
    context, lines, points = spec["spec"]["layer"]
    assert context["data"]["name"] != "figure_02"
    assert "data" not in lines
    assert "data" not in points
    assert "config" not in spec
