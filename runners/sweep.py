"""A sweep: many runs of several benchmarks, planned as rows that are executed one by one."""

from __future__ import annotations

from dataclasses import dataclass

from runners.planning import Request


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a plan: a run that a user can ask for by itself.

    request asks for exactly this run: one architecture or baseline, and of a benchmark that
    trains one layer.
    """

    run_id: str
    request: Request

    @property
    def shares(self) -> tuple[object, ...]:
        """What rows have in common that share work: data, target features, a loss network."""
        what = self.request
        return (what.benchmark, what.protocol, what.preset, what.data, _data_settings(what),
                what.weights, what.architectures)  # fmt: skip

    @property
    def name(self) -> str:
        """For people: benchmark, what is scored, settings, seed."""
        what = self.request
        scored = [*what.architectures, ", ".join(what.layers)] if what.architectures else []
        parts = [what.benchmark, *(scored or what.baselines), *what.settings]
        return " ".join([*parts, f"seed {what.seed}"] if what.seed else parts)


DATA_SETTINGS = ("dataset", "factor")  # settings that say which data are read


def _data_settings(request: Request) -> tuple[str, ...]:
    return tuple(item for item in request.settings if item.partition("=")[0] in DATA_SETTINGS)
