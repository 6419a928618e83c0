"""The section between benchmarks: do they agree, does one predict another?"""

from __future__ import annotations

from typing import Any

import pandas as pd

from lossnets.reports.between import figures as benchmark_figures
from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    gaps,
    labels,
    listed,
    noted,
    number,
    of_paper,
    p_text,
    paper_study,
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Column, grid, records

ALPHA = 0.05
VIEWS = {"best_layer": "best layers", "all_cells": "all cells"}
EVERYONE = "all"
SHORT = {"perceptual_similarity": "similarity", "super_resolution": "super-res."}


def benchmark_study(page: Page) -> dict[str, object]:
    """Scores against scores, benchmarks against benchmarks, how many are independent."""
    matrix = _score_pairs(page)
    prediction = _labelled_rows(page, "benchmark_prediction")
    pairs = _labelled_rows(page, "benchmark_correlations")
    agreement = paper_study(page, "benchmark_agreement")
    return {
        "map": _map(page, matrix),
        "prediction": _intervals(page, "benchmark_prediction", prediction),
        "predicted": prediction_counts(of_paper(prediction)),
        "pairs": _intervals(page, "benchmark_correlations", pairs),
        "paired": prediction_counts(of_paper(pairs)),
        "agreement": _agreement(page),
        "agreed": agreement_of(agreement),
        "without": records(agreement[agreement["pool"] != EVERYONE]),
        "dimensions": _dimensions(page),
        "independent": independent_scores(paper_study(page, "score_dimensions")),
        "gaps": {
            "map": gaps(of_paper(matrix), "pairs"),
            "prediction": gaps(of_paper(prediction), "rows"),
        },
        "number": number,
        "p_text": p_text,
        "listed": listed,
        "words": words,
    }


def _score_pairs(page: Page) -> pd.DataFrame:
    frame = study(page, "score_correlations")
    known = labels(page).score
    for side in ("first", "second"):
        frame[f"{side}_label"] = frame[side].map(known).fillna(frame[side])
    return frame


def _map(page: Page, frame: pd.DataFrame) -> Exhibit:
    scores = frame["first_label"].dropna().drop_duplicates().tolist()
    known = [label for label in labels(page).score.values() if label in set(scores)]
    view = Filter(field="view", label="Over", values=list(VIEWS), labels=VIEWS, single=True)
    return page.figure(
        "score_map",
        benchmark_figures.score_map(frame, known),
        frame,
        study="score_correlations",
        filters=(view, *source_filter(page)),
    )


def _labelled_rows(page: Page, name: str) -> pd.DataFrame:
    """A study between benchmarks with the name of its row: a benchmark, or a pair."""
    frame = study(page, name)
    if "benchmark" in frame.columns:
        frame["label"] = frame["benchmark"].map(words)
    else:
        frame["label"] = frame["first"].map(_short) + " – " + frame["second"].map(_short)
    return frame


def _short(benchmark: object) -> str:
    return SHORT.get(str(benchmark), words(benchmark))


def _intervals(page: Page, name: str, frame: pd.DataFrame) -> Exhibit:
    order = frame["label"].dropna().drop_duplicates().tolist()
    pools = frame["pool"].dropna().drop_duplicates().tolist()
    pool = Filter(field="pool", label="Architectures", values=pools, single=True)
    return page.figure(
        name,
        benchmark_figures.prediction(frame, order),
        frame,
        study=name,
        filters=(pool, *source_filter(page)),
    )


def prediction_counts(frame: pd.DataFrame) -> dict[str, Any]:
    """Over all architectures, which rows are found beyond chance after Holm's correction."""
    everyone = frame[frame["pool"] == EVERYONE]
    found = everyone[everyone["p_holm"] < ALPHA]
    strongest = everyone.dropna(subset=["rho"]).sort_values("rho", ascending=False)
    return {
        "rows": len(everyone),
        "found": found["label"].tolist(),
        "family": int(everyone["family_size"].max())
        if everyone["family_size"].notna().any()
        else 0,
        "detectable": everyone["detectable"].min(),
        "strongest": records(strongest)[0] if len(strongest) else None,
    }


def _agreement(page: Page) -> Exhibit:
    frame = study(page, "benchmark_agreement")
    columns = (
        Column(key="pool", label="Architectures", head=True),
        Column(key="n", label="n", numeric=True, decimals=0),
        Column(key="kendall_w", label="Kendall’s W", numeric=True, decimals=2),
        Column(key="mean_rho", label="Mean ρ", numeric=True, decimals=2),
        Column(key="p_permutation", label="p", numeric=True, decimals=4),
        Column(key="detectable_w", label="Detectable W", numeric=True, decimals=2),
    )
    made = grid(of_paper(frame), noted(columns, of_paper(frame)))
    return page.table("benchmark_agreement", made, frame, study="benchmark_agreement")


def agreement_of(agreement: pd.DataFrame) -> dict[str, Any] | None:
    """Kendall's W of the benchmarks over all architectures."""
    found = records(agreement[agreement["pool"] == EVERYONE].dropna(subset=["kendall_w"]))
    return found[0] if found else None


def _dimensions(page: Page) -> Exhibit:
    frame = study(page, "score_dimensions")
    columns = (
        Column(key="scope", label="Scores", head=True),
        Column(key="scores", label="Number", numeric=True, decimals=0),
        Column(key="participation_ratio", label="Effective number", numeric=True, decimals=1),
        Column(key="low", label="from", group="without one architecture", numeric=True, decimals=1),
        Column(key="high", label="to", group="without one architecture", numeric=True, decimals=1),
        Column(key="if_independent", label="If independent", numeric=True, decimals=1),
    )
    shown = of_paper(frame).assign(
        scope=of_paper(frame)["scope"].map(words), view=of_paper(frame)["view"].map(VIEWS)
    )
    made = grid(shown, noted(columns, shown), group="view")
    return page.table("score_dimensions", made, frame, study="score_dimensions")


def independent_scores(dimensions: pd.DataFrame) -> dict[str, Any] | None:
    """The effective number of independent scores among all, by best layer."""
    rows = dimensions[(dimensions["scope"] == "all") & (dimensions["view"] == "best_layer")]
    found = records(rows.dropna(subset=["participation_ratio"]))
    return found[0] if found else None


SECTION = Section(
    name="benchmark_study",
    title="Do the benchmarks agree",
    order=130,
    build=benchmark_study,
)
