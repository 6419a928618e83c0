"""Which printed mean ranks the rounded scores allow (Table III)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lossnets.analysis.frames.cube import Floats, Row, ScoreCube, not_computable, result, score_cube
from lossnets.analysis.frames.frames import BENCHMARKS, Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.ranking.ranks import average_ranks
from lossnets.analysis.ranking.tie_breaking import EXACT, HALF_UNIT, break_ties, rank_program

TOO_MANY_TIES = "too many architectures tie to try their orders"

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
    cube = score_cube(scores)
    rows = printed_cells(scores, printed)
    for row in rows:
        value, least, greatest = (float(row[key]) for key in ("printed", "least", "greatest"))
        if np.isnan(value) or not _complete(cube, row):
            missing = "the table prints no value" if np.isnan(value) else "scores are missing"
            row |= {"excess": np.nan} | not_computable(missing)
            continue
        outside = max(value - HALF_UNIT - greatest, least - value - HALF_UNIT, 0.0)
        row["excess"] = outside if outside > EXACT else 0.0
        row["verdict"] = "inconsistent" if outside > EXACT else "consistent"
    judged = [row for row in rows if "verdict" in row]
    if judged:
        together = break_ties(rank_program(cube.best), _as_cells(judged, cube))
        for c, row in enumerate(judged):
            if together is None:
                row["note"] = f"the orders are {not_computable(TOO_MANY_TIES)['note']}"
                continue
            row |= {"satisfied_together": together.satisfied[c], "tie_breaking": together.means[c]}
    return result(ROUNDING_COLUMNS, rows or [not_computable("no table of mean ranks is given")])


def _complete(cube: ScoreCube, row: Row) -> bool:
    """Whether the architecture of a printed cell has all scores the cell averages."""
    if row["architecture"] not in cube.architectures:
        return False
    of = np.array(cube.benchmarks)
    wanted = BENCHMARKS if row["benchmark"] == "overall" else (row["benchmark"],)
    best = cube.best[cube.architectures.index(row["architecture"])]
    return all((of == name).any() and not np.isnan(best[of == name]).any() for name in wanted)


def _as_cells(
    rows: Sequence[Mapping[Any, Any]], cube: ScoreCube
) -> list[tuple[int, Floats, float]]:
    """Rows of printed cells as (architecture index, weights over the scores, printed value)."""
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
    return _programs(score_cube(scores), rank_rounding(scores, printed))


def _programs(cube: ScoreCube, judged: pd.DataFrame) -> pd.DataFrame:
    """`tie_breaking` of cells that `rank_rounding` has judged."""
    usable = judged[judged["verdict"].notna()]
    program = rank_program(cube.best)
    cells = _as_cells(usable.to_dict("records"), cube)
    rows: list[Row] = []
    satisfied_all = bool(len(cells)) and usable["satisfied_together"].eq(True).all()
    for scope in (*SCOPES, "all"):
        chosen = np.flatnonzero((usable["benchmark"] == scope) | (scope == "all"))
        row: Row = {
            "scope": scope,
            "cells": len(chosen),
            "consistent": int((usable["verdict"].iloc[chosen] == "consistent").sum()),
            "tied_groups": program.groups,
        }
        if not len(chosen):
            row |= not_computable("no printed cell has scores to compare with")
        elif satisfied_all:  # one order meets all cells, and so those of any scope
            row |= {"satisfiable_together": len(chosen), "feasible": True, "relaxation": 0.0}
        elif (found := break_ties(program, [cells[c] for c in chosen])) is None:
            row |= not_computable(TOO_MANY_TIES)
        else:
            met = sum(found.satisfied)
            row |= {"satisfiable_together": met, "feasible": met == len(chosen)}
            row["relaxation"] = found.relaxation
        rows.append(row)
    return result(PROGRAM_COLUMNS, rows)


def _published(frames: Frames) -> pd.DataFrame:
    """The scores that Table III can be compared with: the published ones, none otherwise."""
    return frames.scores if frames.source == "paper" else frames.scores.iloc[:0]


@once
def _judged(frames: Frames) -> pd.DataFrame:
    return rank_rounding(_published(frames), frames.paper_tables["03"])


STUDIES = (
    Study(
        name="rank_rounding",
        title="Printed mean ranks against what the rounded scores allow (Table III)",
        columns=ROUNDING_COLUMNS,
        compute=lambda frames: _judged(frames).copy(),
    ),
    Study(
        name="tie_breaking",
        title="Whether one order of tied architectures gives all printed mean ranks (Table III)",
        columns=PROGRAM_COLUMNS,
        compute=lambda frames: _programs(score_cube(_published(frames)), _judged(frames)),
    ),
)
