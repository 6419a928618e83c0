"""Which printed mean ranks the rounded scores allow (Table III)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from analysis.cube import Floats, Row, not_computable, result, score_cube
from analysis.frames import BENCHMARKS, Frames, Study
from analysis.ranks import average_ranks, ranks_of

HALF_UNIT = 0.005  # the table prints mean ranks to two decimals and drops trailing zeros
EXACT = 1e-9

SCOPES = (*BENCHMARKS, "overall")

ROUNDING_COLUMNS = {
    "architecture": "torchvision name",
    "benchmark": "benchmark id, or 'overall'",
    "printed": "mean rank as printed (two decimals, trailing zeros dropped: ± 0.005)",
    "mean_rank": "recomputed mean rank, average rank under ties",
    "least": "least mean rank that some order of tied architectures gives",
    "greatest": "greatest mean rank that some order of tied architectures gives",
    "excess": "how far the printed value ± 0.005 lies outside the bounds, ranks",
    "verdict": "'consistent' with the rounded scores, or 'inconsistent'",
    "from_printed": "overall: mean of the four means printed in the same row",
    "satisfied_together": "whether the tie-breaking that meets most printed cells meets this one",
    "tie_breaking": "mean rank under that tie-breaking",
    "note": "what is missing, and why",
}

PROGRAM_COLUMNS = {
    "scope": "the cells that one tie-breaking has to meet: a benchmark's, or all",
    "cells": "number of printed cells",
    "consistent": "cells inside their own bounds",
    "satisfiable_together": "most cells that one tie-breaking meets at once (integer program)",
    "feasible": "whether one tie-breaking meets all cells of the scope",
    "relaxation": "least total by which the cells have to give way for one to meet all, ranks",
    "tied_groups": "groups of architectures that tie on a score",
    "note": "what is missing, and why",
}


@dataclass(frozen=True, kw_only=True)
class TieBreaking:
    """One order of all tied architectures, chosen to meet as many cells as it can.

    satisfied: per cell; means: mean rank per cell under this order; relaxation: least total
    distance of the cells from what one order gives (another order may reach it).
    """

    satisfied: tuple[bool, ...]
    means: tuple[float, ...]
    relaxation: float


@dataclass(frozen=True, kw_only=True)
class RankProgram:
    """Mean ranks as linear functions of the order of the tied architectures.

    A binary variable says that an architecture takes one of the ranks its group shares;
    `equalities` @ x = 1 makes each group's choice an order. The mean rank of architecture a
    over a set of scores with weights w is (fixed[a] @ w) + Σ w[s]·(its variables' ranks).
    """

    fixed: Floats  # (architectures, scores): 0 where the rank is open
    equalities: Floats  # (rows, variables)
    architecture: tuple[int, ...]  # per variable
    score: tuple[int, ...]
    rank: tuple[float, ...]
    groups: int

    def mean(self, a: int, weights: Floats) -> tuple[float, Floats]:
        """Constant and coefficients of architecture a's weighted mean rank."""
        own = np.array(self.architecture, dtype=int) == a
        of_score = np.array(self.score, dtype=int)
        coefficients = np.where(own, np.array(self.rank) * weights[of_score], 0.0)
        return float(self.fixed[a] @ weights), coefficients


def rank_program(best: Floats) -> RankProgram:
    """Set up the orders of tied architectures; `best`: oriented (architectures, scores)."""
    least = ranks_of(best, "min")
    fixed = np.where(ranks_of(best, "max") == least, least, 0.0)
    variables: list[tuple[int, int, float]] = []
    rows: list[list[int]] = []
    groups = 0
    for s in range(best.shape[1]):
        for rank in np.unique(least[fixed[:, s] == 0, s]):
            tied = np.flatnonzero((least[:, s] == rank) & (fixed[:, s] == 0))
            first, t = len(variables), len(tied)
            variables += [(int(a), s, float(rank + place)) for a in tied for place in range(t)]
            rows += [[first + i * t + j for j in range(t)] for i in range(t)]
            rows += [[first + i * t + j for i in range(t)] for j in range(t)]
            groups += 1
    equalities = np.zeros((len(rows), len(variables)))
    for number, row in enumerate(rows):
        equalities[number, row] = 1
    architecture, score, ranks = zip(*variables, strict=True) if variables else ((), (), ())
    return RankProgram(
        fixed=fixed,
        equalities=equalities,
        architecture=architecture,
        score=score,
        rank=ranks,
        groups=groups,
    )


def break_ties(
    program: RankProgram, cells: Sequence[tuple[int, Floats, float]], half_unit: float = HALF_UNIT
) -> TieBreaking:
    """Meet as many cells as one order of the tied architectures can (integer program).

    `cells`: (architecture index, weights over scores, printed mean rank). A cell is met when
    the mean rank lies within `half_unit` of the printed value. Solved exactly with HiGHS, once
    for the number of cells met and once for the least total relaxation.
    """
    x, n = len(program.rank), len(cells)
    constants, coefficients = np.empty(n), np.zeros((n, x))
    for c, (a, weights, _) in enumerate(cells):
        constants[c], coefficients[c] = program.mean(a, weights)
    printed = np.array([value for *_, value in cells])
    low = printed - half_unit - EXACT - constants
    high = printed + half_unit + EXACT - constants
    order = (np.hstack([program.equalities, np.zeros((len(program.equalities), 2 * n))]), 1, 1)

    slack = 1e3  # beyond any rank
    relaxed = np.hstack([coefficients, np.eye(n), -np.eye(n)])
    exact = _solve(np.repeat([0.0, 1.0], [x, 2 * n]), [order, (relaxed, low, high)], x, slack)
    if np.isclose(exact.cost, 0, atol=1e-7):
        means = constants + coefficients @ exact.x[:x]
        return TieBreaking(satisfied=(True,) * n, means=tuple(means), relaxation=0.0)
    reach = float(np.max(np.abs(constants)) + np.max(np.abs(coefficients).sum(axis=1), initial=0))
    give = (reach + np.max(np.abs(printed))) * np.eye(n)
    nothing = np.zeros((n, n))
    above = (np.hstack([coefficients, give, nothing]), low, np.inf)
    below = (np.hstack([coefficients, -give, nothing]), -np.inf, high)
    most = _solve(np.repeat([0.0, 1.0, 0.0], [x, n, n]), [order, above, below], x + n, 1.0)
    return TieBreaking(
        satisfied=tuple(most.x[x : x + n] < 0.5),
        means=tuple(constants + coefficients @ most.x[:x]),
        relaxation=exact.cost,
    )


@dataclass(frozen=True, kw_only=True)
class _Solution:
    x: Floats
    cost: float


def _solve(
    cost: Floats,
    constraints: Sequence[tuple[Floats, Floats | float, Floats | float]],
    binaries: int,
    upper: float,
) -> _Solution:
    """Minimise a mixed integer program whose first variables are binary, the rest ≥ 0."""
    integrality = np.arange(len(cost)) < binaries
    solution = milp(
        cost,
        constraints=[LinearConstraint(*each) for each in constraints if len(each[0])],
        integrality=integrality.astype(int),
        bounds=Bounds(0, np.where(integrality, 1.0, upper)),
    )
    assert solution.x is not None, solution.message  # always feasible: every cell may give way
    x = np.where(integrality, np.rint(solution.x), solution.x)
    return _Solution(x=x, cost=float(cost @ x))


def printed_cells(scores: pd.DataFrame, printed: pd.DataFrame) -> list[Row]:
    """Each printed mean rank beside what the scores give for it, in the table's order."""
    ours = average_ranks(scores).set_index("architecture")
    table = printed.set_index("architecture").apply(pd.to_numeric, errors="coerce")
    rows: list[Row] = []
    for architecture in table.index:
        row = table.loc[architecture].reindex(list(SCOPES))
        for scope in SCOPES:
            own = ours.loc[architecture] if architecture in ours.index else None
            rows.append(
                {
                    "architecture": architecture,
                    "benchmark": scope,
                    "printed": row[scope],
                    "mean_rank": np.nan if own is None else own[scope],
                    "least": np.nan if own is None else own[f"{scope}_least"],
                    "greatest": np.nan if own is None else own[f"{scope}_greatest"],
                    "from_printed": row[list(BENCHMARKS)].mean(skipna=False)
                    if scope == "overall"
                    else np.nan,
                }
            )
    return rows


def rank_rounding(scores: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Judge each printed mean rank by the bounds that the rounded scores leave (Table III).

    `scores`: rows of `score_means`; `printed`: architecture, the four benchmarks and overall, as
    printed. Columns: ROUNDING_COLUMNS, a row per printed cell. A cell is consistent when some
    order of the architectures that tie on rounded scores puts the mean within ± 0.005 of it.
    """
    rows = printed_cells(scores, printed)
    for row in rows:
        value, least, greatest = (float(row[key]) for key in ("printed", "least", "greatest"))
        if np.isnan([value, least, greatest]).any():
            missing = "the table prints no value" if np.isnan(value) else "scores are missing"
            row |= not_computable(missing)
            continue
        outside = max(value - HALF_UNIT - greatest, least - value - HALF_UNIT, 0.0)
        row["excess"] = outside if outside > EXACT else 0.0
        row["verdict"] = "inconsistent" if outside > EXACT else "consistent"
    judged = [row for row in rows if "verdict" in row]
    cube = score_cube(scores)
    if judged:
        together = break_ties(rank_program(cube.best), _as_cells(judged, scores))
        for row, met, mean in zip(judged, together.satisfied, together.means, strict=True):
            row |= {"satisfied_together": met, "tie_breaking": mean}
    return result(ROUNDING_COLUMNS, rows or [not_computable("no table of mean ranks is given")])


def _as_cells(
    rows: Sequence[Mapping[Any, Any]], scores: pd.DataFrame
) -> list[tuple[int, Floats, float]]:
    """Rows of printed cells as (architecture index, weights over the scores, printed value)."""
    cube = score_cube(scores)
    of = np.array(cube.benchmarks)
    weights = {name: (of == name) / max(np.sum(of == name), 1) for name in BENCHMARKS}
    weights["overall"] = np.sum(list(weights.values()), axis=0) / len(BENCHMARKS)
    return [
        (
            cube.architectures.index(str(row["architecture"])),
            weights[str(row["benchmark"])],
            float(row["printed"]),
        )
        for row in rows
    ]


def tie_breaking(scores: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Ask whether one order of all tied architectures gives the printed means at once.

    Arguments as for `rank_rounding`. Columns: PROGRAM_COLUMNS; one row per benchmark, one for
    the overall column, one for all cells together.
    """
    judged = rank_rounding(scores, printed)
    usable = judged[judged["verdict"].notna()]
    program = rank_program(score_cube(scores).best)
    cells = _as_cells(usable.to_dict("records"), scores)
    together = break_ties(program, cells) if cells else None
    rows: list[Row] = []
    for scope in (*SCOPES, "all"):
        chosen = np.flatnonzero((usable["benchmark"] == scope) | (scope == "all"))
        row: Row = {
            "scope": scope,
            "cells": len(chosen),
            "consistent": int((usable["verdict"].iloc[chosen] == "consistent").sum()),
            "tied_groups": program.groups,
        }
        if together is None or not len(chosen):
            rows.append(row | not_computable("no printed cell has scores to compare with"))
            continue
        whole = scope == "all" or all(together.satisfied)
        found = together if whole else break_ties(program, [cells[c] for c in chosen])
        met = int(np.sum(found.satisfied)) if not whole or scope == "all" else len(chosen)
        row |= {"satisfiable_together": met, "feasible": met == len(chosen)}
        rows.append(row | {"relaxation": found.relaxation})
    return result(PROGRAM_COLUMNS, rows)


def _published(frames: Frames) -> pd.DataFrame:
    """The scores that Table III can be compared with: the published ones, none otherwise."""
    return frames.scores if frames.source == "paper" else frames.scores.iloc[:0]


STUDIES = (
    Study(
        name="rank_rounding",
        title="Printed mean ranks against what the rounded scores allow (Table III)",
        columns=ROUNDING_COLUMNS,
        compute=lambda frames: rank_rounding(_published(frames), frames.paper_tables["03"]),
    ),
    Study(
        name="tie_breaking",
        title="Whether one order of tied architectures gives all printed mean ranks (Table III)",
        columns=PROGRAM_COLUMNS,
        compute=lambda frames: tie_breaking(_published(frames), frames.paper_tables["03"]),
    ),
)
