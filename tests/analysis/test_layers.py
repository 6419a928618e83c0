"""Best layers, their shares, agreement on them, and the swap argument."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from lossnets.analysis.frames.frames import LAYERS
from lossnets.analysis.layers.agreement import detectable_concordance, layer_agreement
from lossnets.analysis.layers.best_layers import (
    best_layers,
    layer_modes,
    layer_shares,
    most_frequent_p,
)
from lossnets.analysis.layers.swap import layer_swap, swap_statistic


def rng(seed=0):
    return np.random.default_rng(seed)


def tidy(cells, higher_is_better=True):
    """Rows of `score_means` of one score from (architectures, layers) values."""
    cells = np.asarray(cells, dtype=float)
    rows = [
        ("delineation", "s", higher_is_better, f"net{a:02}", "F", LAYERS[i], i + 1, cells[a, i])
        for a, i in np.ndindex(cells.shape)
    ]
    names = ["benchmark", "score", "higher_is_better", "architecture", "family"]
    frame = pd.DataFrame(rows, columns=[*names, "layer", "layer_position", "value"])
    return frame.assign(sd=np.nan, runs=1)


def test_every_layer_that_ties_is_named():
    table = best_layers(tidy([[1, 3, 3, 2], [4, 0, 0, 0]]))
    assert table["layers"].tolist() == ["semi_early, middle", "early"]
    assert table["layer_count"].tolist() == [2, 1]


def test_published_best_layers_are_those_of_the_warehouse(frames, paper_warehouse):
    ours = best_layers(frames.scores).set_index(["score", "architecture"])["layers"]
    theirs = paper_warehouse.query("select * from best_layers where source = 'paper'")
    theirs = theirs.set_index(["score", "architecture"])["layers"].map(", ".join)
    assert ours.to_dict() == theirs.to_dict()


def test_ties_share_an_architecture_between_layers():
    table = layer_shares(tidy([[1, 3, 3, 2], [4, 0, 0, 0], [0, 1, 0, 0]])).set_index("layer")
    assert table["count"].to_dict() == {"early": 1, "semi_early": 1.5, "middle": 0.5, "late": 0}
    assert table["least_count"].to_dict() == {"early": 1, "semi_early": 1, "middle": 0, "late": 0}
    assert table["greatest_count"].tolist() == [1, 2, 1, 0]
    assert table["share"].sum() == pytest.approx(1)


@given(hnp.arrays(int, (5, 4), elements=st.integers(0, 2)))
def test_shares_sum_to_one_and_lie_between_their_bounds(cells):
    table = layer_shares(tidy(cells))
    assert table["share"].sum() == pytest.approx(1)
    assert (table["least_count"] <= table["count"]).all()
    assert (table["count"] <= table["greatest_count"]).all()


def test_the_binomial_p_is_that_of_scipy():
    row = layer_modes(tidy([[9, 1, 1, 1]] * 5 + [[1, 1, 1, 9]] * 2)).iloc[0]
    expected = stats.binomtest(5, 7, 0.25, alternative="greater").pvalue
    assert (row["modal_layer"], row["count"]) == ("early", 5)
    assert (row["p_least"], row["p_greatest"]) == pytest.approx((expected, expected))


def test_ties_bound_the_binomial_p():
    row = layer_modes(tidy([[9, 1, 1, 1]] * 4 + [[9, 1, 1, 9]])).iloc[0]
    assert (row["least_count"], row["greatest_count"]) == (4, 5)
    assert row["p_least"] == pytest.approx(stats.binom.sf(4, 5, 0.25))
    assert row["p_greatest"] == pytest.approx(stats.binom.sf(3, 5, 0.25))


@pytest.mark.parametrize(
    ("count", "n", "k"), [(1, 3, 4), (2, 3, 4), (3, 5, 3), (6, 6, 2), (7, 6, 2)]
)
def test_the_chance_of_the_most_frequent_outcome_by_enumeration(count, n, k):
    outcomes = [max(np.bincount(draw)) >= count for draw in product(range(k), repeat=n)]
    assert most_frequent_p(count, n, k) == pytest.approx(np.mean(outcomes))


def test_the_most_frequent_of_a_thousand_outcomes_has_a_chance():
    one_of_two = stats.binom.cdf(540, 1000, 0.5) - stats.binom.cdf(459, 1000, 0.5)
    assert most_frequent_p(541, 1000, 2) == pytest.approx(1 - one_of_two)
    assert 0 < most_frequent_p(450, 1000, 4) < 1e-30


def test_the_detectable_share_has_the_power_of_the_test_that_is_reported(frames):
    row = layer_modes(frames.scores).iloc[0]
    critical = next(c for c in range(15) if most_frequent_p(c, 14, 4) < 0.05 / 19)
    assert row["detectable_share"] == pytest.approx(0.771, abs=1e-3)
    assert stats.binom.sf(critical - 1, 14, row["detectable_share"]) == pytest.approx(0.8)


def test_published_modal_layers(frames):
    modal = layer_modes(frames.scores).set_index("score")["modal_layer"]
    assert modal["bapps_2afc"] == "middle, late"
    assert modal["svhn_accuracy"] == "middle"
    assert modal["stl10_accuracy"] == "late"
    assert set(modal[modal.index.str.startswith("sr_")]) == {"early"}


def agreement(cells, **more):
    return layer_agreement(tidy(cells), rng(), **more).iloc[0]


@given(hnp.arrays(int, (6, 4), elements=st.integers(0, 3)))
def test_kendalls_w_is_friedmans_statistic_over_its_greatest(cells):
    row = agreement(cells, permutations=10)
    if (np.ptp(cells, axis=1) == 0).all():
        assert row["note"] == "not computable, because all layers tie in every architecture"
        return
    expected = stats.friedmanchisquare(*cells.T)
    assert row["chi2"] == pytest.approx(expected.statistic)
    assert row["p_chi2"] == pytest.approx(expected.pvalue)
    assert row["kendall_w"] == pytest.approx(expected.statistic / 18)


def test_the_mean_rho_is_that_of_all_pairs_of_architectures():
    cells = rng(4).normal(size=(5, 4))
    pairs = [stats.spearmanr(cells[i], cells[j])[0] for i in range(5) for j in range(i)]
    assert agreement(cells, permutations=10)["mean_rho"] == pytest.approx(np.mean(pairs))


def test_the_order_of_the_layers_is_given_best_first():
    row = agreement([[1, 2, 3, 4]] * 5)
    assert row["best_order"] == "late, middle, semi_early, early"
    assert row["kendall_w"] == 1.0
    assert row["p_permutation"] < 0.001


def test_architectures_agree_on_layers_in_all_but_delineation(frames):
    table = layer_agreement(frames.scores, rng()).set_index("score")
    disagreed = table.index[table["p_holm"] > 0.05]
    assert set(disagreed) == {
        "mrd_completeness",
        "mrd_correctness",
        "mrd_quality",
        "sr_x8_set5_psnr",
    }
    assert (table["family_size"] == 19).all()


def test_the_agreement_p_is_uniform_when_layers_do_not_matter():
    generator = rng(23)
    frame, p = tidy(np.zeros((8, 4))), []
    for _ in range(200):
        drawn = frame.assign(value=generator.normal(size=32))
        p.append(layer_agreement(drawn, generator, permutations=199)["p_permutation"].item())
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_the_detectable_concordance_has_the_power_it_says():
    w = detectable_concordance(14, 4)
    power = stats.ncx2.sf(stats.chi2.isf(0.05, 3), 3, 14 * 3 * w - 3)
    assert power == pytest.approx(0.8)
    assert detectable_concordance(14, 4, family=19) == pytest.approx(0.525, abs=1e-3)


def test_an_architecture_without_a_layer_is_left_out_by_name():
    cells = np.array([[1.0, 2, 3, 4]] * 5)
    cells[0, 3] = np.nan
    row = agreement(cells, permutations=10)
    assert row["architectures"] == 4
    assert row["note"] == "left out for missing scores: architectures net00"


def test_the_swap_is_worst_at_its_best_against_best_at_its_worst():
    assert swap_statistic(np.array([[9.0, 1.0], [5.0, 4.0], [7.0, 0.0]])) == 5.0 - 1.0


def test_architectures_that_tie_for_best_count_with_their_lowest_layer():
    assert swap_statistic(np.array([[9.0, 8.0], [9.0, 2.0], [3.0, 1.0]])) == 3.0 - 2.0


def test_the_swap_names_its_architectures_and_their_values():
    row = layer_swap(tidy([[9, 1], [5, 4], [7, 0]]), rng(), shuffles=50).iloc[0]
    assert (row["worst_architecture"], row["its_best"]) == ("net01", 5.0)
    assert (row["best_architecture"], row["its_worst"]) == ("net00", 1.0)


def test_the_swap_of_a_score_of_which_less_is_better():
    row = layer_swap(tidy([[9, 1], [5, 4], [7, 0]], False), rng(), shuffles=50).iloc[0]
    assert (row["worst_architecture"], row["its_best"]) == ("net01", 4.0)
    assert (row["best_architecture"], row["its_worst"]) == ("net02", 7.0)
    assert row["difference"] > 0


def test_the_null_of_the_swap_is_that_of_all_shuffles():
    cells = np.array([[1.0, 2.0], [4.0, 7.0]])
    row = layer_swap(tidy(cells), rng(), shuffles=20_000).iloc[0]
    flat = cells.ravel() / cells.std(ddof=1)
    orders = np.array([p for p in product(range(4), repeat=4) if len(set(p)) == 4])
    null = swap_statistic(flat[orders].T.reshape(2, 2, -1))
    observed = swap_statistic(cells / cells.std(ddof=1))
    assert row["difference"] == pytest.approx(observed)
    assert row["p_greater"] == pytest.approx(np.mean(null >= observed - 1e-9), abs=0.015)
    assert row["p_less"] == pytest.approx(np.mean(null <= observed + 1e-9), abs=0.015)


def test_the_published_swap_never_leaves_what_shuffled_cells_give(frames):
    table = layer_swap(frames.scores, rng())
    assert (table["difference"] > table["null_low"]).all()
    assert (table["difference"] < table["null_high"]).all()
    assert (table["difference"] > 0).sum() == 18
