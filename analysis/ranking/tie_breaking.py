"""Orders of tied architectures, and whether one gives the mean ranks that are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.ranking.ranks import ranks_of

HALF_UNIT = 0.005  # the table prints mean ranks to two decimals and drops trailing zeros
EXACT = 1e-5  # well above what HiGHS lets a constraint give way, far below a step of a mean
VARIABLES, NODES = 1_000, 5_000  # beyond these the integer program is given up


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
    fixed = np.where(ranks_of(best, "max") > least, 0.0, least)
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
) -> TieBreaking | None:
    """Meet as many cells as one order of the tied architectures can (integer program).

    `cells`: (architecture index, weights over scores, printed mean rank). A cell is met when
    the mean rank lies within `half_unit` of the printed value. Solved exactly with HiGHS, once
    for the least total relaxation and, unless that is nil, once for the number of cells met.
    None where so many architectures tie that it would take too long.
    """
    x, n = len(program.rank), len(cells)
    if x > VARIABLES:
        return None
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
    if exact is None:
        return None
    means = constants + coefficients @ exact[:x]
    away = np.maximum(np.abs(means - printed) - half_unit, 0)
    relaxation = float(np.sum(away[away > EXACT]))
    if relaxation == 0:
        return TieBreaking(satisfied=(True,) * n, means=tuple(means.tolist()), relaxation=0.0)
    reach = float(np.max(np.abs(constants)) + np.max(np.abs(coefficients).sum(axis=1), initial=0))
    give = (reach + np.max(np.abs(printed))) * np.eye(n)
    nothing = np.zeros((n, n))
    above = (np.hstack([coefficients, give, nothing]), low, np.inf)
    below = (np.hstack([coefficients, -give, nothing]), -np.inf, high)
    most = _solve(np.repeat([0.0, 1.0, 0.0], [x, n, n]), [order, above, below], x + n, 1.0)
    if most is None:
        return None
    means = constants + coefficients @ most[:x]
    met = np.abs(means - printed) <= half_unit + EXACT
    return TieBreaking(
        satisfied=tuple(met.tolist()), means=tuple(means.tolist()), relaxation=relaxation
    )


def _solve(
    cost: Floats,
    constraints: Sequence[tuple[Floats, Floats | float, Floats | float]],
    binaries: int,
    upper: float,
) -> Floats | None:
    """Minimise a mixed integer program whose first variables are binary, the rest ≥ 0.

    None where NODES were not enough to prove the least cost.
    """
    integrality = np.arange(len(cost)) < binaries
    for presolve in (True, False):  # HiGHS gives up some of these with its presolve
        solution = milp(
            cost,
            constraints=[LinearConstraint(*each) for each in constraints if len(each[0])],
            integrality=integrality.astype(int),
            bounds=Bounds(0, np.where(integrality, 1.0, upper)),
            options={"node_limit": NODES, "presolve": presolve},
        )
        if solution.status == 0:
            return np.asarray(np.where(integrality, np.rint(solution.x), solution.x))
    return None  # never for want of a solution: every cell may give way
