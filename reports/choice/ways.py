"""Which network to choose for a new task: ways to choose, what carries over, every network."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lossnets.reports.choice import figures
from lossnets.reports.page.page import Filter, Page
from lossnets.reports.page.study_results import (
    gaps,
    labels,
    of_paper,
    shortened,
    source_filter,
    study,
    words,
)
from lossnets.reports.page.tables import Column, grid, records

MEAN, OVERALL, NETWORK = "mean", "overall", "loss network"
MOST = 14  # architectures whose layers are tried, in the picture: the best of them
WAYS = {
    "random": "Any network",
    "best_on_others": "The best on the other benchmarks",
    "paper_advice": "The paper’s advice for the task",
    "fixed": "The best over all benchmarks",
}
COMPONENTS = {"carried over": "All that carries over", "residual": "Residual, one training"}


def ways(page: Page) -> dict[str, object]:
    """The exhibits of the studies `choice`, `carry_over`, `new_benchmark`, `network_ranks`."""
    choices = labelled(page, study(page, "choice"))
    shares = study(page, "carry_over")
    shares = shares.assign(component=shares["component"].map(_component))
    likely = study(page, "new_benchmark")
    chances = likely[likely["of"] == "architecture"].reset_index(drop=True)
    views = shares["view"].dropna().drop_duplicates().tolist()
    return {
        "choices": page.figure(
            "choice",
            figures.regret(choices),
            choices,
            study="choice",
            filters=(_budgets(choices), _benchmarks(choices), *source_filter(page)),
        ),
        "carried": page.figure(
            "carry_over",
            figures.carried(shares),
            shares,
            study="carry_over",
            filters=(
                Filter(field="view", label="Of", values=views, single=True),
                *source_filter(page),
            ),
        ),
        "chances": page.figure(
            "new_benchmark",
            figures.chances(chances),
            chances,
            study="new_benchmark",
            filters=source_filter(page),
        ),
        "families": records(_families(likely)),
        "best_network": _best_network(likely),
        "networks": _networks(page),
        "mean_regret": mean_regrets(choices),
        "choice_gaps": gaps(of_paper(study(page, "choice")), "rows"),
        "carried_gaps": gaps(of_paper(shares), "rows"),
    }


def labelled(page: Page, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `choice` with a way, a budget and a task in words; of very many architectures some.

    Kept of those whose layers are tried: the MOST with the least mean regret without a budget.
    """
    tried = frame[(frame["strategy"] == "try_layers") & frame["cost"].isna()]
    best = tried[tried["benchmark"] == MEAN].sort_values("regret")["architecture"].head(MOST)
    kept = (frame["strategy"] != "try_layers") | frame["architecture"].isin(best)
    shown = frame[kept].reset_index(drop=True)
    costs = labels(page).attribute
    return shown.assign(
        way=[_way(row) for row in records(shown)],
        allowed=[_allowed(row, costs) for row in records(shown)],
        task=shown["benchmark"].map(lambda name: "mean of all" if name == MEAN else words(name)),
    )


def _way(row: dict[str, Any]) -> str:
    tried = row["tried"]
    if row["strategy"] == "try_layers":
        return f"Try the layers of {row['name']}"
    if row["strategy"] == "try_layers_of_best":
        what = "layer" if tried == 1 else "layers"
        return f"Try {tried} {what} of the best on the others"
    if row["strategy"] == "try_random":
        return f"Try {tried} random networks"
    return WAYS.get(str(row["strategy"]), "–")


def _allowed(row: dict[str, Any], costs: dict[str, str]) -> str:
    if not isinstance(row["cost"], str):
        return "no limit"
    return f"{costs.get(row['cost'], row['cost'])} ≤ {row['budget']:.3g}"


def _component(name: object) -> str:
    text = str(name)
    return COMPONENTS.get(text, text[:1].upper() + text[1:])


def _budgets(choices: pd.DataFrame) -> Filter:
    values = choices["allowed"].drop_duplicates().tolist()
    return Filter(field="allowed", label="Budget", values=values, single=True)


def _benchmarks(choices: pd.DataFrame) -> Filter:
    values = choices["task"].drop_duplicates().tolist()
    values.sort(key=lambda name: name != "mean of all")
    return Filter(field="task", label="Left out", values=values, single=True)


def mean_regrets(choices: pd.DataFrame) -> dict[str, float]:
    """Mean regret of the paper's ways without a budget, by the way in words."""
    rows = of_paper(choices)
    free = rows[rows["cost"].isna() & (rows["benchmark"] == MEAN)]
    return dict(zip(free["way"], free["regret"], strict=True))


def _families(likely: pd.DataFrame) -> pd.DataFrame:
    rows = of_paper(likely)
    rows = rows[(rows["of"] == "family") & (rows["members"] > 1)]
    return rows.sort_values("p_best", ascending=False).head(3)


def _best_network(likely: pd.DataFrame) -> dict[str, Any] | None:
    rows = of_paper(likely)
    rows = rows[rows["of"] == NETWORK]
    return records(rows.head(1))[0] if len(rows) else None


def _networks(page: Page) -> Any:
    """Table of all loss networks: their places on each benchmark and overall, and their costs."""
    frame = study(page, "network_ranks")
    rows = of_paper(frame).dropna(subset=["architecture"])
    places = rows.pivot_table(index=["name", "layer"], columns="benchmark", values="place")
    about = rows.drop_duplicates(["name", "layer"]).set_index(["name", "layer"])
    wide = places.join(about[["macs_to_layer", "params_to_layer"]]).reset_index()
    benchmarks = [name for name in rows["benchmark"].drop_duplicates() if name != OVERALL]
    ordered = [name for name in (OVERALL, "name", "layer") if name in wide]
    wide = shortened(wide.sort_values(ordered, na_position="last"))
    columns = (
        Column(key="name", label="Architecture", head=True),
        Column(key="layer", label="Layer"),
        *(
            Column(key=name, label=words(name).capitalize(), group="Place", numeric=True)
            for name in (OVERALL, *benchmarks)
            if name in wide
        ),
        Column(key="macs_to_layer", label="MACs", group="To the layer", numeric=True, decimals=0),
        Column(
            key="params_to_layer",
            label="Parameters",
            group="To the layer",
            numeric=True,
            decimals=0,
        ),
    )
    shown = wide.assign(layer=wide["layer"].map(words))
    return page.table("network_ranks", grid(shown, columns), frame, study="network_ranks")
