"""What the servers of one command may take, all its methods together.

allowance = Allowance(Limits(usd=5.0), {"llm-a": Cost(9_000, pico=1_250_000_000_000)})
share = allowance.of("llm-b")
share.left()                # Limits(usd=3.75): a ledger counts what its own method was charged, earlier too
share.took(ledger.spent)    # what is then no longer left to the others
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from slmfit.llm.limits import Cost, Limits
from slmfit.llm.prices import PICO


class Allowance:
    """Limits that several methods share, one after the other.

    known: method -> what its answers have been charged so far. Minutes count from now.
    """

    def __init__(self, limits: Limits, known: Mapping[str, Cost] | None = None) -> None:
        self.limits, self.charged, self.began = limits, dict(known or {}), time.monotonic()

    def of(self, method: str) -> Share:
        """One method's view of it."""
        return Share(self, method)


@dataclass(frozen=True)
class Share:
    """What one method may take."""

    allowance: Allowance
    method: str

    def left(self) -> Limits:
        """What all others leave of it: never less than nothing."""
        limits, others = self.allowance.limits, Cost()
        for method, cost in self.allowance.charged.items():
            others = others if method == self.method else others.plus(cost)
        usd, tokens, seconds = limits.usd, limits.tokens, limits.seconds
        return replace(
            limits,
            usd=None if usd is None else max(0.0, usd - others.pico / PICO),
            tokens=None if tokens is None else max(0, tokens - others.tokens),
            seconds=None if seconds is None else max(0.0, seconds - (time.monotonic() - self.allowance.began)),
        )

    def took(self, cost: Cost) -> None:
        """All that this method's answers have been charged, in earlier runs too."""
        self.allowance.charged[self.method] = cost
