"""What a claim is: a checkable statement with its rule, written before the number is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossnets.analysis.claims.evidence import Evidence
from lossnets.analysis.claims.rules import (
    CONTRADICTED,
    NOT_TESTABLE,
    OPEN,
    PARTLY,
    Bound,
    Numbers,
    Rule,
)
from lossnets.analysis.frames.frames import BENCHMARKS


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper in our words, and how it is tested.

    labels: what each number that `measure` returns means, the headline number first; why: what
    makes the rule sensible; evidence: the study it rests on; benchmarks, architectures: whose
    scores it needs; planted: for claims of absence, the effect that is planted to see whether
    the rule misses it (see `severity`); variants: what else it is tested on.
    """

    id: str
    section: str
    topic: str
    statement: str
    labels: Mapping[str, str]
    unit: str
    measure: Callable[[Evidence], Numbers]
    rule: Rule
    why: str
    evidence: str
    caution: str = ""
    benchmarks: tuple[str, ...] = BENCHMARKS
    architectures: tuple[str, ...] = ()
    planted: str = ""
    variants: frozenset[str] = field(default=frozenset())

    @property
    def rule_in_words(self) -> str:
        """The whole rule in words, from the very conditions that decide."""
        return f"{self.rule.in_words(self.labels)}. {self.why}"

    def decide(self, numbers: Numbers) -> NDArray[np.str_]:
        """What the conditions say for each draw, chance not yet asked.

        Numbers that are not finite count as not testable.
        """
        known = np.all([np.isfinite(np.asarray(numbers[n], float)) for n in self.labels], axis=0)
        against, holds, partly = (
            _all_hold(bounds, numbers)
            for bounds in (self.rule.against, self.rule.holds, self.rule.partly)
        )
        return np.select(
            [~known, against, holds, partly],
            [NOT_TESTABLE, CONTRADICTED, self.rule.favourable, PARTLY],
            OPEN if self.rule.leaves_open else CONTRADICTED,
        )


def _all_hold(bounds: tuple[Bound, ...], numbers: Numbers) -> Any:
    return np.all([bound.holds(numbers) for bound in bounds], axis=0) if bounds else np.False_
