"""From what a user asks for to the runs that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic

from lossnets.runners.networks.layers import node_names, node_of
from lossnets.runners.networks.pretrained import (
    architectures,
    check_architecture,
    close_names,
    default_weights,
    extraction_layers,
    identity,
)
from lossnets.runners.runs.benchmark import Benchmark, C, D
from lossnets.runners.runs.run import Progress, Run
from lossnets.runners.runs.settings import configure
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.intake.names import layer_of, spelled
from lossnets.warehouse.sources import catalog


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user asks to run, in the words of the command line.

    architectures: names, `all` for the paper's 14. layers: names, sums of them (`early+late`),
    `all` for the paper's four. weights: None for what the paper used, or in the smoke preset for
    `random:0`. settings: `name=value` of config fields. data: the data set's folder.
    """

    benchmark: str
    architectures: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("all",)
    baselines: tuple[str, ...] = ()
    weights: str | None = None
    seed: int = 0
    protocol: str = "paper"
    preset: str | None = None
    settings: tuple[str, ...] = ()
    data: Path | None = None

    @property
    def benchmark_id(self) -> str:
        """What the benchmark is called in records: its name, or its file's, with `_`.

        >>> Request(benchmark="my/own-study.py").benchmark_id
        'own_study'
        """
        return self.benchmark.rpartition("/")[2].removesuffix(".py").replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[C, D]):
    """Runs of one benchmark, in order, with the data that all of them read."""

    benchmark: Benchmark[C, D]
    data: D
    runs: tuple[Run[C], ...]


def plan(
    request: Request, benchmark: Benchmark[C, D], home: Path, progress: Progress
) -> Plan[C, D]:
    """The runs that a request asks a benchmark for; reads the data, builds no network.

    Errors: UserError on every name that is not valid, on weights that have no such file or set,
    on scores that are not registered, and on data that are missing or bad.
    """
    configured = partial(
        configure,
        benchmark,
        protocol=request.protocol,
        preset=request.preset,
        settings=request.settings,
    )
    config = configured()
    networks = _networks(request)
    baselines = [configured(baseline=name) for name in request.baselines]
    if not networks and not baselines:
        raise UserError(
            "found nothing to run; name an architecture, or `all` for the paper's 14",
            hint=f"lossnets run {request.benchmark} --architecture vgg11",
        )
    weights = {name: _weights(request, name) for name in dict.fromkeys(n for n, _ in networks)}
    identities = {name: identity(name, weights[name], request.seed) for name in weights}
    known = catalog.read(home)
    known.check_scores(request.benchmark_id, ())
    data = benchmark.load(config, request.data, preset=request.preset, home=home, progress=progress)
    for scored in (*baselines, *([config] if networks else ())):
        known.check_scores(request.benchmark_id, benchmark.scores(scored, data))
    new = partial(
        Run,
        benchmark=request.benchmark_id,
        seed=request.seed if benchmark.separate else None,
        data=data.identity,
        preset=request.preset,
        config=config,
    )
    runs = [
        new(architecture=None, layers=(), weights=None, weights_source=None, config=of_baseline)
        for of_baseline in baselines
    ]
    for name, layer in networks:
        identified = identities[name]
        source = identified if identified.startswith("random:") else weights[name]
        runs.append(
            new(architecture=name, layers=(layer,), weights=identified, weights_source=source)
        )
    return Plan(benchmark=benchmark, data=data, runs=tuple(runs))


def _networks(request: Request) -> list[tuple[str, str]]:
    """(architecture, layer) of each run with a loss network."""
    rows = extraction_layers()
    names = [
        name
        for given in request.architectures
        for name in (rows if given == "all" else [_called(given)])
    ]
    networks: list[tuple[str, str]] = []
    for architecture in dict.fromkeys(names):
        _check_architecture(architecture, request)
        layers = dict.fromkeys(
            name for given in request.layers for name in _layers(architecture, given)
        )
        networks += [(architecture, layer) for layer in layers]
    return networks


def _called(architecture: str) -> str:
    """The id that stands for a name as people write it, VGG-11 say."""
    known = (*extraction_layers(), *architectures())
    return architecture if architecture in known else spelled(architecture, known)


def _weights(request: Request, architecture: str) -> str:
    smoke = "random:0" if request.preset == "smoke" else None
    return request.weights or smoke or default_weights(architecture)


def _check_architecture(name: str, request: Request) -> None:
    try:
        check_architecture(name)
    except UserError as error:
        close = close_names(name, (*architectures(), "all"), at_most=1)
        hint = f"lossnets run {request.benchmark} --architecture {close}"
        raise UserError(error.message, hint=hint) from None


def _layers(architecture: str, given: str) -> tuple[str, ...]:
    """The layers that `all`, a name or a sum of names stand for."""
    printed = extraction_layers().get(architecture, {})
    if given == "all" and printed:
        return tuple(printed)
    if given == "all":
        names = node_names(architecture)
        some = ", ".join(names[len(names) * i // 6] for i in range(1, 6))
        raise UserError(
            f"found no extraction layers of the paper for {architecture}; name nodes of it with "
            f"--layer, such as {some}"
        )
    parts = dict.fromkeys(
        layer_of(part.strip(), printed) or part.strip() for part in given.split("+")
    )
    nodes = {part: printed[part] if part in printed else node_of(architecture, part)
             for part in parts}  # fmt: skip
    if len(parts) == 1 or all(part in printed for part in parts):
        order = {layer: place for place, layer in enumerate(printed)}
    else:
        names = node_names(architecture)
        order = {part: names.index(node_of(architecture, part)) for part in nodes}
    return ("+".join(sorted(parts, key=lambda part: order.get(part, 0))),)
