"""The numbers that claims about the networks, metrics and tables are decided by (I to V-B)."""

from __future__ import annotations

import numpy as np

from lossnets.analysis.audit import audit
from lossnets.analysis.audit.findings import CERTAIN
from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.claims.measures.architectures import TEMPLATES
from lossnets.analysis.claims.rules import Numbers
from lossnets.analysis.frames.cube import Floats

FAR = 7.0  # robust sd below the median from which a model counts as collapsed, as in the audit


def complete_networks(e: Evidence) -> Numbers:
    """Loss networks with every score."""
    return {"networks": np.isfinite(e.cells).all(axis=-1).sum(axis=(-2, -1))}


def contradicted_cells(e: Evidence, rule: str, column: str = "") -> Numbers:
    """Cells of a printed table that the audit finds to be wrong for certain."""
    if e.frames.source != "paper":
        raise NotTestable("measured runs have no printed table")
    findings = audit(e.frames)
    findings = findings[(findings["rule"] == rule) & (findings["strength"] == CERTAIN)]
    if column:
        findings = findings[findings["column"] == column]
    cells = findings[["architecture", "column"]].drop_duplicates()
    named = ", ".join(" ".join(cell) for cell in cells.itertuples(index=False))
    return {"cells": len(cells), "detail": named or "none"}


def beside_alexnet(e: Evidence) -> Numbers:
    """Parameters of AlexNet ÷ SqueezeNet's, and how far their accuracies are apart."""
    alexnet, squeezenet = e.index("alexnet", "squeezenet1_1")
    parameters, accuracy = e.attribute("parameters"), e.attribute("accuracy")
    return {
        "ratio": float(parameters[alexnet] / parameters[squeezenet]),
        "apart": float(abs(accuracy[alexnet] - accuracy[squeezenet])),
    }


def architectures_that_deepen(e: Evidence) -> Numbers:
    """Architectures whose four extraction layers each lie deeper than the one before."""
    depth = e.layer_attribute("depth_to_layer")
    return {"architectures": int((np.diff(depth, axis=1) > 0).all(axis=1).sum())}


def templates_alike(e: Evidence) -> Numbers:
    """Templates whose networks have features of one resolution at each extraction layer."""
    height = e.layer_attribute("height")
    alike = [np.ptp(height[e.index(*template)], axis=0).max() == 0 for template in TEMPLATES]
    return {"templates": int(np.sum(alike))}


def success_index(correctness: Floats, completeness: Floats) -> Floats:
    """Critical success index of a precision and a recall, all in %.

    >>> float(success_index(np.array(50.0), np.array(100.0)))
    50.0
    """
    return np.asarray(100 / (100 / correctness + 100 / completeness - 1))


def quality_beside_index(e: Evidence) -> Numbers:
    """Delineation quality ÷ the success index of correctness and completeness, over the cells."""
    names = ("mrd_correctness", "mrd_completeness", "mrd_quality")
    correctness, completeness, quality = (e.cells[..., e.columns(prefix=name)[0]] for name in names)
    ratio = quality / success_index(correctness, completeness)
    return {
        "median": np.median(ratio, axis=(-2, -1)),
        "greatest": ratio.max(axis=(-2, -1)),
        "least": ratio.min(axis=(-2, -1)),
    }


def collapsed_models(e: Evidence) -> Numbers:
    """Super-resolution models far below the others in a metric of theirs on some test set."""
    flat = e.cells.reshape(*e.cells.shape[:-3], -1, len(e.scores))
    middle = np.median(flat, axis=-2, keepdims=True)
    scale = 1.4826 * np.median(np.abs(flat - middle), axis=-2, keepdims=True)
    low = flat - middle < -FAR * scale
    return {
        "models": np.sum([low[..., unit].any(axis=-1).sum(axis=-1) for unit in e.units], axis=0)
    }


def fewer_epochs(e: Evidence) -> Numbers:
    """Scores after the original work's epochs beside those after fewer: not published."""
    raise NotTestable("no scores after more epochs are published")
