"""A budget that is never exceeded: each call is reserved at the most it can cost before it is sent.

budget = Budget(Limits(usd=5.0), prices, spent=Cost(tokens=120, pico=30_000_000))
reserved = budget.reserve(most)       # None: does not fit while others are running
budget.settle(reserved, actual)

What the servers of one command may take, all its methods together:

allowance = Allowance(Limits(usd=5.0), {"llm-a": Cost(9_000, pico=1_250_000_000_000)})
share = allowance.of("llm-b")
share.left()                # Limits(usd=3.75): a ledger counts what its own method was charged, earlier too
share.took(ledger.spent)    # what is then no longer left to the others
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from slmfit.errors import UsageError
from slmfit.llm.prices import PICO, Prices


@dataclass(frozen=True)
class Limits:
    """What may be spent; None = no limit.

    usd, tokens: of all asks that the ledger knows, over every run of the same command. seconds: of this run.
    """

    usd: float | None = None
    tokens: int | None = None
    seconds: float | None = None

    def check(self, prices: Prices | None, model: str, local: bool) -> None:
        """Raises UsageError for a limit that is no number, 0 or more, or one in USD where the price is unknown."""
        for name, value in (("usd", self.usd), ("tokens", self.tokens), ("seconds", self.seconds)):
            if value is not None and not 0 <= value < math.inf:
                raise UsageError(f"the limit cannot be {value} {name}", fix="give a number, 0 or more")
        if self.usd is not None and prices is None:
            what = "a local server costs time, not money" if local else f"the price of {model!r} is unknown"
            fix = "limit it with --max-tokens or --max-minutes, or give its price in a TOML file"
            raise UsageError(f"{what}, so a limit in USD cannot be kept", fix=fix)


class Cost(NamedTuple):
    """Tokens, and money in picodollars; the money is 0 where the price is unknown."""

    tokens: int = 0
    pico: int = 0

    def plus(self, other: Cost) -> Cost:
        return Cost(self.tokens + other.tokens, self.pico + other.pico)

    def minus(self, other: Cost) -> Cost:
        return Cost(self.tokens - other.tokens, self.pico - other.pico)


class Spent(NamedTuple):
    """Tokens and USD; None = the price is unknown."""

    tokens: int
    usd: float | None


class Budget:
    """Counts what was spent and what running calls could cost at most."""

    def __init__(self, limits: Limits, spent: Cost) -> None:
        self.most_tokens = limits.tokens
        self.most_pico = None if limits.usd is None else math.floor(round(limits.usd * PICO, 3))
        self.spent, self.held = spent, Cost()

    @property
    def limited(self) -> bool:
        return self.most_tokens is not None or self.most_pico is not None

    def reserve(self, most: Cost) -> bool:
        """Hold this much; False when it does not fit beside what is spent and held."""
        total = self.spent.plus(self.held).plus(most)
        if self.most_tokens is not None and total.tokens > self.most_tokens:
            return False
        if self.most_pico is not None and total.pico > self.most_pico:
            return False
        self.held = self.held.plus(most)
        return True

    def settle(self, held: Cost, spent: Cost) -> None:
        """Give back what was held; count what was spent."""
        self.held, self.spent = self.held.minus(held), self.spent.plus(spent)


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
