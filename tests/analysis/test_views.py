import numpy as np
import pytest

from lossnets.analysis.attributes.views import (
    attributes,
    mean_placings,
    score_cells,
    score_views,
    to_digits,
)
from lossnets.analysis.frames.frames import SEED


def cells():
    """Two architectures, two layers, one score."""
    return np.array([[[0.1], [0.4]], [[0.3], [0.2]]])


def test_views_are_best_layer_each_layer_and_mean(made_frames):
    scores = score_views(made_frames(cells(), {}).scores)
    assert scores.views == ("best", "early", "semi_early", "mean")
    np.testing.assert_allclose(scores.values, [[0.4, 0.1, 0.4, 0.25], [0.3, 0.3, 0.2, 0.25]])


def test_lower_is_better_turns_values_round(made_frames):
    frames = made_frames(cells(), {})
    scores = score_views(frames.scores.assign(higher_is_better=False))
    np.testing.assert_allclose(
        scores.values, [[-0.1, -0.1, -0.4, -0.25], [-0.2, -0.3, -0.2, -0.25]]
    )


def test_means_of_the_same_values_in_another_order_tie(made_frames):
    values = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.3, 0.1]])
    scores = score_views(made_frames(values[..., None], {}).scores)
    means = scores.values[:, scores.views.index("mean")]
    assert set(means) == {0.2}


def test_one_layer_has_no_mean_over_layers(made_frames):
    assert score_views(made_frames(cells()[:, :1], {}).scores).views == ("best", "early")


def test_mean_is_missing_where_a_layer_is(made_frames):
    frames = made_frames(cells(), {})
    scores = score_views(frames.scores.iloc[1:])
    assert np.isnan(scores.values[0, scores.views.index("mean")])
    assert scores.values[0, 0] == 0.4


def test_row_order_does_not_matter(frames):
    shuffled = frames.scores.sample(frac=1, random_state=SEED)
    np.testing.assert_array_equal(score_views(shuffled).values, score_views(frames.scores).values)


def test_mean_placings_are_minus_table_3(frames, paper_warehouse):
    placings = mean_placings(frames.scores)
    expected = paper_warehouse.query("select * from average_ranks order by architecture")
    assert list(expected["architecture"]) == list(placings.architectures)
    for column, benchmark in enumerate(placings.benchmarks):
        np.testing.assert_allclose(placings.values[:, column], -expected[benchmark])


def test_attribute_of_a_loss_network_is_its_layers_and_their_mean(made_frames):
    frames = made_frames(cells(), {"a": ("numeric", [[1.0, 3], [2, 6]])})
    (attribute,) = attributes(frames, ("net00", "net01"), "numeric")
    found = [(views, x.tolist()) for x, views in attribute.views(("best", "early", "mean"))]
    assert found == [(("early",), [1, 2]), (("mean",), [2, 4])]


def test_what_is_no_finite_number_is_missing(made_frames):
    values = np.array(["x", None], dtype=object)
    frames = made_frames(cells(), {"a": ("numeric", values), "b": ("numeric", [np.inf, 1.0])})
    text, infinite = attributes(frames, ("net00", "net01"), "numeric")
    assert np.isnan(text.values).all()
    assert np.isnan(infinite.values[:, 0]).tolist() == [True, False]
    assert (text.infinite, infinite.infinite) == (0, 1)


def test_catalogued_attribute_without_a_column_is_missing(made_frames):
    frames = made_frames(cells(), {"a": ("numeric", [1.0, 2.0])})
    del frames.architectures["a"]
    (attribute,) = attributes(frames, ("net00", "net01"), "numeric")
    assert np.isnan(attribute.values).all()


def test_cells_are_by_architecture_layer_and_score(made_frames):
    found = score_cells(made_frames(cells(), {}).scores)
    np.testing.assert_array_equal(found.values, cells())
    assert found.layers == ("early", "semi_early")


@pytest.mark.parametrize("value", [0.0, -0.5, 1e308, -1e308, 5e-324, 123456.789])
def test_digits_keep_ordinary_values(value):
    assert to_digits(np.array([value]))[0] == value


def test_sums_in_another_order_are_ties():
    assert len(np.unique(to_digits(np.array([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1])))) == 1
