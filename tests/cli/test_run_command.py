"""`lossnets run` and `lossnets data`, with the smoke preset and a BAPPS in the real layout."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lossnets.warehouse.sources.records import read_entry
from lossnets.warehouse.store import Warehouse

pytestmark = pytest.mark.torch

LOSSNETS = [sys.executable, "-m", "lossnets"]
SMOKE = ["run", "perceptual-similarity", "--preset", "smoke", "--device", "cpu"]
SMALL = ["--architecture", "alexnet,squeezenet1_1,vgg11", "--layer", "early,semi_early"]


@pytest.fixture(scope="session")
def bapps_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few dozen triplets and pairs, written as the archives are."""
    from lossnets.runners.data import generated

    root = tmp_path_factory.mktemp("bapps") / "dataset"
    generated.make_bapps(root, seed=3, items=6)
    return root


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def log(home: Path) -> list[str]:
    """The run ids in the log, in order."""
    return [run.run_id for path in sorted((home / "records").glob("*")) for run in read_entry(path)]


def temporary_files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if ".new" in path.name]


# ---- run ---------------------------------------------------------------------------------------


def test_a_smoke_run_scores_every_layer_and_a_second_call_skips_it(run, home):
    done = run(*SMOKE, "--architecture", "alexnet", "--baseline", "l2")
    assert done.status == 0
    assert [(row["architecture"], row["layer"]) for row in rows(done.out)] == [
        ("l2", ""),
        ("alexnet", "early"),
        ("alexnet", "semi_early"),
        ("alexnet", "middle"),
        ("alexnet", "late"),
    ]
    assert all(0.3 < float(row["bapps_2afc"]) <= 1 for row in rows(done.out))
    assert done.err.endswith(
        "5 rows\n5 recorded\nnext: lossnets sql \"from runs where preset = 'smoke'\"\n"
    )
    again = run(*SMOKE, "--architecture", "alexnet", "--baseline", "l2")
    assert (again.status, again.out) == (0, "")
    assert again.err.splitlines()[-4:] == [
        "alexnet middle: recorded already",
        "alexnet late: recorded already",
        "5 recorded before",
        "next: lossnets sql \"from runs where preset = 'smoke'\"",
    ]
    assert len(log(home)) == 5


def test_smoke_runs_stand_among_the_runs_and_not_among_the_scores(run, home):
    run(*SMOKE, "--architecture", "alexnet", "--layer", "early")
    warehouse = Warehouse.open(home)
    _, found = warehouse.rows("select preset, weights, layers from runs where source = 'measured'")
    assert found == [("smoke", "random:0", ["early"])]
    assert warehouse.rows("select * from scores where source = 'measured'")[1] == []


def test_a_bapps_in_the_real_layout_is_checked_and_scored(run, home, bapps_folder):
    checked = run("data", "check", "bapps", "--data", bapps_folder)
    assert checked.out == "bapps: 36 triplets in 6 subsets and 12 pairs in 2\n"
    done = run(
        "run", "perceptual-similarity", "--data", bapps_folder, "--weights", "random", "--device",
        "cpu", "--architecture", "alexnet", "--layer", "early", "--layer", "early+late",
    )  # fmt: skip
    assert done.status == 0
    assert "next: lossnets sql \"from scores where source = 'measured'" in done.err
    assert run("data", "check", "bapps", "--data", bapps_folder).out.splitlines()[1] == (
        "packs: 8 whole"
    )
    (home / "packs").glob("*.npy").__next__().write_bytes(b"")
    assert (
        "packs: 7 whole; damaged and removed: bapps-"
        in run("data", "check", "bapps", "--data", bapps_folder).out
    )
    _, found = Warehouse.open(home).rows(
        "select layer, score, n from scores where source = 'measured' and score = 'own_2afc'"
    )
    assert sorted(found) == [("early", "own_2afc", 36), ("early+late", "own_2afc", 36)]
    assert {row["layer"]: float(row["own_jnd"]) for row in rows(done.out)}.keys() == {
        "early",
        "early+late",
    }


def test_what_was_killed_goes_on_where_it_ended(home):
    process = subprocess.Popen(
        [*LOSSNETS, "--home", str(home), *SMOKE, *SMALL], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[") and " squeezenet1_1 " in line:
            break  # in the middle of the second of three
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    killed = log(home)
    assert len(killed) in (2, 4, 6)
    done = subprocess.run(
        [*LOSSNETS, "--home", str(home), *SMOKE, *SMALL], capture_output=True, text=True, check=True
    )
    assert f"{len(killed)} recorded before" in done.stderr
    assert len(log(home)) == len(set(log(home))) == 6
    assert log(home)[: len(killed)] == killed
    _, found = Warehouse.open(home).rows(
        "select architecture, count(*) from runs where source = 'measured' group by 1 order by 1"
    )
    assert found == [("alexnet", 2), ("squeezenet1_1", 2), ("vgg11", 2)]
    assert temporary_files(home) == []


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(home):
    process = subprocess.Popen(
        [*LOSSNETS, "--home", str(home), *SMOKE, *SMALL],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if " squeezenet1_1 " in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted; the same command goes on from here"
    assert "Traceback" not in err
    assert temporary_files(home) == []


def test_a_dry_run_prints_the_runs_and_runs_nothing(run, home):
    run(*SMOKE, "--architecture", "alexnet")
    done = run(*SMOKE, "--architecture", "alexnet,vgg11", "--set", "epsilon=1e-10", "--dry-run")
    assert done.status == 0
    assert [(row["architecture"], row["layers"], row["weights"], row["state"])
            for row in rows(done.out)] == [
        (architecture, layer, "random:0", "to run")
        for architecture in ("alexnet", "vgg11")
        for layer in ("early", "semi_early", "middle", "late")
    ]  # fmt: skip
    assert json.loads(rows(done.out)[0]["config"])["epsilon"] == 1e-10
    assert len(log(home)) == 4
    done = run(*SMOKE, "--architecture", "alexnet", "--dry-run")
    assert [(row["run_id"], row["state"]) for row in rows(done.out)] == [
        (run_id, "recorded") for run_id in log(home)
    ]


# ---- what is refused ---------------------------------------------------------------------------


def refused(outcome, message: str, home: Path) -> None:
    assert (outcome.status, outcome.out) == (2, "")
    assert [line for line in outcome.err.splitlines() if line.startswith("error")] == [
        f"error: {message}"
    ]
    assert "Traceback" not in outcome.err
    assert not (home / "records").exists()
    assert not (home / "runs").exists()


ALEXNET = ("run", "perceptual-similarity", "--device", "cpu", "-a", "alexnet", "--weights",
           "random", "--data")  # fmt: skip


def test_a_wrong_folder_records_nothing(run, home, bapps_folder):
    refused(
        run(*ALEXNET, bapps_folder.parent),
        f"found no 2afc/val/traditional in {bapps_folder.parent}, but in {bapps_folder}; "
        "that is the folder to name",
        home,
    )


def test_no_folder_records_nothing(run, home):
    done = run(*ALEXNET[:-1])
    assert done.err.startswith(f"error: found no folder {home}/datasets/bapps to read Berkeley")
    assert done.err.endswith(
        "hint: lossnets data fetch bapps, or --data with the folder that holds it\n"
    )
    assert done.status == 2
    assert not (home / "records").exists()


SPOILED = {
    "a missing judge file": (
        lambda root: (root / "2afc/val/cnn/judge/000002.npy").unlink(),
        "found no ROOT/2afc/val/cnn/judge/000002.npy, but ref/000002.png; 1 of 6 items of 2afc cnn "
        "lack their judge",
    ),
    "an image of another size": (
        lambda root: Image.new("RGB", (32, 32)).save(root / "2afc/val/cnn/p0/000002.png"),
        "found ROOT/2afc/val/cnn/p0/000002.png of 32×32 pixels; valid is 64×64",
    ),
    "a corrupt image": (
        lambda root: (root / "jnd/val/cnn/p0/000002.png").write_bytes(b"<html>"),
        "cannot read the image ROOT/jnd/val/cnn/p0/000002.png, it is damaged or no image; put a "
        "whole one there",
    ),
    "a judge outside [0, 1]": (
        lambda root: np.save(root / "2afc/val/cnn/judge/000002.npy", np.array([1.25])),
        "found judge 1.25 in ROOT/2afc/val/cnn/judge/000002.npy; valid is 0 to 1",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), SPOILED.values(), ids=SPOILED)
def test_bad_data_record_nothing(run, home, bapps_folder, tmp_path, spoil, message):
    root = Path(shutil.copytree(bapps_folder, tmp_path / "dataset"))
    spoil(root)
    refused(run(*ALEXNET, root), message.replace("ROOT", str(root)), home)
    checked = run("data", "check", "bapps", "--data", root)
    assert checked.status == 2
    assert f"error: {message.replace('ROOT', str(root))}" in checked.err.splitlines()


def test_no_weights_and_no_network_record_nothing(run, home, bapps_folder, monkeypatch, tmp_path):
    from urllib.error import URLError

    import torch

    def no_network(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", no_network)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    done = run("run", "perceptual-similarity", "--device", "cpu", "-a", "all", "--data",
               bapps_folder)  # fmt: skip
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines()[-2].startswith(
        f"error: found no vgg11-8a719046.pth in {tmp_path}/checkpoints, and it could not be "
        "fetched (no network); weights 'random' need no file"
    )
    assert not (home / "records").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            [],
            "found nothing to run; name an architecture, or `all` for the paper's 14",
            "lossnets run perceptual-similarity --architecture vgg11",
        ),
        (
            ["-a", "vgg12"],
            "found architecture 'vgg12', which is no classification model of torchvision; close "
            "names are: vgg11, vgg13, vgg16, vgg19, vgg11_bn",
            "lossnets run perceptual-similarity --architecture vgg11",
        ),
        (
            ["-a", "alexnet", "--precision", "tf32"],
            "found precision 'tf32' on cpu, which only CUDA devices have; valid there are fp32 "
            "and bf16",
            None,
        ),
        (
            ["--baseline", "lpips"],
            "found baseline 'lpips'; valid are l2, psnr, ssim",
            None,
        ),
    ],
)
def test_wrong_requests_record_nothing(run, home, arguments, error, hint):
    done = run(*SMOKE, *arguments)
    assert [line for line in done.err.splitlines() if not line.startswith("[")] == [
        f"error: {error}", *([f"hint: {hint}"] if hint else []),
    ]  # fmt: skip
    assert (done.status, done.out) == (2, "")
    assert not (home / "records").exists()


# ---- without what it needs ---------------------------------------------------------------------


def imported(*arguments: str) -> set[str]:
    """The packages that a command imports."""
    code = (
        "import sys\nfrom lossnets.cli import terminal\nfrom lossnets.cli.main import cli\n"
        "terminal.run(cli, sys.argv[1:])\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["data", "--help"], ["data", "list"]]
)
def test_help_and_lists_import_no_torch(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("LOSSNETS_HOME", str(tmp_path))
    assert imported(*arguments) & {"torch", "torchvision", "numpy", "duckdb", "pandas"} == set()


def test_where_torch_is_missing_it_is_told(without_torch):
    done = without_torch(*SMOKE, "-a", "alexnet")
    assert (done.returncode, done.stderr) == (
        2,
        "error: running benchmarks needs torch, which is not installed\n"
        'hint: pip install "lossnets[run]"\n',
    )


# ---- data --------------------------------------------------------------------------------------


def test_the_list_says_what_is_missing(run):
    done = run("data", "list")
    assert [row["data_set"] for row in rows(done.out)][:2] == ["bapps", "coco"]
    assert {row["state"] for row in rows(done.out)} == {"missing"}


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["check"], "found no data set in HOME/datasets", "lossnets data list"),
        (
            ["check", "baps"],
            "found data set 'baps'; valid are bapps, coco, set5, set14, bsd100, mrd, svhn, stl10",
            None,
        ),
        (
            ["fetch", "baps"],
            "found data set 'baps'; valid are bapps, coco, set5, set14, bsd100, mrd, svhn, stl10",
            None,
        ),
        (
            ["fetch", "svhn", "stl10", "--data", "x"],
            "--data is the folder of one data set, found 2 names with it",
            None,
        ),
    ],
)
def test_wrong_data_sets_are_told(run, home, arguments, error, hint):
    done = run("data", *arguments)
    assert (done.status, done.out) == (2, "")
    hints = [f"hint: {hint}"] if hint else []
    assert done.err.replace(str(home), "HOME").splitlines() == [f"error: {error}", *hints]
