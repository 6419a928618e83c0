"""From nothing to the page by commands alone: a benchmark, a source, a network of one's own."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lossnets.cli import terminal
from lossnets.cli.main import cli

pytestmark = pytest.mark.torch

COLOURS = '''
"""How well a loss network tells the hue and the light of two plain images apart."""
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from lossnets.runners.runs.benchmark import Benchmark
from lossnets.runners.runs.run import Result
from lossnets.warehouse.sources.records import Measurement

SCORES = {"colour_hue": (1.0, 0.0, 0.0), "colour_light": (0.5, 0.5, 0.5)}


@dataclass(frozen=True, kw_only=True)
class Config:
    size: int = 64
    baseline: str | None = None
    precision: str = "fp32"
    normalise: bool = True


def load(config, folder, **_):
    return SimpleNamespace(identity=f"plain:{config.size}")


def run(what, data, work):
    torch.manual_seed(what.seed)
    network = what.loss_network()
    noise = 0.1 * torch.rand(1, 3, what.config.size, what.config.size)
    values = []
    for score, colour in SCORES.items():
        image = noise + torch.tensor(colour)[None, :, None, None]
        with torch.no_grad():
            distance = (network(image)[what.layer] - network(noise)[what.layer]).square().mean()
        value = float(distance / (1 + distance))
        values.append(Measurement(
            architecture=what.architecture, layer=what.layer, score=score, value=value, n=1
        ))
    return Result(measurements=tuple(values))


BENCHMARK = Benchmark(
    config=Config, load=load, scores=lambda config, data: list(SCORES), run=run, separate=True
)
'''
MINE = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 3), nn.ReLU())
"""
THEIRS = """architecture,layer,score,value,family
swin_own,blocks.1,bapps_2afc,0.66,Theirs
mlp_mixer,blocks.2,bapps_2afc,0.64,Theirs
convmixer,stem,bapps_2afc,0.65,Theirs
vgg11,early,bapps_2afc,0.63,
swin_own,blocks.1,colour_hue,0.5,Theirs
mlp_mixer,blocks.2,colour_hue,0.25,Theirs
"""
SCORES = ("colour_hue", "colour_light")
THREE = {"swin_own", "mlp_mixer", "convmixer"}
PAPER = re.compile(r"(table_\d\d|claims)\.csv")


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command on a home that is not there yet; what it prints."""

    def run(*arguments: object, home: str = "data") -> str:
        capsys.readouterr()
        status = terminal.run(cli, ["--home", str(tmp_path / home), *map(str, arguments)])
        out, err = capsys.readouterr()
        assert status == 0, err
        return out

    return run


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_benchmark_a_source_and_a_network_from_nothing_to_the_page(command, tmp_path):
    for name, text in (("colours.py", COLOURS), ("mine.py", MINE), ("theirs.csv", THEIRS)):
        (tmp_path / name).write_text(text)
    command("benchmark", "add", "colours", "--label", "Colours")
    for score in SCORES:
        command("score", "add", score, "--benchmark", "colours", "--unit", "fraction",
                "--min", 0, "--max", 1)  # fmt: skip
    command("source", "add", "theirs", "--title", "Their study")
    command("import", tmp_path / "theirs.csv", "--source", "theirs", "--new-architectures")
    network = f"module:{tmp_path / 'mine.py'}:build"
    for seed in (0, 1, 2):
        for of, layer in ((network, "2"), ("alexnet", "early")):
            command("run", tmp_path / "colours.py", "--network", of, "--layer", layer,
                    "--seed", seed, "--weights", "random:0")  # fmt: skip
    _check_answers(command)
    command("report", "-o", tmp_path / "page")
    command("report", "-o", tmp_path / "empty", home="nothing")
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert all(name in page for name in ("swin_own", "convmixer", "colour_hue", "Their study"))
    assert "build" in (tmp_path / "page" / "data" / "explorer.csv").read_text("utf-8")
    papers = sorted(path.name for path in (tmp_path / "empty" / "data").iterdir()
                    if PAPER.fullmatch(path.name))  # fmt: skip
    assert len(papers) == 12
    for name in papers:
        full, empty = (tmp_path / folder / "data" / name for folder in ("page", "empty"))
        if name == "claims.csv":  # which are tested on every source
            assert _of_paper(full) == _of_paper(empty)
        else:
            assert full.read_bytes() == empty.read_bytes(), name


def _of_paper(path: Path) -> list[dict[str, str]]:
    return [row for row in _rows(path.read_text("utf-8")) if row["source"] == "paper"]


def _check_answers(command) -> None:
    """Views, studies and exports have what is one's own, and whose it is."""
    means = _rows(command("sql", "select architecture, score, runs from score_means "
                          "where benchmark = 'colours' and source = 'measured'"))  # fmt: skip
    assert len(means) == 4
    assert {row["runs"] for row in means} == {"3"}
    ranks = _rows(command("study", "average_ranks", "--source", "measured"))
    assert sorted(float(row["colours"]) for row in ranks) == [1.0, 2.0]
    together = _rows(command("study", "ranks", "--source", "paper", "--source", "theirs"))
    assert len(together) == 14 + 3
    assert {row["architecture"] for row in together if row["source"] == "theirs"} == THREE
    correlated = _rows(command("study", "score_correlations", "--source", "measured"))
    assert set(SCORES) <= {row["first"] for row in correlated} | {
        row["second"] for row in correlated
    }
    wide = command("sql", "from scores_wide where source <> 'paper'")
    assert set(SCORES) <= set(wide.splitlines()[0].split(","))
