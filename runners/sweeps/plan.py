"""A sweep: many runs of several benchmarks, planned as rows that are executed one by one."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lossnets.runners.benchmarks import BENCHMARKS
from lossnets.runners.networks.pretrained import close_names
from lossnets.runners.runs.planning import Request, plan
from lossnets.runners.runs.run import Progress, Run
from lossnets.warehouse.errors import UserError

# What a sweep runs of these benchmarks unless it is told: settings that say which data are read.
DATA_SETS = {
    "super-resolution": "factor=4,8",
    "autoencoding": "dataset=svhn,stl10",
}
DATA_SETTINGS = tuple(setting.partition("=")[0] for setting in DATA_SETS.values())


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a plan: a run that a user can ask for by itself.

    request asks for exactly this run: one architecture or baseline, and of a benchmark that
    trains one layer.
    """

    run_id: str
    request: Request

    @property
    def shares(self) -> tuple[object, ...]:
        """What rows have in common that share work: data, target features, a loss network."""
        what = self.request
        return (what.benchmark, what.protocol, what.preset, what.data, _data_settings(what),
                what.weights, what.architectures)  # fmt: skip

    @property
    def name(self) -> str:
        """For people: benchmark, what is scored, settings, seed."""
        what = self.request
        scored = [*what.architectures, ", ".join(what.layers)] if what.architectures else []
        parts = [what.benchmark, *(scored or what.baselines), *what.settings]
        return " ".join([*parts, f"seed {what.seed}"] if what.seed else parts)


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


class Identified:
    """A benchmark for planning: of data it keeps the identity, which is all that a run id needs."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._identities: dict[tuple[object, ...], str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def load(self, config: Any, folder: Path | None, **options: Any) -> Any:
        """The identity of data, read once for each config; UnavailableError if they cannot be."""
        asked = (config, folder, options["preset"], options["home"])
        if asked not in self._identities:
            try:
                self._identities[asked] = self._module.load(config, folder, **options).identity
            except UserError as error:
                raise UnavailableError(error.message, hint=error.hint) from None
        return SimpleNamespace(identity=self._identities[asked])


def identified(benchmarks: Mapping[str, str]) -> dict[str, Identified]:
    """Benchmarks by name, for planning."""
    return {name: Identified(import_module(module)) for name, module in benchmarks.items()}


def plan_sweep(
    sweep: Sweep,
    home: Path,
    progress: Progress,
    benchmarks: Mapping[str, str] = BENCHMARKS,
) -> Planned:
    """The rows of a sweep, each run once; data are read once for each config.

    Errors: UserError on every name and value that is not valid for any benchmark of the sweep,
    and where nothing of it can run.
    """
    modules = identified(_chosen(sweep, benchmarks))
    unavailable = _without_preset(sweep, modules)
    rows: dict[str, Row] = {}
    able = {name: module for name, module in modules.items() if name not in unavailable}
    for request in _requests(sweep, able):
        what = " ".join([request.benchmark, *_data_settings(request)])
        if what in unavailable:
            continue
        try:
            rows |= {row.run_id: row for row in rows_of(request, home, progress, modules)}
        except UnavailableError as error:
            message = f"{what} cannot run: {error.message}"
            unavailable[what] = UserError(message, hint=error.hint)
    if not rows and unavailable:
        raise next(iter(unavailable.values()))
    return Planned(rows=tuple(together(rows.values())), unavailable=tuple(unavailable.values()))


def rows_of(
    request: Request, home: Path, progress: Progress, benchmarks: Mapping[str, Any]
) -> list[Row]:
    """A row for each run that a request asks for."""
    runs = plan(request, home, progress, benchmarks).runs
    return [Row(run_id=run.run_id, request=_request_of(run, request)) for run in runs]


def together(rows: Iterable[Row]) -> list[Row]:
    """Rows in their order, but those that share work together, and of these one layer's."""
    groups: dict[tuple[object, ...], dict[tuple[str, ...], list[Row]]] = {}
    for row in rows:
        layers = groups.setdefault(row.shares, {})
        layers.setdefault(row.request.layers, []).append(row)
    return [row for layers in groups.values() for each in layers.values() for row in each]


def _request_of(run: Run, request: Request) -> Request:
    """What asks for one run of those that a request asks for."""
    return replace(
        request,
        architectures=() if run.architecture is None else (run.architecture,),
        layers=run.layers or ("all",),
        baselines=(run.config.baseline,) if run.architecture is None else (),
        weights=run.weights_source,
        seed=run.seed or 0,
    )


def _chosen(sweep: Sweep, benchmarks: Mapping[str, str]) -> dict[str, str]:
    names = [name for given in sweep.benchmarks
             for name in (benchmarks if given == "all" else [given])]  # fmt: skip
    for name in names:
        if name not in benchmarks:
            raise UserError(f"found benchmark {name!r}; valid are {', '.join(benchmarks)}, all")
    return {name: benchmarks[name] for name in benchmarks if name in names}


def _without_preset(sweep: Sweep, modules: Mapping[str, Identified]) -> dict[str, UserError]:
    """The benchmarks that lack a preset which others have."""
    lacking = {
        name: UserError(
            f"{name} cannot run: it has no preset {sweep.preset!r}, but {', '.join(module.PRESETS)}"
        )
        for name, module in modules.items()
        if sweep.preset is not None and sweep.preset not in module.PRESETS
    }
    return lacking if len(lacking) < len(modules) else {}


def _requests(sweep: Sweep, modules: Mapping[str, Identified]) -> Iterator[Request]:
    """What to ask each benchmark for, in order: one config, set of weights and seed each."""
    if sweep.seeds < 1:
        raise UserError(f"found {sweep.seeds} seeds; valid are whole numbers from 1")
    settings = _settings(sweep, modules)
    baselines = _baselines(sweep, modules)
    named = bool(sweep.architectures or sweep.baselines)
    architectures = sweep.architectures if named else ("all",)
    for name in modules:
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


def _settings(sweep: Sweep, modules: Mapping[str, Identified]) -> dict[str, list[tuple[str, ...]]]:
    """Of each benchmark, every combination of the values of the settings that it has."""
    known = {name: {each.name for each in fields(module.Config)}
             for name, module in modules.items()}  # fmt: skip
    every = tuple(sorted(set().union(*known.values())))
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
    combinations = {}
    for name, module in modules.items():
        mine = {key: values for key, values in given.items() if key in known[name]}
        key, _, value = DATA_SETS.get(name, "").partition("=")
        if key in known[name] and not (key == "dataset" and name in sweep.data):
            mine = {key: mine.get(key, [value])} | mine  # its values share the least work
        factors = [_values(module.Config, key, texts) for key, texts in mine.items()]
        combinations[name] = list(product(*factors))
    return combinations


def _values(config: type[Any], name: str, texts: Sequence[str]) -> list[str]:
    """`name=value` for each value; commas part values, unless a value is a list itself."""
    is_list = typing.get_origin(typing.get_type_hints(config)[name]) is tuple
    parts = texts if is_list else [part for text in texts for part in text.split(",")]
    return [f"{name}={part.strip()}" for part in dict.fromkeys(parts)]


def _baselines(sweep: Sweep, modules: Mapping[str, Identified]) -> dict[str, tuple[str, ...]]:
    """Of each benchmark the baselines that it has."""
    found = {
        name: tuple(each for each in sweep.baselines if _has(module.Config, each))
        for name, module in modules.items()
    }
    for each in sweep.baselines:
        if not any(each in names for names in found.values()):
            raise UserError(f"found baseline {each!r}, which no benchmark of the sweep has")
    return found


def _has(config: Callable[..., Any], baseline: str) -> bool:
    try:
        config(baseline=baseline)
    except (UserError, TypeError):
        return False
    return True


def _data_settings(request: Request) -> tuple[str, ...]:
    return tuple(item for item in request.settings if item.partition("=")[0] in DATA_SETTINGS)
