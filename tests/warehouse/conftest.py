"""Records and tables to put into a warehouse."""

from __future__ import annotations

import pytest

from lossnets.warehouse.sources.records import Measurement, RunRecord


@pytest.fixture
def record():
    """Make a run: layer → value of one score, of one architecture."""

    def make(values=None, *, architecture="vgg11", score="svhn_accuracy", **fields) -> RunRecord:
        benchmark = {"svhn": "autoencoding", "bapp": "perceptual_similarity"}[score[:4]]
        return RunRecord(
            benchmark=fields.pop("benchmark", benchmark),
            recorded_at=fields.pop("recorded_at", "2026-01-31T12:00:00Z"),
            measurements=tuple(
                Measurement(architecture=architecture, layer=layer, score=score, value=value)
                for layer, value in (values or {"late": 0.5}).items()
            ),
            **fields,
        )

    return make
