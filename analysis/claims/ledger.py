"""Tests claims on some frames: as given, in the variants that bear on them, and under noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from lossnets.analysis.audit import audit_cells
from lossnets.analysis.claims.claim import NOT_TESTABLE, Claim, Numbers
from lossnets.analysis.claims.evidence import MEASURED, Evidence, NotTestable
from lossnets.analysis.frames.frames import BENCHMARKS, SEED, Frames
from lossnets.analysis.frames.once import once

DRAWS = 40
FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # noise, in sd between architectures' best layers
KEPT = 0.95  # share of the draws in which a verdict has to stay

AS_GIVEN = "as given"
PRINTED_RANKS = "Table III as printed"
MEASURED_ATTRIBUTES = "measured attributes"
WITHOUT_SUSPECTS = "without suspect cells"


class Ledger:
    """Tests claims on some frames; what several of them need is arranged once."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames

    def rows(self, claim: Claim) -> Iterator[dict[str, object]]:
        """The claim as given, then its variants."""
        try:
            given = _evidence(self.frames).restricted(claim.benchmarks, claim.architectures)
        except NotTestable as reason:
            yield self._row(claim, AS_GIVEN, None, str(reason))
            return
        first = self._test(claim, AS_GIVEN, given)
        if first["verdict"] == NOT_TESTABLE:
            yield first
            return
        if claim.cells:
            first["noise_fraction"] = self._bearable_noise(claim, given, str(first["verdict"]))
        yield first
        for variant, evidence in self._variants(claim, given):
            row = self._test(claim, variant, evidence)
            row["verdict_changes"] = row["verdict"] not in (first["verdict"], NOT_TESTABLE)
            if variant != WITHOUT_SUSPECTS or row["number"] != first["number"]:
                yield row

    def _variants(self, claim: Claim, given: Evidence) -> Iterator[tuple[str, Evidence]]:
        if self.frames.source != "paper":
            return
        if claim.printed_ranks:
            table = _printed_ranks(self.frames)
            if table is not None and set(given.architectures) <= set(table.index):
                yield PRINTED_RANKS, replace(given, printed=table)
        if claim.attributes:
            yield MEASURED_ATTRIBUTES, replace(given, attribute_source=MEASURED)
        suspects = {cell for cell in _suspects(self.frames) if cell[2] in given.scores}
        if claim.cells and suspects:
            yield WITHOUT_SUSPECTS, _without_suspects(self.frames, given, suspects)

    def _test(self, claim: Claim, variant: str, evidence: Evidence) -> dict[str, object]:
        try:
            with np.errstate(all="ignore"):  # what is not finite counts as not testable
                numbers = claim.measure(evidence)
        except NotTestable as reason:
            return self._row(claim, variant, None, str(reason))
        unknown = [label for name, label in claim.labels.items() if not np.isfinite(numbers[name])]
        if unknown:
            return self._row(claim, variant, None, f"this is not a number: {', '.join(unknown)}")
        return self._row(claim, variant, numbers, "")

    def _row(
        self, claim: Claim, variant: str, numbers: Numbers | None, reason: str
    ) -> dict[str, object]:
        headline = next(iter(claim.labels))
        return {
            "claim": claim.id,
            "section": claim.section,
            "topic": claim.topic,
            "statement": claim.statement,
            "rule": claim.rule,
            "variant": variant,
            "number": np.nan if numbers is None else float(numbers[headline]),
            "number_label": claim.labels[headline],
            "unit": claim.unit,
            "verdict": NOT_TESTABLE if numbers is None else str(claim.decide(numbers)),
            "reason": f"not testable, because {reason}" if reason else _reason(claim, numbers),
            "verdict_changes": False,
            "noise_fraction": np.nan,
            "evidence": claim.evidence,
            "note": claim.caution,
        }

    def _bearable_noise(self, claim: Claim, given: Evidence, verdict: str) -> float:
        """Greatest of FRACTIONS up to which the verdict stays in most draws, 0 if none."""
        if not np.isfinite(given.cells).all():
            return float("nan")
        bearable = 0.0
        with np.errstate(all="ignore"):
            for fraction, noisy in _noisy(given):
                if np.mean(claim.decide(claim.measure(noisy)) == verdict) < KEPT:
                    break
                bearable = fraction
        return bearable


@once
def _evidence(frames: Frames) -> Evidence:
    return Evidence.of(frames)


@once
def _suspects(frames: Frames) -> set[tuple[str, str, str]]:
    """Cells that a strong or certain finding of the audit points at."""
    cells = audit_cells(frames)
    cells = cells[cells["strongest"].isin(["strong", "certain"])]
    return set(zip(cells["architecture"], cells["layer"], cells["column"], strict=True))


def _without_suspects(
    frames: Frames, given: Evidence, suspects: set[tuple[str, str, str]]
) -> Evidence:
    results: dict[object, Evidence] = frames.__dict__.setdefault("without_suspects", {})
    key = (given.architectures, given.scores)
    if key not in results:
        results[key] = given.without(suspects)
    return results[key]


def _noisy(given: Evidence) -> list[tuple[float, Evidence]]:
    """The evidence under noise of each size, the same draws for every claim."""
    results: dict[object, list[tuple[float, Evidence]]] = given.frames.__dict__.setdefault(
        "noisy_evidence", {}
    )
    key = (given.architectures, given.scores)
    if key not in results:
        noise = np.random.default_rng(SEED).standard_normal((DRAWS, *given.cells.shape))
        results[key] = [(fraction, given.noisy(noise, fraction)) for fraction in FRACTIONS]
    return results[key]


@once
def _printed_ranks(frames: Frames) -> pd.DataFrame | None:
    """Table III as numbers, None if it is not there whole."""
    table = frames.paper_tables.get("03", pd.DataFrame())
    if not {"architecture", *BENCHMARKS, "overall"} <= set(table):
        return None
    return table.set_index("architecture")[[*BENCHMARKS, "overall"]].astype(float)


def _reason(claim: Claim, numbers: Numbers | None) -> str:
    """The numbers in words."""
    if numbers is None:
        return ""
    words = [
        f"{label}: {float(numbers[name]):.3g}"
        + (
            f" ({round(float(numbers[name]) * numbers['of'])} of {numbers['of']})"
            if name == "share" and "of" in numbers
            else ""
        )
        for name, label in claim.labels.items()
    ]
    return "; ".join([*words, str(numbers["detail"])] if "detail" in numbers else words)
