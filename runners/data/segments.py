"""Digits of seven segments, as on a calculator: classes that a few images teach."""

from __future__ import annotations

import numpy as np

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abfgcd")
STROKES = {  # row, column, height and width of a segment, in sixteenths of a side
    "a": (2, 5, 1, 6), "b": (2, 10, 6, 1), "c": (7, 10, 6, 1), "d": (12, 5, 1, 6),
    "e": (7, 5, 6, 1), "f": (2, 5, 6, 1), "g": (7, 5, 1, 6),
}  # fmt: skip


def drawn(digit: int, side: int, rng: np.random.Generator) -> np.ndarray:
    """A digit of seven segments in random colours, moved a little, with noise: (side, side, 3)."""
    ground, ink = rng.uniform(20, 110, 3), rng.uniform(145, 235, 3)
    image = np.tile(ground, (side, side, 1))
    top, left = rng.integers(-1, 2, 2) * side // 32
    unit = side // 16  # pixels a stroke is wide
    for row, column, down, right in (STROKES[stroke] for stroke in SEGMENTS[digit]):
        y, x = top + row * unit, left + column * unit
        image[y : y + down * unit, x : x + right * unit] = ink
    return (image + rng.normal(0, 8, image.shape)).clip(0, 255).astype(np.uint8)
