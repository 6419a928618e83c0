"""Rules for Tables I, III and IV: printed cells against what can be recomputed or measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lossnets.analysis.audit.findings import (
    CERTAIN,
    STRONG,
    SUGGESTIVE,
    Finding,
    Findings,
    NotApplicable,
)
from lossnets.analysis.audit.table import Table
from lossnets.analysis.frames.cube import Floats
from lossnets.analysis.frames.frames import BENCHMARKS, Frames
from lossnets.analysis.ranking.ranks import average_ranks

EXACT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """A printed attribute and the measured one that it should equal.

    factor: measured × factor has the printed unit. strength of a disagreement; None where the
    two may differ by a definition, so that only departures from the column's typical ratio
    count (suggestive from 1 %, strong from 5 %).
    """

    printed: str
    measured: str
    factor: float
    strength: str | None
    source: str


COUNTERPARTS = (
    Counterpart(
        printed="paper_imagenet_top1",
        measured="imagenet_top1",
        factor=1,
        strength=CERTAIN,
        source="the metadata of torchvision's weights",
    ),
    Counterpart(
        printed="paper_depth",
        measured="depth",
        factor=1,
        strength=STRONG,
        source="the longest chain of weighted layers in the network",
    ),
    Counterpart(
        printed="paper_mflops",
        measured="macs",
        factor=1e-6,
        strength=None,
        source="counting the multiply-accumulates of the network's layers",
    ),
)


def _text(frames: Frames, number: str) -> pd.DataFrame:
    if frames.source != "paper":
        raise NotApplicable("measured runs have no printed table")
    table = frames.paper_tables.get(number, pd.DataFrame())
    if table.empty:
        raise NotApplicable(f"printed table {number} is not there")
    return table


def _half_unit(printed: str) -> float:
    """Half a unit of the last printed digit.

    >>> _half_unit("4.10"), _half_unit("18")
    (0.005, 0.5)
    """
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])


def _decimals(values: pd.Series) -> int:
    """Most decimals in a column (trailing zeros may have been dropped in a cell)."""
    return max((len(str(value).partition(".")[2]) for value in values.dropna()), default=0)


def attributes_disagree(frames: Frames) -> Findings:
    """Printed attributes that differ from what the network, or its metadata, gives."""
    if frames.source != "paper":
        raise NotApplicable("measured runs have no printed table")
    table = frames.architectures
    known = [c for c in COUNTERPARTS if {c.printed, c.measured} <= set(table.columns)]
    if not known:
        raise NotApplicable("no printed attribute has a measured counterpart")
    rows: list[Finding] = []
    looked_at = 0
    for counterpart in known:
        pairs = table[["architecture", counterpart.printed, counterpart.measured]].dropna()
        looked_at += len(pairs)
        rows += _disagreements(counterpart, pairs)
    return rows, looked_at


def _disagreements(counterpart: Counterpart, pairs: pd.DataFrame) -> Iterator[Finding]:
    printed = pairs[counterpart.printed].to_numpy(dtype=float)
    measured = pairs[counterpart.measured].to_numpy(dtype=float) * counterpart.factor
    usable = (measured != 0) & np.isfinite(measured)
    typical = np.median(printed[usable] / measured[usable]) if usable.any() else np.nan
    for name, said, counted in zip(pairs["architecture"], printed, measured, strict=True):
        off = said - counted
        strength = counterpart.strength if abs(off) > EXACT * max(abs(said), 1) else None
        if counterpart.strength is None:
            off = said / (counted * typical) - 1 if counted else np.nan
            strength = SUGGESTIVE if abs(off) > 0.01 else None
            strength = STRONG if abs(off) > 0.05 else strength
        if strength is None:
            continue
        ratio = counterpart.strength is None
        usual = (
            f"; printed ÷ measured is {said / counted:.3f}, usually {typical:.3f}: what else the "
            "printed count takes in may explain it"
        )
        yield {
            "table": "I",
            "architecture": name,
            "column": counterpart.printed,
            "printed": f"{said:.10g}",
            "expected": f"{counted:.6g}",
            "evidence": f"{counterpart.source} gives another value" + (usual if ratio else ""),
            "measure": 100 * off if ratio else off,
            "measure_label": "% off the column's usual ratio" if ratio else "printed − measured",
            "strength": strength,
        }


def average_ranks_disagree(frames: Frames) -> Findings:
    """Mean ranks of Table III outside what any order of tied architectures gives."""
    table = _text(frames, "03").set_index("architecture")
    Table.of(frames)
    recomputed = average_ranks(frames.scores).set_index("architecture")
    rows: list[Finding] = []
    looked_at = 0
    for column in table.columns.intersection([*BENCHMARKS, "overall"]):
        half = 0.5 * 10.0 ** -_decimals(table[column])
        for architecture, text in table[column].dropna().items():
            if architecture not in recomputed.index:
                continue
            looked_at += 1
            row = recomputed.loc[[architecture]]
            least, mean, greatest = (
                float(row[column + end].iloc[0]) for end in ("_least", "", "_greatest")
            )
            excess = max(least - half - float(text), float(text) - half - greatest)
            if not excess > EXACT:
                continue
            bounds = f"{least:.2f} to {greatest:.2f}" if greatest > least else "no tie to break"
            rows.append(
                {
                    "table": "III",
                    "architecture": architecture,
                    "column": column,
                    "printed": text,
                    "expected": f"{mean:.2f} ({bounds})",
                    "evidence": "no order of the tied architectures gives it from Tables V–XI",
                    "measure": excess,
                    "measure_label": "ranks outside the bounds",
                    "strength": CERTAIN,
                }
            )
    return rows, looked_at


def sums_disagree(frames: Frames) -> Findings:
    """Table III against itself: columns add up to n(n + 1)/2, rows average to their last cell,
    and a mean of k ranks is a multiple of 1/2k."""
    table = _text(frames, "03").set_index("architecture")
    benchmarks = [column for column in BENCHMARKS if column in table]
    numbers = table.astype(float)
    of = frames.score_catalog["benchmark"].value_counts()
    halves = {str(column): 0.5 * 10.0 ** -_decimals(table[column]) for column in table}
    n = len(table)
    rows: list[Finding] = []
    for column in benchmarks:
        off = numbers[column].sum() - n * (n + 1) / 2
        if abs(off) > n * halves[column] + EXACT:
            rows.append(
                _sum_finding(
                    "",
                    column,
                    f"sum {numbers[column].sum():g}",
                    f"{n * (n + 1) / 2:g}",
                    f"ranks of {n} architectures add up to the same sum on every score",
                    off,
                )
            )
        step = 1 / (2 * int(of.get(column, 0))) if of.get(column, 0) else np.nan
        for architecture, value in numbers[column].items():
            off = value - step * np.round(value / step)
            if abs(off) > halves[column] + EXACT:
                evidence = f"a mean of {of[column]} ranks, whole or half, is a multiple of {step:g}"
                nearest = f"{value - off:.3f}"
                text = str(table[column].to_dict()[architecture])
                rows.append(_sum_finding(architecture, column, text, nearest, evidence, off))
    if len(benchmarks) == len(BENCHMARKS) and "overall" in table:
        rows += _overall_findings(table, numbers, benchmarks, halves)
    return rows, len(benchmarks) * (n + 1) + n


def _overall_findings(
    table: pd.DataFrame, numbers: pd.DataFrame, benchmarks: list[str], halves: dict[str, float]
) -> Iterator[Finding]:
    slack = halves["overall"] + float(np.mean([halves[column] for column in benchmarks]))
    means = numbers[benchmarks].mean(axis=1)
    texts = table["overall"].astype(str)
    for architecture, text, printed, mean in zip(
        table.index, texts, numbers["overall"], means, strict=True
    ):
        if abs(printed - mean) > slack + EXACT:
            evidence = "each benchmark weighs the same in the overall mean"
            yield _sum_finding(
                architecture, "overall", text, f"{mean:.3f}", evidence, printed - mean
            )


def _sum_finding(
    architecture: object, column: str, printed: str, expected: str, evidence: str, off: float
) -> Finding:
    return {
        "table": "III",
        "architecture": architecture,
        "column": column,
        "printed": printed,
        "expected": expected,
        "evidence": evidence,
        "measure": off,
        "measure_label": "ranks off",
        "strength": CERTAIN,
    }


def best_layers_disagree(frames: Frames) -> Findings:
    """Best layers of Table IV that are not among the layers with the highest printed value."""
    text = _text(frames, "04").set_index("architecture")
    scores = Table.of(frames)
    rows: list[Finding] = []
    looked_at = 0
    for column in text.columns:
        of_column = _scores_of(column, scores)
        if of_column:
            looked_at += len(text)
            rows += _not_best(scores, of_column, text[column], column)
    return rows, looked_at


def _scores_of(column: str, table: Table) -> list[str]:
    """The scores that a column of Table IV speaks of: one, or all whose id starts with it."""
    scores = table.cube.scores
    return [s for s in scores if s == column or s.startswith(f"{column}_")]


def _not_best(
    table: Table, scores: list[str], printed: pd.Series, column: str
) -> Iterator[Finding]:
    """One finding for each cell, whatever number of scores contradicts it."""
    initials = {layer[0].upper(): i for i, layer in enumerate(table.cube.layers)}
    for architecture, letter in printed.dropna().items():
        if architecture not in table.cube.architectures or letter not in initials:
            continue
        a = table.cube.architectures.index(str(architecture))
        higher = [_higher(table, score, a, initials[letter]) for score in scores]
        better = [each for each in higher if each]
        if better:
            letters = [layer[0].upper() for layers, *_ in better for layer in layers]
            yield {
                "table": "IV",
                "architecture": architecture,
                "column": column,
                "printed": letter,
                "expected": " or ".join(dict.fromkeys(letters)),
                "evidence": "; ".join(words for _, words, _ in better),
                "measure": max(shortfall for *_, shortfall in better),
                "measure_label": "shortfall of the printed layer, in the score's unit",
                "strength": CERTAIN,
            }


def _higher(table: Table, score: str, a: int, said: int) -> tuple[list[str], str, float] | None:
    """The layers above a named one in a row, in words, and by how much; None if there are none."""
    cube = table.cube
    row: Floats = cube.oriented[a, :, cube.scores.index(score)]
    highest = np.fmax.reduce(row)
    if not highest > row[said]:
        return None
    layers = [cube.layers[i] for i in np.flatnonzero(row == highest)]
    words = f"{score} is highest at {' and '.join(layers)} in Table {table.number(score)}"
    return layers, words, float(highest - row[said])
