"""How well distances agree with human judgments: pure functions of arrays, a value per item.

The caller averages.
"""

from __future__ import annotations

import numpy as np

from lossnets.warehouse.errors import UserError


def two_afc(d0: np.ndarray, d1: np.ndarray, judge: np.ndarray) -> np.ndarray:
    """The 2AFC score of each triplet: the fraction of judges who agree with two distances. (N,)

    d0, d1: distances of p0 and p1 to the reference image. judge: fraction of the judges, 0 to 1,
    who found p1 closer. Where the distances are equal the score is 0.5, whatever the judges say.

    Source: paper, Eq. 2.

    >>> two_afc(np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 3.0]), np.array([0.2, 0.2, 0.2]))
    array([0.8, 0.2, 0.5])
    """
    return np.where(d0 < d1, 1 - judge, np.where(d1 < d0, judge, 0.5))


def average_precision(
    distance: np.ndarray, same: np.ndarray, *, interpolated: bool = True
) -> float:
    """Average precision of calling pairs the same, those of the least distance first.

    distance, same: (N,); same is the fraction of the judges, 0 to 1, who called a pair the same,
    and counts as so much of a true positive. Each distance is a threshold: pairs of equal
    distance are called the same together, so that their order is of no matter.
    interpolated: precision is the best at any recall as high (PASCAL VOC's area over all points),
    else the one at the threshold.

    Errors: UserError if nobody called any pair the same.

    Source: paper, Sec. IV-A; M. Everingham et al., The PASCAL VOC Challenge, 2010.

    >>> distance, same = np.array([0.1, 0.2, 0.3, 0.4]), np.array([1.0, 0.0, 0.0, 1.0])
    >>> average_precision(distance, same)
    0.75
    >>> average_precision(np.zeros(4), same)
    0.5
    """
    order = np.argsort(distance, kind="stable")
    same = np.asarray(same, dtype=np.float64)[order]
    found = same.cumsum()
    if not found.size or found[-1] == 0:
        raise UserError(
            "found no pair that any judge called the same; average precision needs at least one"
        )
    distance = np.asarray(distance)[order]
    last = np.append(distance[1:] != distance[:-1], True)  # of each group of equal distances
    precision = found[last] / (np.flatnonzero(last) + 1)
    recall = found[last] / found[-1]
    if interpolated:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.diff(recall, prepend=0.0) @ precision)
