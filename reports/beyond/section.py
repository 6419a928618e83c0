"""The section on other trainings, other architectures and other families than those at hand."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lossnets.reports.beyond import figures
from lossnets.reports.page import theme
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
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Column, grid, records

ALPHA = 0.05
LAYER = "layer"


def beyond_study(page: Page) -> dict[str, object]:
    """Noise of trainings and reruns, prediction of architectures left out, and lineages."""
    noise = _noise_frame(page)
    predicted = study(page, "prediction")
    return {
        "noise": _noise(page, noise),
        "noisy": noisy(of_paper(noise)),
        "noise_gaps": gaps(of_paper(noise), "trainings"),
        "winners": _winners(page),
        "prediction": _prediction(page, predicted),
        "predicted": prediction_counts(of_paper(predicted)),
        "contrasts": contrast_counts(of_paper(study(page, "layer_contrasts"))),
        "lineages": _lineages(page),
        "held": lineage_counts(of_paper(study(page, "lineages"))),
        "number": number,
        "p_text": p_text,
        "listed": listed,
        "words": words,
    }


def _noise_frame(page: Page) -> pd.DataFrame:
    frame = study(page, "noise")
    return frame.assign(label=_named(page, frame["trained_model"]))


def _named(page: Page, ids: pd.Series) -> pd.Series:
    """Trained models, and scores of which nothing is trained, as people name them."""
    return ids.map(labels(page).score).fillna(ids.map(words))


def _noise(page: Page, frame: pd.DataFrame) -> Exhibit:
    methods = frame["method"].dropna().drop_duplicates().tolist()
    by_method = Filter(field="method", label="From", values=methods, single=True)
    return page.figure(
        "training_noise",
        figures.noise(frame, frame["label"].dropna().drop_duplicates().tolist()),
        frame,
        study="noise",
        filters=(*((by_method,) if methods else ()), *source_filter(page)),
    )


def noisy(noise: pd.DataFrame) -> dict[str, list[str]]:
    """Trainings by whether their noise exceeds the spread of architectures.

    always: whichever architecture is left out; hinges: one architecture decides it.
    """
    known = noise[noise["p_same_winner"].notna()]
    always = known["without_low"] >= 1
    hinges = (known["without_high"] >= 1) & ~always
    return {
        "always": known.loc[always, "label"].tolist(),
        "hinges": known.loc[hinges, "label"].tolist(),
        "calm": known.loc[known["without_high"] < 1, "label"].tolist(),
    }


def _winners(page: Page) -> Exhibit:
    frame = study(page, "rerun_winners")
    known = labels(page).architecture
    frame = frame.assign(
        label=frame["scope"].map(words),
        first=[_names(known, ids) for ids in frame["winner"]],
        following=[_names(known, ids) for ids in frame["next_architecture"]],
    )
    columns = (
        Column(key="label", label="Benchmark", head=True),
        Column(key="first", label="Winner"),
        Column(key="p_same_winner", label="P(same in a rerun)", numeric=True, decimals=2),
        Column(key="following", label="Else most often"),
        Column(key="p_next", label="P", numeric=True, decimals=2),
        Column(key="draws", label="Reruns", numeric=True, decimals=0),
    )
    rows = of_paper(frame)
    return page.table(
        "rerun_winners", grid(rows, noted(columns, rows)), frame, study="rerun_winners"
    )


def _names(known: dict[str, str], ids: object) -> str:
    return ", ".join(known.get(one, one) for one in ids.split(", ")) if isinstance(ids, str) else ""


def _prediction(page: Page, frame: pd.DataFrame) -> Exhibit | None:
    frame = frame[frame["attribute"].notna()].reset_index(drop=True)
    if frame.empty:
        return None
    frame = frame.assign(scope_label=_named(page, frame["scope"]))
    best = frame[frame["scope"] == "all"].sort_values("gain", ascending=False)
    models = frame["model"].drop_duplicates().tolist()
    scopes = frame["scope"].drop_duplicates().tolist()
    named = dict(zip(frame["scope"], frame["scope_label"], strict=True))
    return page.figure(
        "prediction",
        figures.prediction(frame, best["attribute_label"].drop_duplicates().tolist(), models),
        frame,
        study="prediction",
        filters=(
            Filter(
                field="scope",
                label="Scores of",
                values=["all", *(name for name in scopes if name != "all")],
                labels=named,
                single=True,
            ),
            Filter(field="model", label="Model", values=models, marks=theme.marks(models)),
            *source_filter(page),
        ),
    )


def prediction_counts(frame: pd.DataFrame) -> dict[str, Any]:
    """What the layer alone predicts on average, and which attributes add to it."""
    own = frame[frame["scope"] == "all"]
    alone = own.loc[own["model"] == LAYER, "q2"]
    tested = own[own["p_holm"].notna()]
    found = tested[(tested["p_holm"] < ALPHA) & (tested["gain"] > 0)]
    return {
        "layer": float(alone.iloc[0]) if alone.notna().any() else None,
        "found": records(found.sort_values("gain", ascending=False)),
        "tested": len(tested),
    }


def contrast_counts(frame: pd.DataFrame) -> dict[str, Any]:
    """How many contrasts of layers a yes/no attribute changes, within its family."""
    tested = frame[frame["p_westfall_young"].notna()]
    found = tested[tested["p_westfall_young"] < ALPHA]
    return {
        "tested": len(tested),
        "attributes": tested["attribute"].nunique(),
        "family": int(tested["family_size"].max()) if len(tested) else 0,
        "contrast": words(tested["contrast"].iloc[0]) if len(tested) else "",
        "found": records(found),
    }


def _lineages(page: Page) -> Exhibit:
    frame = study(page, "lineages")
    known = labels(page)
    subject = frame["subject"].map(known.attribute | known.score).fillna(frame["subject"])
    what = subject + ", " + frame["benchmark"].map(words).astype(object)
    frame = frame.assign(what=what)
    rows = of_paper(frame)
    rows = rows[rows["holds"].notna()]
    columns = (
        Column(key="what", label="Found over all architectures", head=True),
        Column(key="statistic", label="Statistic"),
        *(
            Column(key=key, label=label, group=group, numeric=True, decimals=decimals)
            for pool, group in (
                ("all", "all architectures"),
                ("lineages", "lineages"),
                ("within", "the largest"),
                ("without", "without it"),
            )
            for key, label, decimals in ((pool, "value", 2), (f"p_{pool}", "p", 3))
        ),
        Column(key="holds", label="Holds"),
    )
    return page.table("lineages", grid(rows, noted(columns, rows)), frame, study="lineages")


def lineage_counts(frame: pd.DataFrame) -> dict[str, Any]:
    """Of what is found over all architectures, what holds over lineages and without the largest."""
    found = frame[frame["holds"].notna()]
    counts: dict[str, Any] = {
        str(kind): {"found": len(own), "held": int((own["holds"] == "yes").sum())}
        for kind, own in found.groupby("finding", sort=False)
    }
    largest = frame["largest"].dropna().tolist()
    return counts | {"largest": largest[0] if largest else None}


SECTION = Section(
    name="beyond_study",
    title="Other trainings, other networks, other families",
    order=125,
    build=beyond_study,
)
