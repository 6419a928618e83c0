"""From what a user asks for to the runs that answer it.

A benchmark is a module with six names, and nothing else of it is known here or in `execution`:
`Config` (frozen dataclass of all that changes the result), `PROTOCOLS` and `PRESETS` (named
values of its fields), `SEPARATE` (one run per extraction layer, else one per architecture),
`load(config, folder, *, preset, home, progress)` → data with an `identity`, and
`run(what, data, work)` → `Result`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lossnets.runners.benchmarks import BENCHMARKS
from lossnets.runners.networks.loss_network import node_names, node_of
from lossnets.runners.networks.pretrained import (
    WEIGHTS,
    architectures,
    check_architecture,
    close_names,
    extraction_layers,
    identity,
)
from lossnets.runners.runs.run import Progress, Run
from lossnets.runners.runs.settings import configure
from lossnets.warehouse.errors import UserError


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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Runs of one benchmark, in order, with the data that all of them read."""

    benchmark: Any  # the module
    data: Any
    runs: tuple[Run, ...]


def plan(
    request: Request,
    home: Path,
    progress: Progress,
    benchmarks: Mapping[str, str | Any] = BENCHMARKS,
) -> Plan:
    """The runs that a request asks for; reads the data, builds no network.

    Errors: UserError on every name that is not valid, on weights that have no such file or set,
    and on data that are missing or bad.
    """
    benchmark = _benchmark(request.benchmark, benchmarks)
    config = configure(
        benchmark,
        protocol=request.protocol,
        preset=request.preset,
        settings=request.settings,
    )
    weights = request.weights or ("random:0" if request.preset == "smoke" else WEIGHTS)
    networks = _networks(request, separate=benchmark.SEPARATE)
    baselines = [_with_baseline(config, request, name) for name in request.baselines]
    if not networks and not baselines:
        raise UserError(
            "found nothing to run; name an architecture, or `all` for the paper's 14",
            hint=f"lossnets run {request.benchmark} --architecture vgg11",
        )
    identities = {name: identity(name, weights, request.seed) for name, _ in networks}
    data = benchmark.load(config, request.data, preset=request.preset, home=home, progress=progress)
    shared = {
        "benchmark": request.benchmark.replace("-", "_"),
        "seed": request.seed if benchmark.SEPARATE else None,
        "data": data.identity,
        "preset": request.preset,
    }
    runs = [
        Run(architecture=None, layers=(), weights=None, weights_source=None, config=c, **shared)
        for c in baselines
    ]
    for architecture, layers in networks:
        known = identities[architecture]
        source = known if known.startswith("random:") else weights
        runs.append(
            Run(
                architecture=architecture,
                layers=layers,
                weights=known,
                weights_source=source,
                config=config,
                **shared,
            )
        )
    return Plan(benchmark=benchmark, data=data, runs=tuple(runs))


def _benchmark(name: str, benchmarks: Mapping[str, str | Any]) -> Any:
    if name not in benchmarks:
        raise UserError(f"found benchmark {name!r}; valid are {', '.join(benchmarks)}")
    found = benchmarks[name]
    return import_module(found) if isinstance(found, str) else found


def _with_baseline(config: Any, request: Request, name: str) -> Any:
    if not hasattr(config, "baseline"):
        raise UserError(f"found baseline {name!r}; {request.benchmark} has no baselines")
    return dataclasses.replace(config, baseline=name)


def _networks(request: Request, *, separate: bool) -> list[tuple[str, tuple[str, ...]]]:
    """(architecture, layers) of each run with a loss network."""
    rows = extraction_layers()
    names = [
        name for given in request.architectures for name in (rows if given == "all" else [given])
    ]
    networks: list[tuple[str, tuple[str, ...]]] = []
    for architecture in dict.fromkeys(names):
        _check_architecture(architecture, request)
        layers = tuple(
            dict.fromkeys(name for given in request.layers for name in _layers(architecture, given))
        )
        networks += (
            [(architecture, (one,)) for one in layers] if separate else [(architecture, layers)]
        )
    return networks


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
    parts = dict.fromkeys(part.strip() for part in given.split("+"))
    nodes = {part: printed[part] if part in printed else node_of(architecture, part)
             for part in parts}  # fmt: skip
    if len(parts) == 1 or all(part in printed for part in parts):
        order = {layer: place for place, layer in enumerate(printed)}
    else:
        names = node_names(architecture)
        order = {part: names.index(node_of(architecture, part)) for part in nodes}
    return ("+".join(sorted(parts, key=lambda part: order.get(part, 0))),)
