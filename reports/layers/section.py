"""The section on the extraction layer: is there a best one, and does it matter more?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from lossnets.reports.layers import figures as layer_figures
from lossnets.reports.page import theme
from lossnets.reports.page.page import Exhibit, Filter, Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import (
    gaps,
    labels,
    noted,
    number,
    of_paper,
    paper_study,
    small_sources,
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Column, grid, records

ALPHA = 0.05
SCALES = {"values": "values as published", "ranks": "ranks (mutes collapsed runs)"}


def layer_study(page: Page) -> dict[str, object]:
    """Shares of best layers, agreement on their order, variance, and the swap argument."""
    known = labels(page).score
    shares = study(page, "layer_shares")
    agreement = study(page, "layer_agreement")
    few = small_sources(page)  # leaving each architecture out takes long where there are many
    variance = study(page, "layer_variance", of=few)
    swap = study(page, "layer_swap")
    scores = [known[score] for score in known if score in set(shares["score"])]
    by_source = source_filter(page)
    scale = Filter(field="scale", label="From", values=list(SCALES), labels=SCALES, single=True)
    return {
        "shares": _shares(page, shares, scores),
        "modes": _modes(page),
        "modal": modal_counts(paper_study(page, "layer_modes")),
        "agreement": page.figure(
            "layer_agreement",
            layer_figures.layer_agreement(agreement, scores),
            agreement,
            study="layer_agreement",
            filters=by_source,
        ),
        "agreed": agreement_counts(of_paper(agreement)),
        "variance": page.figure(
            "layer_variance",
            layer_figures.layer_variance(variance, scores),
            variance,
            study="layer_variance",
            filters=(scale, *source_filter(page, few)),
        ),
        "explained": variance_counts(of_paper(variance)),
        "swap": page.figure(
            "layer_swap",
            layer_figures.layer_swap(swap, scores),
            swap,
            study="layer_swap",
            filters=by_source,
        ),
        "swapped": swap_counts(of_paper(swap)),
        "gaps": {
            name: gaps(of_paper(frame), "scores")
            for name, frame in (("agreement", agreement), ("variance", variance), ("swap", swap))
        },
        "number": number,
        "words": words,
    }


def _shares(page: Page, shares: pd.DataFrame, scores: list[str]) -> Exhibit:
    ordered = shares.sort_values(["layer_position", "layer"], na_position="last")
    layers = ordered["layer"].dropna().drop_duplicates().tolist()
    by_layer = Filter(
        field="layer",
        label="Layer",
        values=layers,
        labels={name: words(name) for name in layers},
        marks=theme.marks(layers),
    )
    return page.figure(
        "best_layer_shares",
        layer_figures.best_layer_shares(shares, scores, layers),
        shares,
        study="layer_shares",
        filters=(by_layer, *source_filter(page)),
    )


def _modes(page: Page) -> Exhibit:
    frame = study(page, "layer_modes")
    columns = (
        Column(key="score_label", label="Score", head=True),
        Column(key="modal_layer", label="Most frequent best layer"),
        Column(key="count", label="Architectures", numeric=True),
        Column(key="architectures", label="of", numeric=True, decimals=0),
        Column(key="p_any_layer", label="p", numeric=True, decimals=4),
        Column(key="p_holm", label="p, Holm", numeric=True, decimals=3),
    )
    order = {score: place for place, score in enumerate(labels(page).score)}
    shown = of_paper(frame).sort_values("score", key=lambda scores: scores.map(order))
    shown = shown.assign(modal_layer=shown["modal_layer"].map(words))
    return page.table("layer_modes", grid(shown, noted(columns, shown)), frame, study="layer_modes")


def modal_counts(modes: pd.DataFrame) -> dict[str, Any]:
    """For how many scores one layer is the best more often than chance, and which layers."""
    found = modes[modes["p_holm"] < ALPHA]
    return {
        "scores": len(modes),
        "found": len(found),
        "layers": Counter(words(layer) for layer in found["modal_layer"]).most_common(),
        "family": _largest(modes["family_size"]),
        "detectable": modes["detectable_share"].min(),
    }


def agreement_counts(agreement: pd.DataFrame) -> dict[str, Any]:
    """For how many scores the architectures agree on the order of the layers beyond chance."""
    return {
        "scores": len(agreement),
        "found": int((agreement["p_holm"] < ALPHA).sum()),
        "not_found": agreement.loc[~(agreement["p_holm"] < ALPHA), "score_label"].tolist(),
        "family": _largest(agreement["family_size"]),
        "detectable": agreement["detectable_w"].min(),
    }


def variance_counts(variance: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Per scale, where the layer explains more than the architecture, and the reverse."""
    found: dict[str, dict[str, Any]] = {}
    for scale, own in variance.groupby("scale", sort=False):
        known = own.dropna(subset=["difference"])
        found[str(scale)] = {
            "scores": len(own),
            "layer": int((known["difference"] > 0).sum()),
            "layer_sure": int((known["low"] > 0).sum()),
            "architecture_sure": int((known["high"] < 0).sum()),
            "layer_mean": known["omega2_layer"].mean(),
            "architecture_mean": known["omega2_architecture"].mean(),
        }
    return found


def swap_counts(swap: pd.DataFrame) -> dict[str, Any]:
    """For how many scores the swap argument holds, and for how many beyond chance."""
    known = swap.dropna(subset=["difference"])
    return {
        "scores": len(swap),
        "holds": int((known["difference"] > 0).sum()),
        "beyond_chance": int((known["p_greater"] < ALPHA).sum()),
        "expected": records(known)[0]["shuffles"] if len(known) else 0,
        "usual": int((known["null_median"] > 0).sum()),
    }


def _largest(values: pd.Series) -> int:
    return int(values.max()) if values.notna().any() else 0


SECTION = Section(
    name="layer_study",
    title="Is there a best layer, and does it matter more than the architecture",
    order=110,
    build=layer_study,
)
