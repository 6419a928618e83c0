"""A benchmark whose runs train nothing: they write what a training writes, and score a hash."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.run import Result
from lossnets.runners.runs.run_folder import ItemValues
from lossnets.warehouse.sources.records import Measurement, hash_of

EPOCHS, ITEMS, EPOCH_S = 4, 20, 0.02


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the score depends on."""

    epochs: int = EPOCHS
    baseline: str | None = None
    precision: str = "fp32"
    normalise: bool = True


def load(config, folder, **_) -> SimpleNamespace:
    """Data that need nothing."""
    return SimpleNamespace(identity="simulated")


def score(run_id: str) -> float:
    """What a run scores."""
    return int(hash_of([run_id]), 16) / 16**16 * 100


def run(what, data, work) -> Result:
    """Go on from the checkpoint, an epoch after the other, and score."""
    checkpoint = work.folder.path / "checkpoint.pt"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for epoch in range(done + 1, what.config.epochs + 1):
        with work.folder.replacing("checkpoint.pt") as temporary:
            temporary.write_text(str(epoch))
            time.sleep(EPOCH_S)
    rows = [(epoch, "train", "loss", 1 / epoch) for epoch in range(1, what.config.epochs + 1)]
    work.folder.write_curves(rows)
    value = score(what.run_id)
    return Result(
        measurements=tuple(
            Measurement(architecture=what.architecture, layer=layer, score="mrd_quality",
                        value=value)
            for layer in what.layers
        ),
        items=(
            ItemValues(layer=what.layers[0], dataset="mrd", quantity="quality",
                       items=[str(i) for i in range(ITEMS)], values=np.full(ITEMS, value)),
        ),
    )  # fmt: skip


BENCHMARK = Benchmark(
    config=Config,
    presets={"smoke": {}},
    baselines=(),
    separate=True,
    swept={},
    load=load,
    scores=lambda config, data: ["mrd_quality"],
    run=run,
)
