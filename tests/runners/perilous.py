"""A benchmark whose runs take no time, and whose process may be killed during one of them.

Where a run stands still, it first makes a file, so that whoever waits for it can do harm then.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.run import Result
from lossnets.runners.runs.run_folder import ItemValues
from lossnets.warehouse.sources.records import Measurement


@dataclass(frozen=True, kw_only=True)
class Config:
    """fate: what happens to vgg11; `where`: the folder of files that say what has happened."""

    fate: str = ""
    where: str = ""
    baseline: str | None = None
    precision: str = "fp32"
    normalise: bool = True


SCORES = {"early": 0.5, "late": 0.25}


def load(config: Config, folder: Path | None, **_: Any) -> SimpleNamespace:
    """Nothing, under a name."""
    return SimpleNamespace(identity="nothing:1")


def run(what: Any, data: SimpleNamespace, work: Any) -> Result:
    """A score, unless fate has it otherwise."""
    if what.architecture == "vgg11":
        _meet(what.config.fate, Path(what.config.where))
    (layer,) = what.layers
    work.folder.write_image("a/b", "output", np.zeros((2, 2), np.uint8))
    work.folder.write_curves([(1, "train", "loss", 0.5)])
    return Result(
        measurements=(
            Measurement(
                architecture=what.architecture,
                layer=layer,
                score="svhn_accuracy",
                value=SCORES[layer],
            ),
        ),
        items=(
            ItemValues(
                layer=layer, dataset="svhn", quantity="hit", items="ab", values=np.array([0.0, 1.0])
            ),
        ),
    )


def _meet(fate: str, where: Path) -> None:
    if fate == "raises":
        raise ValueError("no good")
    if fate in ("is killed once", "waits once") and not (where / "here").exists():
        (where / "here").write_text(str(os.getpid()))
        if fate == "is killed once":
            os.kill(os.getpid(), signal.SIGKILL)
        while not (where / "on").exists():
            time.sleep(0.01)


BENCHMARK = Benchmark(
    config=Config,
    presets={},
    baselines=(),
    separate=True,
    swept={},
    load=load,
    scores=lambda config, data: ["svhn_accuracy"],
    run=run,
)
