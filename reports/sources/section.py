"""The section on sources: ranks of all networks together, whose each is, and where they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lossnets.analysis.studies import STUDIES
from lossnets.reports.page.page import Exhibit, Page
from lossnets.reports.page.rank_columns import rank_columns
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    gaps,
    labelled,
    labels,
    of_paper,
    shortened,
    study,
    words,
)
from lossnets.reports.page.tables import Cell, Column, grid
from lossnets.reports.sources.configurations import configurations


def sources_together(page: Page) -> dict[str, object]:
    """The sources beside the paper, if any: all of them with the paper, and what they share."""
    query = page.query("sources")
    others = [name for name in query.frame["source"] if name != "paper"]
    if not others:
        return {"sources": None}
    columns = (
        Column(key="source", label="Source", head=True),
        Column(key="title", label="Title"),
        *(
            Column(key=key, label=key.replace("_", " ").capitalize(), numeric=True)
            for key in ("scores", "loss_networks", "architectures")
        ),
    )
    return {
        "sources": page.table("sources", grid(query.frame, columns), query),
        "together": [_together(page, source) for source in others],
        "agreement": _agreement(page),
        "configurations": configurations(page),
        "of_home": others == ["measured"],
    }


def _together(page: Page, source: str) -> dict[str, object]:
    """The mean ranks of the paper's architectures and a source's, on the scores both have."""
    name = f"average_ranks --source paper --source {source}"
    frames = page.frames_of(("paper", source))
    scores = frames.scores["score"].unique().tolist()
    if not scores:
        return {"source": source, "table": None, "scores": 0}
    frame = labelled(page, shortened(STUDIES["average_ranks"].compute(frames)))
    there = [key for key in rank_columns(page) if key in frame]
    shown = [key for key in there if frame[key].notna().any()]
    ordered = _ordered(frame, shown)
    return {
        "source": source,
        "scores": len(scores),
        "labels": labels(page).score,
        "named": scores,
        "added": int((frame["source"] == source).sum()),
        "of": len(frame),
        "table": _rank_table(page, source, ordered, shown, name),
    }


def _ordered(frame: pd.DataFrame, shown: list[str]) -> pd.DataFrame:
    mean = frame[shown].mean(axis=1)
    return frame.assign(mean=mean).sort_values(["mean", "name"]).drop(columns="mean")


def _rank_table(
    page: Page, source: str, frame: pd.DataFrame, shown: list[str], name: str
) -> Exhibit:
    titles = {key: words(key).capitalize() for key in rank_columns(page)}
    columns = [
        Column(key="name", label="Architecture", head=True),
        Column(key="source", label="Source"),
        *(Column(key=key, label=titles[key], decimals=2, numeric=True) for key in shown),
    ]

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        if column.key == "source" and row["source"] != "paper":
            return Cell(text=str(row["source"]), marks=("top",))
        return None

    made = grid(frame, columns, cell=cell)
    return page.table(f"ranks_with_{source}", made, frame, study=name)


def _agreement(page: Page) -> dict[str, object]:
    frame = of_paper(study(page, "source_agreement"))
    columns = (
        Column(key="first", label="Source", head=True),
        Column(key="second", label="Other source"),
        Column(key="score_label", label="Score"),
        Column(key="loss_networks", label="Loss networks", numeric=True, decimals=0),
        Column(key="mean_difference", label="Mean difference", numeric=True, decimals=3),
        Column(key="largest_difference", label="Largest", numeric=True, decimals=3),
        Column(key="name", label="of"),
        Column(key="layer", label="layer"),
        Column(key="spearman", label="Rank correlation", numeric=True, decimals=2),
    )
    rows = frame[frame["loss_networks"].notna()]
    if rows.empty:
        return {"table": None, "gaps": gaps(frame, "pairs of sources")}
    made = page.table("source_agreement", grid(rows, columns), frame, study="source_agreement")
    return {"table": made, "gaps": gaps(frame, "rows")}


SECTION = Section(
    name="sources_together",
    title="The paper beside other sources",
    order=95,
    build=sources_together,
)
