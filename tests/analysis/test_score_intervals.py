"""The study of measured scores: recomputed, with intervals, and what it says where it cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.frames.item_values import MeasuredRun, Series
from lossnets.analysis.noise.score_intervals import COLUMNS, made_of, score_intervals
from lossnets.analysis.studies import STUDIES, run

ABOUT = {"run_id": "r", "benchmark": "b", "architecture": "vgg11", "baseline": None, "preset": None}


def _run(scores, series, **about) -> MeasuredRun:
    """A run: {(layer, score): value}, {(layer, data set, quantity): values}."""
    rows = [(layer, score, value) for (layer, score), value in scores.items()]
    return MeasuredRun(
        about=ABOUT | about,
        scores=pd.DataFrame(rows, columns=["layer", "score", "value"]),
        series={key: Series(values=np.array(values), items=7) for key, values in series.items()},
    )


def _study(*runs, resamples=2000) -> pd.DataFrame:
    return score_intervals(runs, np.random.default_rng(1), resamples)


def test_every_score_of_the_catalog_is_known_to_be_made_of_items(paper_warehouse):
    for (score,) in paper_warehouse.rows("select score from score_catalog")[1]:
        assert made_of(score), score


def test_scores_are_recomputed_from_their_items(warehouse, measure):
    measure(warehouse)
    found = STUDIES["score_intervals"].compute(Frames.read(warehouse, "measured"))
    assert list(found.columns) == list(COLUMNS)
    assert set(found["note"]) == {""}
    assert len(found) == len(
        warehouse.query("select score from scores where source = 'measured'")
    ) + len(warehouse.query("select score from preset_scores"))
    assert (found["recomputed"] - found["value"]).abs().max() < 1e-9
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    assert (found["low"] < found["high"]).mean() > 0.9
    assert set(found["baseline"].dropna()) == {"l2"}
    assert found.loc[found["baseline"].notna(), ["architecture", "layer"]].isna().all(axis=None)
    assert set(found["preset"].dropna()) == {"smoke", "small"}


def test_a_published_score_has_no_items(frames):
    found = STUDIES["score_intervals"].compute(frames)
    assert found["note"].tolist() == ["not computable, because no run has values per item"]


def test_it_is_computed_by_itself_and_not_with_all_studies(frames):
    assert "score_intervals" not in run(replace(frames, scores=frames.scores.iloc[:0]))


def test_the_mean_of_means_weights_data_sets_equally():
    subsets = {"traditional": 1.0, "cnn": 0.0, "superres": 0.0, "deblur": 0.0, "color": 0.0,
               "frameinterp": 0.0}  # fmt: skip
    series = {}
    for n, (name, judge) in enumerate(subsets.items(), 2):
        series["late", name, "distance_0"] = [2.0] * n
        series["late", name, "distance_1"] = [1.0] * n
        series["", name, "judge"] = [judge] * n
    (row,) = _study(_run({("late", "bapps_2afc"): 1 / 6}, series)).to_dict("records")
    assert row["recomputed"] == pytest.approx(1 / 6)
    assert (row["low"], row["high"]) == (row["recomputed"], row["recomputed"])
    assert row["items"] == sum(range(2, 8))


@pytest.mark.parametrize(
    ("series", "note"),
    [
        ({("late", "stl10", "correct"): [1.0]},
         "not computable, because there are no values for each item of svhn"),
        ({("late", "svhn", "correct"): [1.0, np.nan]},
         "not computable, because an item of svhn has no value"),
        ({("late", "svhn", "correct"): [1.0, 0.0, 0.0, 0.0]},
         "its items give another value than the one recorded"),
        ({("late", "svhn", "correct"): [1.0, 0.0]}, ""),
        ({("", "svhn", "correct"): [1.0, 0.0]}, ""),
    ],
)  # fmt: skip
def test_what_is_missing_or_does_not_agree_is_said(series, note):
    found = _study(_run({("late", "svhn_accuracy"): 0.5}, series))
    assert found["note"].tolist() == [note]


def test_values_of_different_items_are_not_paired():
    series = {("late", "jnd_cnn", "distance"): [1.0, 2.0], ("", "jnd_cnn", "same"): [1.0]}
    found = _study(_run({("late", "bapps_jnd_cnn"): 0.5}, series))
    assert found["note"].tolist() == [
        "not computable, because its values of jnd_cnn are of different items"
    ]


def test_without_anyone_who_calls_a_pair_the_same_there_is_no_precision():
    series = {("late", "jnd_cnn", "distance"): [1.0, 2.0], ("", "jnd_cnn", "same"): [0.0, 0.0]}
    found = _study(_run({("late", "bapps_jnd_cnn"): 0.5}, series))
    assert found["note"].tolist() == ["not computable, because no judge called any pair the same"]


def test_an_interval_depends_on_its_items_alone():
    rng = np.random.default_rng(3)
    runs = [
        _run(
            {("late", "sr_x4_set14_psnr"): values.mean(), ("late", "bapps_jnd_cnn"): 0.5},
            {("late", "set14_x4", "psnr"): values, ("late", "jnd_cnn", "distance"): values,
             ("", "jnd_cnn", "same"): rng.integers(0, 2, 14) * 1.0},
            run_id=name,
        )
        for name, values in zip("ab", rng.normal(25, 3, (2, 14)), strict=True)
    ]  # fmt: skip
    together, alone = _study(*runs), _study(runs[1])
    ends = ["low", "high"]
    assert together.loc[together["run_id"] == "b", ends].values.tolist() == (
        alone[ends].values.tolist()
    )
    assert _study(*runs).equals(together)


@pytest.mark.parametrize("kind", ["mean", "precision"])
def test_an_interval_covers_as_often_as_it_says(kind):
    """120 samples from one population: an interval of 95 % misses it a few times."""
    rng = np.random.default_rng(0)
    distance = rng.normal(size=50_000)
    same = (rng.random(50_000) < 1 / (1 + np.exp(3 * distance))).astype(float)
    if kind == "mean":
        score, truth = "svhn_accuracy", same.mean()
    else:
        from lossnets.warehouse.sources.judgements import average_precision

        score, truth = "bapps_jnd_cnn", average_precision(distance, same)
    runs = []
    for _ in range(120):
        drawn = rng.integers(0, 50_000, 400)
        series = {
            ("late", "svhn", "correct"): same[drawn],
            ("late", "jnd_cnn", "distance"): distance[drawn],
            ("", "jnd_cnn", "same"): same[drawn],
        }
        runs.append(_run({("late", score): 0.5}, series))
    found = _study(*runs, resamples=500)
    covered = ((found["low"] <= truth) & (truth <= found["high"])).mean()
    assert 0.89 <= covered <= 0.99
