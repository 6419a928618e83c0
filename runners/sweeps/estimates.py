"""How long runs will take, from how long earlier ones took."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lossnets.runners import registry
from lossnets.runners.runs.planning import Request
from lossnets.runners.runs.settings import configure
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import hash_of

EARLIER = """
select benchmark, preset, config::varchar, split_part(device, ':', 1), architecture, layers,
    sum(duration_s), count(*)
from runs where source = 'measured' and duration_s is not null
group by all
"""

# What an earlier run has in common with one to come, from the most to the least.
LIKENESS = (
    ("benchmark", "preset", "config", "device", "architecture", "layer"),
    ("benchmark", "preset", "config", "device", "architecture"),
    ("benchmark", "preset", "config", "device"),
    ("benchmark", "preset", "device"),
    ("benchmark", "preset"),
)
Key = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Seconds that each row will take, by run id, None where no earlier run is like it.

    runs: how many earlier runs they are made from; exact: how many rows have an earlier run that
    is the same but for seed, weights and data.
    """

    seconds: Mapping[str, float | None]
    runs: int
    exact: int

    @property
    def known(self) -> int:
        """How many rows have an estimate."""
        return sum(value is not None for value in self.seconds.values())

    def rounded(self, row: Row) -> float | None:
        """Seconds that a row will take, to a tenth."""
        seconds = self.seconds.get(row.run_id)
        return None if seconds is None else round(seconds, 1)

    def slot_hours(self) -> float:
        """Hours of one slot that all rows take together; those without an estimate as the mean."""
        known = [value for value in self.seconds.values() if value is not None]
        return sum(known) * len(self.seconds) / len(known) / 3600 if known else 0.0

    def hours(self, slots: int) -> float:
        """Hours until all rows have ended: no less than the longest of them takes."""
        longest = max((value for value in self.seconds.values() if value is not None), default=0.0)
        return max(self.slot_hours() / slots, longest / 3600)


def estimate(
    rows: Iterable[Row],
    home: Path,
    device: str,
    modules: Mapping[str, str] | None = None,
) -> Estimates:
    """Estimates from the records of a home, where DuckDB is there to ask: of the most alike runs.

    device: the kind that they will run on, cpu, cuda or mps. modules: name → module of the
    benchmarks, all that are installed by default.
    """
    means: dict[Key, list[float]] = defaultdict(lambda: [0.0, 0])
    runs = 0
    for like, total, count in _earlier(home):
        runs += count
        for key in _keys(like):
            means[key][0] += total
            means[key][1] += count
    seconds: dict[str, float | None] = {}
    exact = 0
    config_hash = cache(partial(_config_hash, modules))
    for row in rows:
        nearest = [_nearest(like, means) for like in _like(row.request, device, config_hash)]
        known = [means[key][0] / means[key][1] for key, _ in nearest if key]
        seconds[row.run_id] = sum(known) if len(known) == len(nearest) else None
        exact += all(is_exact for _, is_exact in nearest)
    return Estimates(seconds=seconds, runs=runs, exact=exact)


def _nearest(like: Mapping[str, Any], means: Mapping[Key, object]) -> tuple[Key | None, bool]:
    """The earlier runs that have the most in common with a run to come; whether that is all."""
    keys = _keys(like)
    key = next((key for key in keys if key in means), None)
    return key, key == keys[0]


def _keys(like: Mapping[str, Any]) -> list[Key]:
    return [(columns, tuple(like[column] for column in columns)) for columns in LIKENESS]


def _like(what: Request, device: str, config_hash: Callable[..., str]) -> list[dict[str, Any]]:
    """What each run to come of a row has in common with earlier ones."""
    baseline = what.baselines[0] if what.baselines else None
    layers = what.layers if what.architectures else (None,)
    like = {
        "benchmark": what.benchmark_id,
        "preset": what.preset,
        "config": config_hash(what.benchmark, what.protocol, what.preset, what.settings, baseline),
        "device": device,
        "architecture": what.architectures[0] if what.architectures else None,
    }
    return [like | {"layer": layer} for layer in layers]


def _config_hash(
    modules: Mapping[str, str] | None,
    benchmark: str,
    protocol: str,
    preset: str | None,
    settings: tuple[str, ...],
    baseline: str | None,
) -> str:
    config = configure(
        registry.named(benchmark, modules),
        protocol=protocol,
        preset=preset,
        settings=settings,
        baseline=baseline,
    )
    return hash_of(dataclasses.asdict(config))


def _earlier(home: Path) -> list[tuple[dict[str, Any], float, int]]:
    """What the recorded runs were, seconds, how many."""
    if not find_spec("duckdb"):
        return []
    from lossnets.warehouse.store import Warehouse

    names = LIKENESS[0]
    try:
        rows = Warehouse.open(home).rows(EARLIER)[1]
    except UserError:  # busy, say: an estimate is not worth waiting for
        return []
    earlier = []
    for benchmark, preset, config, device, architecture, layers, total, count in rows:
        what = (benchmark, preset, hash_of(json.loads(config or "{}")), device, architecture)
        for layer in layers or [None]:  # of a pass each takes its share
            like = dict(zip(names, (*what, layer), strict=True))
            earlier.append((like, total / len(layers or [None]), count))
    return earlier
