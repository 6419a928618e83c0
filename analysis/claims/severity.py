"""How often a rule gives each verdict where nothing is true, and where an effect is planted.

`python -m lossnets.analysis.claims` computes it for the published scores (two minutes) and writes
`severity.csv`, which is shipped; a test repeats a sample of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lossnets.analysis.claims import rules
from lossnets.analysis.claims.catalog import CLAIMS
from lossnets.analysis.claims.claim import Claim
from lossnets.analysis.claims.draws import noisy, planted, shuffled
from lossnets.analysis.claims.evidence import Evidence, NotTestable
from lossnets.analysis.frames.frames import SEED

FILE = Path(__file__).with_name("severity.csv")

DRAWS, PLANTED, NOISY = 2_000, 400, 200
AT_ONCE = 50
FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # noise, in sd between architectures' best layers
KEPT = 0.95  # share of the draws in which a verdict has to stay
TOLERANCE = 0.01  # of a share counted over DRAWS: two standard errors of CHANCE

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Severity:
    """What a claim's conditions say of shuffled tables, as shares of the draws.

    favourable: supported or as stated; open: cannot be told; planted: share of tables with the
    effect in them whose absence is claimed that the rule calls supported; noise: see
    `bearable_noise`. NaN where there is nothing to shuffle.
    """

    favourable: float = NAN
    partly: float = NAN
    open: float = NAN
    contradicted: float = NAN
    planted: float = NAN
    noise: float = NAN

    def of(self, claim: Claim, verdict: str) -> float:
        """Share of shuffled tables that get this very verdict."""
        if verdict == rules.NOT_TESTABLE or self.favourable != self.favourable:
            return NAN
        shares = {
            claim.rule.favourable: self.favourable,
            rules.PARTLY: self.partly,
            rules.CONTRADICTED: self.contradicted,
        }
        shares = {name: share for name, share in shares.items() if self.allows(claim, name)}
        if verdict == rules.OPEN:
            return max(0.0, 1 - sum(shares.values()))
        return shares.get(verdict, NAN)

    def allows(self, claim: Claim, verdict: str) -> bool:
        """Whether chance gives a verdict, or a better one, seldom enough for it to stand."""
        if not claim.rule.by_chance or verdict in (rules.OPEN, rules.NOT_TESTABLE):
            return True
        if claim.planted and verdict == rules.SUPPORTED:
            share = self.planted
        else:
            share = {
                rules.CONTRADICTED: self.contradicted,
                rules.PARTLY: self.favourable + self.partly,
            }.get(verdict, self.favourable)
        return not share > rules.CHANCE + TOLERANCE


SHARES = tuple(field.name for field in fields(Severity))


def read_severities(path: Path = FILE) -> dict[str, Severity]:
    """The shipped table: a row a claim."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            row["claim"]: Severity(
                **{f.name: float(row[f.name] or "nan") for f in fields(Severity)}
            )
            for row in csv.DictReader(lines)
        }


def judged(claim: Claim, decided: NDArray[np.str_], severity: Severity) -> NDArray[np.str_]:
    """Verdicts: what the conditions say, open where chance says so too often."""
    stands = [severity.allows(claim, str(verdict)) for verdict in decided.ravel()]
    return np.where(np.reshape(stands, decided.shape), decided, rules.OPEN)


def decided(claim: Claim, e: Evidence) -> NDArray[np.str_]:
    """What a claim's conditions say of each draw."""
    with np.errstate(all="ignore"):
        return claim.decide(claim.measure(e))


def severities(
    e: Evidence,
    claims: Sequence[Claim] = CLAIMS,
    *,
    draws: int = DRAWS,
    with_effect: int = PLANTED,
    with_noise: int = NOISY,
) -> dict[str, Severity]:
    """Severity of each claim on scores like these, NaN for what cannot be tested on them."""
    rates = _chance(e, claims, draws)
    table = {}
    for claim in claims:
        given = _given(e, claim)
        shares = rates[claim.id]
        if given is None:
            table[claim.id] = Severity()
            continue
        if claim.planted:
            shares["planted"] = _missed(claim, given, with_effect)
        one = Severity(**shares)
        table[claim.id] = Severity(**shares, noise=bearable_noise(claim, given, one, with_noise))
    return table


def _given(e: Evidence, claim: Claim) -> Evidence | None:
    """The evidence of a claim; None where it has no scores or cannot be tested."""
    try:
        given = e.restricted(claim.benchmarks, claim.architectures)
        with np.errstate(all="ignore"):
            claim.measure(given)
    except NotTestable:
        return None
    return given


def _chance(e: Evidence, claims: Sequence[Claim], draws: int) -> dict[str, dict[str, float]]:
    """What the conditions say of shuffled tables: shares by verdict, empty for facts."""
    rng = np.random.default_rng(SEED)
    votes: dict[str, list[NDArray[np.str_]]] = {claim.id: [] for claim in claims}
    rates: dict[str, dict[str, float]] = {claim.id: {} for claim in claims}
    testable = [claim for claim in claims if _given(e, claim) is not None]
    for size in _portions(draws):
        table = shuffled(e, rng, size)
        for claim, drawn in _each(e, table, testable):
            with np.errstate(all="ignore"):
                numbers = claim.measure(drawn)
            if "chance" in numbers:
                rest = 1 - float(numbers["chance"])
                rates[claim.id] = {"favourable": 1 - rest, "partly": 0, "open": rest}
                rates[claim.id]["contradicted"] = 0
                continue
            verdicts = claim.decide(numbers)
            if verdicts.ndim:
                votes[claim.id].append(verdicts)
    for claim in testable:
        if votes[claim.id]:
            rates[claim.id] = _shares(claim, np.concatenate(votes[claim.id]))
    return rates


def _portions(draws: int) -> Iterator[int]:
    for start in range(0, draws, AT_ONCE):
        yield min(AT_ONCE, draws - start)


def _each(
    e: Evidence, table: Evidence, claims: Sequence[Claim]
) -> Iterator[tuple[Claim, Evidence]]:
    """Each claim with its part of the drawn cells, shared by claims of the same benchmarks."""
    parts: dict[tuple[str, ...], Evidence] = {}
    for claim in claims:
        given = e.restricted(claim.benchmarks, claim.architectures)
        if given.scores not in parts:
            columns = [e.scores.index(score) for score in given.scores]
            parts[given.scores] = given.with_cells(table.cells[..., columns])
        yield claim, parts[given.scores]


def _shares(claim: Claim, verdicts: NDArray[np.str_]) -> dict[str, float]:
    names = {
        "favourable": claim.rule.favourable,
        "partly": rules.PARTLY,
        "open": rules.OPEN,
        "contradicted": rules.CONTRADICTED,
    }
    return {name: float(np.mean(verdicts == verdict)) for name, verdict in names.items()}


def _missed(claim: Claim, given: Evidence, draws: int) -> float:
    """Share of tables with the effect planted in which its absence is called supported."""
    rng = np.random.default_rng(SEED)
    strength = strength_for(claim, given)
    parts = [
        decided(claim, planted(given, claim.planted, rng, size, strength))
        for size in _portions(draws)
    ]
    return float(np.mean(np.concatenate(parts) == rules.SUPPORTED))


def strength_for(claim: Claim, given: Evidence, draws: int = 200) -> float:
    """The strength for which the planted correlation, `rho`, is SIZE on average: by bisection."""
    if claim.planted not in ("benchmarks", "positions"):
        return 1.0
    low, high = 0.0, 16.0
    for _ in range(10):
        middle = (low + high) / 2
        drawn = planted(given, claim.planted, np.random.default_rng(SEED), draws, middle)
        low, high = (middle, high) if _mean_rho(claim, drawn) < rules.SIZE else (low, middle)
    return (low + high) / 2


def _mean_rho(claim: Claim, drawn: Evidence) -> float:
    with np.errstate(all="ignore"):
        return float(np.nanmean(np.asarray(claim.measure(drawn)["rho"])))


def bearable_noise(claim: Claim, given: Evidence, severity: Severity, draws: int = NOISY) -> float:
    """Greatest of FRACTIONS up to which the verdict stays in most draws, 0 if none."""
    if not given.scores or not np.isfinite(given.cells).all():
        return NAN
    verdict = judged(claim, decided(claim, given), severity)
    bearable = 0.0
    for fraction in FRACTIONS:
        rng = np.random.default_rng(SEED)
        parts = [decided(claim, noisy(given, rng, size, fraction)) for size in _portions(draws)]
        verdicts = judged(claim, np.concatenate([np.atleast_1d(p) for p in parts]), severity)
        if np.mean(verdicts == verdict) < KEPT:
            break
        bearable = fraction
    return bearable


def write_severities(table: Mapping[str, Severity], path: Path = FILE) -> None:
    """Write the table that is shipped."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        names = ["claim", *SHARES]
        writer = csv.DictWriter(lines, names, lineterminator="\n")
        writer.writeheader()
        for claim, severity in table.items():
            numbers = {
                name: f"{value:.4g}" if value == value else ""
                for name, value in asdict(severity).items()
            }
            writer.writerow({"claim": claim} | numbers)
