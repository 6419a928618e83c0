"""State dicts from files, however they were wrapped."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lossnets.runners.networks import pretrained
from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return pretrained.randomly("squeezenet1_1", 4).state_dict()


def _loaded(path) -> torch.Tensor:
    network = LossNetwork("squeezenet1_1", "early", weights=path)
    return network.extractor.state_dict()["features.0.weight"]


def test_levels_and_prefixes_around_a_state_dict_are_looked_through(state, tmp_path):
    def prefixed(prefix: str) -> dict[str, torch.Tensor]:
        return {prefix + name: value for name, value in state.items()}

    for wrapped in (
        {"state_dict": prefixed("module."), "epoch": 3, "arch": "squeezenet"},
        {"model": {"state_dict": prefixed("_orig_mod.model.")}},
        {"student": {}, "teacher": prefixed("module.backbone.")},
        prefixed("module.encoder_q.") | {"module.queue": torch.ones(1)},
        state | {"classifier.0.weight": torch.ones(2)},
        {"optimizer": {"state": {0: {"step": torch.ones(1)}}}, "netG": prefixed("vgg.")},
        {"args": Namespace(lr=0.1), "best": np.float64(0.7), "weights": state},
        {k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")},
    ):  # fmt: skip
        torch.save(wrapped, tmp_path / "weights.pt")
        assert torch.equal(_loaded(tmp_path / "weights.pt"), state["features.0.weight"])


def test_a_file_may_have_any_name(state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(state, "checkpoint")
    save_file(state, "weights.safetensors")
    for name in ("checkpoint", "weights.safetensors"):
        assert torch.equal(_loaded(name), state["features.0.weight"])
        assert pretrained.identity("squeezenet1_1", name).startswith(f"{name}:")


def test_keys_are_mended_for_densenet_alone(tmp_path):
    path = tmp_path / "weights.pt"
    state = pretrained.randomly("mobilenet_v2", 1).state_dict()
    assert "features.1.conv.1.weight" in state  # densenet's repair would make it conv1
    torch.save(state, path)
    network = LossNetwork("mobilenet_v2", "features.1", weights=path)
    assert network.weights.startswith("weights.pt:")


def test_names_of_another_network_stand_beside_those_that_are_missing(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save({"features.0.kernel": torch.ones(1), "features.0.bias": torch.ones(64)}, path)
    with pytest.raises(UserError) as error:
        _loaded(path)
    assert error.value.message == (
        "found in weights.pt other weights than those of squeezenet1_1: it lacks 1 tensors, "
        "among them 'features.0.weight' and it has beyond it 1 tensors, among them "
        "'features.0.kernel'"
    )


def test_objects_that_would_run_code_are_named(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(torch.nn.Conv2d(3, 4, 1), path)
    with pytest.raises(UserError) as error:
        _loaded(path)
    assert "it holds objects of torch." in error.value.message
    assert "which only their own code can read" in error.value.message
    path.write_bytes(b"")
    with pytest.raises(UserError) as error:
        _loaded(path)
    assert "\x1b" not in error.value.message
