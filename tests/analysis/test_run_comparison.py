"""Two runs side by side: differences, and intervals over the items that both have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lossnets.analysis.noise.run_comparison import compare_runs

ID = """
select run_id from runs
where source = 'measured' and benchmark = $1 and architecture = $2 and {} order by seed
"""
ITEMS = """
select item, value from item_values
where run_id = $1 and dataset = 'set5_x4' and quantity = 'psnr' order by item
"""


def ids(warehouse, benchmark: str, architecture: str, which: str = "true") -> list[str]:
    rows = warehouse.rows(ID.format(which), [benchmark, architecture])[1]
    return [run_id for (run_id,) in rows]


@pytest.fixture(scope="module")
def seeds(measured_warehouse) -> list[str]:
    """Two runs of VGG-11's early layer, of another seed each."""
    return ids(measured_warehouse, "super_resolution", "vgg11")


def row(frame: pd.DataFrame, score: str) -> pd.Series:
    return frame.set_index("score").loc[score]


def test_a_run_is_no_better_than_itself(measured_warehouse, seeds):
    frame = compare_runs(measured_warehouse, seeds[:1], seeds[:1])
    assert (frame["difference"] == 0).all()
    assert (frame["better"] == "").all()
    with_items = frame[frame["items"].notna()]
    assert len(with_items) > 0
    assert (with_items[["low", "high"]] == 0).all(axis=None)


def test_the_interval_is_that_of_paired_resamples(measured_warehouse, seeds):
    frame = compare_runs(measured_warehouse, seeds[:1], seeds[1:])
    values = [
        np.array([value for _, value in measured_warehouse.rows(ITEMS, [run_id])[1]])
        for run_id in seeds
    ]
    paired = values[1] - values[0]
    rng = np.random.default_rng(0)
    drawn = paired[rng.integers(0, len(paired), (20_000, len(paired)))].mean(axis=1)
    found = row(frame, "sr_x4_set5_psnr")
    assert found["difference"] == pytest.approx(paired.mean())
    expected = np.percentile(drawn, [2.5, 97.5])
    assert found[["low", "high"]].tolist() == pytest.approx(expected, abs=0.1 * np.ptp(expected))
    assert found["items"] == len(paired)


def test_groups_are_averaged_and_have_no_interval(measured_warehouse, seeds):
    frame = compare_runs(measured_warehouse, seeds, seeds[:1])
    found = row(frame, "sr_x4_set5_psnr")
    assert (found["first_runs"], found["second_runs"]) == (2, 1)
    assert found["note"] == "no interval, because a side is several runs"
    assert pd.isna(found["low"])


def test_layers_of_two_architectures_are_paired_by_name(measured_warehouse):
    first = ids(measured_warehouse, "perceptual_similarity", "vgg11")
    second = ids(measured_warehouse, "perceptual_similarity", "alexnet", "preset is null")
    frame = compare_runs(measured_warehouse, first, second)
    of_2afc = frame[frame["score"] == "bapps_2afc"]
    assert of_2afc[["first_network", "second_network"]].values.tolist() == [
        ["vgg11 early", "alexnet early"],
        ["vgg11 late", "alexnet late"],
    ]


def test_lower_is_better_turns_the_verdict_not_the_difference(warehouse):
    from lossnets.warehouse.intake import registration
    from lossnets.warehouse.sources.records import Measurement, RunRecord

    registration.add_benchmark(warehouse, "colours")
    new = registration.score("error", benchmark="colours", unit="ΔE", higher_is_better=False)
    registration.add_score(warehouse, new)
    for value, name in ((2.0, "one"), (3.0, "two")):
        item = Measurement(architecture="vgg11", layer="early", score="error", value=value)
        warehouse.append(RunRecord(benchmark="colours", measurements=(item,), run_id=name))
    found = row(compare_runs(warehouse, ["one"], ["two"]), "error")
    assert (found["difference"], found["better"]) == (1.0, "first")
    assert found["note"] == "no interval, because how the score is made of items is not known"


def test_runs_without_a_score_in_common_say_so(measured_warehouse, seeds):
    other = ids(measured_warehouse, "autoencoding", "vgg11")
    frame = compare_runs(measured_warehouse, seeds[:1], other)
    assert frame["note"].tolist() == ["not computable, because they have no score in common"]
