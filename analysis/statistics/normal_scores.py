"""Normal scores: values of which only the order counts."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from lossnets.analysis.frames.cube import Floats


def normal_scores(values: Floats) -> Floats:
    """Blom's normal scores along the first axis, ties averaged (Blom 1958).

    >>> normal_scores(np.array([[1.0], [5.0], [100.0]])).ravel().round(2).tolist()
    [-0.87, 0.0, 0.87]
    """
    return np.asarray(ndtri((rankdata(values, axis=0) - 0.375) / (len(values) + 0.25)))
