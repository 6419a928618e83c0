"""A benchmark that trains nothing: its scores are a hash of what is run.

All else of a run is real: plan, lock, values per item, curves, record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.run import Progress, Result, Run, Work
from lossnets.runners.runs.run_folder import ItemValues
from lossnets.warehouse.sources.records import Measurement

DATA_SETS = {"set5": 5, "set14": 14}  # name → images


@dataclass(frozen=True, kw_only=True)
class Config:
    """As super-resolution has it, of which it takes the place."""

    factor: int = 4
    learning_rate: float = 1e-3
    baseline: str | None = None
    precision: str = "fp32"
    normalise: bool = True


def load(
    config: Config, folder: Path | None, *, preset: str | None, home: Path, progress: Progress
) -> Any:
    """Data that are nothing but their identity."""
    return SimpleNamespace(identity=f"simulated x{config.factor}")


def run(what: Run[Config], data: Any, work: Work) -> Result:
    """Scores, values per image and curves, all from a hash of the run."""
    seed = int(hashlib.sha256(what.run_id.encode()).hexdigest()[:8], 16)
    rng = np.random.default_rng(seed)
    (layer,) = what.layers
    measurements, items = [], []
    for dataset, count in DATA_SETS.items():
        names = [f"{dataset}_{i}" for i in range(count)]
        for quantity, least, most in (("psnr", 20, 30), ("ssim", 0.5, 0.9)):
            values = rng.uniform(least, most, count)
            items.append(
                ItemValues(
                    layer=layer,
                    dataset=f"{dataset}_x{what.config.factor}",
                    quantity=quantity,
                    items=names,
                    values=values,
                )
            )
            measurements.append(
                Measurement(
                    architecture=what.architecture,
                    layer=layer,
                    score=f"sr_x{what.config.factor}_{dataset}_{quantity}",
                    value=float(values.mean()),
                    n=count,
                )
            )
    work.folder.write_curves(
        (epoch, split, "loss", 1 / epoch)
        for epoch in (1, 2, 3)
        for split in ("train", "validation")
    )
    return Result(measurements=tuple(measurements), items=tuple(items))


BENCHMARK = Benchmark(
    config=Config,
    presets={},
    baselines=(),
    separate=True,
    swept={"factor": ("4", "8")},
    load=load,
    scores=lambda config, data: [],
    run=run,
)
