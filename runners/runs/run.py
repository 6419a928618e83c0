"""A run: what is run, where, and what it found."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import torch

from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.run_folder import ItemValues, RunFolder
from lossnets.warehouse.errors import UserError
from lossnets.warehouse.sources.records import WHAT_IS_RUN, Measurement, run_id_of

Progress = Callable[[int, int, str], None]  # called with (done, total, what)


class Config(Protocol):
    """What the configs of all benchmarks have: frozen dataclasses with these fields.

    baseline: what is scored in place of a loss network, None where there is one. precision: fp32,
    tf32 or bf16. normalise: what goes into the loss network, by ImageNet's mean and deviation.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def baseline(self) -> str | None: ...

    @property
    def precision(self) -> str: ...

    @property
    def normalise(self) -> bool: ...


class Data(Protocol):
    """What a run reads."""

    @property
    def identity(self) -> str:
        """What was read, the same wherever it lies: part of the run's id."""


C_co = TypeVar("C_co", bound=Config, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Run(Generic[C_co]):
    """What is run: everything that the result depends on, and its id.

    layers: (), or one extraction layer of `architecture`, which may be a sum, `early+late`; of a
    pass that executes several runs at once, their layers. weights: their identity, as a record
    states it (`IMAGENET1K_V1`, `random:0`, `file.pth:<hash>`); weights_source: as given, to load
    them. seed: of the training; None where nothing is trained. data: the identity of the data.
    architecture None: a baseline.
    """

    benchmark: str
    architecture: str | None
    layers: tuple[str, ...]
    weights: str | None
    weights_source: str | None
    seed: int | None
    config: C_co
    data: str
    preset: str | None

    @property
    def run_id(self) -> str:
        """The id of its record, known before it runs."""
        what = {name: getattr(self, name) for name in WHAT_IS_RUN}
        networks: list[tuple[str | None, str | None]] = [
            (self.architecture, layer) for layer in self.layers
        ]
        return run_id_of(
            what | {"config": dataclasses.asdict(self.config)}, networks or [(None, None)]
        )

    @property
    def single_layers(self) -> tuple[str, ...]:
        """Every layer that features are needed of, once: of `early+late` both."""
        return tuple(dict.fromkeys(part for layer in self.layers for part in layer.split("+")))

    @property
    def layer(self) -> str | None:
        """The layer, of a run that has one; None of a baseline."""
        (layer,) = self.layers or (None,)
        return layer

    def with_layers(self, layers: Sequence[str]) -> Run[C_co]:
        """The same of other layers."""
        return dataclasses.replace(self, layers=tuple(layers))

    @property
    def name(self) -> str:
        """For people: architecture and layers, or the baseline."""
        if self.architecture is None:
            return self.config.baseline or "baseline"
        return f"{self.architecture} {', '.join(self.layers)}"

    def loss_network(
        self, layers: Sequence[str] | None = None, *, mode: str = "eval"
    ) -> LossNetwork:
        """Its loss network, at all single layers by default; on the CPU, to be moved.

        mode: of its batch norms, "eval" or "train".
        """
        assert self.architecture, "a baseline has no loss network"
        assert self.weights_source, "a loss network has weights"
        return LossNetwork(
            self.architecture,
            self.single_layers if layers is None else layers,
            weights=self.weights_source,
            mode=mode,
            normalise=self.config.normalise,
        )


@dataclass(frozen=True, kw_only=True)
class Work:
    """Where a run is executed and what is kept of it: nothing that changes the result."""

    device: torch.device
    folder: RunFolder
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run found: its scores, and the values per item they are made of.

    nodes: layer → traced node, for layers that are neither the paper's nor a node's name.
    collapsed: why the training is worthless (constant output, NaN), None where it is sound.
    unscored: of each score that has no value, a sentence on which item is why.
    """

    measurements: tuple[Measurement, ...]
    items: tuple[ItemValues, ...] = ()
    nodes: dict[str, str] = field(default_factory=dict)
    collapsed: str | None = None
    unscored: tuple[str, ...] = ()

    def of(self, run: Run[Config]) -> Result:
        """What of a pass belongs to one of its runs: its layer's, and what belongs to no layer."""
        return dataclasses.replace(
            self,
            measurements=tuple(one for one in self.measurements if one.layer in run.layers)
            if run.layers
            else self.measurements,
            items=tuple(one for one in self.items if one.layer is None or one.layer in run.layers),
        )


def means(
    what: Run[Config], parts: Iterable[tuple[str, ItemValues]]
) -> tuple[tuple[Measurement, ...], tuple[str, ...]]:
    """Scores that are means over items, and of those that have none a sentence that says why.

    parts: a score, and the values per item that it is the mean of.
    Errors: UserError where none has a value.
    """
    measured, unscored = [], []
    for score, part in parts:
        value = float(part.values.mean())
        if math.isfinite(value):
            measured.append(
                Measurement(
                    architecture=what.architecture,
                    layer=what.layer,
                    score=score,
                    value=value,
                    n=len(part.values),
                )
            )
            continue
        place = int(np.flatnonzero(~np.isfinite(part.values))[0])
        unscored.append(
            f"{score} has no value, as the {part.quantity} of {part.items[place]} in "
            f"{part.dataset} is {part.values[place]}"
        )
    if not measured:
        raise UserError(f"{what.name} has no score: {'; '.join(unscored)}")
    return tuple(measured), tuple(unscored)
