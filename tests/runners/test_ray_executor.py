"""Rows executed by Ray: the same scores, whatever is lost on the way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from runners import ray_cluster, returned_runs
from runners.executors import Ended, failure_of
from runners.local_executor import Local
from runners.ray_executor import Ray
from runners.sweep import Row, Sweep, plan_sweep
from warehouse.records import read_entry

pytestmark = pytest.mark.torch

HERE = Path(__file__).parent
PERILOUS = {"autoencoding": "perilous"}
NODE = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 * 2**20}
NODE |= {"node_ip_address": "127.0.0.1", "include_dashboard": False}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """What Ray's processes are told: to stay on this machine, with a token of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))
        patch.syspath_prepend(HERE)
        patch.setenv("RAY_AUTH_TOKEN", "of-the-tests")
        patch.setenv("RAY_AUTH_MODE", "token")
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
    yield cluster
    ray.shutdown()
    cluster.shutdown()


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
    return Ray(benchmarks=PERILOUS, **options)


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
    executors = {"local": Local(device="cpu"), "folder": Ray(), "ray": Ray(results="ray")}
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
    assert found == [found[0]] * 3
    assert len(found[0]) == 20
    assert files == [files[0]] * 3
    assert len(files[0]) == 2


@pytest.mark.parametrize("results", ["folder", "ray"])
def test_what_is_recorded_is_not_run_again(cluster, tmp_path, results):
    executor = ray(results=results)
    assert states(executed(executor, rows(tmp_path, "alexnet"), tmp_path)) == {"recorded": 2}
    assert states(executed(executor, rows(tmp_path), tmp_path)) == {
        "recorded": 2, "recorded already": 2,
    }  # fmt: skip
    assert len(scores(tmp_path)) == 4
    gallery = sorted(path.name for path in tmp_path.glob("runs/*/gallery/*"))
    assert gallery == ["a_b.output.png"] * 4
    assert list((tmp_path / "sweeps").iterdir()) == []
    assert not any(returned_runs.place(row.run_id).exists() for row in rows(tmp_path))


@pytest.mark.parametrize("results", ["folder", "ray"])
def test_a_run_that_fails_says_why_and_the_others_go_on(cluster, tmp_path, results):
    planned = rows(tmp_path, fate="raises")
    for attempt in (1, 2):
        ended = executed(ray(results=results), planned, tmp_path)
        assert {each.reason for each in ended if each.state == "failed"} == {"ValueError: no good"}
        failures = [failure_of(tmp_path / "runs" / row.run_id) for row in planned]
        attempts = [failure and failure["attempts"] for failure in failures]
        assert attempts == [None, None, attempt, attempt]
    assert len(scores(tmp_path)) == 2


# ---- lost on the way ---------------------------------------------------------------------------


@pytest.mark.parametrize("results", ["folder", "ray"])
def test_a_run_whose_worker_is_killed_is_begun_again(cluster, tmp_path, results):
    planned = rows(tmp_path, fate="is killed once", where=tmp_path)
    ended = executed(ray(results=results), planned, tmp_path)
    assert (tmp_path / "here").exists()
    assert states(ended) == {"recorded": 4}
    assert len(scores(tmp_path)) == 4


def test_a_run_whose_worker_is_killed_ever_again_fails_and_the_others_go_on(cluster, tmp_path):
    planned = rows(tmp_path, fate="is killed")
    ended = executed(ray(retries=0), planned, tmp_path)
    assert {each.row.request.architectures: each.reason for each in ended} == {
        ("alexnet",): None,
        ("vgg11",): "its worker was killed",
    }
    assert states(ended) == {"recorded": 2, "failed": 2}
    assert failure_of(tmp_path / "runs" / planned[2].run_id)["reason"] == "its worker was killed"
