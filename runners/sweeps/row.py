"""A row of a plan: what is executed by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lossnets.runners.runs.planning import Request
from lossnets.warehouse.sources.records import hash_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a plan: a run, or the runs of one pass, that a user can ask for by itself.

    run_ids: of these runs. request asks for exactly them: one architecture or baseline, and of a
    benchmark that trains one layer. reads: those of its settings that say which data are read.
    """

    run_ids: tuple[str, ...]
    request: Request
    reads: tuple[str, ...] = ()

    @property
    def run_id(self) -> str:
        """The run's id; of several an id of all of them."""
        return self.run_ids[0] if len(self.run_ids) == 1 else hash_of(self.run_ids)

    def folder(self, home: Path) -> Path:
        """Where it is noted why it failed."""
        return home / "runs" / self.run_ids[0]

    @property
    def shares(self) -> tuple[object, ...]:
        """What rows have in common that share work: data, target features, a loss network."""
        what = self.request
        return (what.benchmark, what.protocol, what.preset, what.data, self.reads,
                what.weights, what.architectures)  # fmt: skip

    @property
    def name(self) -> str:
        """For people: benchmark, what is scored, settings, seed."""
        what = self.request
        scored = [*what.architectures, ", ".join(what.layers)] if what.architectures else []
        parts = [what.benchmark, *(scored or what.baselines), *what.settings]
        return " ".join([*parts, f"seed {what.seed}"] if what.seed else parts)
