"""Attributes that say the same, of which one alone counts in families and headlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from lossnets.analysis.attributes.views import Attribute

# What Table I prints of each attribute; MFLOPS there are multiply-accumulates in millions.
PRINTED = {
    "imagenet_top1": "paper_imagenet_top1",
    "depth": "paper_depth",
    "macs": "paper_mflops",
}


def same_as(attributes: Sequence[Attribute]) -> dict[str, str]:
    """Attribute → the one that counts in its stead, for those that say nothing of their own.

    What Table I prints says the same as the measurement of it, even where it misprints, and so
    does any attribute that orders all architectures (and layers) as an earlier one of the
    catalog does, or wholly the other way round.

    >>> whole = dict(level="architecture", layers=("",), infinite=0)
    >>> grams = np.array([[1000.0], [2000.0], [5000.0]])
    >>> same_as([Attribute(attribute="kg", values=grams / 1000, **whole),
    ...          Attribute(attribute="log_g", values=np.log(grams), **whole)])
    {'log_g': 'kg'}
    """
    names = {attribute.attribute for attribute in attributes}
    copies = {printed: one for one, printed in PRINTED.items() if {one, printed} <= names}
    first: dict[bytes, str] = {}
    for attribute in attributes:
        if attribute.attribute in copies:
            continue
        orders = [_order(sign * attribute.values) for sign in (1, -1)]
        known = next((first[order] for order in orders if order in first), None)
        if known is not None:
            copies[attribute.attribute] = known
        elif np.unique(attribute.values[np.isfinite(attribute.values)]).size > 1:
            first[orders[0]] = attribute.attribute
    return copies


def _order(values: np.ndarray) -> bytes:
    """Ranks of all values, and where they are missing, as what can be looked up."""
    return repr(values.shape).encode() + rankdata(values, nan_policy="omit", axis=None).tobytes()
