import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lossnets.analysis.attributes.correlation import STUDIES, sweep
from lossnets.analysis.attributes.views import attributes, score_views

CORRELATION, BENCHMARKS = STUDIES


def study(frames, which=CORRELATION):
    table = which.compute(frames)
    assert list(table.columns) == list(which.columns)
    return table


@pytest.fixture(scope="module")
def published(frames):
    return study(frames)


def row(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    (found,) = table.to_dict("records")
    return found


def made(made_frames, attributes, n=6, layers=2, scores=3):
    cells = np.random.default_rng(0).normal(size=(n, layers, scores))
    return made_frames(cells, attributes)


def test_every_attribute_meets_every_score_in_every_view(published, frames):
    catalog = frames.attribute_catalog
    per_attribute = published.groupby("attribute").size()
    expected = catalog.set_index("attribute")["level"].map({"architecture": 6, "loss_network": 5})
    assert per_attribute.to_dict() == (expected * 19).to_dict()


def test_published_accuracy_against_2afc_agrees_with_scipy(published, frames):
    best = frames.scores[frames.scores["score"] == "bapps_2afc"]
    best = best.groupby("architecture")["value"].max()
    x = frames.architectures.set_index("architecture").loc[best.index, "imagenet_top1"]
    found = row(published, attribute="imagenet_top1", score="bapps_2afc", view="best")
    rho, tau, r = (
        f(x, best).statistic for f in (stats.spearmanr, stats.kendalltau, stats.pearsonr)
    )
    assert found["spearman"] == pytest.approx(rho)
    assert found["kendall"] == pytest.approx(tau)
    assert found["pearson"] == pytest.approx(r)
    assert found["pearson_p"] == pytest.approx(stats.pearsonr(x, best).pvalue)
    assert (found["n"], found["family_size"]) == (14, 19)


def test_families_are_adjusted_on_their_own(published):
    family = published[(published["attribute"] == "depth") & (published["view"] == "late")]
    assert set(family["family"]) == {"depth, late, 19 scores"}
    for name in ("spearman", "pearson"):
        expected = multipletests(family[f"{name}_p"], method="holm")[1]
        np.testing.assert_allclose(family[f"{name}_p_holm"], expected)


def test_false_discovery_rate_is_over_all_attributes_of_a_view(published):
    view = published[published["view"] == "best"]
    counted = view[view["same_as"].isna()]
    expected = multipletests(counted["spearman_p"], method="fdr_bh")[1]
    np.testing.assert_allclose(counted["spearman_p_benjamini_hochberg"], expected)
    assert set(view["explored"]) == {len(counted)} == {9 * 19}
    copies = view[view["same_as"].notna()]
    assert copies["spearman_p_benjamini_hochberg"].isna().all()
    assert set(copies["same_as"]) == {"imagenet_top1", "depth", "macs"}


def test_adding_an_attribute_changes_no_p_of_another(made_frames):
    first = {"a": ("numeric", np.arange(8.0))}
    holes = [np.nan, 5.0, 1, 2, 8, 3, 4, 0]
    alone = study(made(made_frames, first, n=8))
    both = study(made(made_frames, {"hole": ("numeric", holes)} | first, n=8))
    kept = both[both["attribute"] == "a"].reset_index(drop=True)
    explored = ["explored", "spearman_p_benjamini_hochberg"]
    pd.testing.assert_frame_equal(kept.drop(columns=explored), alone.drop(columns=explored))


def test_row_order_does_not_matter(frames, published):
    mixed = dataclasses.replace(
        frames,
        scores=frames.scores.sample(frac=1, random_state=1),
        architectures=frames.architectures.sample(frac=1, random_state=2),
        loss_networks=frames.loss_networks.sample(frac=1, random_state=3),
    )
    pd.testing.assert_frame_equal(study(mixed), published)


def test_same_seed_same_table_and_another_seed_another(made_frames):
    frames = made(made_frames, {"a": ("numeric", np.arange(9.0) ** 2)}, n=9)
    scores = score_views(frames.scores)
    numeric = attributes(frames, scores.architectures, "numeric")
    one, two, other = (sweep(numeric, scores, np.random.default_rng(s)) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one["spearman_p"].equals(other["spearman_p"])


def test_rank_columns_survive_a_monotone_transform_of_the_attribute(made_frames):
    x = np.array([3.0, 1, 4, 1.5, 9, 2.6])
    frames = made(made_frames, {"a": ("numeric", x), "b": ("numeric", np.exp(x))})
    table = study(frames)
    a, b = (table[table["attribute"] == name].reset_index() for name in "ab")
    for name in ("spearman", "spearman_p", "spearman_p_westfall_young", "kendall", "kendall_p"):
        np.testing.assert_allclose(a[name], b[name])
    assert not np.allclose(a["pearson"], b["pearson"])


def test_most_influential_is_the_one_whose_absence_changes_most(made_frames):
    cells = np.array([1.0, 2, 3, 4, 5, 6, -50]).reshape(7, 1, 1)
    table = study(made_frames(cells, {"a": ("numeric", np.arange(7.0))}))
    assert set(table["most_influential"]) == {"net06"}
    assert set(table["spearman_loo_high"]) == {1.0}


def test_most_influential_is_not_who_leaves_the_strongest_correlation(made_frames):
    """The last one makes the correlation: 0.32, and −0.09 without it."""
    cells = np.array([3.0, 6, 1, 5, 2, 4, 100]).reshape(7, 1, 1)
    table = study(made_frames(cells, {"a": ("numeric", np.arange(7.0))}))
    assert set(table["most_influential"]) == {"net06"}


def test_pairs_are_complete_pairs(made_frames):
    frames = made(made_frames, {"a": ("numeric", [1.0, 2, np.nan, 4, 5, 6])})
    frames.scores.loc[frames.scores["architecture"] == "net05", "value"] = np.nan
    frames = dataclasses.replace(frames, scores=frames.scores.dropna(subset="value"))
    assert set(study(frames)["n"]) == {4}


HARD = {
    "constant": ("a", [2.0] * 6, "not computable, because the attribute is the same for all 6"),
    "one known": ("a", [1.0] + [np.nan] * 5, "not computable, because 1 architecture has both"),
    "two known": ("a", [1.0, 2] + [np.nan] * 4, "not computable, because 2 architectures have"),
    "none known": ("a", [np.nan] * 6, "not computable, because 0 architectures have"),
    "three known": ("a", [1.0, 3, 2] + [np.nan] * 3, "intervals not computable, because only 3"),
    "four known": ("a", [1.0, 3, 2, 7] + [np.nan] * 2, "interval"),
    "infinite": ("a", [1.0, np.inf, 2, 5, 4, -np.inf], "2 infinite values of the attribute left"),
    "huge": ("a", [1e308, -1e308, 5e307, 1, 2, 3], ""),
    "hostile": ("a'; drop table x; -- </script>", [1.0, 2, 3, 5, 4, 6], ""),
}


@pytest.mark.parametrize("case", HARD)
def test_hard_attributes_keep_their_rows_and_say_why(made_frames, case):
    name, values, note = HARD[case]
    table = study(made(made_frames, {name: ("numeric", values)}))
    assert len(table) == 12  # four views of three scores
    assert set(table["attribute"]) == {name}
    assert table["note"].str.contains(note, regex=False).all()
    missing = table["spearman"].isna() | table["spearman_low"].isna()
    assert (table.loc[missing, "note"] != "").all()


def test_constant_scores_say_so(made_frames):
    table = study(made_frames(np.full((5, 2, 1), 0.5), {"a": ("numeric", np.arange(5.0))}))
    assert table["spearman"].isna().all()
    assert set(table["note"]) == {
        "not computable, because the score is the same for all 5 architectures"
    }


def test_two_architectures_are_too_few(made_frames):
    table = study(made(made_frames, {"a": ("numeric", [1.0, 2.0])}, n=2))
    assert set(table["note"]) == {
        "not computable, because 2 architectures have both values and 3 are needed"
    }


def test_no_attributes_are_stated(made_frames):
    for which in STUDIES:
        (note,) = study(made(made_frames, {}), which)["note"]
        assert note == "not computable, because there is no attribute of this kind"


def test_published_accuracy_goes_with_worse_perceptual_similarity(frames):
    table = study(frames, BENCHMARKS)
    found = row(table, attribute="imagenet_top1", benchmark="perceptual_similarity")
    assert found["spearman"] == pytest.approx(-0.821, abs=5e-4)
    assert found["spearman_p_westfall_young"] < 0.01
    overall = row(table, attribute="imagenet_top1", benchmark="overall")
    assert overall["spearman_low"] < 0 < overall["spearman_high"]
    assert (
        overall["spearman_bootstrap_low"] < overall["spearman"] < overall["spearman_bootstrap_high"]
    )
