"""`lossnets sweep` and `lossnets status --watch`, with the smoke preset."""

from __future__ import annotations

import csv
import io
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lossnets.cli import sweep_view
from lossnets.runners.sweeps.state import SweepState, read_states
from lossnets.warehouse.sources.records import read_entry
from lossnets.warehouse.store import Warehouse

pytestmark = pytest.mark.torch

SWEEP = ["sweep", "--benchmark", "perceptual-similarity", "--preset", "smoke", "--device", "cpu",
         "--layer", "early"]  # fmt: skip
ENDLESS = ["--benchmark", "delineation", "--set", "epochs=1000000"]  # after what is short
LOSSNETS = [sys.executable, "-m", "lossnets"]
NEXT = "next: lossnets sql \"from runs where preset = 'smoke'\""


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def log(home: Path) -> list[str]:
    """The run ids in the log, in order."""
    return [run.run_id for path in sorted((home / "records").glob("*.jsonl"))
            for run in read_entry(path)]  # fmt: skip


def loaded(home: Path) -> int:
    """How many runs of ours the database has, as it is."""
    sql = "select count(*) from runs where source = 'measured'"
    return Warehouse(home).rows(sql)[1][0][0]


# ---- from the plan to the scores ---------------------------------------------------------------


def test_a_plan_is_printed_saved_edited_and_run(run, home, tmp_path):
    plan = tmp_path / "plan.csv"
    asked = (*SWEEP, "--architecture", "alexnet,squeezenet1_1", "--baseline", "l2", "--save", plan)
    done = run(*asked, "--dry-run")
    assert done.status == 0
    assert done.out == plan.read_text()
    assert [(row["architecture"], row["baseline"], row["state"]) for row in rows(done.out)] == [
        ("", "l2", "waiting"), ("alexnet", "", "waiting"), ("squeezenet1_1", "", "waiting"),
    ]  # fmt: skip
    assert done.err.endswith(
        f"3 rows\nnext: lossnets sweep --plan {plan}\n3 rows\n3 runs: 3 waiting\n"
        "no estimate for 3 runs: no earlier run is like them\n"
    )
    assert not (home / "records").exists()

    table = plan.read_text().splitlines(keepends=True)
    plan.write_text("".join(table[:2] + table[3:]))  # without alexnet
    done = run("sweep", "--plan", plan, "--device", "cpu", "--processes", 1)
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines()[-2:] == ["2 recorded", NEXT]
    assert log(home) == [row["run_id"] for row in rows(plan.read_text())]
    assert loaded(home) == 2

    again = run(*asked[:-2], "--dry-run", "--processes", 1, "--price-per-hour", 3600)
    assert [row["state"] for row in rows(again.out)] == ["done", "waiting", "done"]
    assert [bool(row["estimate_s"]) for row in rows(again.out)] == [False, True, False]
    assert "\n3 runs: 1 waiting, 2 done\nabout " in again.err
    assert again.err.endswith(
        "at 3600 an hour) for 1, from 2 earlier runs: 0 of the same kind, 1 like the nearest, "
        "0 like the mean\n"
    )
    done = run("sweep", "--plan", plan, "--device", "cpu")
    assert (done.status, done.err) == (0, "2 runs: 2 done\nnothing is left to run\n")


def test_failures_are_collected_and_run_again_on_request(run, home, tmp_path):
    import torch

    path = tmp_path / "bad.pth"
    torch.save({"classifier.6.bias": torch.ones(1000)}, path)
    asked = (*SWEEP, "-a", "alexnet", "--weights", path, "--baseline", "l2", "--processes", 1)
    done = run(*asked)
    reason = (
        "found in bad.pth other weights than those of alexnet: it lacks 2 tensors, among them "
        "'features.0.bias', 'features.0.weight'"
    )
    assert done.status == 1
    assert done.err.splitlines()[-3:] == [
        "1 recorded, 1 failed",
        f"failed: perceptual-similarity alexnet early: {reason}",
        "next: the same command with --only failed",
    ]
    assert f"\nperceptual-similarity alexnet early: failed: {reason}\n" in done.err
    planned = rows(run(*asked, "--dry-run").out)
    assert [(row["state"], row["reason"]) for row in planned] == [("done", ""), ("failed", reason)]
    assert "\n2 runs: 1 failed, 1 done\nnothing is left to run\n" in (
        run(*asked, "--only", "waiting", "--dry-run").err
    )
    again = run(*asked, "--only", "failed", "--dry-run")
    assert " for 1, from 1 earlier runs: " in again.err


# ---- killed and interrupted --------------------------------------------------------------------


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [*LOSSNETS, "--home", str(home), *SWEEP, "--processes", "1", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def until_recorded(sweep: subprocess.Popen[str], count: int) -> list[psutil.Process]:
    """Wait until so many runs are recorded; the processes of the sweep then."""
    assert sweep.stderr is not None
    for line in sweep.stderr:
        if line.startswith(f"[{count}/"):
            break
    return psutil.Process(sweep.pid).children(recursive=True)


def test_what_was_killed_goes_on_by_two_sweeps_at_once_and_each_run_is_recorded_once(home):
    killed = start(home, "-a", "alexnet,squeezenet1_1", *ENDLESS)
    workers = until_recorded(killed, 1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert workers
    for worker in workers:
        worker.wait(timeout=60)  # they end by themselves
    before = log(home)
    assert len(before) in (1, 2)
    assert not read_states(home)[0].lives()
    several = ("-a", "alexnet,squeezenet1_1,vgg11,resnet18")
    both = [start(home, *several), start(home, *several)]
    said = [each.communicate()[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert len(log(home)) == len(set(log(home))) == 4
    assert log(home)[: len(before)] == before
    assert loaded(home) == 4
    assert all(path.suffix == ".jsonl" for path in (home / "records").iterdir())


def test_ctrl_c_ends_all_processes_with_130_and_says_how_to_go_on(home):
    sweep = start(home, "-a", "alexnet", *ENDLESS)
    workers = until_recorded(sweep, 1)
    sweep.send_signal(signal.SIGINT)
    _, said = sweep.communicate()
    assert sweep.returncode == 130
    assert said.splitlines()[-1] == "interrupted; the same command goes on from here"
    assert "Traceback" not in said
    assert workers
    assert not any(worker.is_running() for worker in workers)
    (state,) = read_states(home)
    assert state.ended_at
    assert loaded(home) == len(log(home)) == 1


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            ["--benchmark", "bapps"],
            "found benchmark 'bapps'; valid are perceptual-similarity, super-resolution, "
            "delineation, autoencoding, all",
            None,
        ),
        (
            ["--data", "here"],
            "found --data here; valid is BENCHMARK=DIR with one of perceptual-similarity, "
            "super-resolution, delineation, autoencoding",
            None,
        ),
        (
            ["--plan", "none.csv", "--seeds", "2"],
            "with --plan the rows of the file say what is run",
            "lossnets sweep --help",
        ),
        (
            ["--address", "auto"],
            "--address goes with --executor ray",
            "lossnets sweep --help",
        ),
        (["--processes", "0"], "found --processes 0; valid are numbers from 1", None),
    ],
)
def test_what_is_not_valid_is_told_and_nothing_run(run, home, arguments, error, hint):
    done = run("sweep", "--device", "cpu", *arguments)
    said = [line for line in done.err.splitlines() if line.startswith(("error", "hint"))]
    assert said == [f"error: {error}", *([f"hint: {hint}"] if hint else [])]
    assert (done.status, done.out) == (2, "")
    assert not (home / "records").exists()
    assert not (home / "runs").exists()


def test_what_cannot_run_is_named_and_left_out_on_request(run, home):
    asked = (*SWEEP, "--benchmark", "autoencoding", "--data", "autoencoding=/none", "-a", "alexnet")
    lacking = "autoencoding cannot run: found no folder /none to read "
    done = run(*asked)
    assert (done.status, done.out) == (2, "")
    said = done.err.splitlines()
    assert said[-3].startswith(lacking)
    assert said[-2] == (
        "error: 1 part of the sweep cannot run; get what is lacking, or leave out with "
        "--available what cannot run"
    )
    assert said[-1].startswith("hint: lossnets data fetch svhn")
    assert not (home / "records").exists()
    for option in ("--available", "--dry-run"):
        done = run(*asked, "--dry-run", option)
        assert [row["benchmark"] for row in rows(done.out)] == ["perceptual-similarity"]
        assert lacking in done.err


# ---- watched -----------------------------------------------------------------------------------


def test_where_there_was_no_sweep_it_is_told(run):
    done = run("status", "--watch")
    assert (done.status, done.out, done.err) == (
        0, "", "there was no sweep yet\nnext: lossnets sweep --preset smoke --dry-run\n",
    )  # fmt: skip


def test_a_sweep_is_watched_until_it_ends(home, capsys):
    state = SweepState(host="here", pid=7, started_at="2026-01-31T11:00:00+00:00", slots=2, rows=9,
                       done=1, waiting=7, rate_per_h=1200.5, remaining_s=61)  # fmt: skip
    state.running = [{"run_id": "a", "name": "b", "since": state.updated_at}]
    state.write(home)

    def go_on() -> None:
        state.done, state.waiting, state.running = 9, 0, []
        state.ended_at = "2026-01-31T12:00:00+00:00"
        state.write(home)

    sweep_view.watch(home, pause=go_on)
    assert capsys.readouterr().out.splitlines() == [
        "sweep of process 7 on here, since 2026-01-31 11:00:00 UTC: [1/9] 1 done, 1 running, "
        "7 waiting, 1,200 an hour, 1:01 left",
        "sweep of process 7 on here, ended 2026-01-31 12:00:00 UTC: [9/9] 9 done, 1,200 an hour",
    ]


def test_the_status_names_a_sweep_that_goes_on(run, home):
    SweepState(rows=9, done=1).write(home)
    assert run("status").err.splitlines()[-1].endswith(" UTC: [1/9] 1 done")


def test_on_a_terminal_what_runs_and_what_failed_is_shown(home):
    SweepState(
        rows=9, done=2, failed=1, waiting=4, ended_at="2026-01-31T12:00:00+00:00",
        running=[{"run_id": str(i), "name": f"the run {i}", "since": "2026-01-31T11:00:00+00:00"}
                 for i in range(2)],
        failures=[{"run_id": "c", "name": "third", "reason": "it broke"}],
    ).write(home)  # fmt: skip
    terminal, theirs = pty.openpty()
    command = [*LOSSNETS, "--home", str(home), "status", "--watch"]
    with subprocess.Popen(command, stdout=theirs, env=os.environ | {"TERM": "xterm"}) as watching:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # once nobody writes to it any more
            while data := os.read(terminal, 10_000):
                said += data
    os.close(terminal)
    assert watching.returncode == 0
    text = said.decode()
    for part in ("2 done, 1 failed, 2 running, 4 waiting", "the run 0", "the run 1",
                 "failed: third: it broke", "━━━━"):  # fmt: skip
        assert part in text


def test_help_and_watching_import_neither_torch_nor_duckdb(home):
    code = (
        "import sys\nfrom lossnets.cli import terminal\nfrom lossnets.cli.main import cli\n"
        "terminal.run(cli, sys.argv[1:])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    for arguments in (["sweep", "--help"], ["--home", str(home), "status", "--watch"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        imported = set(done.stdout.splitlines()[-1].split())
        assert imported & {"torch", "numpy", "duckdb", "pandas", "ray", "rich"} == set()
