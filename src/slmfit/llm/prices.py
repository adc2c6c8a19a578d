"""What a model charges, with the day the price was true.

    prices = from_toml(Path("prices.toml"), "gemma3:27b") or from_package("gpt-5-mini", "https://api.openai.com/v1")
    prices.usd(input_tokens=1000, output_tokens=20)

    # prices.toml
    date = 2026-11-01
    [models."gemma3:27b"]
    input = 0.10          # USD per million tokens
    output = 0.30
    cached_input = 0.05   # of tokens the server had in its cache; may be left out

An unknown price is None, never 0. Sums are kept in whole picodollars, so that a budget is exact.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slmfit.environment import install, missing, now, package_version
from slmfit.errors import MissingPart, UsageError

PICO = 10**12
_ONE_TOKEN_PRICES = ("input_mtok", "output_mtok", "cache_read_mtok")
_NEVER_USED = ("searches", "cache_write", "audio", "image", "video", "document")  # what asks of text do not cause

MOST = 1e9  # USD per million tokens: what is above it is no price


@dataclass(frozen=True)
class Prices:
    """USD per million tokens.

    date: when this was the price, YYYY-MM-DD. source: who says so.
    cached_input: of input tokens that the server had in its cache; None = as `input`.
    above: (tokens, prices) of calls with more input tokens than that.
    """

    input: float
    output: float
    date: str
    source: str
    cached_input: float | None = None
    above: tuple[int, Prices] | None = None

    def pico(self, input_tokens: int, output_tokens: int, cached: int = 0) -> int:
        """The price of one call in picodollars, rounded up."""
        if self.above and input_tokens > self.above[0]:
            return self.above[1].pico(input_tokens, output_tokens, cached)
        cached = min(cached, input_tokens) if self.cached_input is not None else 0
        micro = (input_tokens - cached) * self.input + cached * (self.cached_input or 0.0) + output_tokens * self.output
        return math.ceil(round(micro * 10**6, 3))

    def usd(self, input_tokens: int, output_tokens: int, cached: int = 0) -> float:
        """The price of one call."""
        return self.pico(input_tokens, output_tokens, cached) / PICO


def looked_up(model: str, base_url: str, local: bool, file: Path | None = None) -> tuple[Prices | None, str]:
    """The model's prices, and who says so or why they are unknown: of the user's file, else of the package.

    local: on this machine, where calls cost time and not money. Raises UsageError for a file that is none.
    """
    if file and (found := from_toml(file, model)):
        return found, f"{found.source}, {found.date}"
    if local:
        return None, "a server on this machine costs time, not money"
    try:
        found = from_package(model, base_url)
    except MissingPart as error:
        return None, f"unknown: {error.what}; {error.fix}"
    return found, f"{found.source}, {found.date}" if found else "unknown to genai-prices"


def from_toml(path: Path, model: str) -> Prices | None:
    """The model's prices in the user's file; None when it names no such model. Raises UsageError for a bad file."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), fix="check the path") from None
    except UnicodeDecodeError:
        raise UsageError("is not UTF-8 text", where=str(path), fix="save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"is not TOML: {error}", where=str(path), fix="see the example in docs/llm.md") from None
    models = table.get("models")
    row = models.get(model) if isinstance(models, dict) else None
    if row is None:
        return None
    prices = {name: _price(row, name, path, model) for name in ("input", "output")}
    cached = _price(row, "cached_input", path, model) if "cached_input" in row else None
    date = str(row.get("date", table.get("date", "")))
    if not date:
        raise UsageError("a price needs its date", where=str(path), fix="add a line such as: date = 2026-11-01")
    return Prices(prices["input"], prices["output"], date, path.name, cached)


def _price(row: Any, name: str, path: Path, model: str) -> float:
    value = row.get(name) if isinstance(row, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST:
        where = f"{path}, model {model!r}"
        raise UsageError(f"{name!r} is missing or no price", where=where, fix="give USD per million tokens")
    return float(value)


def from_package(model: str, base_url: str) -> Prices | None:
    """Today's prices of the model at that server, from the package genai-prices; None when it knows none.

    Raises MissingPart when the package is not installed.
    """
    if missing("genai_prices"):
        fix = f"{install('prices')}, or give them in a TOML file"
        raise MissingPart("prices are not installed", fix=fix)
    from datetime import UTC, datetime

    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, None, base_url)
    except LookupError:
        return None
    rates = {name: rate for name, rate in vars(found.get_prices(datetime.now(UTC))).items() if rate is not None}
    others = [name for name in rates if name not in _ONE_TOKEN_PRICES and not any(w in name for w in _NEVER_USED)]
    if others or "input_mtok" not in rates or "output_mtok" not in rates:
        return None  # it charges by the request, say, which a count of tokens does not tell
    return _with_tiers([rates.get(name) for name in _ONE_TOKEN_PRICES])


def _with_tiers(rates: list[Any]) -> Prices:
    """Prices from input, output and cached rates, each a number or one with tiers."""
    source = f"genai-prices {package_version('genai-prices')}"
    starts = sorted({tier.start for rate in rates for tier in getattr(rate, "tiers", ())}, reverse=True)
    above: tuple[int, Prices] | None = None
    for start in [*starts, 0]:
        tokens = [None if rate is None else _at(rate, start) for rate in rates]
        prices = Prices(tokens[0] or 0.0, tokens[1] or 0.0, now()[:10], source, tokens[2], above)
        above = (start, prices)
    return prices


def _at(rate: Any, start: int) -> float:
    """A rate for calls with more than `start` input tokens."""
    price = getattr(rate, "base", rate)
    for tier in getattr(rate, "tiers", ()):
        if start >= tier.start:
            price = tier.price
    return float(price)
