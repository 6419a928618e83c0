"""The section on how sure the ranking is: differences, choice of scores, rounding, noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    gaps,
    in_words,
    labels,
    listed,
    noted,
    number,
    of_paper,
    p_text,
    paper_study,
    small_sources,
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Cell, Column, Grid, grid, records, shown
from lossnets.reports.ranking import figures as rank_figures

BLOCKS = ("scores", "benchmarks")
ALPHA = 0.05


def rank_study(page: Page) -> dict[str, object]:
    """Critical differences, rank intervals, tie-breaking and the noise that conclusions bear."""
    friedman = {row["blocks"]: row for row in records(paper_study(page, "friedman"))}
    intervals = study(page, "rank_intervals")
    return {
        "diagrams": {blocks: _diagram(page, blocks) for blocks in BLOCKS},
        "friedman": friedman,
        "separated": separated_pairs(paper_study(page, "rank_pairs")),
        "intervals": page.figure(
            "rank_intervals",
            rank_figures.rank_intervals(intervals),
            intervals,
            study="rank_intervals",
            filters=(
                Filter(
                    field="method",
                    label="Drawn anew",
                    values=intervals["method"].dropna().drop_duplicates().tolist(),
                    single=True,
                ),
                *source_filter(page),
            ),
        ),
        "best": best_chances(of_paper(intervals)),
        "interval_gaps": gaps(of_paper(intervals), "intervals"),
        "tie_breaking": _tie_breaking(page),
        "verdict": tie_breaking_verdict(paper_study(page, "tie_breaking")),
        "noise": _noise(page),
        "number": number,
        "p_text": p_text,
        "listed": listed,
        "words": words,
    }


def _diagram(page: Page, blocks: str) -> Exhibit:
    few = small_sources(page)
    points = study(page, "rank_diagram", of=few)
    points = points[points["blocks"] == blocks].reset_index(drop=True)
    groups = group_bars(
        study(page, "rank_groups", of=few), blocks, labels(page).architecture, len(points)
    )
    families = page.frames().architectures["family"].dropna().drop_duplicates().tolist()
    present = set(points["family"])
    return page.figure(
        f"rank_diagram_{blocks}",
        rank_figures.critical_difference(points, groups, [f for f in families if f in present]),
        points,
        study="rank_diagram",
        filters=(
            Filter(
                field="method",
                label="Bars by",
                values=groups["method"].drop_duplicates().tolist(),
                single=True,
            ),
            *source_filter(page, few),
        ),
    )


def group_bars(
    groups: pd.DataFrame, blocks: str, names: Mapping[str, str], architectures: int
) -> pd.DataFrame:
    """One bar per group: its method, first and last member, and the place where it is drawn."""
    chosen = groups[(groups["blocks"] == blocks) & groups["members"].notna()]
    rows = []
    for row in records(chosen):
        members = (
            row["members"] if not isinstance(row["members"], str) else row["members"].split(", ")
        )
        named = [names.get(member, member) for member in members]
        rows.append(
            {
                "source": row["source"],
                "method": row["method"],
                "name": named[0],
                "last": named[-1],
                "members": ", ".join(named),
                "place": architectures + 0.3 + rank_figures.COLUMN * row["group"],
            }
        )
    return pd.DataFrame(rows, columns=["source", "method", "name", "last", "members", "place"])


def separated_pairs(pairs: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many pairs of architectures each test tells apart at 5 %, by kind of block."""
    return {
        str(blocks): {
            "pairs": len(own),
            "mean_ranks": int((own["p_difference"] < ALPHA).sum()),
            "wilcoxon": int((own["p_holm"] < ALPHA).sum()),
        }
        for blocks, own in pairs.groupby("blocks", sort=False)
    }


def best_chances(intervals: pd.DataFrame) -> list[dict[str, Any]]:
    """Per method, the architectures with the highest chance of being the best, in order."""
    found = []
    for method, own in intervals.dropna(subset=["p_best"]).groupby("method", sort=False):
        ordered = own.sort_values(["p_best", "mean_rank"], ascending=[False, True])
        leading = ordered[ordered["p_best"] >= 0.05]
        found.append(
            {"method": method, "leading": records(leading), "draws": int(own["draws"].max())}
        )
    return found


def _tie_breaking(page: Page) -> Exhibit:
    frame = study(page, "tie_breaking")
    columns = (
        Column(key="scope", label="Cells of Table III", head=True),
        Column(key="cells", label="Cells", numeric=True, decimals=0),
        Column(key="consistent", label="Inside their bounds", numeric=True, decimals=0),
        Column(key="satisfiable_together", label="Met by one order", numeric=True, decimals=0),
        Column(key="relaxation", label="Lacking (ranks)", numeric=True, decimals=3),
        Column(key="tied_groups", label="Tied groups", numeric=True, decimals=0),
    )
    made = grid(of_paper(frame), noted(columns, of_paper(frame)), cell=_words_of("scope"))
    return page.table("tie_breaking", made, frame, study="tie_breaking")


def _words_of(key: str) -> Any:
    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        return Cell(text=words(row[key])) if column.key == key else None

    return cell


def tie_breaking_verdict(frame: pd.DataFrame) -> dict[str, Any] | None:
    """The row over all cells: whether one order of the tied architectures gives Table III."""
    found = records(frame[(frame["scope"] == "all") & frame["cells"].notna()])
    return found[0] if found else None


def _noise(page: Page) -> Exhibit:
    frame = study(page, "noise_tolerance")
    columns = (
        Column(key="statement", label="Conclusion", head=True),
        Column(key="fraction_5", label="5 % of draws", group="changes for noise of", numeric=True),
        Column(key="fraction_50", label="half of them", group="changes for noise of", numeric=True),
        Column(key="draws", label="Draws", numeric=True, decimals=0),
    )
    paper = of_paper(frame).copy()
    for spoken in ("statement", "note"):
        paper[spoken] = [in_words(page, text or "") for text in paper[spoken]]
    return page.table(
        "noise_tolerance",
        noise_grid(paper, noted(columns, paper)),
        frame,
        study="noise_tolerance",
    )


def noise_grid(frame: pd.DataFrame, columns: tuple[Column, ...]) -> Grid:
    """Noise in standard deviations between architectures; a gap has its reason in the note."""

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.key == "note":
            return Cell(text=row["note"], marks=("wrap",))
        if not column.key.startswith("fraction"):
            return None
        text = shown(row[column.key], 2)
        return Cell(text=f"{text} sd" if text else "", marks=() if text else ("missing",))

    return grid(frame, columns, cell=cell)


SECTION = Section(
    name="rank_study",
    title="How sure is the ranking",
    order=100,
    build=rank_study,
)
