"""Audit of the published tables: general rules that find their own cases, none needs a re-run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lossnets.analysis.audit.findings import (
    FINDING_COLUMNS,
    STRENGTHS,
    Finding,
    NotApplicable,
    findings_frame,
)
from lossnets.analysis.audit.rules import RULES
from lossnets.analysis.frames.frames import Frames, Study
from lossnets.analysis.frames.once import once
from lossnets.analysis.frames.paper_frames import paper_alone

RULE_COLUMNS = {
    "rule": "the rule's name",
    "kind": "contradiction, departure, collapse or pattern, see audit",
    "title": "what it looks for",
    "scale": "what certain, strong and suggestive mean here",
    "looked_at": "number of cells, or pairs of cells, it looked at",
    "findings": "number of findings",
    "certain": "how many of them are certain",
    "strong": "how many of them are strong",
    "suggestive": "how many of them are suggestive",
    "note": "what is missing, and why",
}

CELL_COLUMNS = {
    "table": "the paper's table, or 'measured' for measured runs",
    "architecture": "row of the table",
    "layer": "extraction layer",
    "column": "score id",
    "printed": "what the cell says",
    "rules": "the rules that point at the cell",
    "strongest": "the strongest of their findings",
    "expected": "what the strongest finding expects",
    "evidence": "its evidence",
    "note": "what is missing, and why",
}


@once
def apply_rules(frames: Frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply every rule: the findings (FINDING_COLUMNS) and the rules' own table (RULE_COLUMNS).

    Published tables are rounded, and each of their models was trained once: a finding says that
    a cell deserves a look, a certain one that two printed or measured facts exclude each other.
    What somebody registered is not looked at.
    """
    frames = paper_alone(frames)
    rows: list[Finding] = []
    about: list[Finding] = []
    for rule in RULES:
        findings: list[Finding] = []
        looked_at, note = 0, ""
        try:
            with np.errstate(all="ignore"):  # infinite values: comparisons with them hold or not
                findings, looked_at = rule.find(frames)
        except NotApplicable as reason:
            note = f"not computable, because {reason}"
        rows += [{"rule": rule.name, "kind": rule.kind} | finding for finding in findings]
        of = [finding["strength"] for finding in findings]
        about.append(
            {"rule": rule.name, "kind": rule.kind, "title": rule.title, "scale": rule.scale}
            | {"looked_at": looked_at, "findings": len(findings), "note": note}
            | {strength: of.count(strength) for strength in STRENGTHS}
        )
    return findings_frame(rows), pd.DataFrame(about, columns=list(RULE_COLUMNS))


def audit(frames: Frames) -> pd.DataFrame:
    """Findings of all rules, strongest first. Columns: FINDING_COLUMNS."""
    return apply_rules(frames)[0].copy()


def audit_rules(frames: Frames) -> pd.DataFrame:
    """The rules, what each looked at and how much it found. Columns: RULE_COLUMNS."""
    return apply_rules(frames)[1].copy()


def audit_cells(frames: Frames) -> pd.DataFrame:
    """Cells of Tables V to XI that rules point at, one row each. Columns: CELL_COLUMNS.

    A cell that several independent rules name is more suspect than any one of them says.
    """
    findings = audit(frames)
    findings = findings[findings["layer"] != ""]
    key = ["table", "architecture", "layer", "column"]
    rows = [
        group.iloc[0].to_dict()  # findings come strongest first
        | {"rules": ", ".join(dict.fromkeys(group["rule"]))}
        | {"strongest": group["strength"].iloc[0], "note": "", "count": group["rule"].nunique()}
        for _, group in findings.groupby(key, sort=True)
    ]
    frame = pd.DataFrame(rows, columns=[*CELL_COLUMNS, "count"])
    frame = frame.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return frame[list(CELL_COLUMNS)]


STUDIES = (
    Study(
        name="audit",
        title="Audit of the published tables: findings",
        columns=FINDING_COLUMNS,
        compute=audit,
    ),
    Study(
        name="audit_cells",
        title="Audit of the published tables: cells that rules point at",
        columns=CELL_COLUMNS,
        compute=audit_cells,
    ),
    Study(
        name="audit_rules",
        title="Audit of the published tables: the rules",
        columns=RULE_COLUMNS,
        compute=audit_rules,
    ),
)
