"""Benchmarks, scores and sources in the database, and the views that have a column for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from lossnets.warehouse.loading.database import insert
from lossnets.warehouse.loading.shipped import run_sql
from lossnets.warehouse.sources.catalog import Benchmark, Catalog, Score

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BENCHMARK = {
    "benchmark": "varchar", "position": "integer", "label": "varchar", "in_paper": "boolean",
    "description": "varchar",
}  # fmt: skip
SOURCE = {"source_id": "integer", "source": "varchar", "title": "varchar", "url": "varchar"}
SCORE = {
    "score_id": "integer", "score": "varchar", "position": "integer", "benchmark": "varchar",
    "dataset": "varchar", "metric": "varchar", "scale": "integer", "unit": "varchar",
    "minimum": "double", "maximum": "double", "higher_is_better": "boolean",
    "decimals": "integer", "paper_table": "varchar", "label": "varchar",
    "trained_model": "varchar", "counted": "boolean",
}  # fmt: skip
ENDS = {
    "": ("rank", None),
    "_least": ("least_rank", "The same with every tie decided in its favour."),
    "_greatest": ("greatest_rank", "The same with every tie decided against it."),
}


def load(connection: DuckDBPyConnection, known: Catalog) -> None:
    """The tables of the catalog; places are counted anew, for two may say the same."""
    benchmarks = [
        asdict(one) | {"position": place} for place, one in enumerate(known.benchmarks.values(), 1)
    ]
    insert(connection, "store.benchmarks", BENCHMARK, benchmarks)
    sources = [asdict(one) | {"source_id": i} for i, one in enumerate(known.sources.values(), 1)]
    insert(connection, "store.sources", SOURCE, sources)
    scores = [
        asdict(one) | {"position": place, "score_id": place}
        for place, one in enumerate(known.scores.values(), 1)
    ]
    insert(connection, "store.scores", SCORE, scores)
    for file, fault in known.faults.items():
        connection.execute("insert into store.files values (?, -1, 0, ?)", [file, fault])


def create_views(connection: DuckDBPyConnection, known: Catalog) -> None:
    """The views with a column per score or benchmark."""
    _create_scores_wide(connection, known.scores.values())
    _create_average_ranks(connection, known.benchmarks.values())


def _create_scores_wide(connection: DuckDBPyConnection, scores: Iterable[Score]) -> None:
    pivot, comments = [], []
    for number, score in enumerate(scores, 1):
        pivot.append(f',\n        max(value) filter (score_id = {number}) as "{score.score}"')
        text = f"{score.label}: mean over runs, in {score.unit}; NULL where not measured."
        comments.append(_comment("scores_wide", score.score, text))
    run_sql(connection, "views/scores_wide", score_pivot="".join(pivot))
    connection.execute(";".join(comments))


def _create_average_ranks(connection: DuckDBPyConnection, benchmarks: Iterable[Benchmark]) -> None:
    """With a column per benchmark, and one for all of them where some are not the paper's."""
    named = list(benchmarks)
    printed = [one.benchmark for one in named if one.in_paper]
    pivot = "".join(
        f",\n        max({rank}) filter (benchmark = '{one.benchmark}') as \"{one.benchmark}{end}\""
        for one in named
        for end, (rank, _) in ENDS.items()
    )
    means = [
        f"({' + '.join(f'{name}{end}' for name in printed)}) / {len(printed)} as overall{end}"
        for end in ENDS
    ]
    comments = [_comments(one.benchmark, f"Mean rank over the scores of {one.benchmark}, 1 is "
                          "best; NULL where one is missing.") for one in named]  # fmt: skip
    comments.append(_comments("overall", "Mean of the paper's four benchmarks, each weighted "
                              "equally; NULL unless all four are there."))  # fmt: skip
    if len(named) > len(printed):
        means += [
            f"case when of_all = expected then all_benchmarks{end} end as all_benchmarks{end}"
            for end in ENDS
        ]
        comments.append(_comments("all_benchmarks", "Mean of all benchmarks of which the source "
                                  "has scores, each weighted equally; NULL unless it has all "
                                  "of them."))  # fmt: skip
    run_sql(connection, "views/average_ranks", pivot=pivot, means=",\n        ".join(means))
    connection.execute(";".join(comments))


def _comments(column: str, text: str) -> str:
    """Of a column and of its two bounds."""
    return ";".join(
        _comment("average_ranks", f"{column}{end}", bound or text)
        for end, (_, bound) in ENDS.items()
    )


def _comment(view: str, column: str, text: str) -> str:
    quoted = text.replace("'", "''")
    return f"comment on column {view}.\"{column}\" is '{quoted}'"
