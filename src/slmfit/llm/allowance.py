"""What the servers of one command may take, all its methods together.

    allowance = Allowance(Limits(usd=5.0))
    allowance.left()                        # Limits(usd=5.0)
    allowance.took(Cost(9_000, pico=1_250_000_000_000))
    allowance.left()                        # Limits(usd=3.75)

A ledger counts what its own answers were charged, in this run and earlier ones; here is what the others were.
"""

from __future__ import annotations

import time

from slmfit.llm.limits import Cost, Limits
from slmfit.llm.prices import PICO


class Allowance:
    """Limits that several methods share, one after the other."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._taken, self._began = Cost(), time.monotonic()

    def left(self) -> Limits:
        """What the next method may take: never less than nothing."""
        usd, tokens, seconds = self.limits.usd, self.limits.tokens, self.limits.seconds
        return Limits(
            None if usd is None else max(0.0, usd - self._taken.pico / PICO),
            None if tokens is None else max(0, tokens - self._taken.tokens),
            None if seconds is None else max(0.0, seconds - (time.monotonic() - self._began)),
        )

    def took(self, cost: Cost) -> None:
        """Count what a method's answers were charged."""
        self._taken = self._taken.plus(cost)
