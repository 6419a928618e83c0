"""Tests claims on some frames: as given, and in the variants that bear on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from lossnets.analysis.audit import audit_cells
from lossnets.analysis.claims.claim import Claim
from lossnets.analysis.claims.evidence import MEASURED, Evidence, NotTestable
from lossnets.analysis.claims.rules import NOT_TESTABLE, Numbers
from lossnets.analysis.claims.severity import Severity, judged, read_severities
from lossnets.analysis.frames.frames import BENCHMARKS, Frames
from lossnets.analysis.frames.once import once

AS_GIVEN = "as given"
PRINTED_RANKS = "Table III as printed"
MEASURED_ATTRIBUTES = "measured attributes"
WITHOUT_SUSPECTS = "without suspect cells"
LINEAGES = "families as witnesses"


class Ledger:
    """Tests claims on some frames; what several of them need is arranged once."""

    def __init__(self, frames: Frames) -> None:
        self.frames = frames
        self.severities = read_severities()

    def rows(self, claim: Claim) -> Iterator[dict[str, object]]:
        """The claim as given, then its variants."""
        try:
            given = _evidence(self.frames).restricted(claim.benchmarks, claim.architectures)
        except NotTestable as reason:
            yield self._row(claim, AS_GIVEN, None, str(reason))
            return
        first = self._test(claim, AS_GIVEN, given)
        yield first
        if first["verdict"] == NOT_TESTABLE or self.frames.source != "paper":
            return
        for variant, evidence in self._variants(claim, given):
            row = self._test(claim, variant, evidence)
            row["verdict_changes"] = row["verdict"] not in (first["verdict"], NOT_TESTABLE)
            if variant != WITHOUT_SUSPECTS or row["number"] != first["number"]:
                yield row

    def _variants(self, claim: Claim, given: Evidence) -> Iterator[tuple[str, Evidence]]:
        if "printed_ranks" in claim.variants:
            table = _printed_ranks(self.frames)
            if table is not None and set(given.architectures) <= set(table.index):
                yield PRINTED_RANKS, replace(given, printed=table)
        if "attributes" in claim.variants:
            yield MEASURED_ATTRIBUTES, _with_measured_attributes(self.frames, given)
        suspects = {cell for cell in _suspects(self.frames) if cell[2] in given.scores}
        if "suspects" in claim.variants and suspects:
            yield WITHOUT_SUSPECTS, _without_suspects(self.frames, given, suspects)
        if "lineages" in claim.variants:
            yield LINEAGES, _by_family(self.frames, given)

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
        severity = self.severities.get(claim.id, Severity())
        verdict = NOT_TESTABLE if numbers is None else self.verdict(claim, numbers)
        published = self.frames.source == "paper" and variant == AS_GIVEN
        return {
            "claim": claim.id,
            "section": claim.section,
            "topic": claim.topic,
            "statement": claim.statement,
            "kind": claim.rule.form,
            "rule": claim.rule_in_words,
            "variant": variant,
            "number": np.nan if numbers is None else float(numbers[headline]),
            "number_label": claim.labels[headline],
            "unit": claim.unit,
            "verdict": verdict,
            "severity": severity.of(claim, verdict) if published else np.nan,
            "missed": severity.planted if published else np.nan,
            "reason": f"not testable, because {reason}" if reason else _reason(claim, numbers),
            "verdict_changes": False,
            "noise_fraction": severity.noise if published else np.nan,
            "evidence": claim.evidence,
            "note": claim.caution,
        }

    def verdict(self, claim: Claim, numbers: Numbers) -> str:
        """What the rule says of some numbers, chance considered."""
        severity = self.severities.get(claim.id, Severity())
        return str(judged(claim, claim.decide(numbers), severity))


@once
def _evidence(frames: Frames) -> Evidence:
    return Evidence.of(frames)


@once
def _suspects(frames: Frames) -> set[tuple[str, str, str]]:
    """Cells that a strong or certain finding of the audit points at."""
    cells = audit_cells(frames)
    cells = cells[cells["strongest"].isin(["strong", "certain"])]
    return set(zip(cells["architecture"], cells["layer"], cells["column"], strict=True))


def _derived(frames: Frames, name: str, given: Evidence, make: Callable[[], Evidence]) -> Evidence:
    results: dict[object, Evidence] = frames.__dict__.setdefault(f"evidence {name}", {})
    key = (given.architectures, given.scores)
    if key not in results:
        results[key] = make()
    return results[key]


def _without_suspects(
    frames: Frames, given: Evidence, suspects: set[tuple[str, str, str]]
) -> Evidence:
    return _derived(frames, WITHOUT_SUSPECTS, given, lambda: given.without(suspects))


def _with_measured_attributes(frames: Frames, given: Evidence) -> Evidence:
    return _derived(
        frames, MEASURED_ATTRIBUTES, given, lambda: replace(given, attribute_source=MEASURED)
    )


def _by_family(frames: Frames, given: Evidence) -> Evidence:
    return _derived(frames, LINEAGES, given, given.by_family)


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
