"""`choose`: a short list for a task, under limits, with its evidence."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lossnets.analysis.choice.short_list import COLUMNS, new_task, short_list
from lossnets.warehouse.errors import UserError


def test_for_a_benchmark_the_best_within_the_limits_come_first(frames):
    table, advice = short_list(frames, "super_resolution", {"macs_to_layer": 1e9}, 3)
    assert list(table.columns) == list(COLUMNS)
    assert table["python"].tolist() == [
        'lossnets.PerceptualLoss("squeezenet1_1", "early")',
        'lossnets.PerceptualLoss("vgg11", "early")',
        'lossnets.PerceptualLoss("resnext50_32x4d", "early")',
    ]
    assert re.fullmatch(
        r"place 2 of 56 on super_resolution, by 12 scores; 0\.05 sd behind the best; "
        r"truly the best with probability 0\.[12]\d",
        table["evidence"][1],
    )
    assert (table["macs_to_layer"] <= 1e9).all()
    assert advice == "28 of 56 are within the limits"


def test_for_a_new_task_the_layers_of_one_architecture_are_tried(frames):
    table, advice = short_list(frames, None, {}, 5)
    assert table["architecture"].tolist()[:4] == ["vgg11"] * 4
    assert table["evidence"][0].startswith("try it: place 2 of 56 overall")
    assert re.fullmatch(
        r"try the 4 layers of vgg11 on the task, and keep the best: on a benchmark left out, 8% of "
        r"56 loss networks beat such a choice \(1\d% with the noise of trainings\), 46% the best "
        r"on the other benchmarks, 50% a random one",
        advice,
    )


def test_any_numeric_attribute_is_a_limit(frames):
    table, _ = short_list(frames, "delineation", {"receptive_field": 60, "channels": 64}, 9)
    known = frames.loss_networks.set_index(["architecture", "layer"])
    chosen = known.loc[list(zip(table["architecture"], table["layer"], strict=True))]
    assert chosen["receptive_field"].max() <= 60
    assert chosen["channels"].max() <= 64


def test_of_one_architecture_its_own_layers_are_left_to_try(frames):
    alone = frames.scores[frames.scores["architecture"] == "alexnet"]
    table, _ = short_list(replace(frames, scores=alone), None, {}, 5)
    assert table["architecture"].tolist() == ["alexnet"] * 4


def test_with_one_benchmark_nothing_tells_what_a_trial_is_worth(frames):
    given = frames.scores[frames.scores["benchmark"] == "delineation"]
    _, advice = short_list(replace(frames, scores=given), None, {}, 5)
    assert advice.endswith("; with one benchmark nothing tells what that is worth")


def test_without_two_networks_there_is_no_trial(frames):
    assert new_task(replace(frames, scores=frames.scores.iloc[:0])) is None


REFUSED = {
    "a benchmark that is not there": (
        ("colours", {}),
        "there are no paper scores of 'colours', of: perceptual_similarity, super_resolution, "
        "delineation, autoencoding",
    ),
    "an attribute that is not numeric": (
        (None, {"batch_norm": 0}),
        "there is no numeric attribute 'batch_norm', there are: ",
    ),
    "nothing within a limit": (
        (None, {"params_to_layer": 5}),
        "no loss network has params_to_layer of at most 5; the least is ",
    ),
    "nothing within two limits": (
        (None, {"channels": 24, "depth": 11}),
        "no loss network has depth of at most 11 within the other limits",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_answered_is_told(frames, case):
    (benchmark, limits), message = REFUSED[case]
    with pytest.raises(UserError) as error:
        short_list(frames, benchmark, limits)
    assert str(error.value).startswith(message)
