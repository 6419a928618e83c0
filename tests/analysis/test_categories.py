import numpy as np
import pytest
from scipy import stats

from lossnets.analysis.attributes.categories import STUDIES

(CATEGORIES,) = STUDIES
KINDS = np.array(list("aabbccabcab"), dtype=object)


def study(frames):
    table = CATEGORIES.compute(frames)
    assert list(table.columns) == list(CATEGORIES.columns)
    return table


def of(table, attribute="kind", view="early"):
    return table[(table["attribute"] == attribute) & (table["view"] == view)]


def test_h_is_scipys_with_ties_and_gaps(made_frames):
    cells = np.random.default_rng(1).integers(0, 5, (11, 2, 3)).astype(float)
    cells[3, 0, 1] = np.nan
    table = of(study(made_frames(cells, {"kind": ("categorical", KINDS)})))
    for score, found in enumerate(table["kruskal_wallis_h"]):
        y = cells[:, 0, score]
        known = np.isfinite(y)
        samples = [y[known & (kind == KINDS)] for kind in "abc"]
        assert found == pytest.approx(stats.kruskal(*samples).statistic, rel=1e-5)
    assert table["n"].tolist() == [11, 10, 11]
    assert set(table["family"]) == {"kind, early, 3 scores"}


def test_categories_that_order_the_scores_are_found_and_named(made_frames):
    y = np.select([KINDS == "a", KINDS == "b"], [3.0, 2.0], 1.0) + np.linspace(0, 0.1, 11)
    table = of(study(made_frames(y[:, None, None], {"kind": ("categorical", KINDS)})), view="best")
    (row,) = table.to_dict("records")
    assert (row["best"], row["worst"], row["categories"]) == ("a", "c", 3)
    assert row["p_westfall_young"] < 0.01
    assert row["epsilon_squared"] > 0.85 > row["expected"]


def test_chance_finds_a_category_in_a_twentieth(made_frames):
    rng = np.random.default_rng(2)
    cells = rng.normal(size=(11, 1, 400))
    p = of(study(made_frames(cells, {"kind": ("categorical", KINDS)})))["p"]
    assert 0.02 < (p <= 0.05).mean() < 0.08


@pytest.mark.parametrize(
    ("kinds", "note"),
    [
        (["a"] * 4, "not computable, because the attribute is the same for all 4 architectures"),
        (list("abcd"), "not computable, because no two architectures are of one category"),
        (["a", "b", None, None], "not computable, because 2 architectures have both values"),
    ],
)
def test_what_cannot_be_compared_says_why(made_frames, kinds, note):
    kinds = np.array(kinds, dtype=object)
    table = study(made_frames(np.ones((4, 1, 1)), {"kind": ("categorical", kinds)}))
    (row,) = of(table).to_dict("records")
    assert row["note"].startswith(note)


def test_a_category_of_layers_is_compared_at_each_layer(made_frames):
    cells = np.random.default_rng(3).normal(size=(6, 2, 1))
    kinds = np.array([list("ab"), list("ab"), list("aa"), list("ba"), list("bb"), list("ba")])
    table = study(made_frames(cells, {"kind": ("categorical", kinds)}))
    own = table[table["attribute"] == "kind"]
    assert own["view"].drop_duplicates().tolist() == ["early", "semi_early"]
    assert set(own["level"]) == {"loss_network"}


def test_families_are_compared_without_anybody_registering_them(frames):
    table = study(frames)
    assert set(table["attribute"]) == {"family"}
    overall = table[(table["benchmark"] == "overall")]
    assert overall["best"].item() == "VGG"
    assert "Other" not in set(table["best"]) | set(table["worst"])
