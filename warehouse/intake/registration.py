"""Register benchmarks, scores and sources of one's own, which stand beside the paper's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.names import Names
from lossnets.warehouse.sources import catalog, catalog_files
from lossnets.warehouse.sources.catalog import Benchmark, Catalog, Entry, Score, Source

if TYPE_CHECKING:
    from lossnets.warehouse.store import Warehouse

KEYWORD = """
select 1 from duckdb_keywords() where keyword_name = $1 and keyword_category <> 'unreserved'
"""
COLUMN = """
select table_name from duckdb_columns()
where schema_name = 'main' and not internal and column_name = $1
  and not starts_with(table_name, 'study_')
order by table_name limit 1
"""
OF_SCORE = """
select count(*), min(value), max(value)
from (from scores select score, value union all from preset_scores select score, value)
where score = $1
"""

RUNS_OF_SOURCE = """
select count(*) from store.runs join store.sources using (source_id) where source = $1
"""


def add_benchmark(
    warehouse: Warehouse, name: str, *, label: str | None = None, description: str = ""
) -> Benchmark:
    """Register a benchmark. Raises `UserError` on a name that is taken or cannot be a column."""
    with catalog_files.alone(warehouse.home):
        known = catalog.read(warehouse.home)
        if name in known.benchmarks:
            raise UserError(f"there is a benchmark {name} already", hint="lossnets benchmark list")
        new = Benchmark(
            benchmark=name,
            label=label or _label(name),
            position=1 + max(one.position for one in known.benchmarks.values()),
            description=description,
        )
        catalog.check(new)
        for column in (name, f"{name}_least", f"{name}_greatest"):
            _check_column(warehouse, column)
        catalog_files.write(warehouse.home, [new])
    warehouse.refresh()
    return new


def score(name: str, **about: Any) -> Score:
    """A score to register, labelled by what it is measured on unless `about` has a label."""
    scale = "" if about.get("scale") is None else f"×{about['scale']}"
    parts = (scale, about.get("dataset") or "", about.get("metric") or "")
    label = about.pop("label", None) or " ".join(part for part in parts if part) or _label(name)
    texts: dict[str, Any] = {"dataset": "", "metric": "", "higher_is_better": True}
    return Score(score=name, position=0, **texts | {"label": label} | about)


def add_score(warehouse: Warehouse, score: Score, *, may_replace: bool = False) -> Score:
    """Register a score of a benchmark that is there; its position is given here.

    Raises `UserError` on a name that is taken (`may_replace` allows one registered before, for
    which all values that are there must be valid), and on what no score can have.
    """
    benchmarks = catalog.read(warehouse.home).benchmarks
    called = Names((one.benchmark, one.label) for one in benchmarks.values())
    score = replace(score, benchmark=called.id_of(score.benchmark) or score.benchmark)
    catalog.check(score)
    add_scores(warehouse, [score], may_replace=may_replace)
    return score


def add_scores(warehouse: Warehouse, scores: list[Score], *, may_replace: bool = False) -> None:
    """Register several scores: all of them, or none."""
    with catalog_files.alone(warehouse.home):
        known = catalog.read(warehouse.home)
        position = 1 + max(one.position for one in known.scores.values())
        placed = []
        for offset, score in enumerate(scores):
            _check_new(warehouse, known, score, may_replace=may_replace)
            before = known.scores.get(score.score)
            place = before.position if before else position + offset
            placed.append(replace(score, position=place))
        catalog_files.write(warehouse.home, placed)
    warehouse.refresh()


def add_source(warehouse: Warehouse, name: str, *, title: str, url: str = "") -> Source:
    """Register a published study whose scores stand beside the paper's.

    Raises `UserError` on a name that is taken.
    """
    with catalog_files.alone(warehouse.home):
        known = catalog.read(warehouse.home)
        if name in known.sources:
            raise UserError(f"there is a source {name} already", hint="lossnets source list")
        position = 1 + max(one.position for one in known.sources.values())
        new = Source(source=name, title=title, url=url, position=position)
        catalog_files.write(warehouse.home, [new])
    warehouse.refresh()
    return new


def remove_source(warehouse: Warehouse, name: str) -> None:
    """Forget a registered source of which there are no scores."""
    with catalog_files.alone(warehouse.home):
        known = catalog.read(warehouse.home)
        _check_registered(warehouse, "source", known.sources.get(name), name)
        _, [(count,)] = warehouse.rows(RUNS_OF_SOURCE, [name])
        if count:
            raise UserError(
                f"there are {count:,} runs of {name}; what was recorded stays",
                hint=f"lossnets sql \"from runs where source = '{name}'\"",
            )
        catalog_files.remove(warehouse.home, known.sources[name])
    warehouse.refresh()


def remove_benchmark(warehouse: Warehouse, name: str) -> None:
    """Forget a registered benchmark that has neither scores nor runs."""
    with catalog_files.alone(warehouse.home):
        known = catalog.read(warehouse.home)
        _check_registered(warehouse, "benchmark", known.benchmarks.get(name), name)
        scores = [one.score for one in known.scores.values() if one.benchmark == name]
        if scores:
            raise UserError(
                f"{name} has the scores {', '.join(scores)}",
                hint=f"lossnets score remove {scores[0]}",
            )
        catalog_files.remove(warehouse.home, known.benchmarks[name])
    warehouse.refresh()


def remove_score(warehouse: Warehouse, name: str) -> None:
    """Forget a registered score that was never measured."""
    with catalog_files.alone(warehouse.home):
        known = catalog.read(warehouse.home)
        _check_registered(warehouse, "score", known.scores.get(name), name)
        _, [(count, _, _)] = warehouse.rows(OF_SCORE, [name])
        if count:
            raise UserError(
                f"there are {count:,} values of {name}; what was recorded stays",
                hint=f"lossnets sql \"from scores where score = '{name}'\"",
            )
        catalog_files.remove(warehouse.home, known.scores[name])
    warehouse.refresh()


def _check_new(warehouse: Warehouse, known: Catalog, score: Score, *, may_replace: bool) -> None:
    if score.benchmark not in known.benchmarks:
        raise UserError(
            f"{score.benchmark!r} is no benchmark, valid are {', '.join(known.benchmarks)}",
            hint=f"lossnets benchmark add {score.benchmark}",
        )
    before = known.scores.get(score.score)
    if before is None:
        _check_column(warehouse, score.score)
        return
    registered = catalog_files.path_of(warehouse.home, before).exists()
    if not (registered and may_replace):
        hint = "choose another name, or add --replace" if registered else "choose another name"
        raise UserError(f"there is a score {score.score} already", hint=hint)
    if before.benchmark != score.benchmark:
        raise UserError(f"{score.score} belongs to {before.benchmark}, and stays there")
    _check_values(warehouse, score)


def _check_values(warehouse: Warehouse, score: Score) -> None:
    """What is recorded must be valid under the new range."""
    _, [(count, least, greatest)] = warehouse.rows(OF_SCORE, [score.score])
    low = float("-inf") if score.minimum is None else score.minimum
    high = float("inf") if score.maximum is None else score.maximum
    if count and not low <= least <= greatest <= high:
        raise UserError(
            f"there are values of {score.score} from {least:g} to {greatest:g}, "
            f"which are not within {low:g} to {high:g}"
        )


def _check_column(warehouse: Warehouse, name: str) -> None:
    """Raise `UserError` unless a name can become a new column of the views."""
    if warehouse.rows(KEYWORD, [name])[1]:
        raise UserError(f"{name!r} is an SQL keyword, choose another name")
    _, taken = warehouse.rows(COLUMN, [name])
    if taken:
        raise UserError(f"{name!r} is a column of {taken[0][0]} already, choose another name")


def _check_registered(warehouse: Warehouse, kind: str, one: Entry | None, name: str) -> None:
    if one is None or not catalog_files.path_of(warehouse.home, one).exists():
        folder = warehouse.home / "catalog" / f"{kind}s"
        registered = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise UserError(
            f"no {kind} {name!r} has been registered, registered are: {registered}",
            hint=f"lossnets {kind} list",
        )


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
