"""Which trained model each score comes from: what could have come out otherwise together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossnets.analysis.frames.frames import BENCHMARKS

SIMILARITY, SUPER_RESOLUTION, _, AUTOENCODING = BENCHMARKS


def trained_models(
    catalog: Mapping[str, Mapping[str, object]], scores: Sequence[str]
) -> tuple[str | None, ...]:
    """The trained model of each score, None where nothing is trained (benchmark 1).

    `catalog`: what is known of each score; where it does not name the model, benchmark, scale
    and data set tell.

    >>> trained_models({"x": {"benchmark": "super_resolution", "scale": 4}}, ["x"])
    ('super_resolution 4',)
    """
    return tuple(_trained_model(catalog.get(score, {"benchmark": score})) for score in scores)


def _trained_model(about: Mapping[str, object]) -> str | None:
    if "trained_model" in about:
        model = about["trained_model"]
        return model if isinstance(model, str) else None
    benchmark = str(about["benchmark"])
    if benchmark == SIMILARITY:
        return None
    part = {SUPER_RESOLUTION: "scale", AUTOENCODING: "dataset"}.get(benchmark)
    return f"{benchmark} {about[part]}" if part else benchmark
