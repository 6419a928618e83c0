"""The first screen: one sentence, a card a task, and the table of all architectures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lossnets.analysis.choice.answers import (
    NEW,
    Answer,
    Choice,
    answers,
    favourite_layers,
)
from lossnets.analysis.choice.short_list import build_line, new_task
from lossnets.reports.answer import heat
from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.study_results import labels, number, ordinal, paper_study, sources, words
from lossnets.reports.page.tables import Grid, Group, records

CHOICE = "benchmarks, then scores"  # the widest of the rank intervals' methods
CHANCE = 0.05  # who comes first in fewer draws is no candidate for the first place
ACCURACY = "imagenet_top1"
OVERALL = "overall"
TASKS = {
    "perceptual_similarity": "Image similarity",
    "super_resolution": "Super-resolution",
    "delineation": "Delineation of roads",
    "autoencoding": "Autoencoding",
    NEW: "A new task",
}


def answer(page: Page) -> dict[str, object]:
    """What the published values say to somebody who needs a loss network now."""
    catalog = page.frames().score_catalog
    names = labels(page).architecture
    titles = heat.score_titles(catalog)
    groups = [group for _, group, _ in titles]
    found = answers(page.frames())
    intervals = _intervals(page)
    table = _placed(page)
    shown = _with_names(table, names)
    ordered = catalog.sort_values("position")
    return {
        "lead": _lead(page, found, names, intervals),
        "cards": [_card(page, one, names) for one in found],
        "table": page.table("answer", Grid(columns=(), groups=()), shown),  # drawn by its template
        "titles": titles,
        "groups": [(name, groups.count(name)) for name in dict.fromkeys(groups)],
        "starts": [groups.index(name) for name in dict.fromkeys(groups)],
        "compact": heat.compact,
        "labels": [list(pair) for pair in zip(ordered["score"], ordered["label"], strict=True)],
        "groups_of_rows": [Group(label="", rows=heat.rows(table, catalog, names, intervals))],
        "sources": sources(page),
        "field": len(intervals),
        "number": number,
        "ordinal": ordinal,
        "words": words,
    }


def _intervals(page: Page) -> pd.DataFrame:
    """Rank intervals of the paper's architectures, by architecture, the first first."""
    intervals = paper_study(page, "rank_intervals")
    drawn = intervals[(intervals["method"] == CHOICE) & intervals["p_best"].notna()]
    return drawn.sort_values(["mean_rank", "name"]).set_index("architecture")


def _placed(page: Page) -> pd.DataFrame:
    paper = heat.best_values(page.frames())
    ranked = page.frames().score_catalog["score"]  # beyond these there is no field of the paper's
    placed = (heat.placed(page.frames(source), paper) for source in sources(page))
    parts = [part[part["score"].isin(ranked)] for part in placed]
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _with_names(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    named = table.assign(name=table["architecture"].map(names).fillna(table["architecture"]))
    kept = ["source", "architecture", "name", "family", "score", "value", "layers", "place"]
    return named[kept].reset_index(drop=True)


def _lead(
    page: Page, found: Sequence[Answer], names: Mapping[str, str], intervals: pd.DataFrame
) -> dict[str, Any] | None:
    """What the first sentence is made of; None without a ranking."""
    if intervals.empty or not found:
        return None
    first = records(intervals.reset_index())[0]
    candidates = intervals[intervals["p_best"] >= CHANCE].sort_values("p_best", ascending=False)
    new = next((one for one in found if one.task == NEW), None)
    cheap = names.get(new.cheaper.architecture) if new and new.cheaper else None
    likely = [str(name) for name in candidates["name"] if name != cheap]
    favourites = favourite_layers(page.frames())
    by_layer: dict[str, list[str]] = {}
    for benchmark, favourite in favourites.items():
        if favourite:
            by_layer.setdefault(favourite[0], []).append(TASKS[benchmark].lower())
    return {
        "first": first,
        "candidates": likely or [str(first["name"])],
        "cheap": cheap,
        "layers": by_layer,
        "open": [TASKS[name].lower() for name, favourite in favourites.items() if not favourite],
        "accuracy": _accuracy(page),
        "architectures": len(intervals),
    }


def _accuracy(page: Page) -> bool | None:
    """Whether ImageNet accuracy goes with the overall placing; None where it is not known."""
    frame = paper_study(page, "correlation_benchmarks")
    rows = frame[(frame["attribute"] == ACCURACY) & (frame["benchmark"] == OVERALL)]
    p = rows["spearman_p_westfall_young"].dropna()
    return bool(p.iloc[0] < CHANCE) if len(p) else None


def _card(page: Page, one: Answer, names: Mapping[str, str]) -> dict[str, Any]:
    """A card's words; for a new task what choosing without trying is worth."""
    card = {
        "task": TASKS[one.task],
        "new": one.task == NEW,
        "best": _named(one.best, names),
        "why": _why(one, names, labels(page).score),
        "second": _named(one.second, names) if one.second else None,
        "cheaper": _named(one.cheaper, names) if one.cheaper else None,
        "ratio": one.best.macs / one.cheaper.macs if one.cheaper else None,
        "networks": one.networks,
        "line": build_line(one.best.architecture, one.best.layer),
    }
    if one.task == NEW:
        trial = new_task(page.frames())
        card["trial"] = trial
        card["try"] = names.get(trial.architecture, trial.architecture) if trial else None
        card["line"] = build_line(trial.architecture, trial.layers[0]) if trial else card["line"]
        card["likely"] = _likely(page)
    return card


def _likely(page: Page) -> dict[str, Any] | None:
    """The family that is most probably the best on a new benchmark; None where none is told."""
    table = paper_study(page, "new_benchmark")
    families = table[(table["of"] == "family") & (table["members"] > 1)]
    ordered = families.sort_values("p_best", ascending=False)
    return records(ordered)[0] if len(ordered) else None


def _named(choice: Choice, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "architecture": choice.architecture,
        "layer_id": choice.layer,
        "name": names.get(choice.architecture, choice.architecture),
        "layer": words(choice.layer),
        "place": choice.place,
        "standing": choice.standing,
        "p_best": choice.p_best,
        "macs": choice.macs,
    }


def _why(one: Answer, names: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """On which scores it is the first, and who is it on the others."""
    parts = []
    if one.best.first:
        few = len(one.best.first) <= 2 and len(one.scores) <= 3
        on = " and ".join(titles[s] for s in one.best.first) if few else ""
        parts.append(f"first on {on or f'{len(one.best.first)} of {len(one.scores)} scores'}")
    leaders = Counter((c.architecture, c.layer) for c in one.others.values())
    for (architecture, layer), times in leaders.most_common(1):
        on = " and ".join(
            titles[s]
            for s, c in one.others.items()
            if (c.architecture, c.layer) == (architecture, layer)
        )
        where = on if times <= 2 else f"{times}"
        parts.append(f"{names.get(architecture, architecture)}, {words(layer)}, on {where}")
    return "; ".join(parts)


SECTION = Section(
    name="answer",
    title="The answer",
    order=5,
    build=answer,
    scripts=("answer.js",),
    styles=("answer.css",),
)
