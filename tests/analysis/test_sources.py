"""Several sources together, and what they say differently."""

from __future__ import annotations

import pandas as pd
import pytest

from lossnets.analysis.between.source_agreement import source_agreement
from lossnets.analysis.frames.frames import Frames
from lossnets.analysis.studies import STUDIES
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import registration
from lossnets.warehouse.intake.imports import import_records

COLUMNS = ["source", "benchmark", "score", "architecture", "layer", "value"]


def scores(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows (source, architecture, value) of one score."""
    return pd.DataFrame(
        [(s, "super_resolution", "psnr", a, "early", v) for s, a, v in rows], columns=COLUMNS
    )


@pytest.fixture
def both(warehouse) -> Frames:
    """The paper's 14 and a network of another study, which has one of the paper's scores."""
    registration.add_source(warehouse, "zhang2018", title="Zhang and others, 2018")
    table = pd.DataFrame(
        [("mynet", "blocks.1", "bapps_2afc", 0.7), ("vgg11", "early", "bapps_2afc", 0.5)],
        columns=["architecture", "layer", "score", "value"],
    )
    import_records(warehouse, table, source="zhang2018", new_architectures=True)
    return Frames.read(warehouse, ["paper", "zhang2018"])


def test_a_new_network_stands_among_the_papers_on_the_scores_both_have(both):
    ranks = STUDIES["ranks"].compute(both)
    assert ranks["score"].unique().tolist() == ["bapps_2afc"]
    own = ranks.set_index("architecture")[["rank", "architectures", "source"]]
    assert own.loc["mynet"].tolist() == [1.0, 15, "zhang2018"]
    assert own.loc["vgg11", "source"] == "paper"
    assert ranks.loc[ranks["architecture"] == "vgg11", "value"].item() == 0.682


def test_the_columns_of_a_study_of_several_sources_are_declared(both):
    for name in ("ranks", "average_ranks", "rank_intervals"):
        study = STUDIES[name]
        assert study.compute(both).columns.tolist() == list(study.columns_of(both))


def test_the_paper_alone_is_what_it_was(both, frames, warehouse):
    alone = Frames.read(warehouse, "paper")
    pd.testing.assert_frame_equal(alone.scores, frames.scores)
    pd.testing.assert_frame_equal(alone.score_catalog, frames.score_catalog)
    assert alone.whose == {}


def test_a_source_that_does_not_exist_is_refused(warehouse):
    with pytest.raises(UserError, match="there is no source 'mine', sources are: paper, measured"):
        Frames.read(warehouse, ["paper", "mine"])


def test_differences_are_second_minus_first():
    table = scores(
        ("paper", "a", 30.0), ("paper", "b", 31.0), ("paper", "c", 32.0), ("paper", "d", 1.0),
        ("mine", "a", 30.5), ("mine", "b", 30.0), ("mine", "c", 33.5),
    )  # fmt: skip
    row = source_agreement(table, ["paper", "mine"]).iloc[0]
    assert row["loss_networks"] == 3
    assert row["mean_difference"] == pytest.approx((0.5 - 1 + 1.5) / 3)
    assert row["mean_absolute_difference"] == pytest.approx(1.0)
    assert (row["largest_difference"], row["architecture"]) == (1.5, "c")
    assert row["spearman"] == pytest.approx(0.5)


def test_two_loss_networks_have_a_difference_and_no_correlation():
    table = scores(("paper", "a", 1.0), ("paper", "b", 2.0), ("mine", "a", 1.5), ("mine", "b", 2.0))
    row = source_agreement(table, ["paper", "mine"]).iloc[0]
    assert pd.isna(row["spearman"])
    assert row["note"] == "no correlation, because fewer than 3 loss networks are shared"


@pytest.mark.parametrize(
    ("sources", "note"),
    [
        (["paper"], "not computable, because there is only one source with scores"),
        (["paper", "mine"],
         "not computable, because they have no score of a loss network in common"),
    ],
)  # fmt: skip
def test_without_anything_in_common_it_says_so(sources, note):
    table = scores(("paper", "a", 1.0), ("mine", "b", 2.0))
    assert source_agreement(table, sources)["note"].tolist() == [note]
