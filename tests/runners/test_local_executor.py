"""Rows executed by processes of this machine: recorded once, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from lossnets.runners.runs.run_folder import RunFolder
from lossnets.runners.sweeps.executors import local as local_executor
from lossnets.runners.sweeps.executors.executor import execute_row, failure_of
from lossnets.runners.sweeps.executors.local import Local, Queue
from lossnets.runners.sweeps.plan import Sweep, plan_sweep
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import RunRecord, read_entry

pytestmark = pytest.mark.torch

MADE = {"autoencoding": "made_benchmark", "super-resolution": "made_factors"}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The processes import what this one can, and this one keeps its threads."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def rows(home: Path, **options) -> list[Row]:
    """Rows of the benchmark of these tests."""
    asked = {"benchmarks": ("autoencoding",), "architectures": ("alexnet",), "layers": ("early",)}
    return list(
        plan_sweep(Sweep(**(asked | {"preset": "smoke"} | options)), home, silent, MADE).rows
    )


def silent(done: int, total: int, what: str) -> None:
    """No progress."""


def local(**options) -> Local:
    return Local(**({"processes": 1, "device": "cpu", "modules": MADE} | options))


def ignored(row: Row) -> None:
    """Nobody hears that a row begins."""


def log(home: Path) -> list[RunRecord]:
    return [run for path in sorted((home / "records").glob("*")) for run in read_entry(path)]


class Gate:
    """Two FIFOs at which a run says where it is, and waits."""

    def __init__(self, folder: Path) -> None:
        self.setting = f"gate={folder / 'gate'}"
        self._at, self._go = folder / "gate.at", folder / "gate.go"
        os.mkfifo(self._at)
        os.mkfifo(self._go)

    def arrived(self) -> psutil.Process:
        """Wait for the next run to be at it; its process."""
        return psutil.Process(int(self._at.read_text().split()[0]))

    def open(self) -> None:
        """Let the run that is at it go on."""
        self._go.write_text("go")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


# ---- what is executed --------------------------------------------------------------------------


def test_processes_record_what_one_alone_would_and_each_run_once(tmp_path):
    asked = {"architectures": ("alexnet", "vgg11"), "layers": ("early", "late"), "seeds": 2}
    planned = rows(tmp_path / "a", **asked)
    begun = []
    ended = list(local(processes=2, cpus_per_run=1).run(planned, tmp_path / "a", begun.append))
    assert {each.state for each in ended} == {"recorded"}
    assert sorted(row.run_id for row in begun) == sorted(row.run_id for row in planned)
    for row in planned:
        execute_row(row, tmp_path / "b", "cpu", 2, MADE)
    found, alone = ({run.run_id: run for run in log(tmp_path / home)} for home in "ab")
    assert len(log(tmp_path / "a")) == len(found) == 8
    assert {i: run.measurements for i, run in found.items()} == {
        i: run.measurements for i, run in alone.items()
    }
    assert {run.versions["threads"] for run in found.values()} == {"1"}
    assert {run.versions["threads"] for run in alone.values()} == {"2"}
    again = list(local().run(planned, tmp_path / "a", ignored))
    assert [each.state for each in again] == ["recorded already"] * 8
    assert len(log(tmp_path / "a")) == 8


def test_what_goes_wrong_is_noted_with_its_reason_and_the_others_go_on(tmp_path):
    planned = [
        row for fault in ("user", "bug", "") for row in rows(tmp_path, settings=(f"fail={fault}",))
    ]
    ended = list(local(retries=0).run(planned, tmp_path, ignored))
    name = "alexnet early is not to be"
    assert [(each.state, each.reason) for each in ended] == [
        ("failed", name),
        ("failed", f"RuntimeError: {name}"),
        ("recorded", None),
    ]
    failures = [failure_of(tmp_path / "runs" / row.run_id) for row in planned]
    assert [failure and failure["reason"] for failure in failures] == [
        each.reason for each in ended
    ]
    assert "in run\n    raise fault(" in failures[1]["traceback"]
    assert {failure["attempts"] for failure in failures[:2]} == {1}
    execute_row(planned[0], tmp_path, "cpu", 1, MADE)
    assert failure_of(tmp_path / "runs" / planned[0].run_id)["attempts"] == 2


def test_a_failure_is_forgotten_once_the_run_is_recorded(tmp_path):
    (row,) = rows(tmp_path)
    folder = RunFolder(tmp_path / "runs" / row.run_id)
    folder.write_json("failure.json", {"reason": "the disk was full"})
    assert execute_row(row, tmp_path, "cpu", 1, MADE).state == "recorded"
    assert failure_of(folder.path) is None


def test_data_that_changed_since_the_plan_are_told(tmp_path):
    (row,) = rows(tmp_path)
    ended = execute_row(Row(run_ids=("other",), request=row.request), tmp_path, "cpu", 1, MADE)
    assert ended.reason == (
        "autoencoding alexnet early is another run than planned: its data have changed"
    )


def test_a_run_that_another_process_is_at_is_left_to_it(tmp_path):
    (row,) = rows(tmp_path)
    with RunFolder(tmp_path / "runs" / row.run_id).alone():
        assert execute_row(row, tmp_path, "cpu", 1, MADE).state == "busy"
    assert execute_row(row, tmp_path, "cpu", 1, MADE).state == "recorded"


def test_neighbouring_rows_read_data_once(tmp_path):
    import made_benchmark

    planned = rows(tmp_path, layers=("early", "late"), seeds=2)
    made_benchmark.LOADED.clear()
    for row in planned:
        execute_row(row, tmp_path, "cpu", 1, MADE)
    assert len(made_benchmark.LOADED) == 1


# ---- killed ------------------------------------------------------------------------------------


def test_a_run_whose_process_is_killed_is_begun_again_and_at_last_failed(tmp_path, gate):
    planned = rows(tmp_path, settings=(gate.setting, "fail=exit")) + rows(tmp_path)
    begun = []
    reasons = []

    def end(row: Row) -> None:
        begun.append(row)
        if row is planned[0]:
            process = gate.arrived()
            reasons.append(failure_of(tmp_path / "runs" / row.run_id))
            process.kill() if len(begun) == 1 else gate.open()

    ended = list(local(retries=1).run(planned, tmp_path, end))
    assert [(each.row, each.state) for each in ended] == [
        (planned[0], "failed"),
        (planned[1], "recorded"),
    ]
    assert begun == [planned[0], planned[0], planned[1]]
    failure = failure_of(tmp_path / "runs" / planned[0].run_id)
    assert (failure["attempts"], failure["reason"]) == (2, ended[0].reason)
    assert ended[0].reason == "its process ended with status 1: alexnet early is not to be"
    assert [reason and reason["reason"] for reason in reasons] == [
        None, "its process was killed (SIGKILL), by the system perhaps, short of memory",
    ]  # fmt: skip
    assert [run.run_id for run in log(tmp_path)] == [planned[1].run_id]


def test_closing_the_iterator_ends_the_processes(tmp_path, gate):
    planned = rows(tmp_path) + rows(tmp_path, settings=(gate.setting,))
    running = local(processes=2).run(planned, tmp_path, ignored)
    assert next(running).state == "recorded"
    process = gate.arrived()
    running.close()
    assert process.wait(timeout=60) is None
    assert len(log(tmp_path)) == 1


SWEEPING = """
import sys
from collections.abc import Iterator
from pathlib import Path
from lossnets.runners.sweeps.executors.local import Local
from lossnets.runners.sweeps.plan_file import read_plan
home, made = Path(sys.argv[1]), {"autoencoding": "made_benchmark"}
rows = read_plan(home / "plan.csv", home, lambda *_: None, made)
for ended in Local(processes=1, device="cpu", modules=made).run(rows, home, lambda row: None):
    print(ended.state, flush=True)
"""


def test_processes_end_with_a_sweep_that_is_killed_and_another_goes_on(tmp_path, gate):
    plan = ["benchmark,architecture,layer,preset,settings",
            f"autoencoding,alexnet,early,smoke,{gate.setting}"]  # fmt: skip
    (tmp_path / "plan.csv").write_text("\n".join(plan))
    path = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", SWEEPING, str(tmp_path)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}) as sweep:
        worker = gate.arrived()
        assert worker.ppid() == sweep.pid
        sweep.send_signal(signal.SIGKILL)
    worker.wait(timeout=60)  # it ends by itself
    assert log(tmp_path) == []
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}) as sweep:
        gate.arrived()
        gate.open()
    assert sweep.returncode == 0
    assert len(log(tmp_path)) == 1


# ---- shares ------------------------------------------------------------------------------------


def test_rows_that_share_work_go_to_one_process_until_it_must_help_out(tmp_path):
    planned = rows(tmp_path, architectures=("alexnet", "vgg11"), layers=("early", "late"), seeds=2)
    assert [row.name for row in planned[:4]] == [
        "autoencoding alexnet early",
        "autoencoding alexnet early seed 1",
        "autoencoding alexnet late",
        "autoencoding alexnet late seed 1",
    ]
    queue = Queue(planned)
    one, other = queue.next(None), queue.next(None)
    assert (one, other) == (planned[0], planned[4])
    for expected in planned[1:4]:
        one = queue.next(one)
        assert one == expected
    assert queue.next(one) == planned[5]
    queue.put_back(planned[0])
    assert queue.next(planned[1]) == planned[0]
    assert [queue.next(other), queue.next(other), queue.next(other)] == [*planned[6:], None]


@pytest.fixture
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.mark.parametrize(
    ("options", "visible", "expected"),
    [
        ({}, None, ["0", "1", "2", "3"]),
        ({"gpus_per_run": 0.5}, None, ["0", "1", "2", "3", "0", "1", "2", "3"]),
        ({"gpus_per_run": 0.3, "device": "cuda:2"}, None, ["2", "2", "2"]),
        ({"gpus_per_run": 2}, None, ["0,1", "2,3"]),
        ({"gpus_per_run": 0.5, "processes": 3}, "4,5,6,7", ["4", "5", "6"]),
    ],
)
def test_gpus_are_shared_out(four_gpus, monkeypatch, options, visible, expected):
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    executor = Local(**options)
    assert [place["CUDA_VISIBLE_DEVICES"] for place in executor.places()] == expected
    assert executor.slots == len(expected)


def test_without_a_share_of_gpus_runs_are_on_the_processors(four_gpus):
    executor = Local(gpus_per_run=0, cpus_per_run=1)
    assert executor.places() == [{}] * local_executor.processors()
    assert Local(device="cpu", processes=3).places() == [{}, {}, {}]
    assert Local(device="cpu", cpus_per_run=10_000).slots == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"processes": 0}, "found --processes 0; valid are numbers from 1"),
        ({"cpus_per_run": 0}, "found --cpus-per-run 0; valid are numbers from 1"),
        ({"gpus_per_run": -1}, "found --gpus-per-run -1; valid are numbers from 0"),
        ({"retries": -1}, "found --retries -1; valid are numbers from 0"),
        ({"gpus_per_run": 5}, "found --gpus-per-run 5; there are 4 GPUs"),
        (
            {"gpus_per_run": 0.5, "processes": 9},
            "found --processes 9; the GPUs have room for 8 runs of --gpus-per-run 0.5",
        ),
        ({"device": "cuda:4"}, "found device 'cuda:4'; valid are cuda:0 to cuda:3"),
        ({"device": "tpu"}, "found device 'tpu'; valid are auto, cpu, cuda, cuda:N and mps"),
    ],
)
def test_shares_that_do_not_fit_are_told(four_gpus, options, message):
    with pytest.raises(UserError) as error:
        Local(**options)
    assert error.value.message == message
