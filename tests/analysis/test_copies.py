import numpy as np
import pytest

from lossnets.analysis.attributes.copies import same_as
from lossnets.analysis.attributes.correlation import swept_views
from lossnets.analysis.attributes.views import ordered_attributes

X = np.array([3.0, 1, 2, 5, 4])
CELLS = np.random.default_rng(0).normal(size=(5, 2, 2))


def copies(made_frames, **attributes):
    frames = made_frames(CELLS, {name: ("numeric", x) for name, x in attributes.items()})
    return same_as(ordered_attributes(frames))


@pytest.mark.parametrize("again", [X * 1000, np.exp(X), -X, 1 / X])
def test_a_monotone_copy_says_the_same(made_frames, again):
    assert copies(made_frames, a=X, b=again) == {"b": "a"}


@pytest.mark.parametrize(
    "other",
    [
        np.array([3.0, 1, 2, 4, 5]),
        np.array([3.0, 1, 2, 5, np.nan]),
        np.array([3.0, 1, 1, 5, 4]),
        np.ones(5),
        np.full(5, np.nan),
        np.stack([X, X], axis=1),
    ],
)
def test_another_order_more_ties_gaps_or_another_level_say_something_else(made_frames, other):
    assert copies(made_frames, a=X, b=other) == {}


def test_what_says_nothing_is_no_copy_of_another(made_frames):
    assert copies(made_frames, a=np.ones(5), b=np.zeros(5)) == {}


def test_a_misprint_counts_as_the_measurement_it_prints(made_frames):
    assert copies(made_frames, paper_depth=X[::-1].copy(), depth=X) == {"paper_depth": "depth"}
    assert copies(made_frames, paper_depth=X) == {}


def test_copies_change_nothing_that_is_counted_over_attributes(made_frames):
    other = np.array([1.0, 5, 3, 2, 4])
    given = {"a": ("numeric", X), "b": ("numeric", other)}
    both = swept_views(made_frames(CELLS, given))
    more = swept_views(made_frames(CELLS, given | {"c": ("numeric", X**3)}))
    counted = ["spearman_p_benjamini_hochberg", "p_any_attribute", "attributes", "explored"]
    kept = more[more["attribute"] != "c"].reset_index(drop=True)
    assert kept[counted].equals(both[counted])
