"""A benchmark for tests of sweeps: scores made of what is run, at once, or as a test allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.run import Result
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import Measurement, hash_of

SCORES = {
    "super_resolution": "sr_x4_set5_ssim",
    "autoencoding": "svhn_accuracy",
    "delineation": "mrd_quality",
}
LOADED = []  # configs whose data were read in this process


@dataclass(frozen=True, kw_only=True)
class Config:
    """Values for sweeps; `gate` names two FIFOs, `fail` an error."""

    lr: float = 1e-3
    factor: int = 4
    sizes: tuple[int, ...] = (8,)
    baseline: str | None = None
    precision: str = "fp32"
    normalise: bool = True
    gate: str = ""
    fail: str = ""

    def __post_init__(self) -> None:
        if self.baseline not in (None, "pixels"):
            raise UserError(f"found baseline {self.baseline!r}; valid is pixels")


def load(config: Config, folder: Path | None, **_: object) -> SimpleNamespace:
    """Data that need nothing, unless a folder is named that is not there."""
    if folder is not None and not folder.exists():
        raise UserError(f"found no folder {folder}", hint="lossnets data fetch made")
    LOADED.append(config)
    return SimpleNamespace(identity=f"made:{config.factor}")


def run(what, data, work) -> Result:
    """A score made of what is run and on how many threads."""
    if what.config.gate:
        Path(f"{what.config.gate}.at").write_text(f"{os.getpid()} {what.name}\n")  # a FIFO: waits
        Path(f"{what.config.gate}.go").read_text()
    if what.config.fail:
        fault = {"user": UserError, "bug": RuntimeError, "exit": SystemExit}[what.config.fail]
        raise fault(f"{what.name} is not to be")
    score = SCORES[what.benchmark]
    value = int(hash_of([what.run_id]), 16) / 16**16
    layers = what.layers or (None,)
    return Result(
        measurements=tuple(
            Measurement(architecture=what.architecture, layer=layer, score=score, value=value)
            for layer in layers
        )
    )


BENCHMARK = Benchmark(
    config=Config,
    presets={"smoke": {}},
    baselines=("pixels",),
    separate=True,
    load=load,
    scores=lambda config, data: [],  # it serves several benchmarks, and knows which as it runs
    run=run,
)
