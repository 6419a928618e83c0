"""The paper's checkable statements, read from `claims.csv`: a row a claim."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path

from lossnets.analysis.claims.claim import Claim
from lossnets.analysis.claims.measures import MEASURES
from lossnets.analysis.claims.rules import DIFFERENCE, FORMS, SIZE, Bound
from lossnets.analysis.frames.frames import BENCHMARKS

FILE = Path(__file__).with_name("claims.csv")

CALL = re.compile(r"(?P<name>\w+)(\((?P<arguments>.*)\))?")
CONDITION = re.compile(r"(?P<number>\w+) (?P<comparison>[<>]=?|==) (?P<value>\S+)")
NAMED_VALUES = {"size": SIZE, "difference": DIFFERENCE}


def read_claims(path: Path = FILE) -> tuple[Claim, ...]:
    """The claims of a table, in its order.

    Columns: id; section, of the paper; topic; statement, in our words; measure, a function of
    `measures` with its arguments; numbers, what each number that it returns means, the headline
    number first; unit, of that one; rule, one of `FORMS`, with its conditions on the numbers:
    holds, partly, against (empty: the form's own); why, what makes the rule sensible; evidence,
    the study it rests on; caution; benchmarks and architectures whose scores it needs (`all`
    benchmarks); planted and variants, see `Claim`.

    >>> len(read_claims()) == len({claim.id for claim in read_claims()})
    True
    """
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(_claim(row) for row in csv.DictReader(lines))


def _claim(row: Mapping[str, str]) -> Claim:
    called = CALL.fullmatch(row["measure"])
    assert called, row["measure"]
    words = ("id", "section", "topic", "statement", "unit", "why", "evidence", "caution", "planted")
    return Claim(
        **{name: row[name] for name in words},
        labels=_pairs(row["numbers"], " | ", ": "),
        measure=partial(MEASURES[called["name"]], **_pairs(called["arguments"] or "", ", ", "=")),
        rule=FORMS[row["rule"]](
            conditions(row["holds"]), conditions(row["partly"]), conditions(row["against"])
        ),
        benchmarks=BENCHMARKS if row["benchmarks"] == "all" else tuple(row["benchmarks"].split()),
        architectures=tuple(row["architectures"].split()),
        variants=frozenset(row["variants"].split()),
    )


def _pairs(text: str, between: str, within: str) -> dict[str, str]:
    """Names and values of a cell that holds several.

    >>> _pairs("prefix=stl10, layers=middle late", ", ", "=")
    {'prefix': 'stl10', 'layers': 'middle late'}
    """
    return dict(part.split(within, 1) for part in text.split(between) if part)


def conditions(text: str) -> tuple[Bound, ...]:
    """Conditions that must all hold, as they are written in the table.

    >>> conditions("share >= 2/3 and limit < size")[1]
    Bound(number='limit', comparison='<', value=0.5)
    """
    bounds = []
    for part in text.split(" and ") if text else ():
        read = CONDITION.fullmatch(part)
        assert read, f"{part!r} is no condition"
        value = NAMED_VALUES.get(read["value"])
        value = float(Fraction(read["value"])) if value is None else value
        bounds.append(Bound(read["number"], read["comparison"], value))
    return tuple(bounds)


CLAIMS = read_claims()
