"""The explorer: any attribute, score or mean rank against any other, in the page itself.

What it offers is read from the catalogs, so that an attribute a user has added is there
without code. The page's scripts (`static/explorer*.js`) read the choices from the `<option>`s
and the values from the data block; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from lossnets.reports.page import theme
from lossnets.reports.page.page import Page, Query
from lossnets.reports.page.rank_columns import rank_columns
from lossnets.reports.page.section import Section

KEYS = ("source", "architecture", "name", "family", "layer", "layer_position")
NO_SCORES = "no scores"  # the source of a loss network of which only attributes are known

# What the explorer opens with, where the catalog has it.
FIRST_ATTRIBUTE = "imagenet_top1"


@dataclass(frozen=True, kw_only=True)
class Variable:
    """Something to put on an axis.

    field: its column in the explorer's data; view and column: where the query takes it from;
    level: 'architecture' or 'loss_network' for attributes, 'score', or 'rank';
    direction: 1 where a higher value is better, -1 where a lower one is, 0 for attributes.
    """

    field: str
    view: str
    column: str
    level: str
    label: str
    unit: str = ""
    direction: int = 0
    help: str = ""

    @property
    def title(self) -> str:
        """Its name on an axis: label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, kw_only=True)
class VariableGroup:
    """Variables that stand under one heading of the select."""

    label: str
    variables: tuple[Variable, ...]


def explorer(page: Page) -> dict[str, object]:
    """The explorer, its variables, and the marks of the categories it colours by."""
    scored = page.query("explorer_scores").frame
    groups = variable_groups(page.frames().attribute_catalog, scored, list(rank_columns(page)))
    query = explorer_query(page, groups)
    fields = [variable.field for group in groups for variable in group.variables]
    scores = [v.field for g in groups for v in g.variables if v.level == "score"]
    return {
        "explorer": page.figure("explorer", None, query),
        "groups": groups,
        "start": {
            "x": FIRST_ATTRIBUTE if FIRST_ATTRIBUTE in fields else fields[0],
            "y": scores[0] if scores else fields[-1],
        },
        "categories": categories(query.frame),
        "layers": _layers(query.frame),
        "height": theme.HEIGHT,
        "point": theme.POINT,
        "grey": theme.GREY,
        "shapes": [theme.Mark(hue=theme.GREY, shape=shape) for shape in theme.SHAPES],
    }


def variable_groups(
    attributes: pd.DataFrame, scores: pd.DataFrame, scopes: Sequence[str]
) -> list[VariableGroup]:
    """Everything the catalogs name, in their order: attributes, scores by benchmark, mean ranks.

    scopes: what mean ranks there are of, columns of `average_ranks`.
    """
    attributes = attributes[attributes["kind"] != "categorical"]  # which no axis has
    taken = {*KEYS, *scores["score"], *(f"mean_rank_{scope}" for scope in scopes)}
    found = [
        VariableGroup(
            label=f"Attributes of the {_words(level)}",
            variables=tuple(
                _attribute(row, taken) for row in _records(attributes[attributes["level"] == level])
            ),
        )
        for level in ("architecture", "loss_network")
    ]
    for benchmark in scores["benchmark"].drop_duplicates():
        rows = _records(scores[scores["benchmark"] == benchmark])
        found.append(
            VariableGroup(
                label=f"Scores: {_words(benchmark)}", variables=tuple(_score(row) for row in rows)
            )
        )
    ranks = tuple(
        Variable(
            field=f"mean_rank_{scope}",
            view="average_ranks",
            column=scope,
            level="rank",
            label=f"Mean rank, {_words(scope)}",
            unit="1 = best",
            direction=-1,
        )
        for scope in scopes
    )
    found.append(VariableGroup(label="Mean ranks by the best layer", variables=ranks))
    return [group for group in found if group.variables]


def explorer_query(page: Page, groups: Iterable[VariableGroup]) -> Query:
    """A row per source and loss network, a column per variable."""
    return page.query(
        "explorer",
        variables=[variable for group in groups for variable in group.variables],
        no_scores=NO_SCORES,
    )


def categories(frame: pd.DataFrame) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Every family, layer and source with its hue and shape, in order, by dimension."""
    values = {
        "family": _distinct(frame["family"]),
        "layer": _layers(frame),
        "source": _distinct(frame["source"]),
    }
    return [
        (name, [(value, mark.hue, mark.shape) for value, mark in theme.marks(found).items()])
        for name, found in values.items()
    ]


def _attribute(row: dict[str, object], taken: set[str]) -> Variable:
    name = str(row["attribute"])
    return Variable(
        field=f"{name} (attribute)" if name in taken else name,
        view="loss_networks",
        column=name,
        level=str(row["level"]),
        label=str(row["label"]),
        unit="" if row["kind"] == "binary" else _text(row["unit"]),
        help=_text(row["description"]),
    )


def _score(row: dict[str, object]) -> Variable:
    name = str(row["score"])
    return Variable(
        field=name,
        view="scores_wide",
        column=name,
        level="score",
        label=str(row["label"]),
        unit=_text(row["unit"]),
        direction=1 if row["higher_is_better"] else -1,
    )


def _records(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _distinct(values: pd.Series) -> list[str]:
    return [str(value) for value in values.dropna().drop_duplicates()]


def _layers(frame: pd.DataFrame) -> list[str]:
    order = frame[["layer_position", "layer"]].sort_values(
        ["layer_position", "layer"], na_position="last"
    )
    return _distinct(order["layer"])


SCRIPTS = (
    "coefficients.js",
    "explorer_scales.js",
    "explorer_points.js",
    "explorer_state.js",
    "explorer_plot.js",
    "explorer_table.js",
    "explorer.js",
)

SECTION = Section(
    name="explorer",
    title="Explore it yourself",
    order=145,
    build=explorer,
    scripts=SCRIPTS,
    styles=("explorer.css",),
)
