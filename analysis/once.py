"""What several studies need of the same frames, computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from analysis.frames import Frames

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
