"""docs/statistics.md names every study and no other, and its table is what the code gives."""

import re
from pathlib import Path

import numpy as np
import pytest

from lossnets.analysis.attributes.groups import Splits, compare_groups
from lossnets.analysis.attributes.views import Scores
from lossnets.analysis.statistics.intervals import minimum_detectable
from lossnets.analysis.studies import STUDIES

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text()
TABLE = dict(re.findall(r"^\| (least .*|the same.*) \| ([\d.]+) \|$", PAGE, flags=re.MULTILINE))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_explained(name):
    assert f"`{name}`" in PAGE


def test_only_studies_and_columns_are_named():
    columns = {column for study in STUDIES.values() for column in study.columns}
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE))
    assert words - set(STUDIES) - columns == {"attribute_catalog"}


def test_detectable_correlations_are_what_the_code_gives():
    n = np.array(14.0)
    expected = [
        minimum_detectable(n, "spearman"),
        minimum_detectable(n, "spearman", 5),
        minimum_detectable(n, "spearman", 19),
        minimum_detectable(n, "pearson"),
    ]
    assert list(TABLE.values())[:4] == [f"{float(value):.2f}" for value in expected]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_least_p_values_are_those_of_a_group_that_leads(size):
    values = np.arange(14.0)[:, None]
    scores = Scores(
        architectures=tuple("abcdefghijklmn"),
        values=values,
        views=("best",),
        scores=("s",),
        benchmarks=("b",),
    )
    found = compare_groups(values[:, 0] >= 14 - size, scores, Splits(14, np.random.default_rng(0)))
    (printed,) = (p for row, p in TABLE.items() if row.startswith(f"least p, {size} "))
    assert float(printed) == pytest.approx(found["p"][0], abs=5e-4)


def test_sections_listed_at_the_top_exist():
    links = re.findall(r"\]\(#([a-z0-9-]+)\)", PAGE)
    headings = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    assert set(links) == {heading.lower().replace(" ", "-") for heading in headings}
