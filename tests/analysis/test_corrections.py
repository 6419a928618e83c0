import numpy as np

from lossnets.analysis.attributes.corrections import STUDIES

(CORRECTIONS,) = STUDIES


def study(frames):
    table = CORRECTIONS.compute(frames)
    assert list(table.columns) == list(CORRECTIONS.columns)
    return table


def test_published_pairs_stand_side_by_side(frames):
    table = study(frames)
    assert table.groupby("attribute").size().to_dict() == {
        "depth": 24,
        "imagenet_top1": 24,
        "macs": 24,
    }
    assert set(table["note"]) == {""}


def test_a_correction_that_changes_the_verdict_is_marked(made_frames):
    cells = np.arange(12.0).reshape(12, 1, 1)
    printed = [5.0, 9, 2, 11, 0, 7, 3, 10, 1, 8, 4, 6]
    attributes = {
        "depth": ("numeric", np.arange(12.0)),
        "paper_depth": ("numeric", printed),
        "macs": ("numeric", np.arange(12.0)),
        "paper_mflops": ("numeric", 2.0 + np.arange(12)),
    }
    table = study(made_frames(cells, attributes)).set_index(["attribute", "view"])
    assert table.loc[("depth", "best"), "verdict_changes"]
    assert table.loc[("depth", "best"), "ranks_changed"] == 11
    assert not table.loc[("macs", "best"), "verdict_changes"]
    assert table.loc[("macs", "best"), "ranks_changed"] == 0


def test_a_pair_of_which_one_is_unknown_says_so(made_frames):
    cells = np.random.default_rng(0).normal(size=(6, 1, 1))
    table = study(made_frames(cells, {"paper_depth": ("numeric", np.arange(6.0))}))
    assert set(table["note"]) == {"not computable, because there is no attribute depth"}
    assert table["printed_spearman"].notna().all()
    assert table["measured_spearman"].isna().all()


def test_nothing_printed_is_stated(made_frames):
    (note,) = study(made_frames(np.zeros((3, 1, 1)), {}))["note"]
    assert note == "not computable, because no attribute is printed in Table I"
