"""The loss networks: Table I, printed beside measured, and Table II."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lossnets import warehouse
from lossnets.reports.page.page import Page
from lossnets.reports.page.section import Section
from lossnets.reports.page.tables import (
    Cell,
    Column,
    Grid,
    Group,
    family_grid,
    grid,
    records,
    shown,
)

SHIPPED = Path(warehouse.__file__).parent / "shipped"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A column of Table I: the printed column, the measured attribute in the printed unit.

    evidence: its name in the shipped evidence for what is printed; a column that is not
    printed is a yes or no unless `numeric`.
    """

    key: str
    label: str
    needs: str
    measured: str
    printed: str = ""
    evidence: str = ""
    decimals: int = 0
    numeric: bool = False


TABLE_01 = (
    Compared(
        key="imagenet_top1",
        label="ImageNet acc. (%)",
        needs="imagenet_top1",
        measured="imagenet_top1",
        printed="imagenet_acc",
        evidence="paper_imagenet_top1",
        decimals=3,
    ),
    Compared(
        key="depth",
        label="Depth",
        needs="depth",
        measured="depth",
        printed="depth",
        evidence="paper_depth",
    ),
    Compared(
        key="mflops",
        label="MFLOPS",
        needs="macs",
        measured="macs / 1e6",
        printed="mflops",
        evidence="paper_mflops",
    ),
    Compared(
        key="params",
        label="Params (M)",
        needs="params",
        measured="params / 1e6",
        decimals=1,
        numeric=True,
    ),
    Compared(
        key="skip_connections",
        label="Skip conn.",
        needs="skip_connections",
        measured="skip_connections",
    ),
    Compared(key="branching", label="Branching", needs="branching", measured="branching"),
    Compared(key="conv_1x1", label="1×1 conv.", needs="conv_1x1", measured="conv_1x1"),
    Compared(key="batch_norm", label="Batch norm", needs="batch_norm", measured="batch_norm"),
)


def loss_networks(page: Page) -> dict[str, object]:
    """Table I, printed beside measured, and Table II with the node of each layer."""
    catalog = set(page.frames().attribute_catalog["attribute"])
    known = [
        {**vars(column), "known": column.needs in catalog}
        for column in TABLE_01
        if column.printed or column.needs in catalog
    ]
    first = page.query("table_01", attributes=known)
    second = page.query("table_02")
    evidence = _evidence(page)
    layers = [
        Column(key=layer, label=layer.replace("_", "-"), group="Node in torchvision's model")
        for layer in ("early", "semi_early", "middle", "late")
    ]
    heads = [
        Column(key="name", label="Architecture", head=True),
        Column(key="printed", label="Feature extraction layers, as printed"),
    ]
    return {
        "attributes": page.table(
            "table_01", _attributes_grid(first.frame, evidence), first, number="I"
        ),
        "layers": page.table(
            "table_02", family_grid(second.frame, [*heads, *layers]), second, number="II"
        ),
        "counts": _agreement(first.frame, evidence),
        "evidence": page.table(
            "table_01_evidence", _evidence_grid(evidence), evidence, number="I-evidence"
        ),
        "measured": bool(first.frame["measured"].notna().any()),
    }


def _evidence(page: Page) -> pd.DataFrame:
    """The shipped evidence for the printed values that differ from the measured ones.

    `usual` says that the column's commonest definition gives the printed value.
    """
    evidence = pd.read_csv(SHIPPED / "measured" / "evidence.csv")
    commonest = evidence.groupby("attribute")["definition"].agg(lambda names: names.mode()[0])
    usual = evidence["definition"] == evidence["attribute"].map(commonest)
    evidence["usual"] = usual & evidence["verdict"].isin(["equal", "explained"])
    names = page.frames().architectures[["architecture", "name"]]
    differing = evidence[evidence["verdict"] != "equal"]
    return differing.merge(names, on="architecture", how="left")


def _evidence_grid(evidence: pd.DataFrame) -> Grid:
    """The evidence, under one heading for each definition that may have given the print."""
    labels = {column.evidence: column.label for column in TABLE_01}
    groups: list[Group] = []
    columns = [
        Column(key="name", label="Architecture", head=True),
        Column(key="printed", label="Printed", numeric=True),
        Column(key="measured", label="Measured", numeric=True),
        Column(key="difference", label="Difference (%)", decimals=2, numeric=True),
        Column(key="reproduced", label="By that definition", numeric=True),
    ]
    for (attribute, _, _), cells in evidence.groupby(
        ["attribute", "verdict", "definition"], sort=False
    ):
        reason = min(cells["explanation"], key=len)
        label = f"{labels[str(attribute)]}, {cells['verdict'].iloc[0]}: {reason}"
        groups += [Group(label=label, rows=group.rows) for group in grid(cells, columns).groups]
    return Grid(columns=columns, groups=groups, rows=len(evidence))


def _attributes_grid(frame: pd.DataFrame, evidence: pd.DataFrame) -> Grid:
    wide = frame.pivot(
        index=["architecture", "name", "family"], columns="attribute", values="measured"
    )
    wide = wide.reindex(frame["architecture"].unique(), level=0).reset_index()
    cells = {(r["architecture"], r["attribute"]): r for r in records(frame)}
    numeric = {column.key for column in TABLE_01 if column.numeric}
    decimals = {column.key: column.decimals for column in TABLE_01}
    names = {column.key: column.evidence for column in TABLE_01}
    usual = set(
        zip(
            *(evidence.loc[evidence["usual"], key] for key in ("architecture", "attribute")),
            strict=True,
        )
    )

    def cell(row: Mapping[str, Any], column: Column) -> Cell | None:
        key, _, kind = column.key.partition(" ")
        if key not in decimals:
            return None
        found = cells[row["architecture"], key]
        if key in numeric:
            return Cell(text=shown(found["measured"], decimals[key]))
        if not kind:
            yes = found["measured"]
            return Cell(text="" if pd.isna(yes) else "✓" if yes else "·")
        strange = (row["architecture"], names[key]) not in usual
        differs = kind == "measured" and found["verdict"] == "differs" and strange
        marks = ("differs",) if differs else ()
        text = shown(found[kind], decimals[key])
        return Cell(text=text, marks=marks if text else ("missing",))

    return family_grid(wide, _attribute_columns(set(frame["attribute"])), cell=cell)


def _attribute_columns(present: set[str]) -> list[Column]:
    """Architecture, printed and measured side by side, and what is measured alone."""
    columns = [Column(key="name", label="Architecture", head=True)]
    for column in TABLE_01:
        if column.printed:
            columns += [
                Column(key=f"{column.key} {kind}", label=kind, group=column.label, numeric=True)
                for kind in ("printed", "measured")
            ]
        elif column.key in present:
            columns.append(
                Column(
                    key=column.key,
                    label=column.label,
                    group="Measured",
                    numeric=column.numeric,
                    centred=not column.numeric,
                )
            )
    return columns


def _agreement(frame: pd.DataFrame, evidence: pd.DataFrame) -> list[dict[str, object]]:
    """How many printed cells of each column agree, and how many the evidence explains."""
    found = []
    for column in TABLE_01:
        verdicts = frame.loc[frame["attribute"] == column.key, "verdict"]
        reasons = evidence.loc[evidence["attribute"] == column.evidence, "verdict"]
        if column.printed and verdicts.notna().any():
            found.append(
                {
                    "label": column.label,
                    "cells": int(verdicts.notna().sum()),
                    "agrees": int((verdicts == "agrees").sum()),
                    "explained": int((reasons == "explained").sum()),
                    "other": int((reasons != "explained").sum()),
                }
            )
    return found


SECTION = Section(
    name="loss_networks",
    title="The loss networks",
    order=30,
    build=loss_networks,
)
