"""Seven small predictors of a label from an embedding, trained together: the task of benchmark 4.

    fitted = fit(train, validation, outputs=10, how=Fitting(epochs=100))
    right = correct(fitted.predictors(test.inputs)[fitted.chosen], test.labels)

A step of one predictor is little arithmetic inside much bookkeeping. So the seven share every
batch, one vector of parameters and one optimizer, their gradients are written out, and the data
stay on the device. Nothing of one reaches another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch.nn import functional

from lossnets.runners.models.training import generator, order
from lossnets.warehouse.errors import UserError

HIDDEN = ((), (32,), (64,), (32, 32), (64, 32), (64, 64), (128, 128))  # widths of hidden layers
SLOPE = 0.01  # of the leaky ReLU below zero
KEPT = ("last", "best")


class Labelled(NamedTuple):
    """Embeddings and their labels, both on one device."""

    inputs: torch.Tensor  # (N, Z)
    labels: torch.Tensor  # (N,), whole numbers from 0

    def at(self, index: torch.Tensor) -> Labelled:
        """Those at some indices."""
        index = index.to(self.labels.device)
        return Labelled(self.inputs[index], self.labels[index])


class Layer(NamedTuple):
    """One linear layer, or the gradient of one."""

    weight: torch.Tensor  # (out, in)
    bias: torch.Tensor  # (out,)


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """How predictors are fitted.

    keep: the parameters of the `last` epoch, or of the `best`, by validation loss.
    patience: after how many epochs without a lower validation loss one stops; None for never.
    """

    epochs: int = 100
    batch: int = 256
    lr: float = 1e-3
    keep: str = "last"
    patience: int | None = None
    seed: int | None = 0

    def __post_init__(self) -> None:
        if self.keep not in KEPT:
            raise UserError(f"found {self.keep!r} predictors to keep; valid are {', '.join(KEPT)}")


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Fitted predictors, and how each of them (P) did on the validation data."""

    predictors: Predictors
    accuracy: torch.Tensor  # (P,), with the parameters that were kept
    accuracies: torch.Tensor  # (epochs, P), after every epoch
    losses: torch.Tensor  # (epochs, P), after every epoch

    @property
    def chosen(self) -> int:
        """Which predictor has the best validation accuracy; the first among equals."""
        return self.accuracy.tolist().index(self.accuracy.max().item())


class Predictors:
    """Multi-layer perceptrons with leaky ReLU, side by side.

    inputs, outputs: how many numbers go in and come out. hidden: the widths of each one's hidden
    layers. Each draws its first parameters, as torch's linear layers do, from a generator of its
    own: they are the same alone and among others. like: a tensor whose type and device they have.

    >>> Predictors(64, 10)(torch.zeros(5, 64)).shape
    torch.Size([7, 5, 10])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: Sequence[tuple[int, ...]] = HIDDEN,
        *,
        seed: int | None = 0,
        like: torch.Tensor | None = None,
    ) -> None:
        self.hidden = tuple(hidden)
        self._widths = [(inputs, *widths, outputs) for widths in self.hidden]
        first = [_first_parameters(widths, seed) for widths in self._widths]
        self._sizes = [len(part) for part in first]
        self.parameters = torch.cat(first).to(torch.zeros(()) if like is None else like)
        self.gradients = torch.zeros_like(self.parameters)
        self.layers = self._views(self.parameters)
        self._gradients = self._views(self.gradients)

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        """The outputs of every predictor: (N, Z) → (P, N, K)."""
        return torch.stack([_forward(layers, inputs)[-1] for layers in self.layers])

    def backward(self, inputs: torch.Tensor, targets: torch.Tensor) -> None:
        """Set `gradients` to those of every predictor's mean squared error; targets: (N, K)."""
        for layers, gradients in zip(self.layers, self._gradients, strict=True):
            values = _forward(layers, inputs)
            delta = (values[-1] - targets).mul_(2 / targets.numel())  # (N, K)
            for k in reversed(range(len(layers))):
                torch.mm(delta.t(), values[k], out=gradients[k].weight)
                torch.sum(delta, 0, out=gradients[k].bias)
                if k:
                    delta = delta @ layers[k].weight  # (N, width)
                    delta = torch.ops.aten.leaky_relu_backward(delta, values[k], SLOPE, True)

    def parts(self, vector: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Each predictor's part of a vector like `parameters`."""
        return vector.split(self._sizes)

    def _views(self, vector: torch.Tensor) -> list[list[Layer]]:
        parts = zip(self.parts(vector), self._widths, strict=True)
        return [_layers(part, widths) for part, widths in parts]


def fit(
    train: Labelled,
    validation: Labelled,
    *,
    outputs: int,
    how: Fitting,
    hidden: Sequence[tuple[int, ...]] = HIDDEN,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Fitted:
    """Fit predictors by mean squared error against the one-hot label, Adam and mini-batches.

    Every predictor sees the same batches; their order is a function of seed and epoch alone.
    Source: paper, Sec. IV-D.

    >>> inputs, labels = torch.eye(4).repeat(8, 1), torch.arange(4).repeat(8)
    >>> data = Labelled(inputs, labels)
    >>> fit(data, data, outputs=4, how=Fitting(epochs=50, lr=0.1)).accuracy.tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    inputs, labels = train
    predictors = Predictors(inputs.shape[1], outputs, hidden, seed=how.seed, like=inputs)
    predictors.parameters.grad = predictors.gradients
    adam = torch.optim.Adam([predictors.parameters], lr=how.lr, fused=True)
    targets = functional.one_hot(labels, outputs).to(inputs)  # (N, K)
    best = _Best(predictors, how.patience)
    accuracies, losses = [], []
    for epoch in range(1, how.epochs + 1):
        mixed = order(len(labels), how.seed, epoch).to(labels.device)
        for batch in zip(
            inputs[mixed].split(how.batch), targets[mixed].split(how.batch), strict=True
        ):
            predictors.backward(*batch)
            adam.step()
        outcomes = predictors(validation.inputs)  # (P, N, K)
        losses.append(_losses(outcomes, validation.labels).cpu())
        accuracies.append(correct(outcomes, validation.labels).double().mean(1).cpu())
        best.note(losses[-1])
        progress(epoch, how.epochs, f"predictors, epoch {epoch} of {how.epochs}")
    if how.keep == "best":
        predictors.parameters.copy_(best.parameters)
    kept = correct(predictors(validation.inputs), validation.labels).double().mean(1).cpu()
    return Fitted(
        predictors=predictors,
        accuracy=kept,
        accuracies=torch.stack(accuracies),
        losses=torch.stack(losses),
    )


def correct(outcomes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Whether the greatest output is the label's: (…, N, K), (N,) → (…, N) of booleans.

    >>> correct(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1])).tolist()
    [True, False]
    """
    return outcomes.argmax(-1) == labels


class _Best:
    """The parameters with which each predictor had its least validation loss."""

    def __init__(self, predictors: Predictors, patience: int | None) -> None:
        self.predictors, self.patience = predictors, patience
        self.parameters = predictors.parameters.clone()
        self.loss = [float("inf")] * len(predictors.hidden)
        self.waited = [0] * len(predictors.hidden)

    def note(self, losses: torch.Tensor) -> None:
        """Keep the parameters of those whose loss is lower, unless they have stopped before."""
        kept, now = map(self.predictors.parts, (self.parameters, self.predictors.parameters))
        for k, loss in enumerate(losses.tolist()):
            if self.patience is not None and self.waited[k] >= self.patience:
                continue
            self.waited[k] = 0 if loss < self.loss[k] else self.waited[k] + 1
            if loss < self.loss[k]:
                self.loss[k] = loss
                kept[k].copy_(now[k])


def _forward(layers: list[Layer], inputs: torch.Tensor) -> list[torch.Tensor]:
    """What goes into every layer, and at last the outputs."""
    values = [inputs]
    for layer in layers[:-1]:
        sums = functional.linear(values[-1], *layer)  # (N, width)
        values.append(functional.leaky_relu_(sums, SLOPE))
    return [*values, functional.linear(values[-1], *layers[-1])]  # (N, K)


def _layers(part: torch.Tensor, widths: tuple[int, ...]) -> list[Layer]:
    """A predictor's part of a vector as views, layer by layer."""
    layers = []
    for i, o in pairwise(widths):
        weight, bias, part = part.split([o * i, o, len(part) - o * i - o])
        layers.append(Layer(weight.view(o, i), bias))
    return layers


def _first_parameters(widths: tuple[int, ...], seed: int | None) -> torch.Tensor:
    """Uniform within ±1/√inputs of each layer, as torch's linear layers."""
    draws = generator(seed, 0, f"predictor {widths}")
    return torch.cat(
        [(torch.rand(o * i + o, generator=draws) * 2 - 1) / i**0.5 for i, o in pairwise(widths)]
    )


def _losses(outcomes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean squared error against the one-hot label: (P, N, K) → (P,)."""
    targets = functional.one_hot(labels, outcomes.shape[-1]).to(outcomes)  # (N, K)
    return (outcomes - targets).square().mean((1, 2))
