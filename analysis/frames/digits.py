"""When two numbers are the same: to twelve significant digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIGITS = 12  # values that agree to this many digits are ties: sums in another order must not rank


def to_digits(values: NDArray[np.float64], digits: int = DIGITS) -> NDArray[np.float64]:
    """Round to significant digits, so that equal numbers reached by other sums are ties.

    >>> float(to_digits(np.array([0.1 + 0.2]))[0])
    0.3
    """
    size = np.abs(values)
    usual = (size > 1e-280) & (size < 1e280)
    power = np.floor(np.log10(size, out=np.zeros_like(size), where=usual))
    factor = 10.0 ** (digits - 1 - power)
    return np.where(usual, np.round(np.where(usual, values, 0.0) * factor) / factor, values)
