"""What a benchmark is: one object with all of its names, typed by its config and its data.

    BENCHMARK = Benchmark(config=Config, load=load, scores=scores, run=run, separate=True, …)

Nothing else of a benchmark is known to whoever plans, executes or sweeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from lossnets.runners.runs.run import Config, Data, Progress, Result, Run, Work

Values = Mapping[str, Mapping[str, object]]  # name → field of the config → value
C = TypeVar("C", bound=Config)
D = TypeVar("D", bound=Data)
C_contra = TypeVar("C_contra", bound=Config, contravariant=True)
D_co = TypeVar("D_co", bound=Data, covariant=True)


class Load(Protocol[C_contra, D_co]):
    """Reads what a config asks for, from a folder, by default from its place in the home.

    The preset `smoke` generates its own where no folder is given. Errors: UserError on data that
    are missing, damaged, or not what scores can be made of.
    """

    def __call__(
        self,
        config: C_contra,
        folder: Path | None,
        *,
        preset: str | None,
        home: Path,
        progress: Progress,
    ) -> D_co: ...


@dataclass(frozen=True, kw_only=True)
class Benchmark(Generic[C, D]):
    """A benchmark.

    config: a frozen dataclass of all that changes the result, its defaults the paper's; it raises
    UserError on values that are not valid. protocols, presets: named values of its fields; there
    is a protocol "paper". baselines: what is scored without a loss network. separate: whether
    each loss network is executed by itself (where something is trained), else all layers of an
    architecture in one pass, each of them a run. load: reads the data. scores: what a run records,
    known before it runs. run: executes a run, or a pass: a `Run` of several layers, whose result
    has scores and items of each.
    swept: values of settings that a sweep runs unless it is told; by_folder: those of them that
    say which folder is read, and are not swept where one is given.
    """

    config: type[C]
    load: Load[C, D]
    scores: Callable[[C, D], Sequence[str]]
    run: Callable[[Run[C], D, Work], Result]
    separate: bool
    protocols: Values = field(default_factory=lambda: {"paper": {}})
    presets: Values = field(default_factory=dict)
    baselines: tuple[str, ...] = ()
    swept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_folder: tuple[str, ...] = ()
