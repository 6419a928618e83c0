"""A training that is killed in an epoch goes on from the last one, and ends the same to the bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lossnets.runners import registry
from lossnets.runners.runs.execution import Outcome, execute
from lossnets.runners.runs.planning import Request, plan
from lossnets.runners.runs.run import Progress

pytestmark = pytest.mark.torch

SETTINGS = {
    "super-resolution": ("images=12", "size=40", "crop=20", "crops=2", "residual_blocks=1"),
    "delineation": ("crop=32", "crops=1", "size=32"),
    "autoencoding": ("batch=16", "images=48", "predictor_epochs=3", "predictor_batch=16"),
}
KILLED = """
import os, signal, sys, torch
from pathlib import Path
from test_killed_training import recorded
torch.set_num_threads(int(sys.argv[3]))
def progress(done, total, what):
    if "epoch 2 of 3" in what and done % 3 == 2:
        os.kill(os.getpid(), signal.SIGKILL)
recorded(sys.argv[1], Path(sys.argv[2]), progress)
"""


def _silent(done: int, total: int, what: str) -> None:
    """No progress."""


def recorded(benchmark: str, home: Path, progress: Progress = _silent) -> Outcome:
    """A run of three epochs, of generated data."""
    request = Request(
        benchmark=benchmark,
        architectures=("alexnet",),
        layers=("early",),
        preset="smoke",
        settings=(*SETTINGS[benchmark], "epochs=3"),
    )
    planned = plan(request, registry.named(benchmark), home, progress)
    (outcome,) = execute(planned, home, torch.device("cpu"), progress)
    return outcome


@pytest.mark.parametrize("benchmark", SETTINGS)
def test_a_process_killed_in_an_epoch_goes_on_and_ends_the_same_to_the_bit(benchmark, tmp_path):
    threads = str(torch.get_num_threads())
    command = [sys.executable, "-c", KILLED, benchmark, tmp_path / "killed", threads]
    here = Path(__file__)
    place = {"PYTHONPATH": os.pathsep.join([str(here.parent), str(here.parents[2])])}
    killed = subprocess.run(command, capture_output=True, env=os.environ | place)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (folder,) = (tmp_path / "killed" / "runs").iterdir()
    assert torch.load(folder / "checkpoint.pt")["epoch"] == 1
    assert not list((tmp_path / "killed" / "records").glob("*.jsonl"))

    whole = recorded(benchmark, tmp_path / "whole")
    resumed = recorded(benchmark, tmp_path / "killed")

    assert resumed.record.measurements == whole.record.measurements
    other = tmp_path / "whole" / "runs" / folder.name
    for name in ("curves.csv", "items.csv.gz"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    expected, found = torch.load(other / "model.pt"), torch.load(folder / "model.pt")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
