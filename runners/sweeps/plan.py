"""A sweep: many runs of several benchmarks, planned as rows that are executed one by one."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import groupby, product
from pathlib import Path

from lossnets.runners import registry
from lossnets.runners.networks.pretrained import close_names
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.planning import Request, plan
from lossnets.runners.runs.run import Config, Data, Progress, Run
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake import names

Benchmarks = Mapping[str, Benchmark[Config, Data]]  # by name


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a user asks a sweep to run: every combination of what is named.

    benchmarks: names, `all`. architectures: names, `paper` or `all` for the paper's 14. weights:
    one or several, None for what `Request` takes. seeds: how many, from 0. settings:
    `name=value`, or `name=value,value` for each of them; they go to the benchmarks that have
    them, as baselines do. data: folders by benchmark.
    """

    benchmarks: tuple[str, ...] = ("all",)
    architectures: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("all",)
    baselines: tuple[str, ...] = ()
    weights: tuple[str | None, ...] = (None,)
    seeds: int = 1
    protocol: str = "paper"
    preset: str | None = None
    settings: tuple[str, ...] = ()
    data: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The rows of a sweep, those that share work together; and what cannot run, and why."""

    rows: tuple[Row, ...]
    unavailable: tuple[UserError, ...] = ()


class UnavailableError(UserError):
    """The data of a benchmark cannot be read."""


@dataclass(frozen=True)
class Identity:
    """What is known of data for planning: what a run id needs, and what a run will score."""

    identity: str
    scores: tuple[str, ...]


def identified(benchmark: Benchmark[Config, Data]) -> Benchmark[Config, Data]:
    """A benchmark that reads data once for each config, and keeps their identity alone.

    It raises UnavailableError where they cannot be read.
    """
    identities: dict[tuple[object, ...], Identity] = {}

    def load(
        config: Config,
        folder: Path | None,
        *,
        preset: str | None,
        home: Path,
        progress: Progress,
    ) -> Identity:
        asked = (config, folder, preset, home)
        if asked not in identities:
            try:
                data = benchmark.load(config, folder, preset=preset, home=home, progress=progress)
            except UserError as error:
                raise UnavailableError(error.message, hint=error.hint) from None
            identities[asked] = Identity(data.identity, tuple(benchmark.scores(config, data)))
        return identities[asked]

    def scores(config: Config, data: Data) -> list[str]:
        assert isinstance(data, Identity)  # of `load`
        return list(data.scores)

    return replace(benchmark, load=load, scores=scores)


def plan_sweep(
    sweep: Sweep,
    home: Path,
    progress: Progress,
    modules: Mapping[str, str] | None = None,
) -> Planned:
    """The rows of a sweep, each run once; data are read once for each config.

    modules: name → module of the benchmarks, all that are installed by default. Errors: UserError
    on every name and value that is not valid for any benchmark of the sweep, and where nothing of
    it can run.
    """
    benchmarks = _chosen(sweep, modules)
    unavailable = _without_preset(sweep, benchmarks)
    rows: dict[str, Row] = {}
    able = {name: one for name, one in benchmarks.items() if name not in unavailable}
    for request in _requests(sweep, able):
        benchmark = benchmarks[request.benchmark]
        what = " ".join([request.benchmark, *_read_settings(request, benchmark)])
        if what in unavailable:
            continue
        try:
            rows |= {row.run_id: row for row in rows_of(request, benchmark, home, progress)}
        except UnavailableError as error:
            message = f"{what} cannot run: {error.message}"
            unavailable[what] = UserError(message, hint=error.hint)
    if not rows and unavailable:
        raise next(iter(unavailable.values()))
    return Planned(rows=tuple(together(rows.values())), unavailable=tuple(unavailable.values()))


def rows_of(
    request: Request, benchmark: Benchmark[Config, Data], home: Path, progress: Progress
) -> list[Row]:
    """A row for each run that a request asks for."""
    reads = _read_settings(request, benchmark)
    runs = plan(request, benchmark, home, progress).runs
    passes = (
        [[run] for run in runs]
        if benchmark.separate
        else [list(some) for _, some in groupby(runs, lambda run: (run.architecture, run.config))]
    )
    return [
        Row(
            run_ids=tuple(run.run_id for run in some),
            request=_request_of(some, request),
            reads=reads,
        )
        for some in passes
    ]


def together(rows: Iterable[Row]) -> list[Row]:
    """Rows in their order, but those that share work together, and of these one layer's."""
    groups: dict[tuple[object, ...], dict[tuple[str, ...], list[Row]]] = {}
    for row in rows:
        layers = groups.setdefault(row.shares, {})
        layers.setdefault(row.request.layers, []).append(row)
    return [row for layers in groups.values() for each in layers.values() for row in each]


def _request_of(runs: Sequence[Run[Config]], request: Request) -> Request:
    """What asks for some runs of those that a request asks for."""
    run = runs[0]
    return replace(
        request,
        architectures=() if run.architecture is None else (run.architecture,),
        layers=tuple(layer for run in runs for layer in run.layers) or ("all",),
        baselines=(run.config.baseline or "",) if run.architecture is None else (),
        weights=run.weights_source,
        seed=run.seed or 0,
    )


def _chosen(sweep: Sweep, modules: Mapping[str, str] | None) -> dict[str, Benchmark[Config, Data]]:
    """The benchmarks of a sweep, in the registry's order; files of one's own come last."""
    known = registry.modules() if modules is None else modules
    asked = [names.spelled(name, known) for name in sweep.benchmarks]
    chosen = {name for given in asked for name in (known if given == "all" else [given])}
    for name in asked:
        if name != "all" and name not in known and not registry.is_file(name):
            raise UserError(f"found benchmark {name!r}; valid are {', '.join(known)}, all")
    ordered = [*(name for name in known if name in chosen), *sorted(chosen - known.keys())]
    return {name: identified(registry.named(name, modules)) for name in ordered}


def _without_preset(sweep: Sweep, benchmarks: Benchmarks) -> dict[str, UserError]:
    """The benchmarks that lack a preset which others have."""
    lacking = {
        name: UserError(
            f"{name} cannot run: it has no preset {sweep.preset!r}, but {', '.join(one.presets)}"
        )
        for name, one in benchmarks.items()
        if sweep.preset is not None and sweep.preset not in one.presets
    }
    return lacking if len(lacking) < len(benchmarks) else {}


def _requests(sweep: Sweep, benchmarks: Benchmarks) -> Iterator[Request]:
    """What to ask each benchmark for, in order: one config, set of weights and seed each."""
    if sweep.seeds < 1:
        raise UserError(f"found {sweep.seeds} seeds; valid are whole numbers from 1")
    settings = _settings(sweep, benchmarks)
    baselines = _baselines(sweep, benchmarks)
    named = bool(sweep.architectures or sweep.baselines)
    architectures = sweep.architectures if named else ("all",)
    for name in benchmarks:
        if not architectures and not baselines[name]:
            continue
        for chosen, weights, seed in product(settings[name], sweep.weights, range(sweep.seeds)):
            yield Request(
                benchmark=name,
                architectures=tuple("all" if a == "paper" else a for a in architectures),
                layers=sweep.layers,
                baselines=baselines[name],
                weights=weights,
                seed=seed,
                protocol=sweep.protocol,
                preset=sweep.preset,
                settings=chosen,
                data=sweep.data.get(name),
            )


def _settings(sweep: Sweep, benchmarks: Benchmarks) -> dict[str, list[tuple[str, ...]]]:
    """Of each benchmark, every combination of the values of the settings that it has."""
    given = _given(sweep, benchmarks)
    combinations = {}
    for name, one in benchmarks.items():
        has = _fields(one)
        mine = {key: values for key, values in given.items() if key in has}
        swept = {
            key: mine.get(key, [",".join(values)])
            for key, values in one.swept.items()
            if not (key in one.by_folder and name in sweep.data)
        }  # the values of a setting that comes first share the least work
        factors = [_values(one.config, key, texts) for key, texts in (swept | mine).items()]
        combinations[name] = list(product(*factors))
    return combinations


def _given(sweep: Sweep, benchmarks: Benchmarks) -> dict[str, list[str]]:
    """{field of a config: its values}, as they are given."""
    every = tuple(sorted(set().union(*map(_fields, benchmarks.values()))))
    given: dict[str, list[str]] = {}
    for setting in sweep.settings:
        key, equals, value = setting.partition("=")
        key = key.strip().replace("-", "_")
        if not equals:
            raise UserError(f"found setting {setting!r}; valid is name=value, or name=value,value")
        if key not in every:
            raise UserError(
                f"found setting {key!r}, which no benchmark of the sweep has; close names are: "
                f"{close_names(key, every)}"
            )
        given.setdefault(key, []).append(value)
    return given


def _fields(benchmark: Benchmark[Config, Data]) -> set[str]:
    return {each.name for each in fields(benchmark.config)}


def _values(config: type[Config], name: str, texts: Sequence[str]) -> list[str]:
    """`name=value` for each value; commas part values, unless a value is a list itself."""
    is_list = typing.get_origin(typing.get_type_hints(config)[name]) is tuple
    parts = texts if is_list else [part for text in texts for part in text.split(",")]
    return [f"{name}={part.strip()}" for part in dict.fromkeys(parts)]


def _baselines(sweep: Sweep, benchmarks: Benchmarks) -> dict[str, tuple[str, ...]]:
    """Of each benchmark the baselines that it has."""
    for each in sweep.baselines:
        if not any(each in one.baselines for one in benchmarks.values()):
            raise UserError(f"found baseline {each!r}, which no benchmark of the sweep has")
    return {
        name: tuple(each for each in sweep.baselines if each in one.baselines)
        for name, one in benchmarks.items()
    }


def _read_settings(request: Request, benchmark: Benchmark[Config, Data]) -> tuple[str, ...]:
    """The settings that say which data are read."""
    return tuple(item for item in request.settings if item.partition("=")[0] in benchmark.swept)
