"""What asks would take, before anything is sent.

    quote(asks, server)      # Quote(texts=7600, leaves_machine=True, host="api.openai.com", usd=(0.9, 1.4, 4.1), …)

Tokens are estimated from the length of the texts, since tokenizers differ: the high figure is a bound, a token a byte
and the longest answers; the low one is what English text of common words takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slmfit.llm import modes, wire
from slmfit.llm.ask import Ask
from slmfit.llm.server import Server

_LOW_BYTES, _EXPECTED_BYTES = 5.5, 4.0  # of English text, per token
_CHOSEN = (2, 12)  # tokens of an answer that is one of the choices, low and expected
_WRITTEN = (0.1, 0.5)  # of any other answer, as a share of the longest
_TEMPLATE_TOKENS = 16  # what a server adds to each request


@dataclass(frozen=True)
class Quote:
    """Low, expected and high figures of a run.

    texts: how many asks are sent. host: to whom. leaves_machine: whether that is another machine.
    input_tokens, output_tokens, usd: (low, expected, high); usd None where the price is unknown.
    price_date, price_source: of the prices it was reckoned with.
    """

    texts: int
    host: str
    leaves_machine: bool
    model: str
    input_tokens: tuple[int, int, int]
    output_tokens: tuple[int, int, int]
    usd: tuple[float, float, float] | None
    price_date: str | None
    price_source: str | None


def quote(asks: Iterable[Ask], server: Server) -> Quote:
    """Reads the asks one by one and keeps none."""
    texts, size, inputs, outputs = 0, 0, [0, 0, 0], [0, 0, 0]
    for ask in asks:
        mode = modes.mode_of(ask, modes.Found())
        messages, settings = modes.request(ask, mode, modes.Found())
        size = len(wire.body(messages, server.model, settings))
        texts += 1
        for i, size_of_token in enumerate((_LOW_BYTES, _EXPECTED_BYTES, 1.0)):
            inputs[i] += round(size / size_of_token) + _TEMPLATE_TOKENS
        short = _CHOSEN if ask.choices else [share * ask.max_tokens for share in _WRITTEN]
        for i, tokens in enumerate((*short, ask.max_tokens)):
            outputs[i] += min(round(tokens), ask.max_tokens)
    prices = server.prices
    usd = None
    if prices:
        low, expected, high = (prices.usd(i, o) for i, o in zip(inputs, outputs, strict=True))
        usd = (low, expected, high)
    return Quote(
        texts,
        server.host,
        not server.local,
        server.model,
        (inputs[0], inputs[1], inputs[2]),
        (outputs[0], outputs[1], outputs[2]),
        usd,
        prices.date if prices else None,
        prices.source if prices else None,
    )
