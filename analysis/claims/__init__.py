"""The paper's checkable statements, each with its test, number and verdict."""

from __future__ import annotations

import pandas as pd

from lossnets.analysis.claims.catalog import CLAIMS
from lossnets.analysis.claims.claim import VERDICTS
from lossnets.analysis.claims.ledger import AS_GIVEN, Ledger
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import once

COLUMNS = {
    "claim": "claim id",
    "section": "the paper's section",
    "topic": "architectures, extraction layers, accuracy and attributes, or between benchmarks",
    "statement": "what the paper says, in our words",
    "rule": "when it counts as supported, partly or contradicted; written before the number",
    "variant": "'as given', or what was changed to see whether the verdict hangs on it",
    "number": "the headline number",
    "number_label": "what it is",
    "unit": "its unit",
    "verdict": "supported, partly, contradicted or not testable",
    "reason": "the numbers that the rule was applied to, or why it was not",
    "verdict_changes": "whether the verdict differs from the one as given",
    "noise_fraction": "greatest run-to-run sd, in sd between architectures at their best layers, "
    "that keeps the verdict in 95 % of draws (0: less than 0.05; 1: 1 or more)",
    "evidence": "study that the number rests on",
    "note": "what to bear in mind, and what is missing",
}

SUMMARY_COLUMNS = {
    "topic": "topic of the claims, or all",
    **{verdict.replace(" ", "_"): f"claims {verdict}, as given" for verdict in VERDICTS},
    "claims": "claims in all",
    "hang_on_a_correction": "claims whose verdict changes in some variant",
    "note": "what is missing, and why",
}


def claims(frames: Frames) -> pd.DataFrame:
    """Test every claim, as given and in the variants that bear on it. Columns: COLUMNS.

    As given: scores of one source; attributes from Table I for the paper, measured ones for
    measured runs. Variants, of the paper only: mean ranks as Table III prints them; measured
    attributes in place of Table I's; without the cells that the audit finds suspect (strong or
    certain), shown where that changes the number. With one run per cell, `noise_fraction` says
    how much run-to-run noise a verdict would bear.
    """
    return _claims(frames).copy()


@once
def _claims(frames: Frames) -> pd.DataFrame:
    rows = [row for claim in CLAIMS for row in Ledger(frames).rows(claim)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"number": float, "noise_fraction": float, "verdict_changes": bool})


def claims_summary(frames: Frames) -> pd.DataFrame:
    """Count verdicts per topic. Columns: SUMMARY_COLUMNS."""
    table = _claims(frames)
    given = table[table["variant"] == AS_GIVEN]
    turned = set(table["claim"][table["verdict_changes"]])
    rows = []
    for topic in (*dict.fromkeys(claim.topic for claim in CLAIMS), "all"):
        mine = given if topic == "all" else given[given["topic"] == topic]
        counts = {
            verdict.replace(" ", "_"): int((mine["verdict"] == verdict).sum())
            for verdict in VERDICTS
        }
        rows.append(
            {"topic": topic, **counts, "claims": len(mine), "note": ""}
            | {"hang_on_a_correction": int(mine["claim"].isin(turned).sum())}
        )
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


STUDIES = (
    Study(
        name="claims",
        title="The paper's statements, tested",
        columns=COLUMNS,
        compute=claims,
    ),
    Study(
        name="claims_summary",
        title="Verdicts on the paper's statements, by topic",
        columns=SUMMARY_COLUMNS,
        compute=claims_summary,
    ),
)
