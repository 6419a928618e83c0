"""Severity: what rules say where nothing is true, and where an effect is planted."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

import lossnets
from lossnets.analysis.claims import claims
from lossnets.analysis.claims.catalog import CLAIMS, conditions
from lossnets.analysis.claims.claim import Claim
from lossnets.analysis.claims.draws import noisy, planted, shuffled
from lossnets.analysis.claims.evidence import Evidence
from lossnets.analysis.claims.rules import CHANCE, beyond_chance
from lossnets.analysis.claims.severity import (
    TOLERANCE,
    Severity,
    decided,
    judged,
    read_severities,
    severities,
    strength_for,
)
from lossnets.analysis.frames.frames import Frames

SAMPLE = (
    "plain_vggs_in_top_three",
    "squeezenet_delineation",
    "templates_undecided",
    "batch_norm_hurts_vgg16",
    "layer_matters_as_much",
    "last_layer_no_rule",
    "depth_differs_between_benchmarks",
    "autoencoding_later",
    "delineation_later",
    "accuracy_and_delineation_quality",
    "accuracy_no_positive_linear",
    "benchmarks_do_not_predict",
)


def _claim(name: str) -> Claim:
    return next(claim for claim in CLAIMS if claim.id == name)


@pytest.fixture(scope="module")
def evidence(frames: Frames) -> Evidence:
    return Evidence.of(replace(frames))


def test_the_shipped_table_has_a_row_for_every_claim():
    assert list(read_severities()) == [claim.id for claim in CLAIMS]


def test_the_shipped_table_is_what_the_rules_give(evidence: Evidence):
    sample = [_claim(name) for name in SAMPLE]
    shipped = read_severities()
    again = severities(evidence, sample, draws=200, with_effect=50, with_noise=20)
    for claim in sample:
        for name, share in asdict(again[claim.id]).items():
            expected = getattr(shipped[claim.id], name)
            if name == "noise" or np.isnan(expected):
                continue
            draws = 50 if name == "planted" else 200
            error = np.sqrt(max(expected * (1 - expected), 0.01) / draws)
            assert abs(share - expected) < 4 * error, (claim.id, name)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_no_rule_says_supported_of_nothing(claim):
    severity = read_severities()[claim.id]
    if not claim.rule.by_chance:
        return
    if claim.planted:
        assert severity.planted <= CHANCE + TOLERANCE or not severity.allows(claim, "supported")
    elif severity.allows(claim, "supported"):
        assert not severity.favourable > CHANCE + TOLERANCE


def test_layers_that_matter_nowhere_are_not_said_to_matter(evidence: Evidence):
    claim = _claim("layer_matters_everywhere")
    given = decided(claim, shuffled(evidence, np.random.default_rng(4), 100))
    assert set(given) == {"cannot be told"}


def test_a_rule_that_noise_meets_supports_nothing():
    claim = replace(
        _claim("layer_matters_everywhere"), rule=beyond_chance(conditions("share >= 0"), (), ())
    )
    met = claim.decide({"share": np.array(0.9)})
    assert str(met) == "supported"
    often, seldom = (Severity(favourable=share, partly=0, contradicted=0) for share in (1, 0.01))
    assert str(judged(claim, met, often)) == "cannot be told"
    assert str(judged(claim, met, seldom)) == "supported"
    assert often.of(claim, "cannot be told") == 1
    assert seldom.of(claim, "supported") == 0.01


def test_shuffles_move_the_scores_of_a_trained_model_together(evidence: Evidence):
    drawn = shuffled(evidence, np.random.default_rng(1), 3).cells.reshape(3, -1, 19)
    flat = evidence.cells.reshape(-1, 19)
    together = {tuple(row) for row in flat[:, evidence.columns(prefix="sr_x4")]}
    assert {tuple(row) for row in drawn[1][:, evidence.columns(prefix="sr_x4")]} == together
    both = {tuple(row) for row in flat[:, evidence.columns(prefix="bapps")]}
    assert {tuple(row) for row in drawn[1][:, evidence.columns(prefix="bapps")]} != both
    assert [len(unit) for unit in evidence.units] == [1, 1, 6, 6, 3, 1, 1]


def test_noise_is_of_trained_models_and_benchmark_1_has_none(evidence: Evidence):
    moved = noisy(evidence, np.random.default_rng(1), 2, 0.5).cells - evidence.cells
    assert not moved[..., evidence.columns(prefix="bapps")].any()
    spread = evidence.best.std(axis=0, ddof=1)
    one, other = (evidence.columns(prefix=f"mrd_{n}")[0] for n in ("correctness", "quality"))
    np.testing.assert_allclose(moved[..., one] / spread[one], moved[..., other] / spread[other])


def test_a_planted_correlation_has_the_stated_size(evidence: Evidence):
    drawn = planted(evidence, "depth", np.random.default_rng(2), 300)
    depth = pd.Series(evidence.attribute("depth")).rank().to_numpy()
    rho = [np.corrcoef(depth, pd.Series(y).rank())[0, 1] for y in drawn.best[:, :, 0]]
    assert np.mean(rho) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", ["benchmarks_do_not_predict", "depth_differs_between_benchmarks"])
def test_a_planted_agreement_has_the_stated_size_and_is_seldom_missed(evidence: Evidence, name):
    claim = _claim(name)
    strength = strength_for(claim, evidence, draws=60)
    drawn = planted(evidence, claim.planted, np.random.default_rng(9), 150, strength)
    assert np.mean(claim.measure(drawn)["rho"]) == pytest.approx(0.5, abs=0.07)
    assert np.mean(decided(claim, drawn) == "supported") < 0.1


def test_a_strong_effect_is_found(evidence: Evidence):
    x = evidence.attribute("accuracy")
    effect = 3 * evidence.best.std(axis=0) * ((x - x.mean()) / x.std())[:, None, None]
    nothing = shuffled(evidence, np.random.default_rng(3), 20)
    drawn = nothing.with_cells(nothing.cells + effect)
    for name in ("accuracy_no_positive_linear", "no_simple_correlation"):
        assert np.mean(decided(_claim(name), drawn) == "contradicted") > 0.9


def test_what_users_add_moves_no_claim(frames: Frames, tmp_path):
    warehouse = lossnets.open(tmp_path)
    rng = np.random.default_rng(8)
    names = list(frames.architectures["architecture"])
    noise = pd.DataFrame(rng.normal(size=(14, 9)), columns=[f"noise{i}" for i in range(9)])
    warehouse.add_attribute(noise.assign(architecture=names))
    best = frames.scores[frames.scores["score"] == "bapps_2afc"]
    leaked = best.groupby("architecture")["value"].max().rename("leaked_2afc").reset_index()
    further = pd.DataFrame({"architecture": ["mine"], "leaked_2afc": [0.9]})
    warehouse.import_scores(
        pd.DataFrame(
            {"architecture": "mine", "layer": "late", "score": ["bapps_2afc"], "value": [0.9]}
        ),
        new_architectures=True,
    )
    warehouse.add_attribute(pd.concat([leaked, further]))
    there = Frames.read(warehouse)
    assert "leaked_2afc" in there.architectures
    pd.testing.assert_frame_equal(claims(there), claims(frames), check_exact=True)
