"""Sweeps: planned, saved and read, estimated, and what they are at while they go on."""

from __future__ import annotations

import csv
import json
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from lossnets.runners.registry import BENCHMARKS
from lossnets.runners.runs.planning import Request
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.runners.sweeps.estimates import Estimates, estimate
from lossnets.runners.sweeps.executors.executor import Ended, execute_row, failed
from lossnets.runners.sweeps.plan import Planned, Sweep, plan_sweep
from lossnets.runners.sweeps.plan_file import COLUMNS, cells, read_plan
from lossnets.runners.sweeps.progress import Sweeping, states_of
from lossnets.runners.sweeps.row import Row
from lossnets.runners.sweeps.state import SweepState, clear_dead, duration, read_states
from lossnets.warehouse import durable
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.loading import database
from lossnets.warehouse.sources.records import Measurement, RunRecord, hash_of, write_entry
from lossnets.warehouse.store import Warehouse

pytestmark = pytest.mark.torch

MADE = {"super-resolution": "made_factors", "autoencoding": "made_benchmark"}


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The configs that the benchmark of these tests reads data for."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import made_benchmark

    made_benchmark.LOADED.clear()
    return made_benchmark.LOADED


def silent(done: int, total: int, what: str) -> None:
    """No progress."""


def planned(home: Path, among=MADE, **options) -> Planned:
    asked = {"architectures": ("alexnet",), "layers": ("early",), "preset": "smoke"}
    return plan_sweep(Sweep(**(asked | options)), home, silent, among)


def names(found: Planned) -> list[str]:
    return [row.name for row in found.rows]


# ---- planned -----------------------------------------------------------------------------------


def test_every_combination_is_a_row(tmp_path, loaded):
    found = planned(
        tmp_path,
        among={"autoencoding": "made_benchmark"},
        architectures=("alexnet", "vgg11"),
        layers=("early", "late"),
        seeds=3,
        settings=("lr=1e-3,1e-4", "sizes=8,16"),
        weights=("random:0", "random:1"),
    )
    assert len(found.rows) == len({row.run_id for row in found.rows}) == 2 * 2 * 3 * 2 * 2
    assert {row.request.settings for row in found.rows} == {
        ("lr=1e-3", "sizes=8,16"),
        ("lr=1e-4", "sizes=8,16"),
    }
    assert {row.request.seed for row in found.rows} == {0, 1, 2}
    assert len(loaded) == 2  # once for each config, not for each row


def test_the_data_sets_of_a_benchmark_are_swept_unless_one_is_named(tmp_path):
    assert names(planned(tmp_path)) == [
        "super-resolution alexnet early factor=4",
        "super-resolution alexnet early factor=8",
        "autoencoding alexnet early",
    ]
    assert names(planned(tmp_path, settings=("factor=8",))) == [
        "super-resolution alexnet early factor=8",
        "autoencoding alexnet early factor=8",
    ]


def test_the_whole_study_has_each_run_once(tmp_path):
    found = planned(tmp_path, among=BENCHMARKS, architectures=("paper",), layers=("all",),
                    seeds=2)  # fmt: skip
    count = Counter(row.request.benchmark for row in found.rows)
    assert count == {
        "perceptual-similarity": 14,  # all layers in one run, nothing that a seed would change
        "super-resolution": 56 * 2 * 2,
        "delineation": 56 * 2,
        "autoencoding": 56 * 2 * 2,
    }
    assert len({row.run_id for row in found.rows}) == len(found.rows)


def test_without_a_name_all_is_planned_and_with_a_baseline_alone_no_network(tmp_path):
    assert len(planned(tmp_path, architectures=(), settings=("factor=4",)).rows) == 2 * 14
    found = planned(tmp_path, architectures=(), baselines=("pixels",), settings=("factor=4",))
    assert names(found) == ["super-resolution pixels factor=4", "autoencoding pixels factor=4"]


def test_rows_that_share_work_stand_together(tmp_path):
    found = planned(tmp_path, architectures=("alexnet", "vgg11"), layers=("early", "late"),
                    seeds=2, among={"super-resolution": "made_factors"},
                    settings=("lr=1,2",))  # fmt: skip
    shared = [row.shares for row in found.rows]
    assert [shared.index(key) for key in dict.fromkeys(shared)] == [0, 8, 16, 24]
    assert [(row.request.layers[0], row.request.settings[1], row.request.seed)
            for row in found.rows[:5]] == [
        ("early", "lr=1", 0), ("early", "lr=1", 1), ("early", "lr=2", 0), ("early", "lr=2", 1),
        ("late", "lr=1", 0),
    ]  # fmt: skip


def test_what_cannot_run_is_told_and_the_rest_planned(tmp_path):
    found = planned(tmp_path, data={"autoencoding": tmp_path / "none"})
    assert {row.request.benchmark for row in found.rows} == {"super-resolution"}
    (error,) = found.unavailable
    assert (error.message, error.hint) == (
        f"autoencoding cannot run: found no folder {tmp_path}/none",
        "lossnets data fetch made",
    )
    other = {
        "autoencoding": "made_benchmark",
        "super-resolution": "lossnets.runners.benchmarks.autoencoding",
    }
    with pytest.raises(UserError) as refused:
        planned(tmp_path, other, preset="small")
    assert refused.value.message == "autoencoding cannot run: it has no preset 'small', but smoke"


REFUSED = {
    "benchmark": (
        {"benchmarks": ("delineation",)},
        "found benchmark 'delineation'; valid are super-resolution, autoencoding, all",
    ),
    "setting": (
        {"settings": ("lrr=1",)},
        "found setting 'lrr', which no benchmark of the sweep has; close names are: lr, fail, "
        "factor, baseline, normalise",
    ),
    "no value": (
        {"settings": ("lr",)},
        "found setting 'lr'; valid is name=value, or name=value,value",
    ),
    "value": ({"settings": ("lr=1,x",)}, "found lr=x; valid is a number"),
    "seeds": ({"seeds": 0}, "found 0 seeds; valid are whole numbers from 1"),
    "baseline": (
        {"baselines": ("l2",)},
        "found baseline 'l2', which no benchmark of the sweep has",
    ),
    "preset": ({"preset": "large"}, "found preset 'large'; valid are smoke"),
    "architecture": (
        {"architectures": ("vgg12",)},
        "found architecture 'vgg12', which is no classification model of torchvision; close names "
        "are: vgg11, vgg13, vgg16, vgg19, vgg11_bn",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_a_sweep_that_is_not_valid_is_told(tmp_path, options, message):
    with pytest.raises(UserError) as error:
        planned(tmp_path, **options)
    assert error.value.message == message


def test_where_nothing_can_run_the_reason_is_the_error(tmp_path):
    with pytest.raises(UserError) as error:
        planned(tmp_path, among={"autoencoding": "made_benchmark"},
                data={"autoencoding": tmp_path / "none"})  # fmt: skip
    assert error.value.message == f"autoencoding cannot run: found no folder {tmp_path}/none"


# ---- a plan as a file --------------------------------------------------------------------------


def save(path: Path, rows: Sequence[Row]) -> list[dict[str, str]]:
    """Save a plan, and read it back as a table."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(cells(row, "waiting") for row in rows)
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def resave(path: Path, table: Sequence[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


def test_a_plan_read_back_is_the_same(tmp_path):
    found = planned(tmp_path, layers=("early", "early+late"), baselines=("pixels",), seeds=2,
                    settings=("sizes=8,16", "lr=1,2"), data={"autoencoding": tmp_path})  # fmt: skip
    path = tmp_path / "plan.csv"
    save(path, found.rows)
    assert read_plan(path, tmp_path, silent, MADE) == list(found.rows)


def test_an_edited_plan_is_what_it_says(tmp_path):
    path = tmp_path / "plan.csv"
    table = save(path, planned(tmp_path, settings=("factor=4",)).rows)
    table[0] |= {"seed": "7", "run_id": "", "state": "done"}
    resave(path, [table[0]])
    (row,) = read_plan(path, tmp_path, silent, MADE)
    assert row.request.seed == 7
    (expected,) = planned(tmp_path, settings=("factor=4",), seeds=8).rows[7:8]
    assert row == expected
    path.write_text("benchmark,architecture,layer,preset\nautoencoding,alexnet,all,smoke\n")
    assert [row.request.layers for row in read_plan(path, tmp_path, silent, MADE)] == [
        ("early",), ("semi_early",), ("middle",), ("late",)
    ]  # fmt: skip


HEAD = "benchmark,architecture,layer,baseline,seed,settings,preset,weights\n"
BAD = {
    "no plan": (
        "a,b\n1,2\n",
        "found column 'a' in PLAN, which is unknown, valid are " + ", ".join(sorted(COLUMNS)),
    ),
    "no benchmark": ("seed\n1\n", "PLAN is no plan: it has no column benchmark"),
    "empty": (HEAD, "PLAN holds no row to run"),
    "cells": (
        f"{HEAD}autoencoding,alexnet\n",
        "PLAN, line 2 has 2 cells where line 1 names 8 columns: 'autoencoding', 'alexnet'",
    ),
    "benchmark": (
        f"{HEAD}autoencoding,alexnet,early,,,,smoke,\nx,alexnet,early,,,,smoke,\n",
        "PLAN, line 3, column benchmark: found benchmark 'x'; valid are super-resolution, "
        "autoencoding, and the file of a module",
    ),
    "seed": (
        f"{HEAD}autoencoding,alexnet,early,,one,,smoke,\n",
        "PLAN, line 2, column seed: found seed 'one'; valid is a whole number",
    ),
    "layer": (
        f"{HEAD}autoencoding,alexnet,features.99,,,,smoke,\n",
        "PLAN, line 2, column layer: found layer 'features.99', which alexnet does not have; close "
        "names are: features.9, features.0, features.1, features.2, features.3; its last node is "
        "classifier.6",
    ),
    "value": (
        f"{HEAD}autoencoding,alexnet,early,,,lr=x,smoke,\n",
        "PLAN, line 2, column settings: found lr=x; valid is a number",
    ),
    "neither": (
        f"{HEAD}autoencoding,,,,,,smoke,\n",
        "PLAN, line 2, column architecture: found architecture '' and baseline '', neither of "
        "them; valid is one",
    ),
}


def test_a_plan_edited_in_a_spreadsheet_is_the_same(tmp_path):
    path = tmp_path / "plan.csv"
    text = f"{HEAD}autoencoding,alexnet,early,,1,lr=0.1;factor=2,smoke,\n"
    path.write_text(text)
    rows = read_plan(path, tmp_path, silent, MADE)
    text = (
        text.replace("lr=0.1;factor=2", '"lr=0.1;factor=2"').replace(",", ";").replace("\n", "\r\n")
    )
    path.write_bytes(text.replace("seed", "Seed").encode("utf-16"))
    assert read_plan(path, tmp_path, silent, MADE) == rows


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_plan_is_told_with_line_and_column(tmp_path, text, message):
    path = tmp_path / "plan.csv"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_plan(path, tmp_path, silent, MADE)
    assert error.value.message.replace(str(path), "PLAN") == message


def test_a_file_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"plan.csv is not UTF-16.* save it as UTF-8$"):
        read_plan(path, tmp_path, silent, MADE)
    with pytest.raises(UserError, match=r"^cannot read .*none.csv: No such file or directory$"):
        read_plan(tmp_path / "none.csv", tmp_path, silent, MADE)


# ---- states and estimates ----------------------------------------------------------------------


def test_rows_are_done_running_failed_or_waiting(tmp_path):
    made = {"autoencoding": "made_benchmark"}
    done, running, broken, stopped, new = planned(tmp_path, made, seeds=5).rows
    execute_row(done, tmp_path, "cpu", 1, MADE)
    failed(broken, tmp_path, "it broke")
    with RunFolder(tmp_path / "runs" / stopped.run_id).alone():
        pass
    with RunFolder(tmp_path / "runs" / running.run_id).alone():
        found = states_of([done, running, broken, stopped, new], tmp_path)
    assert list(found.values()) == [
        ("done", None),
        ("running", None),
        ("failed", "it broke"),
        ("waiting", None),
        ("waiting", None),
    ]
    assert states_of([running], tmp_path)[running.run_id] == ("waiting", None)


def test_while_the_database_is_busy_the_log_says_what_is_done(tmp_path, monkeypatch):
    done, new = planned(tmp_path, {"autoencoding": "made_benchmark"}, seeds=2).rows
    execute_row(done, tmp_path, "cpu", 1, MADE)
    Warehouse(tmp_path).rebuild()
    monkeypatch.setattr(durable, "PATIENCE_S", 0)
    execute_row(new, tmp_path, "cpu", 1, MADE)
    with database.only_writer(tmp_path):
        assert set(states_of([done, new], tmp_path).values()) == {("done", None)}
        assert estimate([done], tmp_path, "cpu", MADE).known == 0


def record(row: Row, seconds: float, **options) -> RunRecord:
    """A record of an earlier run like a row."""
    import made_benchmark

    what = row.request
    config = asdict(made_benchmark.Config(factor=4))
    measurement = Measurement(
        architecture=what.architectures[0], layer=what.layers[0], score="svhn_accuracy", value=0.5
    )
    return RunRecord(**({"benchmark": "autoencoding", "measurements": (measurement,),
                         "preset": "smoke", "config": config, "duration_s": seconds,
                         "device": "cpu: x86_64",
                         "run_id": f"made-{hash_of([row.run_id, seconds])}"}
                        | options))  # fmt: skip


def test_estimates_are_of_the_runs_most_alike(tmp_path):
    made = {"autoencoding": "made_benchmark"}
    rows = planned(tmp_path, made, architectures=("alexnet", "vgg11"), layers=("early", "late"),
                   settings=("factor=4",)).rows  # fmt: skip
    (other,) = planned(tmp_path, made, settings=("factor=8",)).rows
    assert estimate(rows, tmp_path, "cpu", made).known == 0
    early, late, _, _ = rows
    write_entry(
        tmp_path,
        [
            record(early, 10.0),
            record(early, 20.0),
            record(late, 40.0, device="cuda: a GPU"),
            record(early, 90.0, config={"lr": 9}),
        ],
    )
    found = estimate([*rows, other], tmp_path, "cpu", made)
    assert [found.seconds[row.run_id] for row in (*rows, other)] == [15, 15, 15, 15, 40]
    assert (found.runs, found.exact, found.known) == (4, 1, 5)
    on_gpu = estimate([late, early], tmp_path, "cuda", made)
    assert list(on_gpu.seconds.values()) == [40, 40]
    assert estimate([late], tmp_path, "mps", made).seconds[late.run_id] == 40  # of all four


def test_hours_are_those_of_the_slots_but_no_less_than_the_longest_run():
    found = Estimates(seconds={"a": 3600, "b": 7200, "c": None}, runs=2, exact=0)
    assert found.slot_hours() == 4.5  # c as the mean
    assert (found.hours(1), found.hours(2), found.hours(100)) == (4.5, 2.25, 2.0)


# ---- as it goes on -----------------------------------------------------------------------------


class Scripted:
    """An executor that ends rows as it is told, and looks at the sweep meanwhile."""

    slots = 2

    def __init__(self, ends: dict[str, list[str]], look: Callable[[], None] = lambda: None) -> None:
        self.ends, self.look, self.closed = ends, look, False

    def run(
        self, rows: Sequence[Row], home: Path, started: Callable[[Row], None]
    ) -> Iterator[Ended]:
        try:
            for row in rows:
                started(row)
                self.look()
                state = self.ends.get(row.run_id, ["recorded"]).pop(0)
                if state == "failed":
                    yield failed(row, home, "it broke")
                elif state == "lost":
                    yield Ended(row=row, state="failed", reason="the disk is full")
                else:
                    yield Ended(row=row, state=state)
        finally:
            self.closed = True


def test_a_sweep_says_what_it_is_at_while_it_goes_on(tmp_path):
    rows = planned(tmp_path, seeds=4, among={"autoencoding": "made_benchmark"}).rows
    seen = []
    executor = Scripted({rows[1].run_id: ["failed"], rows[2].run_id: ["busy", "recorded already"]},
                        look=lambda: seen.append(sweep.state()))  # fmt: skip
    sweep = Sweeping(rows, executor, tmp_path, done=3, failed=1,
                     seconds={row.run_id: 10.0 for row in rows})  # fmt: skip
    assert sweep.state().remaining_s == 20  # 40 s on two slots
    told = []
    sweep.execute(told.append)
    assert [(state.done, state.failed, state.waiting, len(state.running)) for state in seen] == [
        (3, 1, 3, 1), (4, 1, 2, 1), (4, 2, 1, 1), (4, 2, 1, 1), (5, 2, 0, 1),
    ]  # fmt: skip
    assert seen[0].running[0]["name"] == rows[0].name
    assert [ended.state for ended in told] == ["recorded", "failed", "recorded", "recorded already"]
    assert (sweep.recorded, sweep.recorded_before, len(sweep.failures), sweep.busy) == (2, 1, 1, [])
    (state,) = read_states(tmp_path)
    assert (state.rows, state.done, state.failed, state.waiting) == (8, 6, 2, 0)
    assert (state.host, state.pid, state.slots) == (socket.gethostname(), os.getpid(), 2)
    assert state.ended_at
    assert not state.lives()
    assert state.failures == [
        {"run_id": rows[1].run_id, "name": rows[1].name, "reason": "it broke"}
    ]


def test_rows_that_stay_with_another_process_are_left_to_it(tmp_path):
    (row,) = planned(tmp_path, among={"autoencoding": "made_benchmark"}).rows
    sweep = Sweeping([row], Scripted({row.run_id: ["busy", "busy"]}), tmp_path)
    sweep.execute(lambda ended: None)
    assert sweep.busy == [row]


def test_a_failure_that_cannot_be_noted_ends_the_sweep(tmp_path):
    rows = planned(tmp_path, seeds=2, among={"autoencoding": "made_benchmark"}).rows
    executor = Scripted({rows[0].run_id: ["lost"]})
    sweep = Sweeping(rows, executor, tmp_path)
    with pytest.raises(UserError) as error:
        sweep.execute(lambda ended: None)
    assert error.value.message == f"{rows[0].name}: the disk is full; that could not be noted"
    assert executor.closed
    assert read_states(tmp_path)[0].ended_at


def test_at_the_end_the_database_has_what_was_recorded(tmp_path):
    (row,) = planned(tmp_path, among={"autoencoding": "made_benchmark"}).rows

    warehouse = Warehouse.open(tmp_path)

    class Here:
        slots = 1

        def run(self, rows, home, started):
            for row in rows:
                started(row)
                yield execute_row(row, home, "cpu", 1, MADE)

    Sweeping([row], Here(), tmp_path).execute(lambda ended: None)
    assert warehouse.rows("select run_id from runs where source = 'measured'")[1] == [(row.run_id,)]


def test_of_several_sweeps_those_that_go_on_are_read_and_a_torn_file_is_none(tmp_path):
    SweepState(pid=1, host="elsewhere").write(tmp_path)
    SweepState(pid=2, host="elsewhere", ended_at="2026-01-31T12:00:00+00:00").write(tmp_path)
    SweepState().write(tmp_path)
    SweepState(pid=2**22 + 1).write(tmp_path)  # of this machine, and gone
    (tmp_path / "sweeps" / "torn.json").write_text('{"pid": ')
    (tmp_path / "sweeps" / "other.json").write_text('{"pid": 1, "unknown": 2}')
    assert {(state.host, state.pid) for state in read_states(tmp_path)} == {
        ("elsewhere", 1), (socket.gethostname(), os.getpid()),
    }  # fmt: skip
    clear_dead(tmp_path)
    left = [path.name for path in (tmp_path / "sweeps").glob(f"{socket.gethostname()}-*")]
    assert left == [f"{socket.gethostname()}-{os.getpid()}.json"]
    path = tmp_path / "sweeps" / "elsewhere-1.json"
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"updated_at": "2026-01-31T12:00:00+00:00"})
    )
    assert [state.host for state in read_states(tmp_path)] == [socket.gethostname()]


def test_durations_are_for_people():
    assert duration(59.6) == "60 s"
    assert duration(3599.9) == "1:00:00"


def test_a_request_of_one_row_asks_for_its_run_again(tmp_path):
    for row in planned(tmp_path, layers=("early+late",), baselines=("pixels",), seeds=2).rows:
        asked = row.request
        again = plan_sweep(
            Sweep(
                benchmarks=(asked.benchmark,),
                architectures=asked.architectures,
                layers=asked.layers,
                baselines=asked.baselines,
                weights=(asked.weights,),
                seeds=asked.seed + 1,
                preset=asked.preset,
                settings=asked.settings,
            ),
            tmp_path,
            silent,
            MADE,
        )
        assert row.run_id in {each.run_id for each in again.rows}
        assert isinstance(asked, Request)
