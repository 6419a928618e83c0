"""Rows executed by Ray: the same scores, whatever is lost on the way."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from lossnets.cli import terminal
from lossnets.cli.main import cli
from lossnets.runners.runs.planning import Request
from lossnets.runners.sweeps.executors import ray as ray_executor
from lossnets.runners.sweeps.executors import ray_cluster
from lossnets.runners.sweeps.executors.executor import Ended, failure_of
from lossnets.runners.sweeps.executors.local import Local
from lossnets.runners.sweeps.executors.ray import Ray
from lossnets.runners.sweeps.plan import Sweep, plan_sweep
from lossnets.runners.sweeps.row import Row
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import read_entry

pytestmark = pytest.mark.torch

HERE = Path(__file__).parent
LOOPBACK = ("127.0.0.1", 0)
PERILOUS = {"autoencoding": "perilous"}
NODE = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 * 2**20}
NODE |= {"node_ip_address": "127.0.0.1", "include_dashboard": False}


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory):
    """What Ray's processes are told: to stay on this machine, with a token of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
        patch.syspath_prepend(HERE)
        patch.setenv("RAY_AUTH_TOKEN", "of-the-tests")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_worker_niceness", "0")  # as the other tests, not behind them
        patch.delenv("RAY_ADDRESS", raising=False)
        yield


@pytest.fixture(scope="module")
def cluster(environment):
    """Two nodes of one slot each; a node is added for each that a test has killed."""
    ray = ray_cluster.imported()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
    cluster.add_node(**NODE)
    cluster.add_node(**NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    session = cluster.head_node.get_session_dir_path()
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    shutil.rmtree(session, ignore_errors=True)


def rows(home: Path, *architectures: str, **options) -> tuple[Row, ...]:
    """Rows of the benchmark that takes no time."""
    settings = tuple(f"{name}={value}" for name, value in options.items())
    sweep = Sweep(
        architectures=architectures or ("alexnet", "vgg11"),
        layers=("early", "late"),
        weights=("random:0",),
        settings=settings,
    )
    return plan_sweep(sweep, home, silent, PERILOUS).rows


def silent(*_) -> None:
    """No progress."""


def ray(**options) -> Ray:
    return Ray(modules=PERILOUS, **options)


def executed(executor, rows, home: Path) -> list[Ended]:
    return list(executor.run(rows, home, silent))


def scores(home: Path) -> dict[tuple[str, str, str, str], float]:
    """Each score in the log; none stands there twice."""
    runs = [run for path in (home / "records").glob("*") for run in read_entry(path)]
    assert len({run.run_id for run in runs}) == len(runs)
    return {
        (run.run_id, item.architecture, item.layer, item.score): item.value
        for run in runs
        for item in run.measurements
    }


def states(ended: list[Ended]) -> Counter[str]:
    return Counter(each.state for each in ended)


# ---- the same as without Ray -------------------------------------------------------------------


def test_scores_and_files_are_those_of_the_local_executor(cluster, tmp_path):
    sweep = Sweep(
        benchmarks=("perceptual-similarity",),
        architectures=("alexnet", "squeezenet1_1"),
        layers=("early",),
        preset="smoke",
    )
    executors = {"local": Local(device="cpu"), "ray": Ray()}
    found, files = [], []
    for name, executor in executors.items():
        home = tmp_path / name
        planned = plan_sweep(sweep, home, silent).rows
        assert states(executed(executor, planned, home)) == {"recorded": 2}
        found.append(scores(home))
        files.append({
            str(path.relative_to(home)): path.read_bytes()
            for path in (home / "runs").rglob("*") if path.is_file() and path.name != ".lock"
        })  # fmt: skip
    assert found == [found[0]] * 2
    assert len(found[0]) == 20
    assert files == [files[0]] * 2
    assert len(files[0]) == 2


def test_what_is_recorded_is_not_run_again(cluster, tmp_path):
    executor = ray()
    assert states(executed(executor, rows(tmp_path, "alexnet"), tmp_path)) == {"recorded": 2}
    assert states(executed(executor, rows(tmp_path), tmp_path)) == {
        "recorded": 2, "recorded already": 2,
    }  # fmt: skip
    assert len(scores(tmp_path)) == 4
    gallery = sorted(path.name for path in tmp_path.glob("runs/*/gallery/*"))
    assert gallery == ["a_b.output.png"] * 4
    assert list((tmp_path / "sweeps").iterdir()) == []


def test_a_run_that_fails_says_why_and_the_others_go_on(cluster, tmp_path):
    planned = rows(tmp_path, fate="raises")
    for attempt in (1, 2):
        ended = executed(ray(), planned, tmp_path)
        assert {each.reason for each in ended if each.state == "failed"} == {"ValueError: no good"}
        failures = [failure_of(tmp_path / "runs" / row.run_id) for row in planned]
        attempts = [failure and failure["attempts"] for failure in failures]
        assert attempts == [None, None, attempt, attempt]
    assert len(scores(tmp_path)) == 2


PAGE = (HERE.parents[1] / "docs" / "cluster.md").read_text("utf-8").replace("\\\n", " ")
COMMANDS = re.findall(r"lossnets (.*sweep .*--executor ray.*)", PAGE)
TINY = ["--preset=smoke", "-b", "perceptual-similarity", "-a", "squeezenet1_1", "-l", "early"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_on_clusters_run(cluster, tmp_path, command, capsys):
    arguments = [word.replace("/data/lossnets", str(tmp_path)) for word in command.split()]
    if "--home" not in arguments:
        arguments = ["--home", str(tmp_path), *arguments]
    assert terminal.run(cli, [*arguments, *TINY]) == 0
    assert "1 recorded" in capsys.readouterr().err
    runs = 4 if "--layer all" in command else 1  # a run is one loss network
    assert len(list((tmp_path / "records").iterdir())) == runs


def test_the_page_on_clusters_has_commands():
    assert len(COMMANDS) == 3


# ---- lost on the way ---------------------------------------------------------------------------


def test_a_run_whose_worker_is_killed_is_begun_again(cluster, tmp_path):
    planned = rows(tmp_path, fate="is killed once", where=tmp_path)
    ended = executed(ray(), planned, tmp_path)
    assert (tmp_path / "here").exists()
    assert states(ended) == {"recorded": 4}
    assert len(scores(tmp_path)) == 4


def test_without_retries_it_fails_the_others_go_on_and_it_can_be_run_again(cluster, tmp_path):
    planned = rows(tmp_path, fate="is killed once", where=tmp_path)
    executor = ray(retries=0)
    ended = executed(executor, planned, tmp_path)
    assert states(ended) == {"recorded": 3, "failed": 1}
    (failed,) = [each for each in ended if each.state == "failed"]
    folder = tmp_path / "runs" / failed.row.run_id
    assert failed.row.request.architectures == ("vgg11",)
    assert failed.reason == failure_of(folder)["reason"] == "its worker was killed"
    assert states(executed(executor, [failed.row], tmp_path)) == {"recorded": 1}
    assert failure_of(folder) is None
    assert len(scores(tmp_path)) == 4


def test_a_run_whose_node_is_killed_is_begun_again_on_another(cluster, tmp_path):
    planned = rows(tmp_path, fate="waits once", where=tmp_path)
    killed = []

    def kill_its_node() -> None:
        raylet = psutil.Process(int(awaited(tmp_path / "here"))).ppid()
        for node in list(cluster.worker_nodes):
            if node.all_processes["raylet"][0].process.pid == raylet:
                cluster.remove_node(node, allow_graceful=False)
                killed.append(raylet)
        (tmp_path / "on").touch()

    killer = threading.Thread(target=kill_its_node)
    killer.start()
    ended = executed(ray(), planned, tmp_path)
    killer.join()
    assert len(killed) == 1
    assert states(ended) == {"recorded": 4}
    assert len(scores(tmp_path)) == 4
    cluster.add_node(**NODE)


DRIVER = """
import sys
from pathlib import Path
from lossnets.runners.runs.planning import Request
from lossnets.runners.sweeps.executors.ray import Ray
from test_ray_executor import PERILOUS, rows, silent

home = Path(sys.argv[1])
planned = rows(home, fate="waits once", where=home)
executor = Ray(processes=1, modules=PERILOUS)
try:
    print(executor._connection._folder, flush=True)
    for ended in executor.run(planned, home, silent):
        print(ended.state, flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("end", ["SIGKILL", "SIGINT"])
def test_a_sweep_that_ends_leaves_no_worker_and_goes_on_when_begun_again(cluster, tmp_path, end):
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        worker = psutil.Process(int(awaited(tmp_path / "here")))
        theirs = psutil.Process(driver.pid).children(recursive=True)
        session = Path(driver.stdout.readline().strip())
        driver.send_signal(signal.Signals[end])
        said = driver.stdout.read().split()
    assert said == ["recorded", "recorded"] + ["interrupted"] * (end == "SIGINT")
    if end == "SIGKILL":
        theirs = [each for each in theirs if "Agent" not in each.name()]  # they end after a minute
        shutil.rmtree(session, ignore_errors=True)
    else:
        assert not session.exists()
    _, alive = psutil.wait_procs([worker, *theirs], timeout=60)
    assert alive == []
    ended = executed(ray(), rows(tmp_path, fate="waits once", where=tmp_path), tmp_path)
    assert states(ended) == {"recorded already": 2, "recorded": 2}
    assert len(scores(tmp_path)) == 4


def awaited(path: Path) -> str:
    """What a file says, once it is there."""
    deadline = time.monotonic() + 120
    while not (path.exists() and (text := path.read_text())):
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)
    return text


# ---- what a user can mend ----------------------------------------------------------------------


def test_a_folder_that_a_node_does_not_share_is_told(cluster, tmp_path, monkeypatch):
    def as_on_another_disk(row: Row) -> Row:
        for mark in (tmp_path / "sweeps").iterdir():
            mark.unlink()
        return row

    monkeypatch.setattr(ray_executor, "_anywhere", as_on_another_disk)
    with pytest.raises(UserError) as error:
        executed(ray(), rows(tmp_path), tmp_path)
    assert error.value.message == (
        f"{socket.gethostname()} does not share the folder {tmp_path} of the sweep; mount it on "
        "all nodes at the same path"
    )


def test_a_node_that_lacks_what_runs_need_is_told(cluster, tmp_path):
    executor = Ray(modules={"autoencoding": "no_such_module"})
    ended = executed(executor, rows(tmp_path, "alexnet"), tmp_path)
    assert {each.reason for each in ended} == {
        "ModuleNotFoundError: No module named 'no_such_module'"
    }


def test_without_ray_one_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError) as error:
        Ray()
    assert (error.value.message, error.value.hint) == (
        "the executor ray needs Ray, which is not installed",
        'pip install "lossnets[cluster]"',
    )


def test_an_address_where_nothing_listens_is_told_at_once(monkeypatch):
    monkeypatch.setattr(ray_cluster, "is_connected", lambda: False)
    with socket.socket() as closed:
        closed.bind(LOOPBACK)
        said = no_connection(address_of(closed))
    assert re.sub(r"127.0.0.1:\d+", "HERE", said) == "no Ray answers at HERE: Connection refused"
    for address in ("nonsense", "ray://10.0.0.1:10001", "10.0.0.1:"):
        assert no_connection(address) == (
            f"found Ray address {address!r}; valid are auto and HOST:PORT, such as 10.0.0.1:6379"
        )


def address_of(server: socket.socket) -> str:
    return "{}:{}".format(*server.getsockname())


def no_connection(address: str) -> str:
    with pytest.raises(UserError) as error:
        Ray(address=address)
    assert error.value.hint in (None, "ray start --head, then --address auto")
    return error.value.message


NUMBERS = {
    "processes": ({"processes": 0}, "found --processes 0; valid are numbers from 1"),
    "cpus": ({"cpus_per_run": 0}, "found --cpus-per-run 0; valid are numbers from 1"),
    "gpus": ({"gpus_per_run": -1}, "found --gpus-per-run -1; valid are numbers from 0"),
    "retries": ({"retries": -1}, "found --retries -1; valid are numbers from 0"),
}


@pytest.mark.parametrize(("options", "message"), NUMBERS.values(), ids=NUMBERS)
def test_a_value_that_is_not_valid_is_told(options, message):
    with pytest.raises(UserError) as error:
        Ray(**options)
    assert error.value.message == message


# ---- shares ------------------------------------------------------------------------------------

LARGE, SMALL = {"CPU": 16.0, "GPU": 2.0}, {"CPU": 3.0}
SLOTS = {
    "a processor each": ([SMALL, SMALL], {}, 6, 0),
    "two processors each": ([SMALL, SMALL], {"cpus_per_run": 2}, 2, 0),
    "at most": ([SMALL, SMALL], {"processes": 4}, 4, 0),
    "a GPU each, where there is one": ([LARGE, SMALL], {}, 2, 1),
    "a tenth of a GPU": ([LARGE], {"gpus_per_run": 0.1}, 16, 0.1),
    "a third of a GPU": ([LARGE], {"gpus_per_run": 0.33}, 6, 0.33),
    "more than a GPU": ([LARGE, LARGE], {"gpus_per_run": 1.5}, 2, 2),
    "no GPU": ([LARGE, SMALL], {"gpus_per_run": 0}, 19, 0),
    "not on a GPU": ([LARGE, SMALL], {"device": "cpu"}, 19, 0),
}


def on_nodes(nodes: list[dict[str, float]], **options) -> Ray:
    """An executor of a cluster with these nodes, beside a dead one."""
    dead = {"Alive": False, "Resources": LARGE}
    alive = [{"Alive": True, "Resources": has} for has in nodes]
    connection = object.__new__(ray_cluster.Connection)
    connection.ray = SimpleNamespace(nodes=lambda: [dead, *alive])
    executor = Ray(address="auto", **options)
    vars(executor)["_connection"] = connection
    return executor


@pytest.mark.parametrize(("nodes", "options", "slots", "gpus"), SLOTS.values(), ids=SLOTS)
def test_runs_get_their_shares_of_the_nodes(nodes, options, slots, gpus):
    executor = on_nodes(nodes, **options)
    assert (executor.slots, executor._gpus) == (slots, gpus)


def test_shares_that_no_node_has_are_told():
    with pytest.raises(UserError) as error:
        _ = on_nodes([SMALL], cpus_per_run=4, device="cuda").slots
    assert error.value.message == (
        "found --cpus-per-run 4 --gpus-per-run 1, which no node of the Ray cluster has"
    )


def test_rows_that_share_work_are_one_task_unless_slots_would_be_idle(tmp_path):
    planned = rows(tmp_path)  # alexnet, alexnet, vgg11, vgg11
    assert [len(group) for group in ray_executor._groups(planned, 2)] == [1, 1, 1, 1]
    assert [len(group) for group in ray_executor._groups(planned * 4, 2)] == [2] * 8
    assert [len(group) for group in ray_executor._groups(planned * 16, 1)] == [2] * 32


def test_paths_are_those_of_the_folder_that_the_sweep_was_begun_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.pth").touch()
    request = Request(benchmark="autoencoding", weights="mine.pth", data=Path("data"))
    found = ray_executor._anywhere(Row(run_ids=("a",), request=request)).request
    assert (found.data, found.weights) == (tmp_path / "data", str(tmp_path / "mine.pth"))
    other = Row(run_ids=("b",), request=Request(benchmark="autoencoding", weights="random:0"))
    assert ray_executor._anywhere(other) == other
