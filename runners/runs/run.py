"""A run: what is run, where, and what it found."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from lossnets.runners.networks.loss_network import LossNetwork
from lossnets.runners.runs.run_folder import ItemValues, RunFolder
from lossnets.warehouse.sources.records import WHAT_IS_RUN, Measurement, run_id_of

Progress = Callable[[int, int, str], None]  # called with (done, total, what)


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is run: everything that the result depends on, and its id.

    layers: (), one, or several extraction layers of `architecture`; a layer may be summed,
    `early+late`. weights: their identity, as a record states it (`IMAGENET1K_V1`, `random:0`,
    `file.pth:<hash>`); weights_source: as given, to load them. seed: of the training; None where
    nothing is trained. data: the identity of the data. architecture None: a baseline.
    """

    benchmark: str
    architecture: str | None
    layers: tuple[str, ...]
    weights: str | None
    weights_source: str | None
    seed: int | None
    config: Any
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
    def name(self) -> str:
        """For people: architecture and layers, or the baseline."""
        if self.architecture is None:
            return str(getattr(self.config, "baseline", None) or "baseline")
        return f"{self.architecture} {', '.join(self.layers)}"

    def loss_network(self, layers: Sequence[str] | None = None, **options: Any) -> LossNetwork:
        """Its loss network, at all single layers by default; on the CPU, to be moved.

        Follows `loss_network_mode` and `normalise` where the config has these fields; options:
        those of `LossNetwork`, to override them.
        """
        assert self.architecture is not None, "a baseline has no loss network"
        fields = {"mode": "loss_network_mode", "normalise": "normalise"}
        given = {name: getattr(self.config, key) for name, key in fields.items()
                 if hasattr(self.config, key)}  # fmt: skip
        return LossNetwork(
            self.architecture,
            self.single_layers if layers is None else layers,
            **{"weights": self.weights_source} | given | options,
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
    """

    measurements: tuple[Measurement, ...]
    items: tuple[ItemValues, ...] = ()
    nodes: dict[str, str] = field(default_factory=dict)
    collapsed: str | None = None
