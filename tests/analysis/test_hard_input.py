"""Every study of attributes on scores that give little or nothing to work with."""

import dataclasses

import pandas as pd
import pytest

from lossnets.analysis.attributes import (
    corrections,
    correlation,
    correlation_summary,
    groups,
    layer_contrasts,
    layer_correlation,
    lineages,
    mixed,
    partial,
    prediction,
)

MODULES = (
    correlation,
    correlation_summary,
    corrections,
    groups,
    layer_contrasts,
    layer_correlation,
    lineages,
    mixed,
    partial,
    prediction,
)
STUDIES = {study.name: study for module in MODULES for study in module.STUDIES}


def only(frames, **wanted):
    scores = frames.scores
    for column, values in wanted.items():
        scores = scores[scores[column].isin(values)]
    return dataclasses.replace(frames, scores=scores)


def without_layer_names(frames):
    scores = frames.scores.assign(
        layer="features." + frames.scores["layer"],
        layer_position=pd.Series(pd.NA, index=frames.scores.index, dtype="Int64"),
    )
    return dataclasses.replace(frames, scores=scores)


def tied(frames):
    return dataclasses.replace(frames, scores=frames.scores.assign(value=0.5))


CASES = {
    "no scores": lambda frames: only(frames, score=[]),
    "one score at one layer": lambda frames: only(frames, score=["bapps_2afc"], layer=["late"]),
    "one architecture": lambda frames: only(frames, architecture=["vgg11"]),
    "two architectures": lambda frames: only(frames, architecture=["vgg11", "alexnet"]),
    "three architectures": lambda frames: only(frames, architecture=["vgg11", "vgg16", "alexnet"]),
    "unnamed layers": without_layer_names,
    "ties everywhere": tied,
}


@pytest.fixture(scope="module")
def hard_frames(frames):
    """The frames of each case, shared by the studies: these share what they compute."""
    return {case: change(frames) for case, change in CASES.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", STUDIES)
def test_a_missing_number_has_a_note(name, case, hard_frames):
    study = STUDIES[name]
    table = study.compute(hard_frames[case])
    assert list(table.columns) == list(study.columns)
    assert len(table) > 0
    numbers = table.select_dtypes("number").drop(columns=["ranks_changed"], errors="ignore")
    optional = [
        c for c in numbers if c.startswith(("minimum", "overturning", "within_architecture"))
    ]
    if "same_as" in table:  # counted as that attribute: it says so, and has no rate of its own
        optional += [c for c in numbers if c.endswith("benjamini_hochberg")]
    missing = numbers.drop(columns=optional).isna().any(axis=1)
    assert (table.loc[missing, "note"] != "").all()
    if case in ("no scores", "one architecture"):
        assert table["note"].str.startswith("not computable, because").all()
