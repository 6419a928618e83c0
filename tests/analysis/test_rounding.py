"""Table III against the rounded scores: bounds, and the orders of tied architectures."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossnets.analysis.ranking.ranks import ranks_of
from lossnets.analysis.ranking.rounding import rank_rounding, tie_breaking
from lossnets.analysis.ranking.tie_breaking import break_ties, rank_program


def orders_of(column):
    """Every rank vector that some order of tied architectures gives (one score)."""
    least = ranks_of(column[:, None], "min")[:, 0]
    groups = [np.flatnonzero(least == rank) for rank in np.unique(least)]
    for orders in product(*(permutations(range(len(group))) for group in groups)):
        ranks = np.empty(len(column))
        for group, order in zip(groups, orders, strict=True):
            ranks[group] = least[group] + np.array(order)
        yield ranks


def _reference_most_met(best, cells, half_unit):
    """Most cells met and least relaxation, trying every order of every score."""
    most, relaxation = 0, np.inf
    for ranks in product(*(orders_of(column) for column in best.T)):
        matrix = np.transpose(ranks)
        away = [max(abs(matrix[a] @ w - printed) - half_unit, 0) for a, w, printed in cells]
        most = max(most, sum(distance <= 1e-9 for distance in away))
        relaxation = min(relaxation, sum(away))
    return most, relaxation


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=2, max_size=2),
    st.lists(st.floats(1, 4).map(lambda x: round(2 * x) / 2), min_size=4, max_size=4),
)
@example([[0, 0, 0, 1], [0, 2, 0, 1]], [2.5, 2.5, 4.0, 3.0])  # HiGHS's presolve fails on these
@example([[1, 1, 2, 1], [0, 2, 1, 0]], [4.0, 1.5, 1.5, 3.5])
@example([[1, 1, 2, 1], [1, 2, 2, 2]], [3.5, 1.5, 2.0, 2.5])
def test_the_integer_program_finds_what_trying_every_order_finds(columns, printed):
    best = np.array(columns, float).T
    weights = np.full(2, 0.5)
    cells = [(a, weights, value) for a, value in enumerate(printed)]
    found = break_ties(rank_program(best), cells)
    most, relaxation = _reference_most_met(best, cells, 0.005)
    assert sum(found.satisfied) == most
    assert found.relaxation == pytest.approx(relaxation, abs=1e-9)


def test_cells_that_contradict_each_other_are_not_all_met():
    tied = np.array([[1.0], [1.0]])
    both_first = [(0, np.ones(1), 1.0), (1, np.ones(1), 1.0)]
    found = break_ties(rank_program(tied), both_first)
    assert sum(found.satisfied) == 1
    assert found.relaxation == pytest.approx(0.995)
    assert sorted(found.means) == [1.0, 2.0]


def test_an_order_that_meets_all_cells_is_given():
    tied = np.array([[1.0, 1.0], [1.0, 1.0]])
    weights = np.full(2, 0.5)
    found = break_ties(rank_program(tied), [(0, weights, 1.5), (1, weights, 1.5)])
    assert (found.satisfied, found.means, found.relaxation) == ((True, True), (1.5, 1.5), 0.0)


def test_too_many_ties_are_given_up():
    program = rank_program(np.zeros((40, 1)))
    assert break_ties(program, [(0, np.ones(1), 1.0)]) is None


def test_every_printed_mean_rank_is_consistent_with_the_rounded_scores(frames):
    table = rank_rounding(frames.scores, frames.paper_tables["03"])
    assert len(table) == 70
    assert (table["verdict"] == "consistent").all()
    assert table["satisfied_together"].eq(True).all()
    assert (table["tie_breaking"] - table["printed"]).abs().max() <= 0.005 + 1e-9


def test_one_order_of_tied_architectures_gives_all_printed_cells(frames):
    table = tie_breaking(frames.scores, frames.paper_tables["03"]).set_index("scope")
    assert table["cells"].to_dict() == {
        "perceptual_similarity": 14,
        "super_resolution": 14,
        "delineation": 14,
        "autoencoding": 14,
        "overall": 14,
        "all": 70,
    }
    assert table["feasible"].eq(True).all()
    assert table["relaxation"].tolist() == [0.0] * 6


def changed(frames, architecture, benchmark, printed):
    table = frames.paper_tables["03"].copy()
    table.loc[table["architecture"] == architecture, benchmark] = printed
    return table


def test_a_cell_outside_its_bounds_is_inconsistent(frames):
    table = rank_rounding(frames.scores, changed(frames, "vgg11", "delineation", "2.33"))
    cell = table[(table["architecture"] == "vgg11") & (table["benchmark"] == "delineation")].iloc[0]
    assert cell["verdict"] == "inconsistent"
    assert cell["excess"] == pytest.approx(8 / 3 - 2.335)
    assert (table["verdict"] == "inconsistent").sum() == 1


@pytest.mark.parametrize(("printed", "verdict"), [("2.67", "consistent"), ("2.6", "inconsistent")])
def test_the_printed_precision_is_two_decimals_also_where_zeros_are_dropped(
    frames, printed, verdict
):
    table = rank_rounding(frames.scores, changed(frames, "vgg11", "delineation", printed))
    cell = table[(table["architecture"] == "vgg11") & (table["benchmark"] == "delineation")]
    assert cell["verdict"].item() == verdict


def test_cells_each_consistent_may_not_be_so_together(frames):
    """AlexNet and DenseNet-121 share ranks: both cannot have the better one of all."""
    judged = rank_rounding(frames.scores, frames.paper_tables["03"])
    best = judged[judged["benchmark"] == "super_resolution"].set_index("architecture")["least"]
    table = frames.paper_tables["03"].copy()
    table["super_resolution"] = [str(round(best[name], 2)) for name in table["architecture"]]
    table["overall"] = None
    programs = tie_breaking(frames.scores, table).set_index("scope")
    own = programs.loc["super_resolution"]
    assert own["consistent"] == 14
    assert own["satisfiable_together"] < 14
    assert not own["feasible"]
    assert own["relaxation"] > 0
    assert programs.loc["overall", "note"] == (
        "not computable, because no printed cell has scores to compare with"
    )


def test_a_cell_that_is_not_printed_says_so(frames):
    table = rank_rounding(frames.scores, changed(frames, "vgg11", "delineation", None))
    cell = table[(table["architecture"] == "vgg11") & (table["benchmark"] == "delineation")].iloc[0]
    assert cell["note"] == "not computable, because the table prints no value"
    assert pd.isna(cell["verdict"])


def test_the_printed_overall_mean_is_compared_with_its_row(frames):
    table = rank_rounding(frames.scores, frames.paper_tables["03"])
    row = table[(table["architecture"] == "vgg11") & (table["benchmark"] == "overall")].iloc[0]
    assert row["from_printed"] == pytest.approx((2.5 + 2.33 + 2.67 + 6) / 4)
