"""Which benchmarks, scores and sources there are: what is shipped, and what a home registers.

A registered one is a JSON file: `catalog/benchmarks/<id>.json`, `catalog/scores/…`, `…/sources/…`.
Standard library only.
"""

from __future__ import annotations

import csv
import functools
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from lossnets.warehouse.errors import NOT_GIVEN, UserError
from lossnets.warehouse.sources import listing

FORMAT = 1
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")  # a column's name, and a file's
SHIPPED = Path(__file__).parents[1] / "shipped"
LONGEST = 1000  # characters of a text for people
T = TypeVar("T", "Benchmark", "Score", "Source")


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A benchmark: its id, its name for people, and its place among the others.

    in_paper: whether it is one of those that the paper's overall rank averages.
    """

    benchmark: str
    label: str
    position: int
    description: str = ""
    in_paper: bool = False


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score: a benchmark, data set, metric and setting in one id.

    unit: of its values, which lie from minimum to maximum (None: no bound); scale: an upscaling
    factor; decimals: how many are shown; paper_table: the table of the paper that prints it;
    trained_model: the training that it is of, None where nothing is trained;
    counted: whether ranks and studies count it, which those of parts of a data set would twice.
    """

    score: str
    benchmark: str
    position: int
    dataset: str
    metric: str
    label: str
    unit: str
    higher_is_better: bool
    decimals: int = 3
    scale: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    paper_table: str | None = None
    trained_model: str | None = None
    counted: bool = True


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where scores come from: the paper, the runs of a home, another published study."""

    source: str
    title: str
    position: int
    url: str = ""


Entry = Benchmark | Score | Source


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Benchmarks, scores and sources by id, in order; faults: files of a home that are none."""

    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def check(self, benchmark: str, values: Collection[tuple[str, float]]) -> None:
        """Raise `UserError` unless there are such scores of the benchmark, and values of them.

        values: (score, value) of each measurement.

        >>> read().check("autoencoding", [("svhn_accuracy", 2)])
        Traceback (most recent call last):
            ...
        lossnets.warehouse.errors.UserError: svhn_accuracy is 2, valid are 0 to 1
        """
        self.check_scores(benchmark, {score for score, _ in values})
        for name, value in values:
            score = self.scores[name]
            least = -math.inf if score.minimum is None else score.minimum
            greatest = math.inf if score.maximum is None else score.maximum
            if not least <= value <= greatest:
                raise UserError(f"{name} is {value!r}, valid are {least:g} to {greatest:g}")

    def check_scores(self, benchmark: str, scores: Iterable[str]) -> None:
        """Raise `UserError` unless there are such a benchmark and such scores of it."""
        if benchmark not in self.benchmarks:
            raise UserError(
                f"{benchmark!r} is no benchmark, valid are {', '.join(self.benchmarks)}",
                hint=f"lossnets benchmark add {benchmark}",
            )
        for score in sorted(scores):
            if score not in self.scores:
                raise self._no_score(score, benchmark)
            if self.scores[score].benchmark != benchmark:
                raise UserError(f"{score} is no score of {benchmark}")

    def check_source(self, source: str) -> None:
        """Raise `UserError` unless scores can come from such a source."""
        if source not in self.sources:
            raise UserError(
                f"there is no source {source!r}, sources are: {', '.join(self.sources)}",
                hint=f"lossnets source add {source} --title TITLE",
            )

    def _no_score(self, score: str, benchmark: str) -> UserError:
        from difflib import get_close_matches

        of_benchmark = [name for name, of in self.scores.items() if of.benchmark == benchmark]
        close = get_close_matches(score, self.scores, n=3)
        told = (
            f"did you mean {' or '.join(close)}?"
            if close
            else f"those of {benchmark} are: {', '.join(of_benchmark) or 'none yet'}"
        )
        return UserError(
            f"{score!r} is no score, {told}",
            hint=f"lossnets score add {score} --benchmark {benchmark}",
        )


def read(home: Path | str | None = None) -> Catalog:
    """The catalog of a home: what is shipped, then what the home registers; None: shipped alone.

    A file that is broken, or whose name is taken, is left out and told in `faults`.

    >>> [name for name, benchmark in read().benchmarks.items() if benchmark.in_paper]
    ['perceptual_similarity', 'super_resolution', 'delineation', 'autoencoding']
    """
    shipped = _shipped()
    folder = None if home is None else Path(home) / "catalog"
    if folder is None or not folder.is_dir():
        return shipped
    faults: dict[str, str] = {}
    benchmarks = dict(shipped.benchmarks)
    for one in _registered(folder / "benchmarks", Benchmark, faults):
        benchmarks.setdefault(one.benchmark, one)
    scores = dict(shipped.scores)
    for score in _registered(folder / "scores", Score, faults):
        if score.benchmark in benchmarks:
            scores.setdefault(score.score, score)
        else:
            faults[f"catalog/scores/{score.score}.json"] = f"there is no {score.benchmark}"
    sources = dict(shipped.sources)
    for source in _registered(folder / "sources", Source, faults):
        sources.setdefault(source.source, source)
    return Catalog(benchmarks=benchmarks, scores=scores, sources=sources, faults=faults)


@functools.cache
def _shipped() -> Catalog:
    benchmarks = [_of_cells(Benchmark, row) for row in _rows(SHIPPED / "benchmarks.csv")]
    scores = [
        _of_cells(Score, row | {"counted": "true" if row["paper_table"] else "false"})
        for path in (SHIPPED / "paper" / "scores.csv", SHIPPED / "measured" / "scores.csv")
        for row in _rows(path)
    ]
    return Catalog(
        benchmarks={one.benchmark: one for one in benchmarks},
        scores={score.score: score for score in scores},
        sources={row["source"]: _of_cells(Source, row) for row in _rows(SHIPPED / "sources.csv")},
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _of_cells(kind: type[T], row: Mapping[str, str]) -> T:
    """One of a CSV's rows: cells as texts, empty ones as None."""
    read_as: dict[str, Any] = {"int": int, "int | None": int, "float | None": float,
                               "bool": lambda cell: cell == "true"}  # fmt: skip
    cells = {
        one.name: read_as.get(str(one.type), str)(row[one.name])
        for one in fields(kind)
        if row.get(one.name)
    }
    return kind(**cells)


def _registered(folder: Path, kind: type[T], faults: dict[str, str]) -> list[T]:
    """What a folder registers, by position."""
    found: list[T] = []
    for path in listing.files(folder, (".json",)):
        place = f"catalog/{folder.name}/{path.name}"
        try:
            found.append(_of_json(kind, path))
        except OSError as error:
            faults[place] = f"{NOT_GIVEN}: {error.strerror}"
        except UserError as error:
            faults[place] = error.message
    return sorted(found, key=lambda one: (one.position, id_of(one)))


def _of_json(kind: type[T], path: Path) -> T:
    try:
        content = json.loads(path.read_text("utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError("it is of another format")
        one = kind(**content)
        check(one)
        if id_of(one) != path.stem:
            raise ValueError(f"it holds {id_of(one)!r}")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"it is no {kind.__name__.lower()} ({error})") from None
    return one


def id_of(one: Entry) -> str:
    """Its id."""
    if isinstance(one, Source):
        return one.source
    return one.score if isinstance(one, Score) else one.benchmark


def check(one: Entry) -> None:
    """Raise `UserError` on a name, a text or a bound that cannot be.

    >>> check(Score(score="e", benchmark="b", position=40, dataset="d", metric="m", label="E",
    ...             unit="dB", higher_is_better=False, minimum=1, maximum=0))
    Traceback (most recent call last):
        ...
    lossnets.warehouse.errors.UserError: the range 1 to 0 is empty
    """
    for name in ("benchmark", "score", "source"):
        given = getattr(one, name, "id")
        if not isinstance(given, str) or not NAME.fullmatch(given):
            raise UserError(
                f"{str(given)[:80]!r} is no id: up to 63 of a-z, 0-9 and _ are valid, "
                "a letter first"
            )
    for name in ("label", "description", "dataset", "metric", "unit", "title", "url"):
        text = getattr(one, name, "")
        if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
            raise UserError(
                f"the {name} is more than one line of at most {LONGEST} printable characters"
            )
    if isinstance(one, Score):
        _check_numbers(one)


def _check_numbers(score: Score) -> None:
    low, high = score.minimum, score.maximum
    for bound in (low, high):
        if bound is not None and not math.isfinite(bound):
            raise UserError(f"{bound} is no bound of a range, valid are finite numbers")
    if low is not None and high is not None and not low < high:
        raise UserError(f"the range {low:g} to {high:g} is empty")
    if not 0 <= score.decimals <= 12:
        raise UserError(f"found {score.decimals} decimals, valid are 0 to 12")
    if score.scale is not None and score.scale < 1:
        raise UserError(f"found the scale {score.scale}, valid are whole numbers from 1")
