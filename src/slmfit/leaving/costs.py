"""What the calls of a log cost: their tokens at the prices of their models, or what the log itself says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from slmfit.comparison.left import CostRecord
from slmfit.errors import UsageError
from slmfit.leaving.logs import Call
from slmfit.llm import Server
from slmfit.llm.prices import PICO, Prices, looked_up

OPENAI = "https://api.openai.com/v1"


class PriceList:
    """Prices of the models of a log, each looked up once. file: a TOML file of the user's, see docs/llm.md."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._known: dict[tuple[str, str | None], tuple[Prices | None, str]] = {}

    def of(self, model: str, host: str | None) -> tuple[Prices | None, str]:
        """The prices and who says so, or why they are unknown. Raises UsageError for a file that is none."""
        key = (model, host)
        if key not in self._known:
            self._known[key] = self._looked_up(model, host)
        return self._known[key]

    def _looked_up(self, model: str, host: str | None) -> tuple[Prices | None, str]:
        server = _server(host, model)
        found, said = looked_up(model, server.base_url, server.local, self.file)
        _, slash, plain = model.partition("/")  # LiteLLM's openai/gpt-5-mini
        if found is None and slash and not server.local:
            found, said_then = looked_up(plain, server.base_url, False, self.file)
            said = said_then if found else said
        return found, said


def _server(host: str | None, model: str) -> Server:
    try:
        return Server(host or OPENAI, model)
    except UsageError:
        return Server(OPENAI, model)


def cost_of(calls: Sequence[Call], prices: PriceList) -> CostRecord:
    """What these calls cost. A call that failed without a count of tokens, or that a cache answered, cost nothing."""
    paid = [call for call in calls if not call.unpaid and not (call.ended == "failed" and call.tokens[0] is None)]
    told = [call for call in paid if call.tokens[0] is not None and call.tokens[1] is not None]
    sums = [sum(call.tokens[i] or 0 for call in told) for i in range(3)]
    usd, source = _usd(paid, told, prices)
    return CostRecord(
        calls=len(paid),
        untold=len(paid) - len(told) if usd is None or source != _BY_LOG else 0,
        input_tokens=sums[0],
        output_tokens=sums[1],
        cached_tokens=sums[2],
        usd=usd,
        source=source,
    )


_BY_LOG = "the log's own figures"


def _usd(paid: Sequence[Call], told: Sequence[Call], prices: PriceList) -> tuple[float | None, str]:
    if not paid:
        return None, "no call was paid for"
    if all(call.usd is not None for call in paid):
        return sum(call.usd or 0.0 for call in paid), _BY_LOG
    if not told:
        return None, "unknown: the log tells no tokens"
    pico, sources = 0, dict[str, None]()
    for call in told:
        if call.model is None:
            return None, "unknown: the log names no model"
        price, said = prices.of(call.model, call.host)
        if price is None:
            return None, said if said.startswith("unknown") else f"unknown: {said}"
        pico += price.pico(int(call.tokens[0] or 0), int(call.tokens[1] or 0), call.tokens[2])
        sources[said] = None
    return pico / PICO, "; ".join(sources)
