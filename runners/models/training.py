"""What the training benchmarks share: epochs that may be killed, and the best model.

    state = State.resume_or_start(model=model, optimizer=optimizer, folder=folder, run_id=run_id)
    for epoch in state.remaining(config.epochs, seed):
        for batch in batches(len(images), config.batch, seed, epoch):
            ...
        state.note("train", "loss", loss)
        state.keep_best(error, higher_is_better=False)
        state.save()
    state.restore_best()

A checkpoint is whole or not there, and holds everything that the next epoch depends on; every
random draw of an epoch is a function of the seed and the epoch alone. So a run that is killed
repeats the epoch it was in and ends as if it had never been killed: on a CPU, with as many threads
as before, to the bit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from lossnets.runners.runs.run_folder import RunFolder
from lossnets.warehouse.errors import UserError

T = TypeVar("T")

CHECKPOINT = "checkpoint.pt"
MODEL = "model.pt"
FLAT = 1 / 255 / 2  # half a step of an 8-bit image
KEPT = ("epoch", "best", "best_epoch", "best_value", "curves", "diverged", "flat_since")


@dataclass(kw_only=True)
class State:
    """Everything that training changes: what a checkpoint holds.

    folder, run_id: where checkpoints lie, and of which run. loss_network: the loss network, if
    training changes it too (`loss_network_mode` "train": the running statistics of its batch
    norms). epoch: the epoch at work, from 1; 0 before the first. best: the model's state dict when
    `keep_best` saw the best value, the initial one before. curves: what was noted, rows of (epoch,
    split, quantity, value).
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    folder: RunFolder
    run_id: str
    loss_network: nn.Module | None = None
    epoch: int = 0
    best: dict[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    best_value: float | None = None
    curves: list[tuple[int, str, str, float]] = field(default_factory=list)
    diverged: str | None = None
    flat_since: int | None = None

    def __post_init__(self) -> None:
        self.best = self.best or _copy(self.model)

    @classmethod
    def resume_or_start(
        cls,
        *,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        folder: RunFolder,
        run_id: str,
        loss_network: nn.Module | None = None,
    ) -> State:
        """The state after the last whole epoch of the folder's checkpoint; else a fresh one.

        Errors: UserError if the checkpoint is of another run or version, or cannot be read.
        """
        state = cls(
            model=model,
            optimizer=optimizer,
            folder=folder,
            run_id=run_id,
            loss_network=loss_network,
        )
        if (folder.path / CHECKPOINT).exists():
            _load(state, folder.path / CHECKPOINT)
        return state

    def remaining(self, epochs: int, seed: int | None) -> Iterator[int]:
        """The epochs that are left of so many, from 1; ends early when training has diverged.

        Seeds every generator of torch before each.
        """
        while self.epoch < epochs and not self.diverged:
            self.epoch += 1
            seed_draws(seed, self.epoch)
            yield self.epoch

    def note(self, split: str, quantity: str, value: float | torch.Tensor) -> None:
        """Add a point to a learning curve; a value that is not finite ends the training.

        split: "train" or "validation".
        """
        value = _number(value)
        if math.isfinite(value):
            self.curves.append((self.epoch, split, quantity, value))
        else:
            self.diverged = self.diverged or f"{split} {quantity} is {value} in epoch {self.epoch}"

    def keep_best(self, value: float | torch.Tensor, *, higher_is_better: bool) -> None:
        """Keep the model as it is now if its value is the best so far; of equals, the first."""
        value = _number(value)
        if not math.isfinite(value):
            return
        sign = 1 if higher_is_better else -1
        if self.best_value is None or sign * value > sign * self.best_value:
            self.best_value, self.best_epoch, self.best = value, self.epoch, _copy(self.model)

    def note_outputs(self, outputs: torch.Tensor) -> None:
        """Notice outputs (N, C, H, W) in [0, 1] that are flat, or the same for every input."""
        if not is_flat(outputs):
            self.flat_since = None
        elif self.flat_since is None:
            self.flat_since = self.epoch

    def save(self) -> None:
        """Write the checkpoint, whole or not at all; the end of an epoch."""
        _write(_content(self), self.folder, CHECKPOINT)

    def restore_best(self) -> None:
        """Load the best model into `model`; write it to model.pt, the curves to curves.csv."""
        self.model.load_state_dict(self.best)
        _write(self.best, self.folder, MODEL)
        self.folder.write_curves(self.curves)

    @property
    def collapsed(self) -> str | None:
        """Why the training counts as collapsed, if it does; its best model is scored anyway."""
        if self.diverged:
            return self.diverged
        return f"output is constant from epoch {self.flat_since} on" if self.flat_since else None


class Shared(Generic[T]):
    """A value that runs share which follow each other in a process, such as target features.

    >>> targets = Shared[int]()
    >>> targets.get("vgg11 early", lambda: 1), targets.get("vgg11 early", lambda: 2)
    (1, 1)
    """

    def __init__(self) -> None:
        self._last: tuple[object, T] | None = None

    def get(self, depends_on: object, compute: Callable[[], T]) -> T:
        """The value of last time, computed anew if it depends on something else now."""
        if self._last is None or self._last[0] != depends_on:
            self._last = None  # its memory is needed for the next
            self._last = (depends_on, compute())
        return self._last[1]


def batches(n: int, size: int, seed: int | None, epoch: int) -> Sequence[torch.Tensor]:
    """Every index below `n` once, in an order of this epoch's own, `size` at a time.

    The last batch may be smaller.
    """
    return order(n, seed, epoch).split(size)


def told(
    parts: Sequence[torch.Tensor],
    epoch: int,
    epochs: int,
    progress: Callable[[int, int, str], None],
) -> Iterator[torch.Tensor]:
    """The batches of an epoch one by one; progress hears of each that is done."""
    for step, batch in enumerate(parts, 1):
        yield batch
        done = (epoch - 1) * len(parts) + step
        progress(done, epochs * len(parts), f"epoch {epoch} of {epochs}")


def order(n: int, seed: int | None, epoch: int) -> torch.Tensor:
    """A permutation of the indices below `n`, a function of seed and epoch alone.

    >>> order(5, seed=0, epoch=1).tolist() == order(5, seed=0, epoch=1).tolist()
    True
    """
    return torch.randperm(n, generator=generator(seed, epoch, "order"))


def generator(seed: int | None, epoch: int, purpose: str) -> torch.Generator:
    """Draws on the CPU, a function of seed, epoch and purpose (such as "crops") alone."""
    return torch.Generator().manual_seed(_mixed(seed, epoch, purpose))


def seed_draws(seed: int | None, epoch: int) -> None:
    """Seed every generator of torch for an epoch; epoch 0 is for the initial weights."""
    torch.manual_seed(_mixed(seed, epoch, "draws"))


def is_flat(outputs: torch.Tensor) -> bool:
    """Whether images (N, C, H, W) are flat, or all the same, to half a step of 8 bits.

    >>> is_flat(torch.zeros(1, 3, 8, 8)), is_flat(torch.rand(2, 3, 8, 8))
    (True, False)
    """
    pixels = outputs.detach().flatten(2)  # (N, C, H·W)
    flat = (pixels.amax(2) - pixels.amin(2)).max() < FLAT
    same = len(pixels) > 1 and (pixels.amax(0) - pixels.amin(0)).max() < FLAT
    return bool(flat or same)


def _mixed(seed: int | None, epoch: int, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed} {epoch} {purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # below 2⁶³


def _number(value: float | torch.Tensor) -> float:
    return float(value.item() if isinstance(value, torch.Tensor) else value)


def _copy(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _content(state: State) -> dict[str, Any]:
    """A checkpoint: tensors, numbers and text alone, so that loading one runs no code."""
    content = {name: part.state_dict() for name, part in _parts(state).items()}
    return content | {name: getattr(state, name) for name in KEPT} | {"run_id": state.run_id}


def _write(content: dict[str, Any], folder: RunFolder, name: str) -> None:
    """Write a file whole or not at all; to a path, torch would write the temporary name into it."""
    with folder.replacing(name) as temporary, temporary.open("wb") as file:
        torch.save(content, file)


def _parts(state: State) -> dict[str, Any]:
    """What has a state dict of its own."""
    parts = {name: getattr(state, name) for name in ("model", "optimizer", "loss_network")}
    return {name: part for name, part in parts.items() if part is not None}


def _load(state: State, path: Path) -> None:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        run_id = content["run_id"]
    except Exception as fault:
        raise UserError(
            f"found a checkpoint in {path} that cannot be read "
            f"({(str(fault) or type(fault).__name__).splitlines()[0]}); "
            f"without it the run starts from its first epoch",
            hint=f"rm {path}",
        ) from None
    if run_id != state.run_id:
        raise UserError(
            f"found in {path} a checkpoint of another run, {run_id}; valid is one of "
            f"{state.run_id}",
            hint=f"rm {path}",
        )
    try:
        for name, part in _parts(state).items():
            part.load_state_dict(content[name])
        for name in KEPT:
            setattr(state, name, content[name])
    except (KeyError, RuntimeError, ValueError):
        raise UserError(
            f"found in {path} a checkpoint by another version of lossnets, which this one cannot "
            f"go on from; without it the run starts from its first epoch",
            hint=f"rm {path}",
        ) from None
