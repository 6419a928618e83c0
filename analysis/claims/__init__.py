"""The paper's checkable statements, each with its test, number and verdict."""

from __future__ import annotations

import pandas as pd

from lossnets.analysis.claims.catalog import CLAIMS
from lossnets.analysis.claims.ledger import AS_GIVEN, Ledger
from lossnets.analysis.claims.rules import NOT_TESTABLE, VERDICTS
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.frames.paper_frames import paper_alone

COLUMNS = {
    "claim": "claim id",
    "section": "the paper's section",
    "topic": "what it is about",
    "statement": "what the paper says, in our words",
    "kind": "form of the rule: reading (of the tables, no inference), beyond_chance (a finding), "
    "every (a statement about all), excluded (a statement of absence)",
    "rule": "which numbers give which verdict; written before the number",
    "variant": "'as given', or what was changed to see whether the verdict hangs on it",
    "number": "the headline number",
    "number_label": "what it is",
    "unit": "its unit",
    "verdict": "supported, as stated (a fact about the tables), partly, cannot be told, "
    "contradicted or not testable",
    "severity": "how often this very verdict comes out when cells are shuffled by trained model, "
    "so that nothing is true (0 to 1); empty where no score enters",
    "missed": "claims of absence: how often the rule says supported where an effect of the "
    "stated size (a correlation of 0.5) is planted (0 to 1)",
    "reason": "the numbers that the rule was applied to, or why it was not",
    "verdict_changes": "whether the verdict differs from the one as given",
    "noise_fraction": "greatest run-to-run sd of trained models, in sd between architectures at "
    "their best layers, that keeps the verdict in 95 % of draws (0: less than 0.05; 1: 1 or more)",
    "evidence": "study that the number rests on",
    "note": "what to bear in mind, and what is missing",
}

SUMMARY_COLUMNS = {
    "topic": "topic of the claims, or all",
    **{verdict.replace(" ", "_"): f"claims {verdict}, as given" for verdict in VERDICTS},
    "claims": "claims in all",
    "testable": "claims that the data can test: all but the not testable",
    "hang_on_a_correction": "claims whose verdict changes in some variant",
    "note": "what is missing, and why",
}


def claims(frames: Frames) -> pd.DataFrame:
    """Test every claim, as given and in the variants that bear on it. Columns: COLUMNS.

    As given: scores of one source; attributes from Table I for the paper, measured ones for
    measured runs; nothing that somebody added to either. Variants, of the paper only: mean ranks
    as Table III prints them; measured attributes in place of Table I's; without the cells that
    the audit finds suspect (strong or certain), where that changes the number; one witness a
    family. Severity and noise are of the published scores, from a table that is shipped.
    """
    return _claims(frames).copy()


@once
def _claims(frames: Frames) -> pd.DataFrame:
    ledger = Ledger(paper_alone(frames))
    rows = [row for claim in CLAIMS for row in ledger.rows(claim)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = dict.fromkeys(("number", "severity", "missed", "noise_fraction"), float)
    return frame.astype(numbers | {"verdict_changes": bool})


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
            | {"testable": int((mine["verdict"] != NOT_TESTABLE).sum())}
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
