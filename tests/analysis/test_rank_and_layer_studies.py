"""Every study of ranks, layers, benchmarks and cost: its frame, also on hard input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lossnets.analysis.between import benchmarks, score_correlations
from lossnets.analysis.choice import cost, network_ranks, regret
from lossnets.analysis.layers import agreement, best_layers, swap, variance
from lossnets.analysis.noise import reruns, tolerance
from lossnets.analysis.ranking import differences, pairs, rank_intervals, ranks, rounding

MODULES = (
    ranks,
    rank_intervals,
    rounding,
    differences,
    pairs,
    tolerance,
    reruns,
    best_layers,
    agreement,
    variance,
    swap,
    score_correlations,
    benchmarks,
    cost,
    network_ranks,
    regret,
)
STUDIES = {study.name: study for module in MODULES for study in module.STUDIES}

# May stand empty without a word: what the column's text says does not apply to the row.
OPTIONAL = {
    "choice": {"architecture", "layer", "cost", "budget", "survives"},
    "rank_rounding": {"from_printed"},
    "noise_tolerance": {"changed_at_measured"},
    "noise_units": {"measured_sd"},
    "score_correlations": {"p_value", "p_holm"},
    "score_dimensions": {"if_independent", "corrected"},
    "layer_modes": {"detectable_share"},
    "layer_agreement": {"detectable_w"},
    "benchmark_agreement": {"detectable_w"},
    "benchmark_correlations": {"detectable"},
    "benchmark_prediction": {"detectable"},
}


def with_values(frames, change):
    """The frames with other values: `change` maps the scores' DataFrame to values."""
    scores = frames.scores.copy()
    scores["value"] = change(scores)
    return replace(frames, scores=scores)


def only(frames, keep):
    """The frames with the rows of scores for which `keep` holds."""
    return replace(frames, scores=frames.scores[keep(frames.scores)])


def without_attributes(frames):
    return replace(frames, loss_networks=frames.loss_networks[["architecture", "layer"]])


def with_cost(frames, values):
    networks = frames.loss_networks.copy()
    for name in cost.COSTS:
        networks[name] = np.resize(np.array(values, dtype=float), len(networks))
    return replace(frames, loss_networks=networks)


def with_other_node(frames):
    other = frames.scores[frames.scores["layer"] == "late"].assign(layer="features.3")
    other["layer_position"] = np.nan
    scores = frames.scores.astype({"layer_position": float})
    return replace(frames, scores=pd.concat([scores, other]))


HARD = {
    "published": lambda f: f,
    "no scores": lambda f: only(f, lambda s: s["score"] == ""),
    "measured, none": lambda f: replace(only(f, lambda s: s["score"] == ""), source="measured"),
    "one architecture": lambda f: only(f, lambda s: s["architecture"] == "vgg11"),
    "two architectures": lambda f: only(f, lambda s: s["architecture"].isin(["vgg11", "alexnet"])),
    "three architectures": lambda f: only(
        f, lambda s: s["architecture"].isin(["vgg11", "alexnet", "resnet18"])
    ),
    "one layer": lambda f: only(f, lambda s: s["layer"] == "late"),
    "two layers": lambda f: only(f, lambda s: s["layer"].isin(["early", "late"])),
    "one score": lambda f: only(f, lambda s: s["score"] == "bapps_jnd"),
    "one benchmark": lambda f: only(f, lambda s: s["benchmark"] == "delineation"),
    "one cell": lambda f: replace(f, scores=f.scores.iloc[:1]),
    "all values equal": lambda f: with_values(f, lambda s: 0.5),
    "all values zero": lambda f: with_values(f, lambda s: 0.0),
    "one score constant": lambda f: with_values(
        f, lambda s: s["value"].where(s["score"] != "bapps_jnd", 0.5)
    ),
    "constant by architecture": lambda f: with_values(
        f, lambda s: s["architecture"].astype("category").cat.codes.astype(float)
    ),
    "constant by layer": lambda f: with_values(f, lambda s: s["layer_position"].astype(float)),
    "all values missing": lambda f: with_values(f, lambda s: np.nan),
    "one score missing": lambda f: with_values(
        f, lambda s: s["value"].where(s["score"] != "bapps_jnd")
    ),
    "an architecture lacks a score": lambda f: with_values(
        f,
        lambda s: s["value"].where((s["score"] != "bapps_jnd") | (s["architecture"] != "vgg11")),
    ),
    "an architecture lacks a layer": lambda f: only(
        f, lambda s: (s["architecture"] != "vgg11") | (s["layer"] != "late")
    ),
    "scattered cells missing": lambda f: with_values(
        f, lambda s: s["value"].where(np.arange(len(s)) % 7 > 0)
    ),
    "infinite": lambda f: with_values(
        f, lambda s: s["value"].where(np.arange(len(s)) % 11 > 0, np.inf)
    ),
    "minus infinite": lambda f: with_values(
        f, lambda s: s["value"].where(np.arange(len(s)) % 11 > 0, -np.inf)
    ),
    "huge": lambda f: with_values(f, lambda s: s["value"] * 1e306),
    "one huge": lambda f: with_values(f, lambda s: s["value"].where(s.index != s.index[5], 1e308)),
    "tiny": lambda f: with_values(f, lambda s: s["value"] * 1e-300),
    "no family": lambda f: replace(f, scores=f.scores.assign(family=None)),
    "less is better": lambda f: replace(f, scores=f.scores.assign(higher_is_better=False)),
    "another traced node": with_other_node,
    "traced nodes alone": lambda f: replace(
        f, scores=f.scores.assign(layer="features." + f.scores["layer"], layer_position=np.nan)
    ),
    "no attributes": without_attributes,
    "cost equal": lambda f: with_cost(f, [1.0]),
    "cost zero": lambda f: with_cost(f, [0.0]),
    "cost missing for some": lambda f: with_cost(f, [1.0, np.nan, 3.0]),
    "cost known once": lambda f: with_cost(f, [2.0] + [np.nan] * 10_000),
    "cost infinite": lambda f: with_cost(f, [1.0, np.inf]),
}


def small(frames):
    """Frames with the parts that these studies read."""
    return replace(frames, scores=frames.scores.copy())


@pytest.mark.parametrize("hard", HARD)
def test_hard_input_gives_the_documented_frame_and_a_note_for_each_missing_number(frames, hard):
    given = HARD[hard](small(frames))
    for name, study in STUDIES.items():
        frame = study.compute(given)
        assert list(frame.columns) == list(study.columns), name
        assert len(frame) > 0, name
        assert frame["note"].map(type).eq(str).all(), name
        numbers = frame.drop(
            columns=["note", "family", "trained_model", *OPTIONAL.get(name, ())], errors="ignore"
        )
        silent = numbers.isna().any(axis=1) & (frame["note"] == "")
        assert not silent.any(), (name, frame[silent].iloc[0].to_dict())


def test_the_order_of_the_rows_changes_nothing(frames):
    shuffled = replace(frames, scores=frames.scores.sample(frac=1, random_state=3))
    for name, study in STUDIES.items():
        expected, found = study.compute(small(frames)), study.compute(shuffled)
        pd.testing.assert_frame_equal(found, expected, obj=name)


def test_each_study_repeats_itself(frames):
    for name, study in STUDIES.items():
        first, second = (study.compute(small(frames)) for _ in range(2))
        pd.testing.assert_frame_equal(first, second, obj=name)


def test_columns_are_described_and_end_with_a_note():
    for name, study in STUDIES.items():
        assert list(study.columns)[-1] == "note", name
        assert all(study.columns.values()), name


def test_more_than_ten_thousand_permutations_stand_behind_each_p_value(frames):
    for name in ("friedman", "layer_agreement", "benchmark_prediction", "benchmark_agreement"):
        assert (STUDIES[name].compute(frames)["permutations"] >= 10_000).all(), name
    assert (STUDIES["layer_swap"].compute(frames)["shuffles"] >= 10_000).all()


RANK_BASED = (
    "average_ranks",
    "rank_intervals",
    "friedman",
    "rank_diagram",
    "layer_shares",
    "layer_modes",
    "layer_agreement",
    "score_correlations",
    "score_dimensions",
    "benchmark_correlations",
    "benchmark_prediction",
    "benchmark_agreement",
    "pareto_shares",
)


@pytest.mark.parametrize("name", RANK_BASED)
def test_a_monotone_transform_of_the_scores_changes_no_result_over_ranks(frames, name):
    transformed = with_values(frames, lambda s: np.exp(s["value"] / 20) * 3 - 7)
    found, expected = (
        STUDIES[name].compute(f).drop(columns="lost", errors="ignore")  # in standard deviations
        for f in (transformed, small(frames))
    )
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("name", RANK_BASED)
def test_the_sign_of_a_score_of_which_less_is_better_changes_no_result_over_ranks(frames, name):
    turned = with_values(frames, lambda s: -s["value"])
    turned = replace(turned, scores=turned.scores.assign(higher_is_better=False))
    found, expected = (STUDIES[name].compute(f) for f in (turned, small(frames)))
    pd.testing.assert_frame_equal(found, expected)
