"""Ways to choose a loss network, and what carries over to a new benchmark."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossnets.analysis.choice import carry_over, network_ranks, regret
from lossnets.analysis.choice.places import places
from lossnets.analysis.choice.strategies import best_of
from lossnets.analysis.statistics.random_effects import gibbs

BENCHMARKS = ("perceptual_similarity", "super_resolution", "delineation", "autoencoding")


def scores(cells: np.ndarray) -> pd.DataFrame:
    """Rows of `score_means` from (architectures, layers, benchmarks), a score a benchmark."""
    layers = ("early", "semi_early", "middle", "late")
    rows = [
        (f"net{a:03}", layers[i], BENCHMARKS[b], f"score{b}", value)
        for (a, i, b), value in np.ndenumerate(cells)
    ]
    names = ["architecture", "layer", "benchmark", "score", "value"]
    return pd.DataFrame(rows, columns=names).assign(
        higher_is_better=True, family="F", trained_model=None, layer_position=1, sd=np.nan, runs=1
    )


def chosen(frames, cells):
    return regret.choice(replace(frames, scores=scores(cells)))


def mean_of(table, strategy, **fields):
    rows = table[(table["strategy"] == strategy) & (table["benchmark"] == "mean")]
    for field, value in fields.items():
        rows = rows[rows[field] == value]
    (found,) = rows[rows["cost"].isna()]["regret"]
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=24, max_size=24))
def test_a_random_choice_is_beaten_by_half_whatever_the_scores(frames, values):
    table = chosen(frames, np.array(values, dtype=float).reshape(3, 4, 2))
    random = table[table["strategy"] == "random"]
    np.testing.assert_allclose(random["regret"], 0.5)


def test_where_benchmarks_agree_the_best_on_the_others_is_beaten_by_none(frames):
    cells = np.random.default_rng(1).normal(size=(6, 4, 1)).repeat(4, axis=2)
    table = chosen(frames, cells)
    best = table[(table["strategy"] == "best_on_others") & table["cost"].isna()]
    assert best["regret"].tolist() == best["lost"].tolist() == [0.0] * 5


def test_on_noise_what_is_known_of_other_benchmarks_is_worth_nothing(frames):
    rng = np.random.default_rng(2)
    tables = [chosen(frames, rng.normal(size=(14, 4, 4))) for _ in range(60)]
    assert np.mean([mean_of(t, "best_on_others") for t in tables]) == pytest.approx(0.5, abs=0.07)
    tried = [mean_of(t, "try_layers_of_best", tried=4) for t in tables]
    assert np.mean(tried) == pytest.approx(0.2, abs=0.04)  # the best of four among the rest


@pytest.mark.parametrize("tried", [1, 2, 3, 5])
def test_the_best_of_some_is_the_mean_over_all_sets(tried):
    values = np.array([0.0, 0.2, 0.3, 0.7, 1.0])
    expected = np.mean([min(own) for own in combinations(values, tried)])
    assert best_of(tried, 5) @ values == pytest.approx(expected)


def test_a_budget_bounds_the_choice_and_its_judges(frames):
    table = regret.choice(frames)
    within = table[(table["cost"] == "macs_to_layer") & (table["benchmark"] == "mean")]
    assert sorted(within["networks"].unique()) == [14, 28, 42]
    random = within[within["strategy"] == "random"]
    np.testing.assert_allclose(random["regret"], 0.5)
    assert (within["regret_of_all"] >= within["regret"] * 13 / 55 - 1e-9).all()


def test_of_the_paper_trying_the_layers_of_a_plain_vgg_is_worth_most(frames):
    table = regret.choice(frames)
    assert mean_of(table, "try_layers", architecture="vgg11") < 0.05
    assert 0.4 < mean_of(table, "best_on_others") < 0.55
    tried = table[(table["strategy"] == "try_layers") & (table["benchmark"] == "mean")]
    free = tried[tried["cost"].isna()].sort_values("regret")
    assert set(free["architecture"].head(4)) == {"vgg11", "vgg16", "vgg19", "squeezenet1_1"}


def test_with_noise_a_gain_is_smaller_and_a_random_choice_stays_as_good(frames):
    table = regret.choice(frames)
    tried = table[table["strategy"].isin(["try_random", "try_layers_of_best"])]
    free = tried[(tried["benchmark"] == "mean") & tried["cost"].isna() & (tried["tried"] > 3)]
    assert (free["regret_true"] > free["regret"]).all()
    assert free["survives"].between(0.5, 1).all()
    random = table[table["strategy"] == "random"]
    np.testing.assert_allclose(random["regret_true"], 0.5)


def test_where_nothing_is_trained_the_published_first_is_surely_the_best(frames):
    table = network_ranks.network_ranks(frames)
    np.testing.assert_allclose(table.groupby("benchmark")["p_best"].sum(), 1.0)
    first = table[table["place"] == 1].set_index("benchmark")["p_best"]
    assert first["perceptual_similarity"] == 1
    assert first["delineation"] < 0.3


def test_where_nothing_tells_the_noise_that_is_said(frames):
    bare = replace(frames, loss_networks=frames.loss_networks[["architecture", "layer"]])
    for table in (regret.choice(bare), network_ranks.network_ranks(bare)):
        trained = table[~table["benchmark"].isin(["perceptual_similarity"])]
        assert trained["note"].str.contains("nothing tells the noise of a training").all()


def test_every_network_has_its_place_on_each_benchmark_and_overall(frames):
    table = network_ranks.network_ranks(frames)
    assert table.groupby("benchmark").size().to_dict() == dict.fromkeys(
        [*BENCHMARKS, "overall"], 56
    )
    first = table[table["place"] == 1].set_index("benchmark")
    assert first.loc["super_resolution", ["architecture", "layer"]].tolist() == [
        "squeezenet1_1",
        "early",
    ]
    assert (first["beaten"] == 0).all()


def test_overall_weighs_benchmarks_and_not_scores_alike(frames):
    given = scores(np.array([[[3.0, 1], [2, 2]], [[1, 3], [0, 0]]]))  # the first rows two layers
    twice = given[given["score"] == "score1"].assign(score="again")
    table = network_ranks.network_ranks(replace(frames, scores=pd.concat([given, twice])))
    overall = table[table["benchmark"] == "overall"].set_index(["architecture", "layer"])
    assert overall["mean_rank"].to_dict() == {
        ("net000", "early"): 2.0,  # 1 and 3
        ("net000", "semi_early"): 2.0,
        ("net001", "early"): 2.0,  # 3 and 1
        ("net001", "semi_early"): 4.0,
    }


def test_a_network_that_lacks_a_benchmark_is_ranked_on_the_others_alone(frames):
    lacks = (frames.scores["architecture"] == "vgg11") & (frames.scores["layer"] == "late")
    partly = frames.scores[~(lacks & (frames.scores["benchmark"] == "delineation"))]
    table = network_ranks.network_ranks(replace(frames, scores=partly))
    counts = table.groupby("benchmark").size()
    assert counts["delineation"] == counts["overall"] == 55
    assert counts["autoencoding"] == 56
    overall = table[table["benchmark"] == "overall"]
    assert (overall["note"] == "left out for missing scores: 1 networks").all()


def test_known_variances_are_recovered():
    """The 95 % intervals of each variance hold the true one about as often as they say."""
    rng = np.random.default_rng(5)
    row, column = (codes.ravel() for codes in np.indices((20, 8)))
    true = np.array([1.0, 0.25, 0.5])
    inside = np.zeros(3)
    for _ in range(40):
        values = rng.normal(size=20)[row] + 0.5 * rng.normal(size=8)[column]
        values += np.sqrt(0.5) * rng.normal(size=160)
        drawn = gibbs(values, [row, column], rng, chains=16, burn=50, kept=60).variances
        low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
        inside += (low <= true) & (true <= high)
    assert (inside >= 34).all()  # of 40, with 38 expected


def made(rng, carried: float, fresh: float) -> np.ndarray:
    """Cells of which architectures carry over, and depend on the benchmark, with these sd."""
    architecture = carried * rng.normal(size=(20, 1, 1)) + fresh * rng.normal(size=(20, 1, 4))
    return architecture + 0.4 * rng.normal(size=(20, 4, 4))


def test_what_carries_over_is_told_from_what_does_not(frames):
    rng = np.random.default_rng(6)
    shares = {}
    for name, (carried, fresh) in {"same": (1, 0.1), "other": (0, 1)}.items():
        given = replace(frames, scores=scores(made(rng, carried, fresh)))
        table = carry_over.carry_over(*carry_over.models(given))
        assert table["r_hat"].max() < 1.2
        best = table[(table["view"] == "best layer") & (table["component"] == "carried over")]
        (shares[name],) = best["share"]
    assert shares["same"] > 0.6
    assert shares["other"] < 0.2


def test_the_chances_on_a_new_benchmark_are_those_of_the_names(frames):
    table = STUDIES["new_benchmark"].compute(frames)
    chances = ["p_best", "p_first", "by_chance"]
    of = table.groupby("of")[chances].sum()
    np.testing.assert_allclose(of.loc[["architecture", "loss network"]], 1.0)
    alone = table[(table["of"] == "architecture") & (table["family"] == "Other")]
    np.testing.assert_allclose(of.loc["family"], 1 - alone[chances].sum())
    families = table[table["of"] == "family"].set_index("family")
    assert "Other" not in families.index
    assert 0.4 < families.at["VGG", "p_first"] < families.at["VGG", "p_best"] < 0.9


def test_one_that_is_the_best_everywhere_is_the_best_on_a_new_benchmark(frames):
    cells = made(np.random.default_rng(7), 0.3, 0.1)
    cells[3] += 5
    table = STUDIES["new_benchmark"].compute(replace(frames, scores=scores(cells)))
    first = table[table["of"] == "architecture"].iloc[0]
    assert first["architecture"] == "net003"
    assert first["p_best"] > 0.8


STUDIES = {study.name: study for study in carry_over.STUDIES}
FEW = {
    "no scores": lambda s: s.iloc[:0],
    "one architecture": lambda s: s[s["architecture"] == "vgg11"],
    "one benchmark": lambda s: s[s["benchmark"] == "delineation"],
}
HARD = {
    "ties everywhere": lambda s: s.assign(value=0.5),
    "infinite": lambda s: s.assign(value=s["value"].where(np.arange(len(s)) % 11 > 0, np.inf)),
    "gaps": lambda s: s[np.arange(len(s)) % 200 > 0],
    "one layer": lambda s: s[s["layer"] == "late"],
    "no family": lambda s: s.assign(family=None),
}


@pytest.mark.parametrize("case", FEW)
def test_of_too_little_nothing_is_said_to_carry_over(frames, case):
    for study in STUDIES.values():
        table = study.compute(replace(frames, scores=FEW[case](frames.scores)))
        assert list(table.columns) == list(study.columns)
        assert table["note"].str.startswith("not computable, because there are not two").all()


@pytest.mark.parametrize("case", HARD)
def test_hard_input_has_finite_shares(frames, case):
    given = replace(frames, scores=HARD[case](frames.scores))
    tables = {name: study.compute(given) for name, study in STUDIES.items()}
    assert tables["carry_over"][["share", "low", "high"]].notna().all(axis=None)
    assert tables["new_benchmark"]["p_best"].between(0, 1).all()


def test_the_places_are_those_of_the_networks_with_all_scores(frames):
    found = places(frames.scores)
    assert (len(found.networks), len(found.scores), len(found.units)) == (56, 19, 7)
    assert places(frames.scores, "delineation").scores == (
        "mrd_completeness",
        "mrd_correctness",
        "mrd_quality",
    )
