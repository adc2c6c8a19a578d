"""A budget that is never exceeded: each call is reserved at the most it can cost before it is sent.

budget = Budget(Limits(usd=5.0), prices, spent=Cost(tokens=120, pico=30_000_000))
reserved = budget.reserve(most)       # None: does not fit while others are running
budget.settle(reserved, actual)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
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
        """Raises UsageError for a limit that is none, or one in USD where the price is unknown."""
        for name, value in (("usd", self.usd), ("tokens", self.tokens), ("seconds", self.seconds)):
            if value is not None and not 0 <= value < math.inf:
                raise UsageError(f"a limit of {value} {name} is none", fix="give a number, 0 or more")
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
