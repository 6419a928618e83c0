"""Scores from values per item, over resampled ones, against one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossnets.analysis.noise.item_scores import (
    resampled_means,
    resampled_precisions,
    times_drawn,
    weighted,
)
from lossnets.warehouse.sources.judgements import average_precision

pairs = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([0.0, 1 / 3, 2 / 3, 1.0])), min_size=1, max_size=30
)


@settings(deadline=None)
@given(pairs, st.integers(0, 10))
def test_a_counted_pair_is_as_good_as_a_repeated_one(found, seed):
    distance, same = np.array(found).T
    times = times_drawn([len(found)], np.random.default_rng(seed), 4)
    precisions = resampled_precisions(distance, same, times)
    for r, drawn in enumerate(times.T):
        again = average_precision(np.repeat(distance, drawn), np.repeat(same, drawn))
        assert precisions[r] == pytest.approx(again, nan_ok=True, abs=1e-9)


def test_each_stratum_is_drawn_from_as_often_as_it_has_items():
    times = times_drawn([3, 5], np.random.default_rng(0), 50)
    assert times.shape == (8, 50)
    assert set(times[:3].sum(axis=0)) == {3}
    assert set(times[3:].sum(axis=0)) == {5}
    assert (times_drawn([3, 5], np.random.default_rng(0), 50) == times).all()


@pytest.mark.parametrize("cells", [20_000_000, 40])
def test_means_of_resamples_spread_as_theory_says(monkeypatch, cells):
    """The two ways to resample a mean agree; the second draws a few at a time."""
    monkeypatch.setattr("lossnets.analysis.noise.item_scores.CELLS", cells)
    values = np.array([0.0, 0.2, 0.2, 0.5, 1.0, 1.0, 1.0, 0.8])
    by_value = resampled_means(values, np.random.default_rng(0), 20_000)
    by_item = weighted(values, times_drawn([8], np.random.default_rng(1), 20_000)) / 8
    for drawn in (by_value, by_item):
        assert drawn.mean() == pytest.approx(values.mean(), abs=0.005)
        assert drawn.std() == pytest.approx(values.std() / 8**0.5, rel=0.03)
    assert (resampled_means(values, np.random.default_rng(0), 20_000) == by_value).all()
