"""The forms that a claim's rule can have, and what each needs for which verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SUPPORTED, AS_STATED, PARTLY = "supported", "as stated", "partly"
OPEN, CONTRADICTED, NOT_TESTABLE = "cannot be told", "contradicted", "not testable"
VERDICTS = (SUPPORTED, AS_STATED, PARTLY, OPEN, CONTRADICTED, NOT_TESTABLE)

CHANCE = 0.05  # greatest share of shuffled tables in which a verdict on a finding may come out

SIZE = 0.5  # the correlation whose absence has to be shown, everywhere the same
DIFFERENCE = 2 * SIZE / np.sqrt(1 - SIZE**2)  # the same size as a difference in sd: 1.15

Numbers = Mapping[str, Any]

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

    def holds(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Whether it holds, for each draw."""
        return np.asarray(_COMPARISONS[self.comparison][0](numbers[self.number], self.value))

    def in_words(self, labels: Mapping[str, str]) -> str:
        """The condition in words."""
        label = labels.get(self.number, self.number)
        return f"{label} {_COMPARISONS[self.comparison][1]} {self.value:.3g}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions for verdicts; all of a group must hold, a group that is empty never does.

    against is asked first, then holds, then partly. leaves_open: what meets none of them cannot
    be told (else it is contradicted); by_chance: shuffled tables may meet a group in CHANCE of
    the draws at most, else that, too, cannot be told.
    """

    form: str
    favourable: str
    holds: tuple[Bound, ...]
    partly: tuple[Bound, ...] = ()
    against: tuple[Bound, ...] = ()
    leaves_open: bool = True
    by_chance: bool = True

    def in_words(self, labels: Mapping[str, str]) -> str:
        """The rule in words, from the very conditions that decide."""
        groups = (
            (CONTRADICTED, self.against),
            (self.favourable, self.holds),
            (PARTLY, self.partly),
        )
        words = [
            f"{verdict}: {' and '.join(bound.in_words(labels) for bound in bounds)}"
            for verdict, bounds in groups
            if bounds
        ]
        rest = OPEN if self.leaves_open else CONTRADICTED
        limit = f"; only where at most {CHANCE:.0%} of shuffled tables say so" * self.by_chance
        return "; ".join(words) + f"; {rest} otherwise{limit}"


def reading(
    holds: tuple[Bound, ...], partly: tuple[Bound, ...], against: tuple[Bound, ...]
) -> Rule:
    """What the numbers themselves say, no inference: as stated, partly, or contradicted."""
    return Rule(
        form="reading",
        favourable=AS_STATED,
        holds=holds,
        partly=partly,
        against=against,
        leaves_open=bool(against),
        by_chance=False,
    )


def beyond_chance(
    holds: tuple[Bound, ...], partly: tuple[Bound, ...], against: tuple[Bound, ...]
) -> Rule:
    """A finding: it holds, and shuffled tables say so in a twentieth of the draws at most."""
    return Rule(
        form="beyond_chance", favourable=SUPPORTED, holds=holds, partly=partly, against=against
    )


def every(holds: tuple[Bound, ...], partly: tuple[Bound, ...], against: tuple[Bound, ...]) -> Rule:
    """A statement about all of some instances: one counterexample, after correction, refutes it.

    `counter`: instances shown to be the reverse, `open`: those not shown, both after Holm.
    """
    return Rule(
        form="every",
        favourable=SUPPORTED,
        against=against or (Bound("counter", ">=", 1),),
        holds=holds or (Bound("open", "==", 0),),
        partly=partly,
    )


def excluded(
    holds: tuple[Bound, ...], partly: tuple[Bound, ...], against: tuple[Bound, ...]
) -> Rule:
    """A statement of absence: an effect of SIZE is excluded wherever it could be.

    `limit`: greatest |correlation| that the one-sided 95 % limits allow; `significant`: effects
    found after correction, of which one refutes the statement.
    """
    return Rule(
        form="excluded",
        favourable=SUPPORTED,
        against=against or (Bound("significant", ">=", 1),),
        holds=holds or (Bound("limit", "<", SIZE),),
        partly=partly,
    )


FORMS = {form.__name__: form for form in (reading, beyond_chance, every, excluded)}
