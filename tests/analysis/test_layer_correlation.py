from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from lossnets.analysis.attributes.layer_correlation import STUDIES

(LAYERS,) = STUDIES


def study(frames):
    table = LAYERS.compute(frames)
    assert list(table.columns) == list(LAYERS.columns)
    return table


def cells(n=8, layers=3, scores=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, layers, scores))


def values(n=8, layers=3, seed=1):
    return np.random.default_rng(seed).normal(size=(n, layers))


def _reference_within_layer(x, y):
    return np.mean([stats.spearmanr(a, b).statistic for a, b in zip(x.T, y.T, strict=True)])


def _reference_within_architecture(x, y):
    return np.mean([stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)])


def test_means_of_scipys_correlations_within_layers_and_within_architectures(made_frames):
    x, y = values(), cells()
    table = study(made_frames(y, {"a": ("numeric", x)})).set_index("score")
    for s in range(2):
        found = table.loc[f"score{s}"]
        assert found["within_layer"] == pytest.approx(_reference_within_layer(x, y[..., s]))
        inside = _reference_within_architecture(x, y[..., s])
        assert found["within_architecture"] == pytest.approx(inside, abs=1e-6)
        assert (found["n"], found["layers"], found["within_architecture_n"]) == (8, 3, 8)


def test_whole_architectures_are_shuffled(made_frames):
    x, y = values(n=5), cells(n=5)
    table = study(made_frames(y, {"a": ("numeric", x)}))
    every = [_reference_within_layer(x[list(o)], y[..., 0]) for o in permutations(range(5))]
    expected = np.mean(np.abs(every) >= abs(every[0]) - 1e-9)
    assert table["within_layer_p"][0] == pytest.approx(expected)


def test_layers_are_shuffled_inside_architectures(made_frames):
    """Three layers in the same order in all five: each has 6 orders, two of them as extreme."""
    x = np.tile([1.0, 2, 3], (5, 1))
    y = np.tile([0.1, 0.2, 0.3], (5, 1))[..., None]
    table = study(made_frames(y, {"a": ("numeric", x)}))
    assert table["within_architecture"].item() == pytest.approx(1.0)
    assert table["within_architecture_p"].item() == pytest.approx(2 / 6**5, abs=4e-4)
    assert table["ordered_like_layers"].item() == 5


def test_copies_of_a_layer_add_no_evidence(made_frames):
    """Four equal layers are one: 56 points must not pass for 56 architectures."""
    x, y = values(layers=1), cells(layers=1)
    one = study(made_frames(y, {"a": ("numeric", x)}))
    four = study(made_frames(np.repeat(y, 4, axis=1), {"a": ("numeric", np.repeat(x, 4, axis=1))}))
    for name in ("within_layer", "within_layer_p", "within_layer_low"):
        np.testing.assert_allclose(four[name], one[name], atol=1e-6)


def test_property_of_an_architecture_has_no_correlation_within(made_frames):
    table = study(made_frames(cells(), {"a": ("numeric", np.arange(8.0))}))
    assert table["within_layer"].notna().all()
    assert table["within_architecture"].isna().all()
    assert set(table["note"]) == {
        "within_architecture not computable, because the attribute is the architecture's"
    }


def test_leaving_one_out_is_computing_without_it(made_frames):
    x, y = values(), cells()
    table = study(made_frames(y, {"a": ("numeric", x)}))
    kept = ~np.eye(8, dtype=bool)
    without = [_reference_within_layer(x[k], y[k][..., 0]) for k in kept]
    assert table["within_layer_loo_low"][0] == pytest.approx(min(without))
    assert table["within_layer_loo_high"][0] == pytest.approx(max(without))


def test_p_is_uniform_under_the_null_of_clusters(made_frames):
    rng = np.random.default_rng(3)
    y = rng.normal(size=(10, 1, 300)) + 0.3 * rng.normal(size=(10, 4, 300))
    x = rng.normal(size=(10, 1)) + 0.3 * rng.normal(size=(10, 4))
    p = study(made_frames(y, {"a": ("numeric", x)}))["within_layer_p"]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_interval_covers_about_95_percent(made_frames):
    """Each score is a normal twin of the attribute with correlation 0.5 at each layer."""
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(20):
        x = rng.normal(size=(14, 2))
        y = 0.5 * x[..., None] + np.sqrt(0.75) * rng.normal(size=(14, 2, 60))
        table = study(made_frames(y, {"a": ("numeric", x)}))
        truth = 6 / np.pi * np.arcsin(0.25)
        covered += list(
            (table["within_layer_low"] <= truth) & (truth <= table["within_layer_high"])
        )
    assert 0.91 <= np.mean(covered) <= 0.985


HARD = {
    "constant": (np.full(8, 2.0), "the attribute is the same for all 8 architectures"),
    "constant at layers": (np.full((8, 3), 2.0), "within_layer not computable, because"),
    "one known": (np.array([1.0] + [np.nan] * 7), "1 architecture has both values and 3 are"),
    "a layer missing": (
        np.where(np.arange(24).reshape(8, 3) % 3 == 1, np.nan, 1.0 * np.arange(24).reshape(8, 3)),
        "0 architectures have both values and 3 are needed",
    ),
}


@pytest.mark.parametrize("case", HARD)
def test_hard_attributes_keep_their_rows_and_say_why(made_frames, case):
    x, note = HARD[case]
    table = study(made_frames(cells(), {"a": ("numeric", x)}))
    assert len(table) == 2
    assert table["within_layer"].isna().all()
    assert table["note"].str.contains(note, regex=False).all()


def test_tied_scores_and_missing_cells_are_stated(made_frames):
    y = cells()
    y[..., 0] = 1.0
    y[0, 1, 1] = np.nan
    frames = made_frames(y, {"a": ("numeric", values())})
    table = study(frames).set_index("score")
    assert table.loc["score0", "note"].count("not computable, because") == 2
    assert table.loc["score1", "within_architecture_n"] == 7
    assert table.loc["score1", "note"] == ""


def test_published_depth_fraction_helps_2afc_within_architectures(frames):
    table = study(frames).set_index(["attribute", "score"])
    found = table.loc[("depth_fraction", "bapps_2afc")]
    assert found["ordered_like_layers"] == 14
    assert found["within_architecture"] == pytest.approx(0.743, abs=1e-3)
    assert found["within_architecture_p_westfall_young"] < 0.01
