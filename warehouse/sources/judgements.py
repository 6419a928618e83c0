"""How well distances agree with human judgments: pure functions of arrays, a value per item.

The caller averages.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def two_afc(d0: Floats, d1: Floats, judge: Floats) -> Floats:
    """The 2AFC score of each triplet: the fraction of judges who agree with two distances. (N,)

    d0, d1: distances of p0 and p1 to the reference image. judge: fraction of the judges, 0 to 1,
    who found p1 closer. Where the distances are equal the score is 0.5, whatever the judges say.

    Source: paper, Eq. 2.

    >>> two_afc(np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 3.0]), np.array([0.2, 0.2, 0.2]))
    array([0.8, 0.2, 0.5])
    """
    return np.where(d0 < d1, 1 - judge, np.where(d1 < d0, judge, 0.5))


def average_precision(distance: Floats, same: Floats) -> float:
    """Average precision of calling pairs the same, those of the least distance first.

    distance, same: (N,); same is the fraction of the judges, 0 to 1, who called a pair the same,
    and counts as so much of a true positive. Each distance is a threshold: pairs of equal
    distance are called the same together, so that their order is of no matter. Precision is the
    best at any recall as high (PASCAL VOC's area over all points). NaN if nobody called any pair
    the same.

    Source: paper, Sec. IV-A; M. Everingham et al., The PASCAL VOC Challenge, 2010.

    >>> distance, same = np.array([0.1, 0.2, 0.3, 0.4]), np.array([1.0, 0.0, 0.0, 1.0])
    >>> average_precision(distance, same)
    0.75
    >>> average_precision(np.zeros(4), same)
    0.5
    """
    order = np.argsort(distance, kind="stable")
    positives = np.asarray(same, dtype=np.float64)[order].cumsum()
    if not positives.size or positives[-1] == 0:
        return float("nan")
    distance = np.asarray(distance)[order]
    last = np.append(distance[1:] != distance[:-1], True)  # of each group of equal distances
    precision = positives[last] / (np.flatnonzero(last) + 1)
    recall = positives[last] / positives[-1]
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.diff(recall, prepend=0.0) @ best)
