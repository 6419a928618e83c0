"""Correlations between scores and between benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from lossnets.analysis.between.benchmarks import (
    benchmark_agreement,
    benchmark_correlations,
    benchmark_prediction,
    pools,
)
from lossnets.analysis.between.score_correlations import (
    participation_ratio,
    score_correlations,
    score_dimensions,
    spearman_matrix,
)
from lossnets.analysis.frames.frames import BENCHMARKS
from lossnets.analysis.ranking.differences import friedman_table


def rng(seed=0):
    return np.random.default_rng(seed)


def tidy(columns, families=None):
    """Rows of `score_means`, one layer: {(benchmark, score): values of the architectures}."""
    rows = []
    for (benchmark, score), values in columns.items():
        for a, value in enumerate(values):
            family = families[a] if families else "F"
            rows.append((benchmark, score, f"net{a:02}", family, value))
    frame = pd.DataFrame(rows, columns=["benchmark", "score", "architecture", "family", "value"])
    return frame.assign(higher_is_better=True, layer="late", layer_position=4, sd=np.nan, runs=1)


def one_each(values):
    """One score in each of the four benchmarks from (4, architectures) values."""
    return {(name, name[:3]): row for name, row in zip(BENCHMARKS, values, strict=True)}


@settings(deadline=None)
@given(hnp.arrays(float, (6, 3), elements=st.sampled_from([0.0, 1.0, 2.0, np.nan])))
def test_each_pair_is_correlated_as_scipy_does(values):
    found = spearman_matrix(values)
    for i in range(3):
        for j in range(i):
            both = ~np.isnan(values[:, [i, j]]).any(axis=1)
            x, y = values[both, i], values[both, j]
            if both.sum() < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
                assert np.isnan(found[i, j])
            else:
                assert found[i, j] == pytest.approx(stats.spearmanr(x, y)[0])


def test_infinite_values_are_ranked():
    values = np.array([[1.0, np.inf], [2.0, 3.0], [np.inf, -np.inf]])
    assert spearman_matrix(values)[0, 1] == pytest.approx(-1.0)


def test_scores_are_correlated_at_the_best_layer_and_over_all_cells(frames):
    table = score_correlations(frames.scores).set_index(["view", "first", "second"])
    wide = frames.scores.pivot(index=["architecture", "layer"], columns="score", values="value")
    best = wide.groupby("architecture").max()
    for view, values, n in (("best_layer", best, 14), ("all_cells", wide, 56)):
        expected = stats.spearmanr(values["bapps_2afc"], values["bapps_jnd"])
        row = table.loc[(view, "bapps_2afc", "bapps_jnd")]
        assert (row["rho"], row["n"]) == (pytest.approx(expected.statistic), n)
        if view == "best_layer":
            assert row["p_value"] == pytest.approx(expected.pvalue)
    assert table.loc["all_cells"]["p_value"].isna().all()
    assert set(table.loc["best_layer"]["family_size"]) == {171}


def test_the_matrix_is_symmetric(frames):
    table = score_correlations(frames.scores)
    for view in ("best_layer", "all_cells"):
        own = table[table["view"] == view].pivot(index="first", columns="second", values="rho")
        assert (own == own.T).all().all()
        assert np.diag(own) == pytest.approx(np.ones(19))


def test_the_participation_ratio_is_that_of_the_eigenvalues():
    matrix = np.corrcoef(rng(1).normal(size=(5, 20)))
    eigenvalues = np.linalg.eigvalsh(matrix)
    expected = eigenvalues.sum() ** 2 / np.sum(eigenvalues**2)
    assert participation_ratio(matrix) == pytest.approx(expected)


def test_independent_scores_give_their_reference_and_the_correction_finds_them_all():
    found = []
    for seed in range(60):
        values = rng(seed).normal(size=(6, 14))
        table = score_dimensions(tidy({("delineation", f"s{i}"): v for i, v in enumerate(values)}))
        found.append(table.iloc[0][["participation_ratio", "if_independent", "corrected"]])
    means = pd.DataFrame(found).astype(float).mean()
    assert means["participation_ratio"] == pytest.approx(means["if_independent"], abs=0.2)
    assert means["corrected"] > 5.3


def test_the_published_scores_are_worth_four_or_five(frames):
    table = score_dimensions(frames.scores).set_index(["view", "scope"])
    row = table.loc[("best_layer", "all")]
    assert (row["scores"], row["architectures"]) == (19, 14)
    assert row["participation_ratio"] == pytest.approx(3.774, abs=1e-3)
    assert row["if_independent"] == pytest.approx(19**2 / (19 + 19 * 18 / 13))
    assert row["low"] < row["participation_ratio"] < row["high"]


def test_mean_ranks_are_taken_anew_without_a_family():
    columns = one_each([[1.0, 2, 3, 4, 5]] * 4)
    by_name = {pool.name: pool for pool in pools(tidy(columns, ["A", "A", "B", "B", "B"]))}
    assert list(by_name) == ["all", "without A", "without B"]
    assert by_name["without A"].means[:, 0].tolist() == [3.0, 2.0, 1.0]
    assert by_name["without B"].fault == (
        "it takes three architectures and two benchmarks, and there are 2 and 4"
    )


def test_a_benchmark_is_told_by_the_mean_over_the_others():
    values = rng(4).normal(size=(4, 9))
    scores = tidy(one_each(values))
    table = benchmark_prediction(scores, rng(), count=5_000).set_index(["pool", "benchmark"])
    ranks = stats.rankdata(-values, axis=1)
    expected = stats.spearmanr(ranks[1], np.delete(ranks, 1, axis=0).mean(axis=0))
    row = table.loc[("all", "super_resolution")]
    assert row["rho"] == pytest.approx(expected.statistic)
    assert row["p_permutation"] == pytest.approx(expected.pvalue, abs=0.03)
    assert row["family_size"] == 4


def test_pairs_of_benchmarks_are_correlated_by_mean_ranks():
    values = rng(5).normal(size=(4, 9))
    table = benchmark_correlations(tidy(one_each(values))).query("pool == 'all'")
    assert len(table) == 6
    row = table.iloc[0]
    expected = stats.spearmanr(values[0], values[1])
    assert (row["first"], row["second"]) == BENCHMARKS[:2]
    assert (row["rho"], row["p_value"]) == pytest.approx(tuple(expected))


def test_agreement_is_friedmans_over_benchmarks():
    values = rng(6).normal(size=(4, 9))
    row = benchmark_agreement(tidy(one_each(values)), rng(), count=100).iloc[0]
    expected = stats.friedmanchisquare(*values.T)
    assert row["chi2"] == pytest.approx(expected.statistic)
    assert row["kendall_w"] == pytest.approx(expected.statistic / (4 * 8))
    pairs = [stats.spearmanr(values[i], values[j])[0] for i in range(4) for j in range(i)]
    assert row["mean_rho"] == pytest.approx(np.mean(pairs))


def test_published_benchmarks_agree_because_of_the_vggs_alone(frames):
    table = benchmark_agreement(frames.scores, rng()).set_index("pool")
    assert table.loc["all", "p_permutation"] < 0.01
    assert table.loc["without VGG", "p_permutation"] > 0.4
    assert table.loc["without VGG", "n"] == 10


def test_the_same_test_has_the_same_p_in_both_studies(frames):
    agreed = benchmark_agreement(frames.scores, rng(7)).set_index("pool").loc["all"]
    differ = friedman_table(frames.scores, rng(7)).set_index("blocks").loc["benchmarks"]
    assert agreed["p_permutation"] == differ["p_permutation"]


def test_the_detectable_correlation_is_that_of_the_adjusted_test(frames):
    found = benchmark_prediction(frames.scores, rng(), count=100)
    at_once = found.loc[found["pool"] == "all", "detectable"]
    assert at_once.tolist() == pytest.approx([0.78] * 4, abs=5e-3)


def test_the_prediction_p_is_uniform_when_benchmarks_are_independent():
    generator, p = rng(31), []
    scores = tidy(one_each(np.zeros((4, 8))))
    for _ in range(150):
        drawn = scores.assign(value=generator.normal(size=32))
        table = benchmark_prediction(drawn, generator, count=199)
        p.append(table["p_permutation"].iloc[0])
    assert stats.kstest(p, "uniform").pvalue > 0.01
