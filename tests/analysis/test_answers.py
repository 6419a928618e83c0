"""Which loss network for which task, and what a choice is worth on a benchmark left out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from lossnets.analysis.choice.answers import (
    NEW,
    answers,
    favourite_layers,
    score_ranks,
)
from lossnets.analysis.frames.frames import Frames


def cells(values: dict[tuple[str, str], list[float]], scores: str) -> pd.DataFrame:
    rows = [
        (architecture, layer, score, True, value)
        for (architecture, layer), of_network in values.items()
        for score, value in zip(scores, of_network, strict=True)
    ]
    names = ["architecture", "layer", "score", "higher_is_better", "value"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module")
def paper(paper_warehouse) -> Frames:
    return Frames.read(paper_warehouse, "paper")


def test_where_lower_is_better_the_lowest_is_the_first():
    scores = cells({("a", "early"): [1.0], ("b", "early"): [2.0]}, "q")
    ranks = score_ranks(scores.assign(higher_is_better=False))
    assert ranks["q"].tolist() == [1.0, 2.0]


def test_the_papers_answers_are_those_of_its_tables(paper):
    found = {one.task: one for one in answers(paper)}
    assert list(found) == [
        *("perceptual_similarity", "super_resolution", "delineation", "autoencoding"),
        NEW,
    ]
    best = found["super_resolution"].best
    assert (best.architecture, best.layer, best.standing) == ("squeezenet1_1", "early", 1)
    assert len(best.first) == 11  # Tables VI to IX: all but x4 BSD100 PSNR
    assert found["super_resolution"].cheaper is None  # only two networks are cheaper at all
    cheap = found["perceptual_similarity"].cheaper
    assert (cheap.architecture, cheap.layer, cheap.standing) == ("squeezenet1_1", "middle", 2)
    assert cheap.macs * 10 <= found["perceptual_similarity"].best.macs


def test_without_costs_no_answer_has_a_cheaper_one(paper):
    bare = replace(paper, loss_networks=paper.loss_networks.drop(columns="macs_to_layer"))
    assert [one.cheaper for one in answers(bare)] == [None] * 5


def test_a_layer_is_a_favourite_where_it_is_the_best_in_most_cells(paper):
    found = favourite_layers(paper)
    assert {name: layer and layer[0] for name, layer in found.items()} == {
        "perceptual_similarity": "late",
        "super_resolution": "early",
        "delineation": None,
        "autoencoding": None,
    }


def test_without_scores_there_is_no_answer(paper):
    empty = replace(paper, scores=paper.scores.iloc[:0])
    assert answers(empty) == []
