"""What several studies need of the same frames, computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TypeVar

import pandas as pd

from lossnets.analysis.frames.frames import Frames, Study

T = TypeVar("T")


def once(function: Callable[[Frames], T]) -> Callable[[Frames], T]:
    """Remember a function's result with the frames it was computed from, as long as they live.

    The result is shared: whoever hands it on to be changed makes a copy.
    """
    key = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def remembered(frames: Frames) -> T:
        results: dict[str, T] = frames.__dict__  # as functools.cached_property does
        if key not in results:
            results[key] = function(frames)
        return results[key]

    return remembered


def computed(frames: Frames, study: Study) -> pd.DataFrame:
    """A study's result, computed once for these frames and shared: not to be changed."""
    results: dict[str, pd.DataFrame] = frames.__dict__.setdefault("computed_studies", {})
    if study.name not in results:
        results[study.name] = study.compute(frames)
    return results[study.name]


def shared(study: Study) -> Study:
    """The same study, computed once for the same frames; each caller gets a copy."""
    return replace(study, compute=lambda frames: computed(frames, study).copy())
