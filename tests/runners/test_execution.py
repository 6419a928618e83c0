"""Runs: planned, skipped, executed, recorded; what goes wrong with them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lossnets.runners.networks import pretrained
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs import execution
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.planning import Plan, Request, plan
from lossnets.runners.runs.recorded import Recorded
from lossnets.runners.runs.run import Result
from lossnets.runners.runs.run_folder import ItemValues, RunFolder
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import Measurement, RunRecord, read_entry, write_entry
from lossnets.warehouse.store import Warehouse

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the benchmark of these tests depends on."""

    items: int = 2
    normalise: bool = True
    precision: str = "fp32"
    baseline: str | None = None


def score(what, data, work) -> Result:
    """A score for each layer that tells nothing, an item each."""
    work.progress(1, 2, "half")
    values = np.array([0.25, 0.75])[: what.config.items]
    return Result(
        measurements=tuple(
            Measurement(architecture=what.architecture, layer=layer, score="bapps_2afc", value=0.5)
            for layer in what.layers or (None,)
        ),
        items=(ItemValues(layer=None, dataset="cnn", quantity="judge", items="ab", values=values),),
    )


@pytest.fixture
def benchmark() -> SimpleNamespace:
    """A benchmark that counts its runs and takes no time."""
    ran = []

    def run(what, data, work):
        ran.append(what.name)
        return score(what, data, work)

    return SimpleNamespace(
        Config=Config,
        SEPARATE=False,
        run=run,
        ran=ran,
    )


@pytest.fixture
def planned(benchmark, tmp_path) -> Callable[..., Plan]:
    """Plan a request to the benchmark of these tests."""

    def planned(*architectures: str, **options) -> Plan:
        request = Request(
            benchmark="perceptual-similarity",
            architectures=architectures,
            **({"weights": "random", "layers": ("early",)} | options),
        )
        of_test = Benchmark(
            config=benchmark.Config,
            protocols={"paper": {}, "reference": {"items": 1}},
            presets={"smoke": {}},
            separate=benchmark.SEPARATE,
            load=lambda config, folder, **_: SimpleNamespace(identity="data:1"),
            scores=lambda config, data: ["bapps_2afc"],
            run=lambda what, data, work: benchmark.run(what, data, work),
        )
        return plan(request, of_test, tmp_path, silent)

    return planned


def silent(done: int, total: int, what: str) -> None:
    """No progress."""


def executed(plan: Plan, home: Path) -> list[str]:
    return [outcome.state for outcome in execution.execute(plan, home, CPU, silent)]


def log(home: Path) -> list[RunRecord]:
    return [run for path in sorted((home / "records").glob("*")) for run in read_entry(path)]


def loaded(home: Path) -> int:
    """How many runs of ours the database of a home has."""
    sql = "select count(*) from runs where source = 'measured'"
    return Warehouse.open(home).rows(sql)[1][0][0]


# ---- recorded once -----------------------------------------------------------------------------


def test_a_run_is_recorded_under_the_id_that_was_planned(planned, tmp_path):
    found = planned("alexnet", "vgg11", baselines=("l2",))
    executed(found, tmp_path)
    assert [run.run_id for run in log(tmp_path)] == [run.run_id for run in found.runs]
    assert len({run.run_id for run in found.runs}) == 3


def test_the_id_says_what_is_run_and_not_where(planned):
    def ids(**options) -> str:
        return planned("alexnet", **options).runs[0].run_id

    same = [ids(), ids(weights="random:0"), ids(settings=("items=2",)), ids(protocol="paper")]
    other = [
        ids(seed=1),
        ids(layers=("late",)),
        ids(settings=("items=1",)),
        ids(preset="smoke"),
        ids(weights="IMAGENET1K_V1"),
    ]
    assert len(set(same)) == 1
    assert len({*same, *other}) == 6
    assert ids(protocol="reference") == ids(settings=("items=1",))


def test_what_is_recorded_is_not_run_again(planned, benchmark, tmp_path):
    assert executed(planned("alexnet"), tmp_path) == ["recorded"]
    assert executed(planned("alexnet", "vgg11"), tmp_path) == ["recorded already", "recorded"]
    assert len(benchmark.ran) == 2
    assert loaded(tmp_path) == 2


def test_without_duckdb_the_same_is_skipped_and_the_log_is_loaded_later(
    planned, benchmark, tmp_path, monkeypatch
):
    monkeypatch.setattr("lossnets.runners.runs.recorded.find_spec", lambda name: None)
    assert executed(planned("alexnet"), tmp_path) == ["recorded"]
    assert executed(planned("alexnet"), tmp_path) == ["recorded already"]
    assert not (tmp_path / "warehouse.duckdb").exists()
    monkeypatch.undo()
    assert executed(planned("alexnet"), tmp_path) == ["recorded already"]
    assert loaded(tmp_path) == 1
    assert len(benchmark.ran) == 1


@pytest.mark.parametrize("line", ["{torn", "[1]", '{"run_id": "c"}', "[" * 9999])
def test_a_run_in_a_file_that_is_damaged_counts_as_little_as_in_the_database(
    tmp_path, monkeypatch, line
):
    monkeypatch.setattr("lossnets.runners.runs.recorded.find_spec", lambda name: None)
    (tmp_path / "records" / "2.jsonl").mkdir(parents=True)
    scores = (Measurement(architecture=None, layer=None, score="bapps_2afc", value=0.5),)
    a, b = (RunRecord(benchmark="perceptual_similarity", run_id=name, measurements=scores)
            for name in "ab")  # fmt: skip
    (tmp_path / "records" / "1.jsonl").write_text(f"{a.to_json()}\n")
    (tmp_path / "records" / "3.jsonl").write_text(f"{b.to_json()}\n{line}\n")
    recorded = Recorded(tmp_path)
    assert [name in recorded for name in "abc"] == [True, False, False]


def test_what_others_record_meanwhile_is_seen(planned, benchmark, tmp_path):
    found = planned("alexnet", "vgg11")
    other = planned("vgg11")

    def run(what, data, work):
        if what.architecture == "alexnet":
            made = score(other.runs[0], data, work)
            write_entry(tmp_path, [execution._record(other.runs[0], made, work, 1.0)])
        return score(what, data, work)

    benchmark.run = run
    assert executed(found, tmp_path) == ["recorded", "recorded already"]


def test_a_run_that_another_process_is_at_is_left_to_it(planned, benchmark, tmp_path):
    found = planned("alexnet", "vgg11")
    with RunFolder(tmp_path / "runs" / found.runs[0].run_id).alone() as alone:
        assert alone
        assert executed(found, tmp_path) == ["busy", "recorded"]
    assert executed(found, tmp_path) == ["recorded", "recorded already"]


def test_a_record_says_what_was_run_and_under_what(planned, tmp_path):
    executed(planned("alexnet", seed=3), tmp_path)
    (run,) = log(tmp_path)
    assert run.config == {"items": 2, "normalise": True, "precision": "fp32", "baseline": None}
    assert (run.seed, run.weights, run.data, run.preset) == (None, "random:3", "data:1", None)
    assert {"lossnets", "numpy", "python", "threads", "torch", "torchvision"} <= set(run.versions)
    assert run.device
    assert run.device.startswith("cpu")
    assert run.duration_s is not None
    assert run.duration_s > 0
    assert run.peak_memory_bytes is not None
    assert run.peak_memory_bytes > 10**7


def test_a_loss_network_is_one_run_however_it_was_asked_for(planned, benchmark, tmp_path):
    """What the same pass scores beside it is no part of what is run."""
    assert executed(planned("alexnet"), tmp_path) == ["recorded"]
    both = planned("alexnet", layers=("early", "late"))
    assert executed(both, tmp_path) == ["recorded already", "recorded"]
    every = planned("alexnet", layers=("all",))
    assert executed(every, tmp_path) == [
        "recorded already", "recorded", "recorded", "recorded already",
    ]  # fmt: skip
    assert benchmark.ran == ["alexnet early", "alexnet late", "alexnet semi_early, middle"]
    assert [len(run.measurements) for run in log(tmp_path)] == [1, 1, 1, 1]
    assert loaded(tmp_path) == 4


@pytest.mark.parametrize("database", [True, False])
def test_a_pass_that_was_recorded_as_one_run_stands_for_each_of_its_layers(
    planned, tmp_path, database
):
    found = planned("alexnet", layers=("early", "late"))
    work = SimpleNamespace(device=CPU, progress=silent)
    together = found.runs[0].with_layers(("early", "late"))
    old = execution._record(together, score(together, None, work), work, 1.0)
    write_entry(tmp_path, [old])
    recorded = Recorded(tmp_path, database=database)
    assert all(run_id in recorded for run_id in (old.run_id, *(run.run_id for run in found.runs)))
    assert executed(found, tmp_path) == ["recorded already"] * 2


def test_one_run_a_layer_where_a_benchmark_trains(planned, benchmark, tmp_path):
    benchmark.SEPARATE = True
    found = planned("alexnet", layers=("early", "early+late"), seed=5)
    assert [run.layers for run in found.runs] == [("early",), ("early+late",)]
    assert {run.seed for run in found.runs} == {5}
    assert executed(found, tmp_path) == ["recorded", "recorded"]


def test_a_collapsed_training_is_recorded_and_says_so(planned, benchmark, tmp_path):
    def run(what, data, work):
        (work.folder.path / "checkpoint.pt").write_bytes(b"")
        return Result(**(vars(score(what, data, work)) | {"collapsed": "the output is constant"}))

    benchmark.run = run
    (outcome,) = execution.execute(planned("alexnet"), tmp_path, CPU, silent)
    assert outcome.collapsed == "the output is constant"
    folder = tmp_path / "runs" / outcome.run.run_id
    assert json.loads((folder / "note.json").read_text()) == {"collapsed": "the output is constant"}
    assert not (folder / "checkpoint.pt").exists()
    assert len(log(tmp_path)) == 1


# ---- interrupted -------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError, UserError])
def test_a_run_that_ends_early_leaves_no_record(planned, benchmark, tmp_path, fault):
    whole = benchmark.run

    def run(what, data, work):
        if what.architecture == "vgg11":
            raise fault("ended")
        return whole(what, data, work)

    benchmark.run = run
    with pytest.raises(fault):
        executed(planned("alexnet", "vgg11"), tmp_path)
    assert [run.measurements[0].architecture for run in log(tmp_path)] == ["alexnet"]
    benchmark.run = whole
    assert executed(planned("alexnet", "vgg11"), tmp_path) == ["recorded already", "recorded"]


def test_a_result_of_another_loss_network_is_not_recorded(planned, benchmark, tmp_path):
    benchmark.run = lambda what, data, work: score(planned("vgg11").runs[0], data, work)
    with pytest.raises(AssertionError, match=r"alexnet .* was to be scored, found scores of"):
        executed(planned("alexnet"), tmp_path)
    assert log(tmp_path) == []


def test_too_little_memory_is_told(planned, benchmark, tmp_path):
    def run(what, data, work):
        raise torch.OutOfMemoryError

    benchmark.run = run
    with pytest.raises(UserError) as error:
        executed(planned("alexnet", layers=("early",)), tmp_path)
    assert error.value.message == (
        "alexnet early needs more memory than cpu has free; end other programs there or choose "
        "another device with --device"
    )


# ---- what is planned ---------------------------------------------------------------------------


def test_all_are_the_papers_fourteen_in_its_order(planned):
    found = planned("all", "alexnet", layers=("all",))
    architectures = dict.fromkeys(run.architecture for run in found.runs)
    assert list(architectures) == list(pretrained.extraction_layers())
    assert len(found.runs) == 56
    layers = [run.layers for run in found.runs[:4]]
    assert layers == [("early",), ("semi_early",), ("middle",), ("late",)]


def test_a_sum_of_layers_is_one_layer_whatever_its_order(planned, tmp_path):
    found = planned("alexnet", layers=("late+early", "features.3+early", "features.2"))
    names = ["early+late", "early+features.3", "features.2"]
    assert [run.layer for run in found.runs] == names
    together = found.runs[0].with_layers(names)
    assert together.single_layers == ("early", "late", "features.3", "features.2")
    executed(found, tmp_path)
    assert [run.nodes for run in log(tmp_path)] == [
        {"early+late": "features.1+features.11"},
        {"early+features.3": "features.1+features.3"},
        {"features.2": "features.2"},
    ]


def test_a_run_makes_its_loss_network(planned, benchmark):
    settings = ("normalise=false",)
    (run,) = planned("alexnet", layers=("early+features.3",), seed=4, settings=settings).runs
    network = run.loss_network(mode="train")
    assert network.layers == ("early", "features.3")
    assert (network.mode, network.normalise) == ("train", False)
    assert network.weights == run.weights == "random:4"


ERRORS = {
    "nothing": ({}, "found nothing to run; name an architecture, or `all` for the paper's 14"),
    "architecture": (
        {"architectures": ("vgg12",)},
        "found architecture 'vgg12', which is no classification model of torchvision; close names "
        "are: vgg11, vgg13, vgg16, vgg19, vgg11_bn",
    ),
    "layer": (
        {"architectures": ("alexnet",), "layers": ("features.99",)},
        "found layer 'features.99', which alexnet does not have; close names are: features.9, "
        "features.0, features.1, features.2, features.3; its last node is classifier.6",
    ),
    "all layers of another": (
        {"architectures": ("mnasnet0_5",), "layers": ("all",)},
        "found no extraction layers of the paper for mnasnet0_5; name nodes of it with --layer, "
        "such as layers.8.1.add, layers.9.1.add, layers.10.1.layers.7, layers.11.1.layers.7, "
        "layers.12.2.layers.6",
    ),
    "weights": (
        {"architectures": ("alexnet",), "weights": "V9"},
        "found weights 'V9' for alexnet; valid are: IMAGENET1K_V1, random, or the path of a "
        "state dict",
    ),
    "weights' seed": (
        {"architectures": ("alexnet",), "weights": "random:x"},
        "found weights 'random:x'; valid is random:SEED, such as random:0",
    ),
    "weights' file": (
        {"architectures": ("alexnet",), "weights": "no/such.pth"},
        "found no file no/such.pth to read weights from",
    ),
    "protocol": (
        {"architectures": ("alexnet",), "protocol": "mine"},
        "found protocol 'mine'; valid are paper, reference",
    ),
    "preset": (
        {"architectures": ("alexnet",), "preset": "large"},
        "found preset 'large'; valid are smoke",
    ),
    "setting": (
        {"architectures": ("alexnet",), "settings": ("itms=1",)},
        "found setting 'itms', which this benchmark does not have; close names are: items, "
        "normalise, precision, baseline",
    ),
    "no value": (
        {"architectures": ("alexnet",), "settings": ("items",)},
        "found setting 'items'; valid is name=value, such as items=…",
    ),
    "value": (
        {"architectures": ("alexnet",), "settings": ("items=many",)},
        "found items=many; valid is a whole number",
    ),
}


@pytest.mark.parametrize(("options", "message"), ERRORS.values(), ids=ERRORS)
def test_a_request_that_is_not_valid_is_told(planned, tmp_path, options, message):
    asked = {"weights": None} | options
    architectures = asked.pop("architectures", ())
    with pytest.raises(UserError) as error:
        planned(*architectures, **asked)
    assert error.value.message == message
    assert not (tmp_path / "records").exists()


# ---- weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["random", "random:7", "file"])
def test_weights_are_identified_without_the_network(weights, tmp_path):
    if weights == "file":
        path = tmp_path / "mine.pth"
        torch.save(pretrained.randomly("alexnet", 5).state_dict(), path)
        weights = str(path)
    network = LossNetwork("alexnet", "early", weights=weights, seed=2)
    assert pretrained.identity("alexnet", weights, 2) == network.weights


def test_the_default_weights_have_the_name_of_the_set_they_are(monkeypatch):
    monkeypatch.setattr(
        pretrained, "with_weights", lambda name, weights: pretrained.without_weights(name)
    )
    for architecture, name in (("alexnet", "IMAGENET1K_V1"), ("resnet50", "IMAGENET1K_V2")):
        assert pretrained.identity(architecture, "DEFAULT") == name
        early = LossNetwork(architecture, "early", weights="DEFAULT")
        assert early.weights == name


def test_a_seed_in_the_weights_name_is_that_seed():
    one = LossNetwork("alexnet", "early", weights="random:7", seed=0)
    other = LossNetwork("alexnet", "early", weights="random", seed=7)
    weights = [next(m for m in net.modules() if isinstance(m, nn.Conv2d)).weight
               for net in (one, other)]  # fmt: skip
    assert torch.equal(*weights)


# ---- what is kept beside the record ------------------------------------------------------------


def test_items_are_kept_beside_the_record(planned, tmp_path):
    (outcome,) = execution.execute(planned("alexnet"), tmp_path, CPU, silent)
    path = tmp_path / "runs" / outcome.run.run_id / "items.csv.gz"
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["layer", "dataset", "item", "quantity", "value"],
        ["", "cnn", "a", "judge", "0.25"],
        ["", "cnn", "b", "judge", "0.75"],
    ]


def test_curves_have_a_row_an_epoch_and_gaps_where_there_is_no_number(tmp_path):
    path = RunFolder(tmp_path).write_curves(
        [(1, "train", "loss", 0.5), (1, "validation", "psnr", float("nan"))]
    )
    assert path.read_text() == (
        "epoch,split,quantity,value\n1,train,loss,0.5\n1,validation,psnr,\n"
    )


def test_images_are_kept_by_item_and_role(tmp_path):
    from PIL import Image

    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    path = RunFolder(tmp_path).write_image("set5/baby", "output", image)
    assert path == tmp_path / "gallery" / "set5_baby.output.png"
    assert np.array_equal(np.array(Image.open(path)), image)
    with pytest.raises(ValueError, match="role is 'mask', valid are input, target, output"):
        RunFolder(tmp_path).write_image("baby", "mask", image)


def test_a_file_that_fails_half_way_is_not_there(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_json("note.json", {"collapsed": "a"})

    def fail() -> None:
        with folder.replacing("note.json") as path:
            path.write_text("{half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert json.loads((tmp_path / "note.json").read_text()) == {"collapsed": "a"}
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError) as error, RunFolder(tmp_path / "runs" / "a").alone():
        pass
    assert error.value.message == f"cannot write to {tmp_path}/runs/a: Not a directory"
