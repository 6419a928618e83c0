"""Training: what is drawn, what is kept, and that a killed run ends as if it had not been."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lossnets.runners.models import training
from lossnets.runners.models.training import State
from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError

pytestmark = pytest.mark.torch

SEED, EPOCHS = 3, 4
IMAGES = torch.rand(10, 3, 4, 4, generator=torch.Generator().manual_seed(0))


class _KilledError(Exception):
    """Stands for whatever ends a process."""


def _state(path: Path, run_id: str = "0123456789abcdef") -> State:
    """A network with everything that could hide history: batch norm, dropout, Adam."""
    training.seed_draws(SEED, 0)
    layers = (nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 3, 1))
    model = nn.Sequential(*layers)
    return State.resume_or_start(
        model=model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.1),
        loss_network=nn.BatchNorm2d(3),
        folder=RunFolder(path),
        run_id=run_id,
    )


def _train(path: Path, *, killed_in: int | None = None) -> State:
    state = _state(path)
    for epoch in state.remaining(EPOCHS, SEED):
        for step, batch in enumerate(training.batches(len(IMAGES), 4, SEED, epoch)):
            noise = torch.rand(1, generator=training.generator(SEED, epoch, f"noise {step}"))
            output = state.loss_network(state.model(IMAGES[batch] + noise))  # (N, 3, 4, 4)
            loss = (output - IMAGES[batch]).square().mean()
            state.optimizer.zero_grad()
            loss.backward()
            state.optimizer.step()
            if epoch == killed_in and step == 1:
                raise _KilledError
        state.note("train", "loss", loss)
        state.keep_best(abs(epoch - 2), higher_is_better=False)
        state.save()
    state.restore_best()
    return state


def test_a_run_killed_in_any_epoch_ends_to_the_bit_as_one_that_was_not(tmp_path):
    whole = _train(tmp_path / "whole")
    for killed_in in (1, 2, 4):
        path = tmp_path / str(killed_in)
        path.mkdir()
        with pytest.raises(_KilledError):
            _train(path, killed_in=killed_in)
        resumed = _train(path)
        assert resumed.curves == whole.curves
        assert resumed.best_epoch == whole.best_epoch
        for part in ("model", "loss_network"):
            expected = getattr(whole, part).state_dict()
            found = getattr(resumed, part).state_dict()
            assert all(torch.equal(found[name], expected[name]) for name in expected)
        for file in ("curves.csv", "model.pt"):
            assert (path / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_a_run_killed_after_its_last_epoch_trains_no_more(tmp_path):
    whole = _train(tmp_path)
    (tmp_path / "model.pt").unlink()
    again = _state(tmp_path)
    assert list(again.remaining(EPOCHS, SEED)) == []
    again.restore_best()
    assert again.curves == whole.curves
    assert (tmp_path / "model.pt").exists()


def test_the_checkpoint_of_another_run_is_refused(tmp_path):
    _train(tmp_path)
    with pytest.raises(UserError) as caught:
        _state(tmp_path, "f" * 16)
    assert caught.value.message == (
        f"found in {tmp_path}/checkpoint.pt a checkpoint of another run, 0123456789abcdef; "
        "valid is one of ffffffffffffffff"
    )
    assert caught.value.hint == f"rm {tmp_path}/checkpoint.pt"


@pytest.mark.parametrize("content", [b"no checkpoint", b""])
def test_a_damaged_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(UserError) as caught:
        _state(tmp_path)
    assert caught.value.message.startswith(
        f"found a checkpoint in {tmp_path}/checkpoint.pt that cannot be read ("
    )
    assert caught.value.message.endswith("); without it the run starts from its first epoch")


@pytest.mark.parametrize("changed", [{"model": {"0.other": torch.zeros(1)}}, {"curves": None}])
def test_a_checkpoint_with_other_parts_is_refused(tmp_path, changed):
    _train(tmp_path)
    path = tmp_path / "checkpoint.pt"
    content = torch.load(path) | changed
    torch.save({name: part for name, part in content.items() if part is not None}, path)
    with pytest.raises(UserError) as caught:
        _state(tmp_path)
    assert caught.value.message == (
        f"found in {path} a checkpoint by another version of lossnets, which this one cannot "
        "go on from; without it the run starts from its first epoch"
    )
    assert caught.value.hint == f"rm {path}"


def test_the_best_model_is_loaded_in_the_end_and_kept(tmp_path):
    state, values = _state(tmp_path), {1: 2.0, 2: 5.0, 3: float("nan"), 4: 5.0}
    for epoch in state.remaining(EPOCHS, SEED):
        state.model[0].bias.data.fill_(epoch)
        state.keep_best(values[epoch], higher_is_better=True)
    state.restore_best()
    assert (state.best_epoch, state.best_value) == (2, 5.0)
    assert state.model[0].bias.tolist() == [2.0] * 4
    assert torch.load(tmp_path / "model.pt")["0.bias"].tolist() == [2.0] * 4


def test_a_loss_that_is_not_finite_ends_the_training_with_the_best_model_so_far(tmp_path):
    state, losses = _state(tmp_path), {1: 0.5, 2: float("nan")}
    for epoch in state.remaining(EPOCHS, SEED):
        state.model[0].bias.data.fill_(losses[epoch])
        state.note("train", "loss", losses[epoch])
        state.keep_best(losses[epoch], higher_is_better=False)
        state.save()
    state.restore_best()
    assert state.collapsed == "train loss is nan in epoch 2"
    assert state.model[0].bias.tolist() == [0.5] * 4
    assert state.curves == [(1, "train", "loss", 0.5)]
    again = _state(tmp_path)
    assert list(again.remaining(EPOCHS, SEED)) == []
    assert again.collapsed == state.collapsed


def test_where_no_epoch_had_a_value_the_best_model_is_the_initial_one(tmp_path):
    state = _state(tmp_path)
    initial = state.model[0].bias.tolist()
    for _ in state.remaining(EPOCHS, SEED):
        state.model[0].bias.data.fill_(torch.inf)
        state.note("train", "loss", torch.inf)
    state.restore_best()
    assert (state.best_epoch, state.model[0].bias.tolist()) == (0, initial)


def test_constant_outputs_are_noticed_from_the_epoch_they_last(tmp_path):
    varied, flat, same = (
        IMAGES,
        torch.rand(4, 3, 1, 1).expand(4, 3, 4, 4),
        IMAGES[:1].repeat(4, 1, 1, 1),
    )
    outputs = {1: flat, 2: varied, 3: same, 4: flat}
    state = _state(tmp_path)
    for epoch in state.remaining(EPOCHS, SEED):
        state.note_outputs(outputs[epoch])
    assert state.collapsed == "output is constant from epoch 3 on"
    state.note_outputs(varied)
    assert state.collapsed is None


def test_draws_depend_on_seed_epoch_and_purpose_alone():
    assert sorted(training.order(20, 0, 1).tolist()) == list(range(20))
    orders = {
        tuple(training.order(20, seed, epoch).tolist()) for seed in (0, 1) for epoch in (1, 2)
    }
    assert len(orders) == 4
    training.seed_draws(0, 1)
    first = torch.rand(3)
    torch.rand(5)
    training.seed_draws(0, 1)
    assert torch.equal(torch.rand(3), first)
    crops, flips = (training.generator(0, 1, purpose) for purpose in ("crops", "flips"))
    assert not torch.equal(torch.rand(3, generator=crops), torch.rand(3, generator=flips))


def test_batches_hold_every_index_once_and_steps_are_told():
    steps = []
    batches = training.batches(10, 4, SEED, epoch=2)
    told = list(training.told(batches, 2, EPOCHS, lambda *arguments: steps.append(arguments)))
    assert [len(batch) for batch in told] == [4, 4, 2]
    assert sorted(torch.cat(told).tolist()) == list(range(10))
    assert steps == [(4, 12, "epoch 2 of 4"), (5, 12, "epoch 2 of 4"), (6, 12, "epoch 2 of 4")]
