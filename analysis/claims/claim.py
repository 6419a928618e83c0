"""What a claim is: a checkable statement with its rule, written before the number is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossnets.analysis.claims.evidence import Evidence
from lossnets.analysis.frames.frames import BENCHMARKS

SUPPORTED, PARTLY, CONTRADICTED = "supported", "partly", "contradicted"
NOT_TESTABLE = "not testable"
VERDICTS = (SUPPORTED, PARTLY, CONTRADICTED, NOT_TESTABLE)

Numbers = Mapping[str, Any]
Truths = NDArray[np.bool_]

_COMPARISONS: dict[str, tuple[Callable[[Any, float], Any], str]] = {
    ">=": (np.greater_equal, "at least"),
    "<=": (np.less_equal, "at most"),
    ">": (np.greater, "more than"),
    "<": (np.less, "less than"),
    "==": (np.equal, "exactly"),
}


def share_of(flags: Any) -> dict[str, Any]:
    """Numbers of a claim about how many: the share along the last axis, and of how many.

    >>> share_of(np.array([True, False, True, True]))
    {'share': np.float64(0.75), 'of': 4}
    """
    return {"share": np.mean(flags, axis=-1), "of": np.shape(flags)[-1]}


@dataclass(frozen=True)
class Bound:
    """One condition on one of a claim's numbers.

    >>> Bound("rank", "<=", 3).holds({"rank": 2})
    array(True)
    """

    number: str
    comparison: str
    value: float

    def holds(self, numbers: Numbers) -> Truths:
        """Whether it holds, for each draw."""
        return np.asarray(_COMPARISONS[self.comparison][0](numbers[self.number], self.value))

    def words(self, labels: Mapping[str, str]) -> str:
        """The condition in words."""
        return f"{labels[self.number]} {_COMPARISONS[self.comparison][1]} {self.value:g}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper in our words, and how it is tested.

    labels: what each number that `measure` returns means, the headline number first;
    supported, partly: all of these conditions must hold (no `partly`: no such verdict);
    why: what makes the thresholds sensible; evidence: the study it rests on;
    benchmarks, architectures: whose scores it needs; cells: `measure` reads nothing but the
    cells of `Evidence`, so that it can be repeated under noise; printed_ranks, attributes:
    the claim hangs on Table III as printed, or on attributes that Table I prints.
    """

    id: str
    section: str
    topic: str
    statement: str
    labels: Mapping[str, str]
    unit: str
    measure: Callable[[Evidence], Numbers]
    supported: tuple[Bound, ...]
    partly: tuple[Bound, ...] = ()
    why: str
    evidence: str
    caution: str = ""
    benchmarks: tuple[str, ...] = BENCHMARKS
    architectures: tuple[str, ...] = field(default=())
    cells: bool = True
    printed_ranks: bool = False
    attributes: bool = False

    @property
    def rule(self) -> str:
        """The whole rule in words, from the very conditions that decide."""
        words = [f"{SUPPORTED}: {self._words(self.supported)}"]
        if self.partly:
            words.append(f"{PARTLY}: {self._words(self.partly)}")
        return "; ".join(words) + f"; {CONTRADICTED} otherwise. {self.why}"

    def _words(self, bounds: tuple[Bound, ...]) -> str:
        return " and ".join(bound.words(self.labels) for bound in bounds)

    def decide(self, numbers: Numbers) -> NDArray[np.str_]:
        """The verdict for each draw; numbers that are not finite count as not testable."""
        known = np.all([np.isfinite(np.asarray(numbers[n], float)) for n in self.labels], axis=0)
        supported = np.all([bound.holds(numbers) for bound in self.supported], axis=0)
        partly = np.zeros_like(supported)
        if self.partly:
            partly = np.all([bound.holds(numbers) for bound in self.partly], axis=0)
        return np.select(
            [~known, supported, partly], [NOT_TESTABLE, SUPPORTED, PARTLY], CONTRADICTED
        )
